"""The way back from features to sound."""
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks import SR
from course_utils.sound import features, inversion

RNG = np.random.default_rng(0)


def _tone(frequency: float) -> np.ndarray:
    t = np.arange(SR // 4) / SR
    return sum(np.sin(2 * np.pi * n * frequency * t) / 3**n for n in (1, 2, 3)) * np.exp(-3 * t)


MELODY = (np.concatenate([_tone(f) for f in (262, 330, 392, 523)]) + 1e-3
          * RNG.normal(size=SR)).astype(np.float32)
LOG_MEL = features.log_mel(MELODY, SR)


@settings(max_examples=30)
@given(st.sampled_from([16, 100, 512]), st.integers(1, 8), st.integers(0, 2000))
def test_istft_undoes_stft(n_fft, divisor, samples):
    hop_length = n_fft // 2 // divisor
    y = np.random.default_rng(samples).uniform(-1, 1, max(1, samples)).astype(np.float32)
    back = inversion.istft(features.stft(y, n_fft, hop_length), hop_length)
    assert len(back) == max(1, len(y) // hop_length * hop_length)
    np.testing.assert_allclose(back, y[:len(back)], atol=1e-4)


def _error(y, magnitude):
    return np.linalg.norm(np.abs(features.stft(y)) - magnitude) / np.linalg.norm(magnitude)


def test_griffin_lim_is_as_good_as_librosas():
    magnitude = np.abs(features.stft(MELODY))
    theirs = librosa.griffinlim(magnitude.T, n_iter=32, hop_length=features.HOP_LENGTH, init=None)
    assert _error(inversion.griffin_lim(magnitude), magnitude) < 1.1 * _error(theirs, magnitude)


def test_griffin_lim_comes_nearer_with_every_few_iterations():
    magnitude = np.abs(features.stft(MELODY))
    errors = [_error(inversion.griffin_lim(magnitude, n_iter=n), magnitude) for n in (1, 4, 16, 64)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1


def test_griffin_lim_finds_clicks():
    """Flat magnitudes in a frame: with all phases 0 the sound would lie where the window is 0, and
    nothing would move.
    """
    clicks = np.zeros(SR)
    clicks[::2000] = 1
    magnitude = np.abs(features.stft(clicks))
    assert _error(inversion.griffin_lim(magnitude), magnitude) < 0.3


def _distance(y):
    return features.spectral_distance(MELODY, y, SR)


def test_what_each_feature_loses():
    from_stft = _distance(inversion.griffin_lim(np.abs(features.stft(MELODY))))
    from_log_mel = _distance(inversion.from_log_mel(LOG_MEL, SR))
    from_mfcc = [_distance(inversion.from_mfcc(features.mfcc(MELODY, SR, n), SR))
                 for n in (64, 20, 2)]
    assert from_stft < 2 < from_log_mel
    assert from_mfcc[0] == pytest.approx(from_log_mel, abs=0.1), ("64 coefficients of 64 bands "
                                                                   "keep everything")
    assert from_log_mel < from_mfcc[1] < from_mfcc[2]
    assert from_mfcc[2] < _distance(RNG.normal(scale=0.1, size=len(MELODY)))


@pytest.mark.slow
@pytest.mark.parametrize("back", [lambda: inversion.griffin_lim(np.abs(features.stft(MELODY))),
                                  lambda: inversion.from_log_mel(LOG_MEL, SR),
                                  lambda: inversion.from_mfcc(features.mfcc(MELODY, SR), SR)])
def test_pitch_level_and_length_come_back_and_the_same_twice(back):
    y = back()
    assert y.dtype == np.float32
    assert len(y) == len(MELODY) // features.HOP_LENGTH * features.HOP_LENGTH
    np.testing.assert_array_equal(y, back())
    assert np.sqrt(np.mean(y**2)) == pytest.approx(np.sqrt(np.mean(MELODY**2)), rel=0.2)
    for start, frequency in ((0, 262), (4000, 330), (8000, 392), (12000, 523)):
        spectrum = np.abs(np.fft.rfft(y[start + 500:start + 3500], 16000))
        assert spectrum.argmax() == pytest.approx(frequency, rel=0.06)


def test_mel_to_power_explains_the_bands_better_than_a_pseudo_inverse():
    mel = features.db_to_power(LOG_MEL)
    filters = features.mel_filters(SR)
    power = inversion.mel_to_power(mel, SR)
    assert power.shape == (len(mel), 513)
    assert power.min() >= 0

    def error(power):
        return np.sqrt(np.mean((features.power_to_db(power @ filters.T) - LOG_MEL) ** 2))

    assert error(power) < 0.5 * error(np.maximum(mel @ np.linalg.pinv(filters).T, 0))
    assert error(power) < 2


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_few_frames_become_very_short_sounds(frames):
    y = inversion.from_log_mel(LOG_MEL[:frames], SR)
    assert len(y) == max(1, (frames - 1) * features.HOP_LENGTH)
    assert np.isfinite(y).all()


def test_silence_comes_back_as_silence():
    assert np.abs(inversion.from_log_mel(np.full((50, 64), features.FLOOR_DB), SR)).max() < 1e-3
    assert not inversion.griffin_lim(np.zeros((50, 513))).any()


NAN = np.full((5, 64), np.nan)
BAD = [("one frame as a vector", lambda: inversion.from_log_mel(np.zeros(64), SR), "shape"),
       ("a batch", lambda: inversion.from_log_mel(np.zeros((2, 10, 64)), SR), "one by one"),
       ("no frames", lambda: inversion.from_log_mel(np.zeros((0, 64)), SR), "at least one"),
       ("text", lambda: inversion.from_log_mel([["a", "b"]], SR), "shape"),
       ("rows of unequal length", lambda: inversion.from_log_mel([[1.0], [1.0, 2.0]], SR),
        "same length"), ("NaN", lambda: inversion.from_log_mel(NAN, SR), "diverged"),
       ("complex", lambda: inversion.from_log_mel(np.zeros((5, 64), complex), SR), "real"),
       ("a thousand dB", lambda: inversion.from_log_mel(np.full((5, 64), 1000.0), SR),
        "undo its normalization"), ("too many bands",
                                    lambda: inversion.from_log_mel(np.zeros((5, 500)), SR),
                                    "Take fewer"),
       ("rate 0", lambda: inversion.from_log_mel(np.zeros((5, 64)), 0), "sample rate"),
       ("hop beyond overlap", lambda: inversion.from_log_mel(np.zeros((5, 64)), SR, hop_length=600),
        "hop_length"), ("more coefficients than bands",
                        lambda: inversion.from_mfcc(np.zeros((5, 65)), SR),
                        "number of coefficients"), ("NaN coefficients",
                                                    lambda: inversion.from_mfcc(NAN, SR),
                                                    "diverged"),
       ("negative magnitudes", lambda: inversion.griffin_lim(-np.ones((5, 513))), "not negative"),
       ("complex magnitudes", lambda: inversion.griffin_lim(np.ones((5, 513), complex)), "real"),
       ("no iterations", lambda: inversion.griffin_lim(np.ones((5, 513)), n_iter=0), "n_iter"),
       ("one bin", lambda: inversion.griffin_lim(np.ones((5, 1))), "n_fft"),
       ("huge magnitudes", lambda: inversion.griffin_lim(np.full((5, 513), 1e30)), "no sound has"),
       ("decibels as power", lambda: inversion.mel_to_power(LOG_MEL, SR), "db_to_power"),
       ("hop 0", lambda: inversion.istft(np.ones((5, 513)), 0), "hop_length")]


@pytest.mark.parametrize(("use", "advice"), [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])
def test_bad_input_raises_one_clear_error(use, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        use()
    assert "course_utils" in str(caught.traceback[-1].path)
