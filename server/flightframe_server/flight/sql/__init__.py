"""Flight SQL, one module for each family of commands."""
