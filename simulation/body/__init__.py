"""What lies outside the tissue, well mixed and without chance: the lymph node."""
