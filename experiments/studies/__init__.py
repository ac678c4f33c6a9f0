"""Studies: many runs of one design, each computed once, and what is made of them all."""
