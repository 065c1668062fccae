"""What can be asked of a server: of the collections, and of what the data say of levels."""
