"""Compiled loops over the cell table, one verb per file. They index by kind and never name one."""
