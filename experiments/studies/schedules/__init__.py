"""Schedule search: which regimen is best, and which are not told apart from it."""
