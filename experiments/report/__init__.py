"""The report of a run, sweep or trial: one page that needs nothing else."""
