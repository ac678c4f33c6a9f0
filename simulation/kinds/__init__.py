"""Kinds of cells: one file each, with its agent, parameters, rates and recognition."""
