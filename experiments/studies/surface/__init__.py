"""Dose and combination surfaces: what two treatments do together, beside what each does alone."""
