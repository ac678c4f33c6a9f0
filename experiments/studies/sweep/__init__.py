"""Sweeps: scenarios run over a design of parameter values."""
