"""Instruments are in tune at any pitch and length, do not click or clip, and play scores as they
are written.
"""
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import scores
from course_utils.gan import instruments, wavetables
from course_utils.gan.wavetables import FLOOR

SR = 22050


def reed(harmonics=12, breath=-55.0):
    """Return levels of a note that rises quickly and stays."""
    levels = np.full((12, 80), FLOOR)
    levels[:, :harmonics] = -2.0 * np.arange(harmonics)
    levels[:, 64:] = breath
    levels[0] -= 20
    levels[9:] -= np.array([[15.0], [35.0], [60.0]])
    return np.maximum(levels, FLOOR)


def pitch_of(y, sr, pitch):
    """Return cents between a note and its pitch: the strongest peak within a semitone of the
    fundamental.
    """
    right, size = float(librosa.midi_to_hz(pitch)), 2**19
    spectrum, place = (np.abs(np.fft.rfft(y * np.hanning(len(y)), size)),
                       np.fft.rfftfreq(size, 1 / sr))
    near = (place > right / 1.06) & (place < right * 1.06)
    return 1200 * np.log2(place[near][spectrum[near].argmax()] / right)


@settings(max_examples=20)
@given(pitch=st.floats(48, 84), held=st.floats(0.15, 2), sr=st.sampled_from([16000, 22050, 44100]))
def test_notes_are_in_tune_as_long_as_asked_and_safe(pitch, held, sr):
    y = instruments.play_note(reed(), pitch, held, sr)
    assert y.dtype == np.float32 and y.shape == (round((held + instruments.RELEASE) * sr),)
    assert abs(pitch_of(y[: round(held * sr)], sr, pitch)) < 5
    assert 0.05 < np.abs(y).max() <= 10 ** (-1 / 20) + 1e-6
    assert abs(y[0]) < 1e-3 and np.abs(y[-20:]).max() < 1e-3


@settings(max_examples=15)
@given(seed=st.integers(0, 1000))
def test_no_levels_clip_or_give_nan(seed):
    rng = np.random.default_rng(seed)
    levels = rng.uniform(-90, 0, (12, 80)) * rng.integers(0, 2, (12, 80)) - 20 * rng.integers(0, 2)
    y = instruments.play_note(np.maximum(levels, FLOOR), rng.integers(30, 100),
                              float(rng.uniform(0.03, 1)), SR)
    assert np.isfinite(y).all() and np.abs(y).max() <= 10 ** (-1 / 20) + 1e-6


def test_silent_levels_are_silence():
    assert not instruments.play_note(np.full((12, 80), FLOOR), 60, 0.2, SR).any()


def test_a_held_note_goes_on_and_a_plucked_one_dies_away():
    plucked = reed()
    plucked[:, :64] -= 40 * wavetables.TIMES[:, None]
    for levels, fall in ((reed(), 0), (np.maximum(plucked, FLOOR), 40)):
        times, unfolded = instruments.unfold(levels, 2.0)
        at = {round(time, 3): row[0] for time, row in zip(times, unfolded)}
        assert at[2.0] == pytest.approx(at[0.56] - fall * (2 - 0.56), abs=1e-6)


