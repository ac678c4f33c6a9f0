"""Figures of runs, sweeps, surfaces and trials; pictures of one tissue are in `simulation.plots`."""
