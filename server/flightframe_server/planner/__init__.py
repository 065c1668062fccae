"""The planner: the rules of reuse, as pure functions over frozen holdings."""