@settings(max_examples=30)
@given(held=st.floats(0.03, 3))
def test_unfolded_times_rise_and_levels_never_grow_in_the_release(held):
    times, levels = instruments.unfold(reed(), held)
    assert times[0] == 0 and (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(held + instruments.RELEASE)
    assert (np.diff(levels[times >= held - 1e-9], axis=0)[:, :64] <= 1e-9).all()
    assert (levels[-1] == FLOOR).all()


def test_a_note_that_swells_stays_as_loud_as_it_got():
    swelling = reed(3)
    swelling[:9, 0] = np.linspace(-30, -10, 9)
    times, unfolded = instruments.unfold(swelling, 5.0)
    assert unfolded[times == 5.0, 0] == pytest.approx(-10)


@pytest.mark.parametrize("held", [0.1, 0.5, 0.8, 2.0])
def test_the_release_falls_as_the_original_s_did(held):
    plucked = reed(8)
    plucked[:9, 0] = -30 * wavetables.TIMES[:9]
    plucked[9:, 0] = -24 - np.array([5.0, 12, 20])
    times, unfolded = instruments.unfold(plucked, held)
    fallen = [float(np.interp(held + after, times, unfolded[:, 0]))
              for after in (0, 0.04, 0.10, 0.16)]
    assert np.allclose(np.array(fallen[1:]) - fallen[0], [-5, -12, -20], atol=0.01)


def test_clicks_are_measured():
    whole = instruments.play_note(reed(), 60, 0.5, 44100)
    assert instruments.click(whole, 44100) < -55
    assert instruments.click(whole[:15000], 44100) > -45, "cut off"
    jumped = whole.copy()
    jumped[12000:] *= -1
    assert instruments.click(jumped, 44100) > -35


def test_glide_is_even_and_keeps_its_ends():
    steps = instruments.glide(np.array([0.0, -10]), np.array([-40.0, -10]), 5)
    assert np.allclose(steps, [[0, -10], [-10, -10], [-20, -10], [-30, -10], [-40, -10]])


def test_a_score_is_played_note_by_note():
    grid = np.array([[60, 48]] * 4 + [[64, 48]] * 4 + [[-1, 48]] * 4 + [[67, -1]] * 4)
    score = scores.from_grid(grid)
    voices = instruments.perform(score, [np.tile(reed(), (25, 1, 1))] * 2, sr=SR, quarter_bpm=60)
    step = SR // 4
    assert len(voices) == 2 and all(voice.shape == (round(5.5 * SR),) for voice in voices)
    for begin, pitch in ((0, 60), (4, 64), (12, 67)):
        part = voices[0][begin * step + 600 : (begin + 4) * step]
        assert abs(pitch_of(part, SR, pitch)) < 10
    loud = np.sqrt((voices[0][: 16 * step].reshape(16, step) ** 2).mean(axis=1))
    assert loud[10:12].max() < 1e-3 < 0.05 < loud[4:8].min()
    assert np.abs(voices[0][: 4 * step]).max() > 0.05 and not voices[1][-SR // 2 :].any()


def test_notes_beyond_the_pitches_take_the_nearest_levels():
    band = np.tile(reed(1), (25, 1, 1))
    band[0], band[-1] = reed(3), reed(6)
    score = scores.from_grid(np.array([[40], [90]]).repeat(4, axis=0))
    y = instruments.perform(score, [band], sr=44100, quarter_bpm=60)[0]
    assert abs(pitch_of(y[2000:40000], 44100, 40)) < 10
    assert abs(pitch_of(y[46000:80000], 44100, 90)) < 10


@pytest.mark.parametrize("stereo,shape", [(False, (100,)), (True, (100, 2))])
def test_mixtures_peak_below_full_scale(stereo, shape):
    voices = np.random.default_rng(0).standard_normal((4, 100)).astype(np.float32)
    y = instruments.mix(voices, stereo)
    assert y.shape == shape and np.abs(y).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)
    assert not instruments.mix(np.zeros((4, 10), np.float32)).any()


def test_the_voices_of_a_stereo_mixture_are_spread():
    left, right = instruments.mix(np.eye(4, dtype=np.float32), stereo=True).T
    assert (left != right).all() and np.allclose(left + right, (left + right)[0])


@pytest.mark.parametrize("wrong,told",
                         [({"levels": np.zeros((11, 80))}, "12, 80"),
                          ({"levels": np.zeros((12, 64))}, "12, 80"), ({"pitch": 128}, "pitch"),
                          ({"levels": np.full((12, 80), np.nan)}, "NaN"), ({"held": 0}, "0.03"),
                          ({"held": np.inf}, "held"), ({"sr": 100}, "8000"),
                          ({"sr": 44100.5}, "whole number"), ({"pitch": "C4"}, "pitch")])
def test_notes_that_cannot_be_played_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        instruments.play_note(**({"levels": reed(), "pitch": 60, "held": 0.1, "sr": SR} | wrong))


def test_times_must_rise():
    for times in ([0.1, 0.2], [0, 0.2, 0.2], [0]):
        with pytest.raises(ValueError, match="rise"):
            instruments.play_levels(np.zeros((len(times), 80)), 60, np.array(times))


def test_a_voice_needs_an_instrument():
    with pytest.raises(ValueError, match="2 voices, and there are 1"):
        instruments.perform(scores.from_grid(np.array([[60, 48]])), [np.tile(reed(), (25, 1, 1))])
