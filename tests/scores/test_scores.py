from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils import scores
from course_utils.scores import REST, Note, Score


@st.composite
def grids(draw, voices=None, longest=70):
    """Draw a score of held and struck notes, repeated pitches and rests, in bars of any usual
    length.
    """
    voices = voices or draw(st.integers(1, 4))
    bar = draw(st.sampled_from([16, 12, 24, 8, 6, 14, 10, 3]))
    pickup = draw(st.integers(0, bar - 1))
    steps = draw(st.integers(pickup + 1, max(pickup + 1, longest)))
    pitches, onsets = np.full((steps, voices), REST), np.zeros((steps, voices), bool)
    for voice in range(voices):
        step = 0
        while step < steps:
            length = draw(st.integers(1, 20))
            pitch = draw(st.one_of(st.just(REST), st.integers(55 - 8 * voice, 84 - 10 * voice)))
            pitches[step : step + length, voice] = pitch
            onsets[step, voice] = pitch != REST
            step += length
    score = scores.from_grid(pitches, onsets, bar=bar, pickup=pickup,
                             key=draw(st.one_of(st.none(), st.integers(0, 23))))
    fermata = np.repeat(draw(st.lists(st.booleans(), min_size=steps, max_size=steps)), 3)[:steps]
    return replace(score, fermata=fermata)


