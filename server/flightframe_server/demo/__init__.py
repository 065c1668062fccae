"""The retail demonstration: its data, its collection, and the walkthrough as a client."""
