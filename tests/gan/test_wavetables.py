"""Wavetables: frames hold what was played, playback is in tune and free of aliases, levels survive
the way there and back.
"""
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks import SR
from course_utils.gan import wavetables as w


def tone(frequency, amplitudes, phases=None, seconds=1.0):
    """Play a sum of harmonics."""
    number, t = np.arange(1, len(amplitudes) + 1)[:, None], np.arange(round(seconds * SR)) / SR
    phases = np.zeros(len(amplitudes)) if phases is None else np.asarray(phases)
    return (np.asarray(amplitudes)[:, None]
            * np.sin(2 * np.pi * number * frequency * t + phases[:, None])).sum(axis=0)


def peaks(y, sr):
    """Return frequency and size of the spectrum's largest peak, refined by a parabola through three
    bins.
    """
    spectrum = np.log(np.abs(np.fft.rfft(y * np.hanning(len(y)))) + 1e-12)
    k = spectrum[1:-1].argmax() + 1
    left, middle, right = spectrum[k - 1 : k + 2]
    return (k + 0.5 * (left - right) / (left - 2 * middle + right)) * sr / len(y)


@settings(max_examples=25)
@given(pitch=st.floats(48, 72), phases=st.lists(st.floats(-3, 3), min_size=5, max_size=5),
       size=st.floats(0.01, 1))
