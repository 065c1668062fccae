"""Polars: a folder of Parquet files, each version of a file read by the rows it was opened for."""
