"""The lessons in ``notebooks/``: how each of them is made, and that their hidden answers hold.

``pytest --nbmake notebooks`` runs the lessons themselves; ``pytest -m slow tests/test_lessons.py`` runs them with the answers.
"""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip(
    "nbformat", reason='the lessons are read with nbformat: pip install "tumorlab[test]"'
)

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = [
    "01_a_first_tumor",
    "02_the_weed_killer_effect",
    "03_the_off_switch",
    "04_car_t_response_and_relapse",
    "05_the_escape_routes_compete",
    "06_cytokines_schedules_and_rest",
    "07_write_your_own_treatment",
    "08_a_sweep_and_what_it_can_say",
    "09_a_virtual_trial",
    "10_from_mesa",
]
ANSWER = re.compile(r"<details><summary>Answer</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(params=NAMES)
def lesson(request):
    return nbformat.read(FOLDER / f"{request.param}.ipynb", as_version=4)


def texts(lesson, kind: str) -> list[str]:
    return [cell.source for cell in lesson.cells if cell.cell_type == kind]


def answers(lesson) -> list[str]:
    """The code in the hidden answers, one text for each answer that has some."""
    found = [ANSWER.findall(text) for text in texts(lesson, "markdown")]
    return [
        "\n".join(CODE.findall(answer))
        for in_cell in found
        for answer in in_cell
        if CODE.search(answer)
    ]


def test_there_are_ten_lessons():
    assert sorted(file.stem for file in FOLDER.glob("*.ipynb")) == NAMES


def test_a_lesson_is_a_notebook_without_outputs(lesson):
    nbformat.validate(lesson)
    assert (lesson.nbformat, lesson.metadata.kernelspec.name) == (4, "python3")
    for cell in lesson.cells:
        assert re.fullmatch(r"[a-z0-9-]+", cell.id), (
            f"cell {cell.id!r} has a name that says nothing"
        )
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, (
                f"the outputs of cell {cell.id} are to be stripped"
            )


def test_a_lesson_asks_before_it_runs_and_discusses_after(lesson):
    """Question, prediction, run, what happened, two exercises, in short: in this order, each once."""
    headings = re.findall(r"^## (.*)$", "\n".join(texts(lesson, "markdown")), re.MULTILINE)
    wanted = [
        "Question",
        "Prediction",
        "Run",
        "What happened",
        "Exercise 1",
        "Exercise 2",
        "In short",
    ]
    assert [heading for heading in headings if heading in wanted] == wanted
    first = lesson.cells[0].source
    assert re.match(r"# \d+ · ", first) and re.search(r"\*About .* seconds of computing", first), (
        "title, and how long it takes"
    )
    places = [cell.id for cell in lesson.cells]
    assert places.index("my-guess") < places.index("run"), (
        "the student predicts before anything is run"
    )
    question = next(cell.source for cell in lesson.cells if cell.id == "question")
    assert re.search(r"^\*\*[^*]+\?[^*]*\*\*$", question, re.MULTILINE), (
        "the question is a sentence in bold that asks"
    )


def test_a_lesson_shows_a_picture_and_holds_what_it_says(lesson):
    code = "\n".join(texts(lesson, "code"))
    assert re.search(r"plots\.(overview|tissue|distributions|style\.picture)\(|figures\[", code), (
        "there is no picture"
    )
    assert code.count("assert ") >= 4, (
        "what the text claims is asserted, so that a run fails when it is no longer true"
    )


def test_every_exercise_has_a_hidden_answer_whose_code_compiles(lesson):
    exercises = [text for text in texts(lesson, "markdown") if text.startswith("## Exercise")]
    assert [len(ANSWER.findall(text)) for text in exercises] == [1, 1], (
        "two exercises with an answer each"
    )
    for code in answers(lesson):
        compile(code, "answer", "exec")
        assert "assert" in code, "an answer holds what it says"
    assert len(answers(lesson)) == 2


def test_a_lesson_names_no_place_on_a_machine(lesson):
    for text in (*texts(lesson, "markdown"), *texts(lesson, "code")):
        assert not re.search(
            r"(?<![\w.\"'}])/(home|root|tmp|Users|work|usr)\b|[A-Z]:\\|localhost|https?://", text
        ), text[:200]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_answers_hold(name):
    """The lesson with the code of its answers behind it, run in one go."""
    nbclient = pytest.importorskip(
        "nbclient", reason='the lessons are run with nbclient: pip install "tumorlab[test]"'
    )
    lesson = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    lesson.cells += [nbformat.v4.new_code_cell(code) for code in answers(lesson)]
    nbclient.NotebookClient(
        lesson, timeout=600, resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
