"""Cells: rows of one table, and the Mesa agents that are windows on them."""
