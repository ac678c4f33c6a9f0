"""Who says so: what ships cites the bibliography or says that it assumes, and the bibliography knows what is cited."""

import ast
from pathlib import Path

import pytest

import simulation
from simulation import Parameter, assumed, cite
from simulation.parameters.bibliography import (
    BIBLIOGRAPHY,
    ENTRIES,
    is_known,
    keys_in,
    read_bibtex,
    reference,
)
from simulation.parameters.parameter import ParameterError

NOT_LOOKED_UP = {"Jenkins2015", "Majzner2018", "Galon", "QSPIO"}
"""Entries without title or year, since nobody has seen the paper; a label has neither author nor year."""
CALLS = [
    (file.relative_to(Path(simulation.__file__).parent).as_posix(), node)
    for file in sorted(Path(simulation.__file__).parent.rglob("*.py"))
    for node in ast.walk(ast.parse(file.read_bytes()))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
]


def test_a_source_reads_as_the_text_that_may_be_written_by_hand():
    assert cite("Weigelin2021") == "Weigelin2021"
    assert cite("Weigelin2021", "three hits") == "Weigelin2021: three hits"
    assert cite("label:nivolumab", "dose") == "label:nivolumab: dose"
    assert assumed("no data; roughly") == "assumed: no data; roughly"
    joined = cite("Galon", "core") + "; " + cite("iRECIST") + "; " + assumed("scaled")
    assert keys_in(joined) == ["Galon", "iRECIST"] and is_known(joined)
    for source in (joined, "Galon: core; iRECIST; assumed: scaled"):
        assert Parameter(1, "1", "a number", source=source, range=(0, 2)).source == joined


@pytest.mark.parametrize("key", ["", " ", "two words", "Halle2016:", "Halle2016;", "Galon,", 7])
def test_what_is_no_key_is_not_cited(key):
    with pytest.raises(ParameterError, match="one key of the bibliography"):
        cite(key)


@pytest.mark.parametrize("what", ["first; second", None, 3])
def test_what_a_paper_says_stays_one_part(what):
    with pytest.raises(ParameterError, match="one key of the bibliography"):
        cite("Galon", what)


@pytest.mark.parametrize("reason", ["", "  ", ":", None, 3])
def test_an_assumption_needs_a_reason(reason):
    with pytest.raises(ParameterError, match="source must be cite"):
        assumed(reason)


CITED = {call.args[0].value for _, call in CALLS if call.func.id == "cite"}


def test_every_citation_has_an_entry():
    assert len(CITED) > 20 and CITED <= set(ENTRIES)


def test_shipped_sources_are_written_with_the_two_functions():
    by_hand = [
        (file, call.lineno)
        for file, call in CALLS
        for keyword in call.keywords
        if keyword.arg == "source" and isinstance(keyword.value, ast.Constant | ast.JoinedStr)
    ]
    assert not by_hand


def test_an_entry_that_is_cited_says_who_what_and_when():
    assert len(CITED - NOT_LOOKED_UP) > 20
    for key in sorted(CITED):
        fields = ENTRIES[key]
        needed = {"title"} if key.startswith("label:") else {"author", "title", "year"}
        assert (needed <= set(fields)) == (key not in NOT_LOOKED_UP), key
        assert fields["note"] in BIBLIOGRAPHY[key], key
        assert fields.get("doi", "10.").startswith("10."), key
        assert fields.get("year", "2000").isdigit(), key


@pytest.mark.parametrize(
    ("author", "words"),
    [
        ("Bhat, R.", "Bhat"),
        ("Bhat, R. and Watzl, C.", "Bhat and Watzl"),
        ("Bhat, R. and Watzl, C. and Third, T.", "Bhat et al."),
        ("Bhat, R. and others", "Bhat et al."),
        ("A Laboratory", "A Laboratory"),
    ],
)
def test_authors_are_named_as_the_field_names_them(author, words):
    assert reference({"author": author, "year": "2007", "note": "why"}) == f"{words} 2007 (why)"


def test_a_reference_is_one_line():
    assert BIBLIOGRAPHY["Bhat2007"] == (
        "Bhat and Watzl 2007. Serial killing of tumor cells by human natural killer cells - enhancement by therapeutic "
        "antibodies. PLoS ONE 2:e326. doi:10.1371/journal.pone.0000326 "
        "(an NK cell kills 4 to 7 targets before it is spent; IL-2 restores it)"
    )
    assert BIBLIOGRAPHY["label:atezolizumab"] == (
        "Label of atezolizumab (1200 mg every 3 weeks; half-life 27 d)"
    )


ENTRY = "@article{Key2020,\n  title = {A title},\n  year = {2020},\n}\n"


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        (ENTRY + ENTRY, "line 5", "Key2020 is there twice"),
        (ENTRY.removesuffix("}\n") + ENTRY, "line 4", "written once"),
        (ENTRY.removesuffix("}\n"), "mine.bib", "not closed"),
        (ENTRY.replace("Key2020", "Key 2020"), "line 1", "begins with"),
        (ENTRY.replace("Key2020", ""), "line 1", "begins with"),
        (ENTRY.replace("  title", "title"), "line 2", "written once"),
        (ENTRY.replace("title =", "heading ="), "line 2", "one of author, title"),
        (ENTRY.replace("year = {2020}", "title = {2020}"), "line 3", "written once"),
        (ENTRY.replace("{A title}", '"A title"'), "line 2", "written once"),
        (ENTRY.replace("A title", "A {T} title"), "line 2", "written once"),
        (ENTRY.replace("A title", ""), "line 2", "written once"),
        (ENTRY + "by hand\n", "line 5", "begins with"),
    ],
)
def test_a_bibliography_that_is_not_as_it_must_be_is_refused_with_its_line(text, where, why):
    with pytest.raises(ParameterError, match=why) as caught:
        read_bibtex(text, "mine.bib")
    assert "mine.bib" in str(caught.value) and where in str(caught.value)


def test_a_bibliography_is_read_with_comments_and_empty_lines():
    assert read_bibtex(f"% why\n\n{ENTRY}") == {"Key2020": {"title": "A title", "year": "2020"}}
