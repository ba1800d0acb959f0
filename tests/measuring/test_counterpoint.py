"""Each rule finds what a constructed example breaks, lets pass what it does not, and agrees with
Bach's practice.
"""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils import datasets
from course_utils.measuring import counterpoint
from course_utils.measuring.counterpoint import FIFTH, OCTAVE
from course_utils.scores import REST, excerpt, from_grid, transpose

C, G7, F = [72, 67, 64, 48], [71, 65, 62, 43], [72, 69, 65, 53]


def chords(*rows, steps=4):
    return from_grid(np.repeat(np.array(rows), steps, axis=0))


def grids(min_steps=2):
    pitches = st.one_of(st.just(REST), st.integers(48, 72))
    return arrays.arrays(np.int16, st.tuples(st.integers(min_steps, 40), st.just(4)),
                         elements=pitches)


def test_parallel_fifths_and_octaves_are_found_where_they_are():
    score = chords([72, 67, 60, 48], [74, 69, 62, 50])
    assert counterpoint.parallels(score, FIFTH) == [(4, 1, 2), (4, 1, 3)]
    assert counterpoint.parallels(score, OCTAVE) == [(4, 0, 2), (4, 0, 3), (4, 2, 3)]


@pytest.mark.parametrize("name,first,second", [
    ("nobody moves", [67, 60], [67, 60]),
    ("one voice moves", [67, 60], [72, 60]),
    ("contrary motion, fifth to twelfth", [67, 60], [72, 53]),
    ("from a sixth into a fifth", [69, 60], [69, 62]),
    ("from a fifth into a sixth", [67, 60], [71, 62]),
    ("parallel thirds", [64, 60], [65, 62]),
    ("parallel fourths", [65, 60], [67, 62]),
    ("over a rest", [67, REST], [69, 62]),
])
def test_what_is_no_parallel(name, first, second):
    score = chords(first, second)
    assert counterpoint.parallels(score, FIFTH) == []
    assert counterpoint.parallels(score, OCTAVE) == []


def test_a_struck_repetition_is_no_parallel():
    score = from_grid(np.full((4, 2), 60), onsets=np.ones((4, 2), bool))
    assert counterpoint.parallels(score, OCTAVE) == []


def test_a_new_phrase_begins_anew():
    score = chords([67, 60], [69, 62])
    fermata = np.arange(8) < 4
    assert counterpoint.parallels(score, FIFTH) == [(4, 0, 1)]
    assert counterpoint.parallels(replace(score, fermata=fermata), FIFTH) == []
    assert counterpoint.parallels(replace(score, fermata=~fermata), FIFTH) == [(4, 0, 1)]
    assert counterpoint.parallels(replace(score, fermata=fermata | ~fermata), FIFTH) == [(4, 0, 1)]


def test_a_parallel_at_the_octave_is_one_too():
    assert counterpoint.parallels(chords([79, 60], [81, 62]), FIFTH) == [(4, 0, 1)]
    assert counterpoint.parallels(chords([60, 60], [62, 62]), OCTAVE) == [(4, 0, 1)]


def test_rates_count_sixteen_sixteenths_a_bar():
    score = chords([72, 67, 60, 48], [74, 69, 62, 50], steps=16)
    assert counterpoint.measure(score)["parallel fifths a bar"] == 1.0
    assert counterpoint.measure(score)["parallel octaves a bar"] == 1.5


def test_crossing_counts_neighbours():
    assert counterpoint.crossing_rate(chords([72, 67, 64, 48])) == 0
    assert counterpoint.crossing_rate(chords([67, 72, 64, 48])) == pytest.approx(1 / 3)
    assert counterpoint.crossing_rate(chords([48, 64, 67, 72])) == 1
    assert counterpoint.crossing_rate(chords([60, 60, 60, 60])) == 0
    assert counterpoint.crossing_rate(chords([60, REST, 72, 48])) == 0


def test_ranges_are_those_of_each_voice():
    assert counterpoint.out_of_range_rate(chords([72, 67, 64, 48])) == 0
    assert counterpoint.out_of_range_rate(chords([59, 67, 64, 48])) == 0.25
    assert counterpoint.out_of_range_rate(chords([59, 77, 46, 65])) == 1
    assert counterpoint.out_of_range_rate(chords([59, REST, REST, REST])) == 1
    assert counterpoint.out_of_range_rate(chords([REST] * 4)) == 0


@pytest.mark.parametrize("chord,dissonant",
                         [([72, 67, 64, 48], False), ([72, 67, 63, 48], False),
                          ([76, 67, 60, 55], False), ([60, 60, 60, 60], False), (G7, True),
                          ([72, 67, 62, 48], True), ([71, 65, 62, 50], True),
                          ([71, 67, 64, 48], True), ([60, REST, REST, 48], False),
                          ([REST] * 4, False)])
def test_dissonance(chord, dissonant):
    assert counterpoint.dissonance_rate(chords(chord)) == dissonant


