"""Experiments on what cells stand in: fields and vessels."""
