"""DuckDB: a database file, each version of it read through an instance of its own."""
