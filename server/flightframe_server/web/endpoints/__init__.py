"""What each operation of the HTTP API answers, a module for each family of them."""
