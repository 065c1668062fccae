"""The web surface: a small HTTP API over the same answers."""
