"""Each check passes the worked answer, and rejects plausible wrong ones with a hint that names the learner's value."""
import numpy as np
import pytest

from course_utils import exercises


def shift(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches + semitones)


def shift_that_moves_rests(pitches, semitones):
    return pitches + semitones


def shift_in_place(pitches, semitones):
    pitches[pitches >= 0] += semitones
    return pitches


def shift_downwards(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches - semitones)


def shift_that_flattens(pitches, semitones):
    return [int(p) + semitones for p in pitches.ravel() if p >= 0]


def shift_without_return(pitches, semitones):
    pitches = pitches + semitones


# Number: (worked answers, wrong answers, each with what the hint must say).
ANSWERS = {
    "00.1": ([160, 160.0, np.int64(160), np.array(160.0)],
             [(40, "40"), (9600, "9600"), (2400, "2400"), (640, "640"), (161, "161"), (True, "True"), ("160", "'160'"),
              (np.nan, "nan"), ([160, 1], "[160, 1]"), (np.arange(50), "shape (50,)")]),
    "00.2": ([[72, 67, 64, 48], [76, 64, 55, 36], (76, 67, 60, 60), np.array([79, 64, 60, 48])],
             [([48, 64, 67, 72], "cross"), ([72, 67, 60, 48], "no E"), ([72, 67, 63, 48], "[63]"),
              ([72, 67, 60, 52], "bass sings E"), ([84, 67, 64, 48], "[84]"), ([72, 67, 64], "[72, 67, 64]"),
              ([72.5, 67, 64, 48], "72.5"), ("CEGC", "'CEGC'")]),
    "00.3": ([shift],
             [(shift_that_moves_rests, "moved the rests"), (shift_in_place, "changed its input"),
              (shift_downwards, "[[70 65 62 46]"), (shift_that_flattens, "shape"), (shift_without_return, "returned None"),
              (lambda pitches: pitches, "TypeError"), (12, "You gave 12")]),
}


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


@pytest.mark.parametrize("number,answer", [(number, answer) for number, (right, _) in ANSWERS.items() for answer in right])
def test_worked_answers_pass(verdict, number, answer):
    assert verdict(number, answer) == f"{number} PASS"


@pytest.mark.parametrize("number,answer,told", [(number, *case) for number, (_, wrong) in ANSWERS.items() for case in wrong])
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


@pytest.mark.parametrize("answer", [lambda: 1, lambda: "text", lambda: [1]], ids=["number", "text", "list"])
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
