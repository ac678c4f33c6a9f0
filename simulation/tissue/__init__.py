"""The ground cells stand on: the lattice, and the substances in it."""
