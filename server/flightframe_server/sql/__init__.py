"""What SQL texts mean: the catalogue, published tables, and Frame-QL in other words."""
