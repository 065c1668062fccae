"""The cache: Parquet entries, their manifest, the hot tier, budget and recovery."""
