"""Measures of two-bar grids: against values counted by hand, and against what they must not see."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets
from course_utils.gan import bar_gan, bar_measures
from course_utils.scores import from_grid, transpose


@pytest.fixture(scope="module")
def real():
    return bar_gan.bar_windows(datasets.chorales("test")[:30])[:, -16:]


@pytest.fixture(scope="module")
def known():
    return [bar_measures.on_eighths(score) for score in datasets.chorales("train")[:40]]


@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 2**31))
@settings(max_examples=20)
def test_diversity_is_the_mean_over_all_pairs(count, pitches, seed):
    grids = np.random.default_rng(seed).integers(pitches, size=(count, 3, 2))
    by_hand = np.mean([np.mean(a != b) for i, a in enumerate(grids) for j, b in enumerate(grids)
                       if i != j])
    assert np.isclose(bar_measures.diversity(grids), by_hand)


def test_diversity_of_copies_is_zero_and_one_grid_has_none(real):
    assert bar_measures.diversity(np.repeat(real[:1], 9, axis=0)) == 0
    with pytest.raises(ValueError, match="at least two, not 1"):
        bar_measures.diversity(real[:1])


def test_swing_goes_from_the_same_to_nothing_in_common(real):
    assert bar_measures.swing(real, real[::-1]) == 0
    assert np.isclose(bar_measures.swing(np.zeros((5, 16, 4), int), np.full((5, 16, 4), 7)), 1)
    one_voice = real.copy()
    one_voice[..., 2] = 0
    assert np.isclose(bar_measures.swing(real, one_voice), 0.25 * (1 - (real[..., 2] == 0).mean()))


def test_real_bars_are_nearer_to_real_bars_than_random_ones(real):
    first, second = real[::2], real[1::2]
    random = bar_measures.random_bars(100, real, np.random.default_rng(0))
    same, apart = (bar_measures.measure(x, second) for x in (first, random))
    own = bar_measures.measure(second, second)
    assert own["pitch classes"] == own["chord types"] == own["melodic intervals"] == 0
    near, far = (bar_measures.from_real(found, own) for found in (same, apart))
    assert all(near[name] < far[name] for name in near)
    assert near["chord types"] == same["chord types"]
    assert np.isclose(near["dissonance"], abs(same["dissonance"] - own["dissonance"]))


def test_measures_do_not_depend_on_the_key(real):
    low = real[(real.min(axis=(1, 2)) >= 5)]
    here, there = bar_measures.measure(low, real), bar_measures.measure(low - 5, real)
    assert all(np.isclose(here[name], there[name], atol=1e-6) for name in here)


def test_pitch_classes_are_turned_to_where_they_fit():
    c_major = from_grid(np.array([[60], [62], [64], [65], [67], [69], [71], [60], [67], [60]]))
    home = bar_measures.pitch_classes([c_major])
    assert np.allclose(bar_measures.pitch_classes([transpose(c_major, k) for k in range(-5, 7)],
                                                  home), home)
    assert not np.allclose(bar_measures.pitch_classes([transpose(c_major, 1)]), home)


def test_copies_are_found_in_any_key_and_only_as_long_as_they_are(known):
    copy = (known[0].pitches[32:64:2] - 36).astype(int)
    assert copy.min() >= 3
    assert bar_measures.copied(copy[None] - 3, known, 8) == 1
    half = copy.copy()
    half[8:] = np.random.default_rng(0).integers(40, size=(8, 4))
    assert bar_measures.copied(half[None], known, 4) == 1
    assert bar_measures.copied(half[None], known, 6) == 0
    random = bar_measures.random_bars(20, copy[None], np.random.default_rng(0))
    assert bar_measures.copied(random, known, 2) == 0


def test_scores_on_eighths_have_no_sixteenths():
    pitches = 60 + np.arange(9)[:, None]
    assert bar_measures.on_eighths(from_grid(pitches)).pitches.ravel().tolist() == [60, 60, 62, 62,
        64, 64, 66, 66, 68]
    later = bar_measures.on_eighths(from_grid(pitches, pickup=1))
    assert later.pitches.ravel().tolist() == [61, 61, 63, 63, 65, 65, 67, 67]


def test_random_bars_keep_to_the_voices_ranges(real):
    made = bar_measures.random_bars(300, real, np.random.default_rng(0))
    assert made.shape == (300, 16, 4)
    for end in (np.min, np.max):
        assert np.array_equal(end(made, axis=(0, 1)), end(real, axis=(0, 1)))