def test_dissonance_is_a_share_of_steps():
    assert counterpoint.dissonance_rate(chords(C, G7, C, F)) == 0.25


def test_repetition():
    rng = np.random.default_rng(0)
    fresh = rng.integers(50, 70, (32, 4))
    assert counterpoint.repetition_rate(from_grid(fresh)) == 0
    assert counterpoint.repetition_rate(
        from_grid(np.vstack([fresh, fresh]))) == pytest.approx(17 / 48)
    assert counterpoint.repetition_rate(from_grid(np.full((64, 4), 60))) == 1
    assert counterpoint.repetition_rate(from_grid(fresh[:16])) == 0
    one_voice_differs = np.vstack([fresh, fresh])
    one_voice_differs[32:, 2] += 1
    assert counterpoint.repetition_rate(from_grid(one_voice_differs)) == 0


def test_moves_and_standstill():
    score = chords(C, G7, G7, C)
    assert counterpoint.longest_standstill(score) == 2
    assert counterpoint.moves_per_quarter(score) == pytest.approx(2 / 4)
    still = from_grid(np.full((24, 4), 60))
    assert counterpoint.longest_standstill(still) == 6
    assert counterpoint.moves_per_quarter(still) == 0


def test_the_largest_leap_is_that_of_one_voice_and_not_over_a_rest():
    assert counterpoint.largest_leap(chords([72, 67, 64, 48], [71, 67, 64, 60])) == 12
    assert counterpoint.largest_leap(chords([72, 67, 64, 48], [72, 67, 64, REST],
                                            [72, 67, 64, 60])) == 0
    assert counterpoint.largest_leap(chords([60, 60, 60, 60])) == 0


@pytest.mark.parametrize("name,end,last,closes",
                         [("V-I, falling fifth", [71, 67, 62, 55], C, True),
                          ("V-I, rising fourth", G7, C, True),
                          ("V-i", [71, 67, 62, 55], [72, 67, 63, 48], True),
                          ("without fifth", G7, [72, 64, 60, 48], True), ("IV-I", F, C, False),
                          ("deceptive", G7, [72, 64, 60, 57], False),
                          ("first inversion", G7, [72, 67, 60, 52], False),
                          ("with a seventh", G7, [70, 67, 64, 48], False), ("no end", C, C, False),
                          ("a silent bass", G7, [72, 67, 64, REST], False)])
def test_cadences(name, end, last, closes):
    assert counterpoint.ends_with_cadence(chords(F, end, last)) == closes


def test_the_bass_has_to_be_the_lowest_voice_of_a_cadence():
    assert not counterpoint.ends_with_cadence(chords(G7, [72, 67, 40, 48]))


@settings(max_examples=40, deadline=None)
@given(grids(), st.integers(-12, 12))
def test_all_rules_but_range_ignore_transposition(pitches, semitones):
    score = from_grid(pitches)
    before, after = (counterpoint.measure(s) for s in (score, transpose(score, semitones)))
    before.pop("out of range"), after.pop("out of range")
    assert after == pytest.approx(before)


@settings(max_examples=40, deadline=None)
@given(grids())
def test_rates_stay_between_0_and_1(pitches):
    measured = counterpoint.measure(from_grid(pitches))
    for name in ("voices crossed", "out of range", "dissonance", "repetition",
                 "cadence at the end"):
        assert 0 <= measured[name] <= 1, name
    assert all(np.isfinite(value) and value >= 0 for value in measured.values())


@pytest.fixture(scope="module")
def bach():
    return counterpoint.rates(datasets.chorales("train"))


def test_bach_keeps_the_rules(bach):
    for name, highest in {"parallel fifths a bar": 0.02, "parallel octaves a bar": 0.01,
                          "voices crossed": 0.02, "out of range": 0.001}.items():
        assert bach[name][0] < highest, name
    assert bach["cadence at the end"][0] > 0.8 and 0.2 < bach["dissonance"][0] < 0.5


def test_bach_shuffled_does_not(bach):
    rng = np.random.default_rng(0)
    shuffled = []
    for score in datasets.chorales("train")[:60]:
        quarters = score.pitches[: len(score) // 4 * 4].reshape(-1, 4, 4)
        shuffled.append(from_grid(quarters[rng.permutation(len(quarters))].reshape(-1, 4)))
    measured = counterpoint.rates(shuffled)
    for name in ("parallel fifths a bar", "parallel octaves a bar"):
        assert measured[name][1] > 5 * bach[name][2], name
    assert measured["repetition"][2] < bach["repetition"][1]
    assert measured["cadence at the end"][2] < 0.5


def test_the_mean_lies_in_its_interval(bach):
    assert all(low <= mean <= high for mean, low, high in bach.values())
    one = counterpoint.rates([excerpt(datasets.chorales("train")[0], 0, 32)])
    assert all(low == pytest.approx(mean) == high for mean, low, high in one.values())


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="at least one score"):
        counterpoint.rates([])
    with pytest.raises(ValueError, match="2 voices"):
        counterpoint.measure(from_grid(np.full((4, 2), 60)))
