"""What is kept of an experiment is of its seeds and of the rules in force, and of a claim that held."""

import pytest

from . import kept


def square(seed: int) -> kept.Measured:
    return {"square": seed * seed, "third": seed / 3}


def fails(found: list[kept.Measured]) -> None:
    raise AssertionError("not so")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    return tmp_path


def test_what_was_measured_is_read_again_in_order_with_nine_digits():
    seen = []
    test = kept.proven(square, [3, 1, 12])(seen.append)
    test("anew")
    test("kept")
    test("again")
    assert (
        seen[0]
        == seen[1]
        == [
            {"square": 9, "third": 1.0},
            {"square": 1, "third": 0.333333333},
            {"square": 144, "third": 4.0},
        ]
    )


def test_a_claim_that_does_not_hold_keeps_nothing(folder):
    with pytest.raises(AssertionError, match="not so"):
        kept.proven(square, [1, 2])(fails)("anew")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("way", ["kept", "again"])
def test_other_seeds_and_other_rules_are_refused(way, monkeypatch):
    kept.proven(square, [1, 2])(list)("anew")
    with pytest.raises(AssertionError, match="is of seeds 1, 2: make proof"):
        kept.proven(square, [1, 2, 3])(list)(way)
    monkeypatch.setattr(kept, "RESULTS", kept.RESULTS + 1)
    with pytest.raises(AssertionError, match="are in force: make proof"):
        kept.proven(square, [1, 2])(list)(way)


def test_other_numbers_of_one_seed_are_seen(folder):
    kept.proven(square, [2, 3])(list)("anew")
    file = folder / "square.json"
    file.write_text(file.read_text().replace('"square": 4', '"square": 5'))
    with pytest.raises(AssertionError, match="other numbers than square.json keeps"):
        kept.proven(square, [2, 3])(list)("again")


def test_a_claim_about_what_is_kept_is_judged_at_every_run():
    kept.proven(square, [1, 2])(list)("anew")
    with pytest.raises(AssertionError, match="not so"):
        kept.proven(square, [1, 2])(fails)("kept")
