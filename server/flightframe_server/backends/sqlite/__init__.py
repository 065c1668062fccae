"""SQLite: a database file, each value of it checked as it is read."""
