"""Typed note names become the melody that was meant, or an error that says which word is wrong."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.scores import REST, to_notes
from course_utils.scores.melodies import parse_melody

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
note = st.tuples(st.integers(24, 108), st.integers(1, 64), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(note, min_size=1, max_size=12))
def test_what_is_written_is_what_is_read(notes):
    text = " | ".join(f"{NAMES[p % 12]}{p // 12 - 1}:{steps / 4}{'^' * fermata}"
                      for p, steps, fermata in notes)
    score = parse_melody(text)
    found = to_notes(score)
    assert [(n.pitch, n.end - n.start) for n in found] == [(p, steps) for p, steps, _ in notes]
    assert [bool(score.fermata[n.start : n.end].all()) for n in found] == [fermata for *_,
                                                                           fermata in notes]


@pytest.mark.parametrize("text,pitches",
                         [("C4", [60] * 4), ("c4:.25 a4:0.25", [60, 69]), ("B#3:.5", [60, 60]),
                          ("Cb5:0.25", [71]), ("Bb4:0.25 F##4:.25", [70, 67]),
                          ("r:0.5 Dbb4:.25", [REST, REST, 60]), ("C-1:.25 G9:.25", [0, 127]),
                          ("|C4:0.25|D4:0.25|", [60, 62]), ("C4:0.25^|", [60])])
def test_spellings(text, pitches):
    assert parse_melody(text).pitches[:, 0].tolist() == pitches


def test_a_repeated_note_is_struck_again():
    assert parse_melody("C4:0.5 C4:0.5 r:0.25 C4:0.25").onsets[:, 0].tolist() == [True, False, True,
        False, False, True]


def test_bars_pickup_key_and_title_are_kept():
    score = parse_melody("G4 C5:3^ r:2", key=0, bar=12, pickup=4, title="Tune")
    assert score.beat.tolist() == [8, 9, 10, 11, *range(12), *range(8)]
    assert (score.bar == 12).all() and score.key == 0 and score.title == "Tune"
    assert np.flatnonzero(score.fermata).tolist() == list(range(4, 16))


@pytest.mark.parametrize("text,told",
                         [("C4 H4", "'H4' is not a note"), ("C", "'C' is not a note"),
                          ("C4: D4", "'C4:'"), ("C4:x", "'C4:x'"), ("C4:-1", "'C4:-1'"),
                          ("C4:0.3", "lasts 0.3 quarters"), ("C4:0", "lasts 0 quarters"),
                          ("C4:99", "lasts 99"), ("C4#", "'C4#'"), ("60 62", "'60'"),
                          ("G#9", "MIDI 128"), ("", "no notes"), ("r r:2", "no notes"),
                          ("| |", "no notes"), ("C4,D4", "'C4,D4'"), ("C4:1e3", "'C4:1e3'")])
def test_what_is_no_melody(text, told):
    with pytest.raises(ValueError, match=told) as error:
        parse_melody(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("how", [{"bar": 0}, {"bar": 256}, {"pickup": 16}, {"pickup": -1}])
def test_bars_out_of_range(how):
    with pytest.raises(ValueError, match="pickup is shorter"):
        parse_melody("C4", **how)
