"""The resolver: what the names of a statement mean in one collection."""
