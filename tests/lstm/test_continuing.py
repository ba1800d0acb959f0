"""Continuing audio frame by frame: the piece to learn from, windows, free running, the nearest
frame, expected errors.
"""
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.lstm import continuing
from course_utils.sound import features

RNG = np.random.default_rng(0)


def test_the_prelude_is_as_long_as_its_bars_repeats_by_seed_and_keeps_its_rule():
    y, chords = continuing.prelude(12, seed=3)
    assert y.shape == (12 * 64 * features.HOP_LENGTH,) and y.dtype == np.float32
    assert 0.5 < np.abs(y).max() < 1 and np.sqrt(np.mean(y**2)) > 0.05
    assert len(chords) == 12 and all(b in continuing.NEXT[a] for a, b in zip(chords, chords[1:]))
    again, same = continuing.prelude(12, seed=3)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(chords, same)
    assert not np.array_equal(y, continuing.prelude(12, seed=4)[0])


def test_the_prelude_plays_the_notes_of_its_chords_twice_a_bar_and_never_the_same_way():
    y, chords = continuing.prelude(6, seed=1)
    for bar, chord in enumerate(chords):
        for place, pitch in enumerate(2 * continuing.CHORDS[chord]):
            start = (8 * bar + place) * continuing.NOTE
            note = y[start + 300:start + continuing.NOTE] * np.hanning(continuing.NOTE - 300)
            spectrum, expected = np.abs(np.fft.rfft(note, 2**15)), 440 * 2 ** ((pitch - 69) / 12)
            near = slice(round(expected * 0.95 * 2**15 / 16000),
                         round(expected * 1.05 * 2**15 / 16000))
            assert spectrum[near].max() > 0.1 * spectrum.max(), (bar, place)
    halves = features.log_mel(y, 16000)[:-1].reshape(6, 2, 32, 64)
    assert (np.abs(halves[:, 0] - halves[:, 1]).mean(axis=(1, 2)) > 0.3).all()


@pytest.mark.parametrize("bars", [0, -1, 1001, 2.5, "8", None])
def test_a_prelude_needs_a_whole_number_of_bars(bars):
    with pytest.raises(ValueError, match="whole number from 1 to 1000"):
        continuing.prelude(bars)


@settings(max_examples=40)
@given(st.integers(2, 90), st.integers(1, 20), st.integers(1, 30))
def test_each_target_belongs_to_the_frame_after(count, length, hop_length):
    length = min(length, count - 1)
    frames = np.arange(count)[:, None] * np.ones(3)
    codes = np.arange(count)
    x, target = continuing.sequence_windows(frames, codes, length, hop_length)
    assert x.shape == (len(target), length, 3) and target.shape[1] == length
    np.testing.assert_array_equal(x[..., 0] + 1, target)
    assert (np.diff(target[:, 0]) == hop_length).all() and target[0, 0] == 1
    assert count - 1 - hop_length < target[-1, -1] <= count - 1, ("no further window would have "
                                                                  "fitted")


def test_free_running_feeds_answers_back_and_shows_only_the_last_frames():
    seen = []

    def predict(windows):
        seen.append(windows.copy())
        return windows[:, 0] + windows[:, -1]

    primer = np.array([[[1.0], [1.0], [2.0]], [[0.0], [5.0], [0.0]]])
    out = continuing.continue_frames(predict, primer, 4)
    assert out.shape == (2, 4, 1) and out.dtype == np.float32
    assert out[0, :, 0].tolist() == [3, 4, 6, 9] and out[1, :, 0].tolist() == [0, 5, 5, 5]
    assert all(windows.shape == (2, 3, 1) for windows in seen)
    np.testing.assert_array_equal(seen[-1][0, :, 0], [3, 4, 6])


def test_last_output_is_what_the_network_says_at_the_last_frame():
    keras.utils.set_random_seed(0)
    model = continuing.audio_lstm(outputs=5, bins=4, hidden=8)
    predict = continuing.last_output(model)
    for batch, frames in ((1, 6), (3, 6), (3, 9)):
        windows = RNG.normal(size=(batch, frames, 4))
        np.testing.assert_allclose(predict(windows), model(windows)[:, -1], atol=1e-5)


