"""Statements of the database: who may run one, for how long, and how it ends."""
