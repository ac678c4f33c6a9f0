"""The words of the page and what they mean, to be unfolded: pointing at a word needs a mouse."""

from collections.abc import Mapping
from html import escape

from simulation.words import CATEGORY_WORDS, view_words

from ..lab.dials import dials
from ..lab.legend import KILLED, MEANING, TAKEN
from ..lab.patient import Patient

RECIST = {
    "CR": "no tumour is seen any more",
    "PR": "the diameter is at least 30 % below that of day 0",
    "SD": "neither shrunk nor grown enough for another word",
    "PD": "the diameter is at least 20 %, and 5 mm, above the smallest so far, or the tumour is seen again",
}
WORDS = {
    "vigour": "what is left of the power of a T cell to kill: 1 fresh, 0 exhausted; rest gives part of it back",
    "fixed exhaustion": "the part of exhaustion that no drug and no rest rescues",
    "engaged": "holds a tumour cell at this moment, to hit it",
    "brake": "PD-1 on a T cell meets PD-L1 on its target: the chance that a hit is lost and the contact ends",
    "influx": "immune cells that come from the blood without being called",
    "influx gain": "further ones that come when killed tumour cells release antigen: killing calls for killers",
    "killed": KILLED,
    "hit braked": TAKEN,
}


def words(patient: Patient) -> Mapping[str, str]:
    """Every word that a page shows of this patient, with its meaning."""
    found = {
        f"{short}, {CATEGORY_WORDS[short]}": meaning for short, meaning in RECIST.items()
    } | WORDS
    found |= {
        view_words(view): meaning
        for view, meaning in MEANING.items()
        if view_words(view) not in found
    }
    return found | {dial.words: dial.meaning for dial in dials(patient)}


def glossary(patient: Patient) -> str:
    """The inside of a ``details`` element."""
    rows = "".join(
        f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>"
        for word, meaning in words(patient).items()
    )
    return f'<summary>Words</summary><dl tabindex="0" aria-label="what the words mean">{rows}</dl>'
