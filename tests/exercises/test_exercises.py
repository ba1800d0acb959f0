"""Each check passes the worked answer, and rejects plausible wrong ones with a hint that names the
learner's value.
"""
import importlib
from pathlib import Path

import numpy as np
import pytest

from course_utils import exercises

CHAPTERS = sorted(path.stem for path in Path(__file__).parent.glob("answers_*.py"))
ANSWERS = {number: answers for chapter in CHAPTERS for number, answers
           in importlib.import_module(f"tests.exercises.{chapter}").ANSWERS.items()}


@pytest.fixture
def verdict(capsys):
    """Return a function that checks an answer and returns what was printed."""

    def printed(number, answer):
        exercises.check(number, answer)
        return capsys.readouterr().out.strip()

    return printed


def test_every_exercise_is_tried_both_ways():
    assert exercises.known() == sorted(ANSWERS)
    assert all(right and len(wrong) >= 3 for right, wrong in ANSWERS.values())


@pytest.mark.parametrize("number,answer",
                         [(number, answer) for number, (right, _) in ANSWERS.items()
                          for answer in right])
def test_worked_answers_pass(verdict, number, answer):
    assert verdict(number, answer) == f"{number} PASS"


@pytest.mark.parametrize("number,answer,told",
                         [(number, *case) for number, (_, wrong) in ANSWERS.items()
                          for case in wrong])
def test_wrong_answers_get_a_hint_that_names_them(verdict, number, answer, told):
    text = verdict(number, answer)
    assert text.startswith(f"{number} NOT YET. You gave {exercises.show(answer)}. ")
    assert told in text and "\n" not in text and " at 0x" not in text


@pytest.mark.parametrize("number", ANSWERS)
def test_an_unanswered_exercise_says_so_and_does_not_fail(verdict, number):
    def dots(pitches, semitones): ...

    def dots_with_docstring(pitches, semitones):
        """Transpose."""
        ...

    for answer in (None, ..., [..., 64, 67, 72], dots, dots_with_docstring):
        assert "still open" in verdict(number, answer)


@pytest.mark.parametrize("answer", [lambda: 1, lambda: "text", lambda: [1]],
                         ids=["number", "text", "list"])
def test_a_function_that_does_something_is_an_answer(verdict, answer):
    assert "NOT YET" in verdict("00.3", answer)


@pytest.mark.parametrize("number", ["99.1", "00.9", "0.1", 0.1, "", None, "00.1 "])
def test_an_unknown_exercise_lists_those_there_are(number):
    with pytest.raises(ValueError, match=r"00\.1, 00\.2, 00\.3"):
        exercises.check(number, 1)


def test_an_answer_that_breaks_the_check_gets_a_hint(verdict):
    class Broken:
        def __array__(self, *_, **__):
            raise MemoryError("boom")

    assert "could not be checked (MemoryError" in verdict("00.1", Broken())


def test_long_answers_are_shown_short():
    assert len(exercises.show(np.random.default_rng(0).normal(size=(1000, 64)))) < 200
    assert len(exercises.show(list(range(10_000)))) < 60
    assert exercises.show(np.float64(0.5)) == "0.5"
