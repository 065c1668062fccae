"""The ways of asking a question, a module each: what one of them loads is no cost of another."""
