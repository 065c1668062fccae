"""The language: Frame-QL text to frozen syntax nodes and back."""
