"""TPC-H: its tables as an Analytic Collection, and ten of its questions beside their SQL."""
