"""What the HTTP API says of itself: the table of its operations, OpenAPI, and a page to read."""
