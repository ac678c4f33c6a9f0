"""The rules once more, as plain Mesa objects, and how fast each is."""
