"""Settings of all tests: the same examples on every machine, pictures without a screen."""

import matplotlib
from hypothesis import settings

matplotlib.use("Agg")
# The first example of a property may wait seconds for the compiler, so examples have no deadline.
settings.register_profile("tumorlab", derandomize=True, deadline=None)
settings.load_profile("tumorlab")
