"""The order of bars: every mark that there is, on any bar."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.scores import repeats
from course_utils.scores.repeats import Marks, order

BARS = st.integers(0, 9)
SIGNS = st.builds(Marks, forward=st.booleans(), plays=st.sampled_from([0, 0, 2, 2, 3]),
                  endings=st.sampled_from([set(), set(), {1}, {2}, {1, 2}, {3}]))
JUMPS = st.builds(Marks, forward=st.booleans(), plays=st.sampled_from([0, 2]),
                  endings=st.sampled_from([set(), set(), {1}, {2}]), segno=st.booleans(),
                  coda=st.booleans(), to_coda=st.booleans(), fine=st.booleans(),
                  jump=st.sampled_from(["", "", "da capo", "dal segno"]),
                  al=st.sampled_from(["", "fine", "coda"]))


def played(count: int, **marks: Marks) -> str:
    """Return the order, counted from 1, of bars with marks given as bar2=Marks(...)."""
    found, _ = order(count, {int(name[3:]) - 1: mark for name, mark in marks.items()})
    return " ".join(str(bar + 1) for bar in found)


@given(st.integers(1, 10), st.dictionaries(BARS, SIGNS))
@settings(max_examples=300)
def test_with_repeats_alone_every_bar_is_played_and_first_in_its_turn(count, marks):
    found, told = order(count, marks)
    assert list(dict.fromkeys(found)) == sorted(set(found)) or any(m.endings
                                                                   for m in marks.values())
    assert set(found) == set(range(count)) and told == []


@given(st.integers(1, 10), st.dictionaries(BARS, SIGNS))
@settings(max_examples=300)
def test_without_endings_every_bar_is_played_as_often_as_its_passage(count, marks):
    marks = {bar: Marks(forward=mark.forward, plays=mark.plays) for bar, mark in marks.items()}
    found, _ = order(count, marks)
    closed = {bar: mark.plays for bar, mark in marks.items() if mark.plays and bar < count}
    for bar in range(count):
        ends = [other for other in closed if other >= bar]
        opened = [other for other, mark in marks.items() if mark.forward and bar < other]
        closing = min(ends, default=count)
        expected = 1 if any(other <= closing for other in opened) else closed.get(closing, 1)
        assert found.count(bar) == expected


@given(st.integers(1, 10), st.dictionaries(BARS, JUMPS))
@settings(max_examples=500)
def test_any_marks_give_an_order_that_ends(count, marks):
    found, told = order(count, marks)
    assert 0 < len(found) <= 3 * count * (1 + len(marks))
    assert set(found) <= set(range(count)) and found[0] in range(count)
    assert all(line.endswith(".") for line in told)
    assert order(count, marks) == (found, told)  # marks are left as they are


def test_without_marks_bars_follow_each_other():
    assert order(3, {}) == ([0, 1, 2], []) and order(0, {}) == ([], [])


def test_repeats_after_a_coda_are_played():
    assert played(5, bar2=Marks(to_coda=True), bar3=Marks(jump="da capo", al="coda"),
                  bar4=Marks(coda=True, plays=2)) == "1 2 3 1 2 4 4 5"


def test_of_two_coda_signs_the_first_says_where_to_leave():
    assert played(5, bar2=Marks(coda=True), bar3=Marks(jump="da capo"),
                  bar4=Marks(coda=True)) == "1 2 3 1 2 4 5"


def test_a_jump_from_the_first_ending_goes_on_with_the_second():
    assert played(3, bar2=Marks(endings={1}, jump="da capo"), bar3=Marks(endings={2})) == "1 2 1 3"


def test_a_repeat_that_begins_in_the_second_ending():
    assert played(4, bar2=Marks(endings={1}, plays=2), bar3=Marks(endings={2}, forward=True),
                  bar4=Marks(plays=2)) == "1 2 1 3 4 3 4"


@pytest.mark.parametrize("marks", [{0: Marks(plays=101)}, {0: Marks(endings={1, 500}, plays=2)}])
def test_a_passage_is_not_played_without_end(marks):
    with pytest.raises(ValueError, match="times"):
        order(2, marks)


def test_there_are_no_more_bars_than_can_be_read():
    with pytest.raises(ValueError, match="10000 bars"):
        order(200, {bar: Marks(plays=99) for bar in range(200)})
    assert len(order(repeats.MOST_BARS, {})[0]) == repeats.MOST_BARS


@pytest.mark.parametrize("text,jump,al", [
    ("D.C. al Fine", "da capo", "fine"), ("Da Capo", "da capo", ""), ("DC", "da capo", ""),
    ("D.S. al Coda", "dal segno", "coda"), ("d. s.", "dal segno", ""),
    ("Dal  Segno al Fine", "dal segno", "fine"), ("D.C. senza repetizione", "da capo", ""),
    ("Dolce", "", ""), ("Decresc.", "", ""), ("Coda", "", "")])
def test_words_that_send_elsewhere(text, jump, al):
    mark = Marks()
    mark.read_words(text)
    assert (mark.jump, mark.al, mark.fine, mark.to_coda) == (jump, al, False, False)


@pytest.mark.parametrize("text,fine,leaves", [("Fine", True, False), ("FINE.", True, False),
                                              ("To Coda", False, True), ("al Coda", False, True),
                                              ("Refined", False, False)])
def test_words_where_to_stop_or_to_leave(text, fine, leaves):
    mark = Marks()
    mark.read_words(text)
    assert (mark.fine, mark.to_coda, mark.jump) == (fine, leaves, "")
