"""The flightframe server: governed metrics as Arrow batches that say where they came from."""

__version__ = "0.2.0"
