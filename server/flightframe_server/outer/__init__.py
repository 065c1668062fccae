"""Algebra over complete answers: a typed tree, its compiler, and the engine that runs it."""
