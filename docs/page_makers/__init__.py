"""The makers of the generated pages, one module for each page."""