@settings(max_examples=25)
@given(st.integers(1, 700), st.integers(1, 9), st.integers(1, 5))
def test_nearest_finds_what_a_search_one_by_one_finds(count, known, bins):
    rng = np.random.default_rng(count)
    frames, reference = rng.normal(size=(count, bins)), rng.normal(size=(known, bins))
    index, distance = continuing.nearest(frames, reference)
    all_distances = np.sqrt(((frames[:, None] - reference) ** 2).mean(axis=-1))
    np.testing.assert_allclose(distance, all_distances.min(axis=1), atol=1e-9)
    np.testing.assert_allclose(all_distances[np.arange(count), index], distance, atol=1e-9)


def test_nearest_keeps_the_axes_and_finds_a_frame_itself():
    known = RNG.normal(-30, 20, (600, 64)).astype(np.float32)
    index, distance = continuing.nearest(known[:12].reshape(3, 4, 64), known)
    assert index.tolist() == np.arange(12).reshape(3, 4).tolist()
    assert distance.shape == (3, 4) and np.abs(distance).max() == 0


@pytest.mark.parametrize("frames,known",
                         [(np.ones((3, 4)), np.ones((2, 5))), (np.ones((3, 4)), np.ones((0, 4))),
                          (np.ones((3, 4)), np.ones(4)), (1.0, np.ones((2, 4)))])
def test_nearest_says_which_shapes_it_takes(frames, known):
    with pytest.raises(ValueError, match="same bins"):
        continuing.nearest(frames, known)


def test_draws_follow_the_softmax_and_temperature_sharpens_it():
    logits = np.log([0.5, 0.3, 0.2]) + 7
    rng = np.random.default_rng(1)
    drawn = continuing.draw_index(np.tile(logits, (20_000, 1)), rng)
    assert drawn.shape == (20_000,)
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, [0.5, 0.3, 0.2], atol=0.015)
    cold = continuing.draw_index(np.tile(logits, (20_000, 1)), rng, temperature=0.5)
    squares = np.array([0.25, 0.09, 0.04])
    np.testing.assert_allclose(np.bincount(cold) / 20_000, squares / squares.sum(), atol=0.015)
    assert (continuing.draw_index(np.tile(logits, (50, 1)), rng, temperature=1e-6) == 0).all()


def test_checksums_tell_weights_apart():
    keras.utils.set_random_seed(0)
    model = continuing.audio_lstm(outputs=2, bins=2, hidden=2)
    before = continuing.weights_checksum(model)
    assert len(before) == 16 and before == continuing.weights_checksum(model)
    model.set_weights([weights + 1e-3 for weights in model.get_weights()])
    assert before != continuing.weights_checksum(model)


def test_an_expected_error_is_told_in_one_line_and_does_not_stop(capsys):
    with continuing.expect_error():
        raise ValueError("Exception encountered when calling LSTM.call().\n\n\x1b[1mThe shape is "
                         "wrong\x1b[0m\n\nArguments received by LSTM.call():\n  • x=1")
    assert capsys.readouterr().out == "ValueError: The shape is wrong\n"
    with continuing.expect_error():
        raise KeyError
    assert capsys.readouterr().out == "KeyError:\n"
    with continuing.expect_error():
        raise TypeError("word " * 1000)
    assert len(capsys.readouterr().out) < 300


def test_no_error_is_told_too_and_an_interrupt_goes_through(capsys):
    with continuing.expect_error():
        pass
    assert capsys.readouterr().out == "No error.\n"
    with pytest.raises(KeyboardInterrupt), continuing.expect_error():
        raise KeyboardInterrupt


@pytest.mark.parametrize("window,named",
                         [((4, 6), "incompatible shape"), ((2, 4, 5), "expected shape")])
def test_what_keras_says_of_a_wrong_shape_survives(capsys, window, named):
    model = continuing.audio_lstm(outputs=2, bins=6, hidden=3)
    with continuing.expect_error():
        model.predict(np.ones(window, np.float32), verbose=0)
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("ValueError: ") and named in told.lower() and "\x1b" not in told
