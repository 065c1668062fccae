"""SQL for back-ends that speak it: plans to sqlglot expressions, with our own dialect rules."""