def test_frames_hold_one_period_that_begins_with_the_first_harmonic(pitch, phases, size):
    amplitudes = size * np.array([1, 0.5, 0.8, 0.3, 0.1])
    frames = w.cut_frames(tone(librosa.midi_to_hz(pitch), amplitudes, phases),
                          librosa.midi_to_hz(pitch))
    assert frames.shape == (12, 1024) and frames.dtype == np.float32
    # At the note's ends the window reaches beyond it.
    assert np.allclose(w.amplitudes(frames[2:10])[:, :5], amplitudes, atol=0.005 * size)
    first = np.fft.rfft(frames[5])[1]
    assert np.angle(first) == pytest.approx(-np.pi / 2, abs=1e-3), "a sine from 0 on"
    turned = [phase - k * phases[0] for k, phase in enumerate(phases, 1)]
    expected = tone(1, amplitudes, turned)[: SR : SR // 1000]
    assert np.allclose(frames[5][: 1024],
                       np.interp(np.arange(1024) / 1024, np.arange(1000) / 1000, expected,
                                 period=1), atol=0.02 * size)


def test_frames_follow_a_note_that_dies_away():
    y = tone(300, [1.0]) * 10 ** (-np.arange(SR) / SR)
    levels = 20 * np.log10(w.amplitudes(w.cut_frames(y, 300.0))[3:10, 0])
    assert np.allclose(np.diff(levels), -20 * np.diff(w.TIMES[3:10]), atol=0.1)


@settings(max_examples=30)
@given(levels=st.lists(st.floats(-80, 0), min_size=64, max_size=64))
def test_levels_come_back_from_frames(levels):
    frame = w.to_frames(np.array(levels))
    assert np.allclose(20 * np.log10(w.amplitudes(frame)), levels, atol=1e-4)
    assert frame[0] == pytest.approx(0, abs=1e-9)


def test_the_floor_is_silence():
    assert not w.to_frames(np.full((3, 80), w.FLOOR)).any()


@settings(max_examples=30)
@given(pitch=st.floats(36, 96), sr=st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_reading_is_in_tune_and_has_no_aliases(pitch, sr):
    frequency = float(librosa.midi_to_hz(pitch))
    frames = np.tile(w.to_frames(np.zeros(64)), (3, 1))
    y = w.read_frames(frames, np.array([0, 0.3, 1.0]), frequency, sr)
    assert len(y) == sr
    power = np.abs(np.fft.rfft(y * np.blackman(len(y)))) ** 2
    place = np.fft.rfftfreq(len(y), 1 / sr)
    nearest = (np.clip(np.round(place / frequency), 1, min(64, np.ceil(sr / 2 / frequency) - 1))
               * frequency)
    assert power[np.abs(place - nearest) > 4].sum() < 1e-5 * power.sum()
    sine = w.read_frames(np.tile(w.to_frames(np.array([0.0])), (2, 1)), np.array([0, 1.0]),
                         frequency, sr)
    assert 1200 * abs(np.log2(peaks(sine, sr) / frequency)) < 1


@settings(max_examples=30)
@given(frequency=st.floats(20, 12000), sr=st.sampled_from([8000, 44100]))
def test_band_limit_keeps_what_fits_and_nothing_else(frequency, sr):
    kept = w.amplitudes(w.band_limit(w.to_frames(np.zeros((2, 64))), frequency, sr))
    fits = np.arange(1, 65) * frequency < sr / 2
    assert np.allclose(kept, fits.astype(float), atol=1e-9)


def test_frames_are_cross_faded_by_time():
    loud, soft = w.to_frames(np.array([[0.0], [-20.0]]))  # a single harmonic each
    y = w.read_frames(np.stack([loud, soft]), np.array([0.0, 1.0]), 1000.0, SR)
    envelope = np.abs(y).reshape(-1, 160).max(axis=1)
    assert np.allclose(envelope, np.interp(np.arange(100) / 100, [0, 1], [1, 0.1]), atol=0.01)


def test_tuning_is_found():
    y = np.stack([tone(librosa.midi_to_hz(60 + cents / 100), [1, 0.5, 0.3])
                  for cents in (-36, -8, 0, 20)])
    found = w.tune(y.astype(np.float32), 60)
    assert np.allclose(1200 * np.log2(found / librosa.midi_to_hz(60)), [-36, -8, 0, 20], atol=2.01)


def test_breath_is_measured_between_the_harmonics():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((20, SR))
    alone = w.breath(noise, 261.6)
    assert alone.shape == (20, 12, 16) and alone[:, 2:10].mean() == pytest.approx(1e-4, rel=0.05)
    with_tone = w.breath(noise + tone(261.6, [0.05, 0.03, 0.02]), 261.6)
    assert with_tone[:, 2:9].mean() == pytest.approx(1e-4, rel=0.2), "the tone is left out"


def test_blown_noise_measures_as_asked():
    levels = np.full((2, 16), -90.0)
    levels[:, 8] = -30
    y = w.blow(levels, np.array([0, 1.0]), SR, np.random.default_rng(1))
    assert len(y) == SR
    measured = 10 * np.log10(w.breath(y[None], 200.0)[0, 3:9].mean(axis=0))
    assert measured.argmax() == 8 and measured[8] == pytest.approx(-36, abs=6)
    assert max(measured[5], measured[11]) < -75


@pytest.mark.parametrize("sr", [16000, 44100, 48000])
def test_noise_is_as_dense_at_any_rate(sr):
    y = w.blow(np.full((2, 16), -20.0), np.array([0, 1.0]), sr, np.random.default_rng(2))
    density = (np.abs(np.fft.rfft(y)) ** 2)[1000:6000].mean() / len(y) / sr * SR
    assert 10 * np.log10(density) == pytest.approx(-20, abs=0.5)


@pytest.mark.parametrize("pitch,seed", [(48, 0), (57, 1), (66, 2), (72, 3)])
def test_levels_survive_the_way_to_sound_and_back(pitch, seed):
    from course_utils.gan import instruments

    level = np.full((12, 80), w.FLOOR)
    level[:, :6] = -np.sort(np.random.default_rng(seed).uniform(0, 30, 6))
    level[:, 0] = 0
    again = w.levels(instruments.one_second(level[None], [pitch]), np.array([pitch]))[0]
    assert np.abs(again[2:9, :6] - again[2:9, :1] - level[2:9, :6]).max() < 0.1
    assert np.abs(again[2:9, 0] - again[2, 0]).max() < 0.1
    assert again[4:8, 6:64].max() < -60 and again[4:8, 64:].max() < -60


def test_an_octave_below_is_not_taken_for_breath():
    organ = tone(librosa.midi_to_hz(60), [0.5, 0.3]) + tone(librosa.midi_to_hz(48), [0.5, 0, 0.2])
    assert w.levels(organ[None], np.array([60]))[0, 4:8, 64:].max() < -25


def test_levels_of_odd_shapes():
    y = np.stack([tone(librosa.midi_to_hz(p), [1, 0.2]) for p in (48, 60, 60)])
    got = w.levels(y, np.array([48, 60, 60]))
    assert got.shape == (3, 12, 80) and got.dtype == np.float32 and got.max() == 0
    assert got.min() == w.FLOOR
    assert np.array_equal(got[1], got[2])
    assert np.allclose(got, w.levels(0.001 * y, np.array([48, 60, 60])),
                       atol=0.01), ("loudness drops out")


@pytest.mark.parametrize("y,pitch,told", [
    (np.zeros(16000), [60], "y.None"), (np.zeros((2, 16000)), [60], "a pitch for each"),
    (np.zeros((1, 16000)), [60], "silent"), (np.ones((1, 100)), [60], "one second")])
def test_what_is_no_note_is_refused(y, pitch, told):
    with pytest.raises(ValueError, match=told):
        w.levels(y, np.array(pitch))


@pytest.mark.parametrize("pitch", [24, 36, 47, 60, 90, 110])
def test_breath_is_a_number_at_any_pitch(pitch):
    found = w.breath(np.random.default_rng(0).standard_normal((1, SR)),
                     float(librosa.midi_to_hz(pitch)))
    assert np.isfinite(found).all() and 10 ** -1 < found[0, 3:9].mean() < 10


def test_audible_harmonics():
    heard = w.audible(np.array([48, 72]))
    assert heard.shape == (2, 80) and heard[:, :64].sum(axis=1).tolist() == [61, 15]
    assert heard[:, 64:].all()
