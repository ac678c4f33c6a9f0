"""Checks of plug-ins, for their authors: what a treatment or a kind of cell promises."""