def same(a: Score, b: Score, *names: str) -> None:
    for name in names or ("pitches", "onsets", "beat", "bar", "fermata"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def score_like(**others) -> Score:
    columns = {"pitches": np.array([[60], [60], [62], [-1]]),
               "onsets": np.array([[True], [False], [True], [False]]), "beat": np.arange(4),
               "bar": np.full(4, 16), "fermata": np.zeros(4, bool)}
    return Score(**columns | others)


BAD_SCORES = [
    ("pitches", np.array([60, 60, 62, -1]), "shape"),
    ("pitches", np.zeros((0, 4), int), "shape"),
    ("pitches", np.zeros((4, 0), int), "shape"),
    ("pitches", np.array([[60.0], [60], [62], [-1]]), "whole numbers"),
    ("pitches", np.array([[60], [60], [128], [-1]]), "between -1 and 127"),
    ("pitches", np.array([[60], [60], [62], [-2]]), "between -1 and 127"),
    ("pitches", np.array([[60], [60], [2**40], [-1]]), "between -1 and 127"),
    ("onsets", np.array([[1], [0], [1], [0]]), "True/False"),
    ("onsets", np.ones((4, 2), bool), "onsets must"),
    ("onsets", np.array([[True], [False], [True], [True]]), "rest"),
    ("onsets", np.array([[True], [False], [False], [False]]), "step 2"),
    ("onsets", np.array([[False], [False], [True], [False]]), "step 0"),
    ("onsets", None, "onsets must"),
    ("beat", np.array([0, 1, 2, 16]), "beat must lie"),
    ("beat", np.array([-1, 0, 1, 2]), "beat must lie"),
    ("beat", np.arange(3), "beat must hold"),
    ("bar", np.array([16, 16, 16, 0]), "bar must lie"),
    ("bar", np.array([16, 16, 16, 40000]), "bar must lie"),
    ("fermata", np.zeros(4), "fermata must"),
    ("key", 24, "key is"),
    ("key", -1, "key is"),
    ("key", "C", "key is"),
]


@pytest.mark.parametrize("name,value,message", BAD_SCORES)
def test_a_score_that_contradicts_itself_is_refused(name, value, message):
    score_like()
    with pytest.raises(ValueError, match=message):
        score_like(**{name: value})


def test_a_score_cannot_be_changed_by_accident_and_leaves_the_callers_arrays_alone():
    pitches = np.array([[60], [60], [62], [-1]], np.int16)
    score = score_like(pitches=pitches)
    with pytest.raises(ValueError, match="read-only"):
        score.pitches[0, 0] = 64
    pitches[3, 0] = -1
    assert pitches.flags.writeable


def test_a_score_accepts_lists_and_numpy_keys():
    score = Score([[60]], [[True]], [0], [16], [False], key=np.int64(3))
    assert score.pitches.dtype == np.int16 and score.onsets.dtype == bool and type(score.key) is int


def test_from_grid_begins_a_note_where_the_pitch_changes():
    score = scores.from_grid(np.array([[60, 48], [60, -1], [62, -1], [-1, 50], [62, 50]]))
    np.testing.assert_array_equal(score.onsets.astype(int),
                                  [[1, 1], [0, 0], [1, 0], [0, 1], [1, 0]])
    assert not score.fermata.any() and score.key is None


def test_from_grid_counts_the_bar_from_the_pickup():
    score = scores.from_grid(np.full((20, 1), 60), bar=12, pickup=4)
    assert score.beat.tolist() == [8, 9, 10, 11, *range(12), *range(4)]
    assert scores.bars(score) == [(0, 4), (4, 16), (16, 20)]
    assert scores.bars(scores.from_grid(np.full((32, 1), 60))) == [(0, 16), (16, 32)]


@pytest.mark.parametrize("pitches,options",
                         [(np.full((4, 1), 60), {"bar": 0}), (np.full((4, 1), 60), {"bar": 256}),
                          (np.full((4, 1), 60), {"pickup": 16}),
                          (np.full((4, 1), 60), {"pickup": -1}), (np.full(4, 60), {}),
                          (np.zeros((0, 4), int), {}), (np.full((4, 1), 60.0), {}),
                          (np.float64(3), {}), (np.full((4, 1), 60),
                                                {"onsets": np.zeros((4, 1), bool)}),
                          (np.full((4, 1), 60), {"key": 30})])
def test_from_grid_refuses_what_is_no_grid(pitches, options):
    with pytest.raises(ValueError):
        scores.from_grid(pitches, **options)


@given(grids())
@settings(max_examples=60)
def test_notes_hold_all_of_a_grid(score):
    notes = scores.to_notes(score)
    assert all(note.start < note.end for note in notes) and len(notes) == score.onsets.sum()
    again = scores.from_notes(notes[::-1], score.pitches.shape[1], score.beat, score.bar,
                              fermata=score.fermata)
    same(again, score)


def test_from_notes_lets_the_later_note_cut_off_the_earlier():
    notes = [Note(0, 60, 0, 8), Note(0, 62, 2, 4)]
    score = scores.from_notes(notes, 1, np.arange(8), np.full(8, 16))
    assert score.pitches[:, 0].tolist() == [60, 60, 62, 62, -1, -1, -1, -1]


@pytest.mark.parametrize("note", [(1, 60, 0, 4), (0, 60, 4, 9), (0, 60, -1, 4), (0, 60, 4, 4),
                                  (0, 200, 0, 4)])
def test_from_notes_refuses_what_does_not_fit(note):
    with pytest.raises(ValueError):
        scores.from_notes([Note(*note)], 1, np.arange(8), np.full(8, 16))


@given(grids(), st.integers(-30, 30))
@settings(max_examples=40)
def test_transposition_moves_sounding_notes_and_the_key_and_can_be_undone(score, semitones):
    moved = scores.transpose(score, semitones)
    sounding = score.pitches != REST
    np.testing.assert_array_equal((moved.pitches - score.pitches)[sounding], semitones)
    same(moved, score, "onsets", "beat", "bar", "fermata")
    if score.key is not None:
        assert moved.key % 12 == (score.key + semitones) % 12
        assert (moved.key >= 12) == (score.key >= 12)
    same(scores.transpose(moved, -semitones), score)


def test_transposition_stays_within_midi():
    score = scores.from_grid(np.array([[120], [-1], [5]]))
    assert scores.transpose(score, 7).pitches[:, 0].tolist() == [127, -1, 12]
    assert scores.transpose(score, -5).pitches[:, 0].tolist() == [115, -1, 0]
    for semitones in (8, -6):
        with pytest.raises(ValueError, match="0..127"):
            scores.transpose(score, semitones)


@given(st.lists(st.one_of(st.just(REST), st.integers(scores.LOWEST, scores.HIGHEST)), min_size=1))
@settings(max_examples=30)
def test_tokens_and_pitches_are_two_names_of_one_thing(pitches):
    tokens = scores.to_tokens(np.array(pitches))
    assert tokens.min() >= 0 and tokens.max() < scores.VOCABULARY
    assert scores.to_pitches(tokens).tolist() == pitches


@pytest.mark.parametrize("pitch", [scores.LOWEST - 1, scores.HIGHEST + 1])
def test_tokens_refuse_what_the_networks_do_not_know(pitch):
    with pytest.raises(ValueError, match="Transpose"):
        scores.to_tokens(np.array([60, pitch]))


@given(grids(), st.data())
@settings(max_examples=40)
def test_an_excerpt_holds_the_same_music(score, data):
    begin = data.draw(st.integers(0, len(score) - 1))
    end = data.draw(st.integers(begin + 1, len(score)))
    cut = scores.excerpt(score, begin, end)
    same(cut, Score(score.pitches[begin:end], cut.onsets, score.beat[begin:end],
                    score.bar[begin:end], score.fermata[begin:end]))
    assert (cut.onsets[1:] == score.onsets[begin + 1 : end]).all()


@pytest.mark.parametrize("begin,end", [(-1, 2), (2, 2), (0, 5)])
def test_an_excerpt_lies_inside_of_the_score(begin, end):
    with pytest.raises(ValueError, match="cannot be cut"):
        scores.excerpt(score_like(), begin, end)


@given(grids())
@settings(max_examples=40)
def test_bars_cover_the_score_and_begin_on_the_first_beat(score):
    spans = scores.bars(score)
    assert spans[0][0] == 0 and spans[-1][1] == len(score)
    assert all(a[1] == b[0] for a, b in zip(spans, spans[1:]))
    assert all(score.beat[begin] == 0 for begin, _ in spans[1:])
    assume(len(spans) > 2)
    assert all(end - begin == score.bar[0] for begin, end in spans[1:-1])


@pytest.mark.parametrize("steps,signature",
                         [(16, (4, 4)), (12, (3, 4)), (8, (2, 4)), (4, (1, 4)), (6, (3, 8)),
                          (24, (3, 2)), (32, (4, 2)), (14, (7, 8)), (3, (3, 16)), (20, (5, 4))])
def test_time_signatures(steps, signature):
    assert scores.time_signature(steps) == signature
    assert signature[0] * 16 / signature[1] == steps


def test_voices_have_names():
    assert [scores.voice_name(scores.from_grid(np.full((1, 4), 60)), v)
            for v in range(4)] == list(scores.VOICES)
    assert scores.voice_name(scores.from_grid(np.full((1, 1), 60)), 0) == "Melody"
    assert scores.voice_name(scores.from_grid(np.full((1, 3), 60)), 2) == "Voice 3"
