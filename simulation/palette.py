"""How each kind of cell is drawn and called, as the kinds themselves declare it."""

from .words import IMMUNE_WORDS, KIND_WORDS

COLORS: dict[str, str] = {}


def show(kind: str, column: str, words: str = "", color: str = "") -> None:
    """Draw a kind of cell in this colour and call it, and its column in results, by these words.

    What it does not say is left to the pictures.
    """
    if words:
        KIND_WORDS[kind] = words
        if kind != "tumor_cell":
            IMMUNE_WORDS[column] = words
    if color:
        COLORS[kind] = color
