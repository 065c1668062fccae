"""The metric engine: carries out plans, remembers what it fetched, warms up."""
