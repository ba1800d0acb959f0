"""Statistics of scores: equal to muspy's, unmoved by transposition, right on pieces small enough to
count by hand.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, scores
from course_utils.measuring import musical_statistics
from course_utils.measuring.musical_statistics import HISTOGRAMS, STATISTICS

BACH = datasets.chorales("test")[:6]


def piece(*rows, onsets=None):
    return scores.from_grid(np.array(rows), onsets)


@st.composite
def random_scores(draw):
    steps, voices = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pitches = np.where(rng.random((steps, voices)) < 0.2, -1, rng.integers(45, 75, (steps, voices)))
    held = np.maximum.accumulate(np.where(rng.random(steps) < 0.5, np.arange(steps), 0))
    pitches = pitches[held]
    struck = (rng.random(pitches.shape) < 0.1) & (pitches >= 0)
    return scores.from_grid(pitches, scores.changes(pitches) | struck)


@settings(max_examples=60, deadline=None)
@given(random_scores(), st.integers(-12, 12))
def test_transposing_moves_no_statistic(score, semitones):
    moved = scores.transpose(score, semitones)
    for function in (STATISTICS | HISTOGRAMS).values():
        assert np.allclose(function(score), function(moved), atol=1e-12), function.__name__
    assert np.allclose(np.roll(musical_statistics.pitch_class_histogram(score), semitones),
                       musical_statistics.pitch_class_histogram(moved))


@settings(max_examples=60, deadline=None)
@given(random_scores())
def test_ranges_hold_for_any_score(score):
    found = {name: function(score) for name, function in STATISTICS.items()}
    assert np.isfinite(list(found.values())).all() and min(found.values()) >= 0
    for name in ("scale consistency", "groove consistency", "repeated steps", "voices crossed",
                 "dissonance", "repetition"):
        assert found[name] <= 1 + 1e-12
    assert found["pitch-class entropy"] <= np.log2(12) + 1e-9
    assert found["polyphony"] <= score.pitches.shape[1]
    for function in HISTOGRAMS.values():
        assert function(score).sum() == pytest.approx(1) or not score.onsets.any() or function(
            score).sum() == 0


@pytest.mark.parametrize("number", range(6))
def test_the_statistics_are_those_of_muspy(number):
    muspy = pytest.importorskip("muspy", reason="muspy, an independent implementation, is not "
                                "installed (pip install muspy)")
    # muspy counts one bar too many if the piece ends with a bar, so end a quarter earlier.
    score = scores.excerpt(BACH[number], 0, len(BACH[number]) // 16 * 16 - 4)
    notes = [[muspy.Note(note.start, note.pitch, note.end - note.start)
              for note in scores.to_notes(score) if note.voice == voice] for voice in range(4)]
    music = muspy.Music(resolution=4, tracks=[muspy.Track(notes=voice) for voice in notes])
    theirs = {"pitch-class entropy": muspy.pitch_class_entropy(music),
              "scale consistency": muspy.scale_consistency(music),
              "groove consistency": muspy.groove_consistency(music, 16),
              "pitch range": muspy.pitch_range(music), "polyphony": muspy.polyphony(music)}
    for name, value in theirs.items():
        assert STATISTICS[name](score) == pytest.approx(value, abs=1e-6), name


def test_a_scale_and_a_single_note():
    scale = piece(*[[pitch] for pitch in (60, 62, 64, 65, 67, 69, 71)])
    assert musical_statistics.pitch_class_entropy(scale) == pytest.approx(np.log2(7))
    assert musical_statistics.scale_consistency(scale) == pytest.approx(1)
    assert musical_statistics.pitch_range(scale) == 11
    assert musical_statistics.mean_interval(scale) == pytest.approx(11 / 6)
    one = piece([60], [60], [60])
    assert musical_statistics.pitch_class_entropy(one) == 0
    assert musical_statistics.repeated_step_rate(one) == 1
    assert musical_statistics.mean_duration(one) == 0.75
    assert musical_statistics.note_density(one) == pytest.approx(4 / 3)


def test_a_chord_type_is_the_same_in_every_key_spacing_and_doubling():
    major, spread, sharp = piece([60, 64, 67]), piece([48, 67, 76]), piece([61, 65, 68])
    minor, diminished = piece([60, 63, 67]), piece([60, 63, 66])
    kinds = [musical_statistics.chord_histogram(score).argmax()
             for score in (major, spread, sharp, minor, diminished)]
    assert kinds[0] == kinds[1] == kinds[2] and len(set(kinds)) == 3
    assert musical_statistics.chord_histogram(piece([-1, -1])).argmax() == 0
    assert len(np.unique(musical_statistics._chord_types())) == 352


def test_intervals_stop_at_rests_and_repeats_are_intervals_of_zero():
    score = piece([60], [-1], [62], [62], [65], onsets=np.array([[1], [0], [1], [1], [1]], bool))
    assert np.flatnonzero(musical_statistics.interval_histogram(score)).tolist() == [12, 15]
    moves = musical_statistics.pitch_class_transitions(score)
    assert moves[2, 2] == moves[2, 5] == 0.5 and moves.sum() == 1


def test_durations_count_struck_notes():
    score = piece(*[[60]] * 20, onsets=np.array([[i in (0, 4)] for i in range(20)]))
    shares = musical_statistics.duration_histogram(score)
    assert shares[3] == shares[15] == 0.5


def test_a_bar_resembles_itself():
    bar = BACH[0].pitches[:16]
    score = scores.from_grid(np.concatenate([bar, bar + 1, bar, bar[:5]]))
    similar = musical_statistics.self_similarity(score)
    assert similar.shape == (3, 3) and similar[0, 2] == 1 and similar[0, 1] < 0.5
    assert (np.diag(similar) == 1).all()


def test_the_distinct_share_sees_a_model_that_makes_one_piece():
    assert musical_statistics.distinct_share([BACH[0]] * 10) < 0.11
    moved = [scores.transpose(BACH[0], k) for k in range(10)]
    assert musical_statistics.distinct_share(moved) == pytest.approx(
        musical_statistics.distinct_share([BACH[0]] * 10))
    assert musical_statistics.distinct_share(BACH) > 0.8


def test_what_shuffling_does_to_bach():
    rng = np.random.default_rng(0)
    shuffled = [scores.from_grid(score.pitches[rng.permutation(len(score))]) for score in BACH]
    before, after = (dict(zip(STATISTICS, musical_statistics.table(s).mean(axis=0)))
                     for s in (BACH, shuffled))
    assert after["dissonance"] == pytest.approx(before["dissonance"])
    assert after["note density"] > 2 * before["note density"]


def test_nothing_to_measure():
    with pytest.raises(ValueError, match="at least one"):
        musical_statistics.table([])
