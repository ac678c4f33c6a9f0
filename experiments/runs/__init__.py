"""One scenario, run: what it leaves in its folder, and where each number of it came from."""
