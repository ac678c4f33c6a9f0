"""Sensitivity: which parameters an outcome depends on."""
