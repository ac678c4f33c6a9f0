"""The colour and the words of each kind of cell, as the kinds themselves declare them."""

COLORS: dict[str, str] = {}
WORDS: dict[str, str] = {}


def show(kind: str, words: str = "", color: str = "") -> None:
    """Draw a kind of cell in this colour and call it by these words; what it does not say is left to the pictures."""
    if words:
        WORDS[kind] = words
    if color:
        COLORS[kind] = color
