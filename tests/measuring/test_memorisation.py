"""Copies: planted ones are found whole, in any key; what is found agrees with a slow search; and it
is quick.
"""
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, scores
from course_utils.measuring import memorisation

TRAIN, TEST = datasets.chorales("train"), datasets.chorales("test")


def slow_longest(piece, known):
    """Compare every passage with every other, in all transpositions."""
    best = 0
    for other in known:
        for here in range(len(piece)):
            for there in range(len(other)):
                for semitones in range(-24, 25):
                    a, b = piece.pitches[here:].astype(int), other.pitches[there:].astype(int)
                    n = min(len(a), len(b))
                    same = (a[:n] == np.where(b[:n] == -1, -1, b[:n] + semitones)).all(axis=1)
                    best = max(best, n if same.all() else int(np.argmin(same)))
    return best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_longest_copy_is_that_of_a_slow_search(seed):
    rng = np.random.default_rng(seed)
    known = [scores.from_grid(rng.integers(60, 62, (8, 2)) - 61 * (rng.random((8, 2)) < 0.1))
             for _ in range(2)]
    piece = scores.from_grid(
        np.vstack([rng.integers(60, 63, (3, 2)), known[0].pitches[2:6],
                   rng.integers(60, 62, (2, 2))]))
    rests = [(score.pitches == -1).all(axis=1).any() for score in (*known, piece)]
    if not any(rests):  # a rest in all voices leaves the transposition open
        assert memorisation.longest_copies([piece], known)[0] == slow_longest(piece, known)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, len(TRAIN) - 1), st.integers(-3, 3), st.integers(8, 40))
def test_a_planted_copy_is_found_in_any_key(number, semitones, steps):
    source = scores.transpose(TRAIN[number], semitones)
    noise = np.random.default_rng(number).integers(40, 80, (30, 4))
    piece = scores.from_grid(np.concatenate([noise, source.pitches[8 : 8 + steps], noise[::-1]]))
    lengths = memorisation.copied_lengths([piece], TRAIN)[0]
    assert lengths[30] >= steps and lengths[:28].max() < steps


def test_no_copy_reaches_over_the_end_of_a_piece():
    pitches = TRAIN[0].pitches
    held = next(step for step in range(20, 40) if (pitches[step] == pitches[step - 1]).all())
    first, second = scores.from_grid(pitches[:held]), scores.from_grid(pitches[held : held + 15])
    assert memorisation.longest_copies([TRAIN[0]], [first, second])[0] == held
    assert memorisation.longest_copies([first, second], [TRAIN[0]]).tolist() == [held, 15]


def test_noise_copies_nothing_and_held_out_bach_a_few_beats():
    noise = scores.from_grid(np.random.default_rng(0).integers(30, 88, (100, 4)))
    assert memorisation.longest_copies([noise], TRAIN)[0] <= 1
    begin = time.perf_counter()
    lengths = memorisation.longest_copies(TEST, TRAIN)
    assert time.perf_counter() - begin < 5
    assert 4 < np.median(lengths) < 32


def test_memorised_rate_of_held_out_music_and_of_copies():
    valid = datasets.chorales("valid")
    assert memorisation.memorised_rate(valid, TRAIN, TEST) < 0.2
    assert memorisation.memorised_rate([scores.transpose(score, 1) for score in TRAIN[:20]], TRAIN,
                                       TEST) == 1


def test_the_nearest_passage_of_a_changed_copy():
    passage = scores.transpose(TRAIN[7], 2).pitches[12:44].copy()
    passage[5] = [70, 65, 60, 40]
    found = memorisation.nearest_passage(passage, TRAIN)
    assert (found.piece, found.start, found.semitones) == (7, 12, 2) and 0.96 < found.agreement < 1


def test_the_nearest_passage_counts_rests():
    known = [scores.from_grid(np.array([[60, -1], [62, -1], [64, 50], [65, -1]]))]
    assert memorisation.nearest_passage(np.array([[61, -1], [63, -1]]), known,
                                        hop=1) == (1.0, 0, 0, 1)
    assert memorisation.nearest_passage(np.array([[61, 40], [63, 40]]), known,
                                        hop=1).agreement == 0.5


def test_known_pieces_that_are_too_short():
    with pytest.raises(ValueError, match="longer pieces"):
        memorisation.nearest_passage(np.full((50, 4), 60), [scores.from_grid(np.full((20, 4), 60))])
