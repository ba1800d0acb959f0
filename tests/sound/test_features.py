"""STFT, log-mel, MFCC, chroma against librosa and against what music should do to them; the
spectral distance.
"""
import math

import librosa
import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks import SR
from course_utils.sound import features


def tone(midi: float, seconds: float = 0.5, sr: int = SR) -> np.ndarray:
    """A tone with five harmonics that fade like a plucked string's."""
    t = np.arange(int(seconds * sr)) / sr
    frequency = 440 * 2 ** ((midi - 69) / 12)
    partials = [np.sin(2 * np.pi * n * frequency * t) / 3**n for n in range(1, 6) if n
                * frequency < sr / 2]
    return (np.sum(partials, axis=0) * np.exp(-3 * t)).astype(np.float32)


MELODY = (np.concatenate([tone(m) for m in (60, 64, 67, 72, 55, 48)]) + 1e-3
          * np.random.default_rng(0).normal(size=6 * SR // 2))
MELODY = MELODY.astype(np.float32)
NOISE = np.random.default_rng(1).normal(scale=0.1, size=SR).astype(np.float32)
LONG = np.tile(MELODY, 14)


def librosa_log_mel(y, sr=SR, n_mels=features.N_MELS, n_fft=features.N_FFT,
                    hop_length=features.HOP_LENGTH):
    power = librosa.feature.melspectrogram(y=y, sr=sr, n_fft=n_fft, hop_length=hop_length,
                                           n_mels=n_mels)
    return librosa.power_to_db(power, amin=1e-8, top_db=None).T


@pytest.mark.filterwarnings("ignore:n_fft=1024 is too large:UserWarning:librosa")
@pytest.mark.parametrize("y", [MELODY, LONG, MELODY[:100], MELODY[:1], 0 * MELODY],
                         ids=["short", "long", "100", "1", "silent"])
def test_log_mel_and_mfcc_equal_librosas(y):
    expected = librosa_log_mel(y)
    found = features.log_mel(y, SR)
    assert found.dtype == np.float32
    assert found.shape == (1 + len(y) // features.HOP_LENGTH, features.N_MELS)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    cepstrum = features.mfcc(y, SR, n_mfcc=20)
    assert cepstrum.dtype == np.float32
    np.testing.assert_allclose(cepstrum, librosa.feature.mfcc(S=expected.T, n_mfcc=20).T, atol=1e-4,
                               rtol=1e-6)


@pytest.mark.parametrize(("sr", "n_mels", "n_fft", "hop_length"),
                         [(44100, 80, 2048, 512), (8000, 20, 256, 256), (22050, 40, 1000, 77)])
def test_other_parameters_equal_librosas_too(sr, n_mels, n_fft, hop_length):
    expected = librosa_log_mel(MELODY, sr, n_mels, n_fft, hop_length)
    np.testing.assert_allclose(features.log_mel(MELODY, sr, n_mels, n_fft, hop_length), expected,
                               atol=1e-4)


def test_a_loud_tone_beside_silence_is_as_exact_as_in_librosa():
    y = np.sin(2 * np.pi * 440 * np.arange(SR) / SR).astype(np.float32)
    np.testing.assert_allclose(features.log_mel(y, SR), librosa_log_mel(y), atol=1e-4)


def test_stft_and_chroma_equal_librosas():
    expected = librosa.stft(MELODY, n_fft=features.N_FFT, hop_length=features.HOP_LENGTH).T
    np.testing.assert_allclose(features.stft(MELODY), expected, atol=1e-5)
    expected = librosa.feature.chroma_stft(y=MELODY, sr=SR, n_fft=4096,
                                           hop_length=features.HOP_LENGTH, tuning=0).T
    np.testing.assert_allclose(features.chroma(MELODY, SR), expected, atol=1e-4)


@pytest.mark.parametrize("make", [features.stft, lambda y: features.log_mel(y, SR),
                                  lambda y: features.mfcc(y, SR), lambda y: features.chroma(y, SR)])
@pytest.mark.parametrize("batch", [np.stack([MELODY, MELODY[::-1], 0 * MELODY]),
                                   np.stack([LONG, -LONG]), LONG[:100 * 500].reshape(100, 500)],
                         ids=["few", "long", "many short"])
def test_a_batch_is_the_same_as_one_by_one(make, batch):
    together = make(batch)
    assert together.shape[0] == len(batch)
    for item, y in zip(together, batch, strict=True):
        np.testing.assert_allclose(item, make(y), atol=1e-4)


def test_a_moment_has_the_same_features_whatever_comes_later():
    before = features.log_mel(0.01 * MELODY, SR)
    louder = features.log_mel(np.concatenate([0.01 * MELODY, 50 * MELODY]), SR)
    np.testing.assert_allclose(louder[:len(before) - 3], before[:-3], atol=1e-4)


@settings(max_examples=30)
@given(st.integers(48, 84), st.integers(-12, 12))
def test_transposing_a_tone_turns_its_chroma(midi, semitones):
    low, high = features.chroma(tone(midi), SR), features.chroma(tone(midi + semitones), SR)
    middle = len(low) // 2
    assert low[middle].argmax() == midi % 12
    assert high[middle].argmax() == (midi + semitones) % 12
    cosine = (np.roll(low[middle], semitones) @ high[middle] / np.linalg.norm(low[middle])
              / np.linalg.norm(high[middle]))
    assert cosine > 0.9


@settings(max_examples=30)
@given(st.integers(55, 88), st.integers(1, 12))
def test_transposing_a_tone_moves_its_log_mel_up(midi, semitones):
    centers = librosa.mel_frequencies(n_mels=features.N_MELS + 2, fmax=SR / 2)[1:-1]
    bands = []
    for pitch in (midi, midi + semitones):
        row = features.log_mel(tone(pitch), SR)[15]
        bands.append(row.argmax())
        expected = np.abs(centers - 440 * 2 ** ((pitch - 69) / 12)).argmin()
        assert abs(bands[-1] - expected) <= 1
    assert bands[1] >= bands[0]
    assert semitones < 7 or bands[1] > bands[0]


def test_mfcc_keep_timbre_and_loudness_apart():
    y = tone(60) + 0.01 * NOISE[:SR // 2]
    loud, quiet = features.mfcc(y, SR)[5:25], features.mfcc(0.5 * y, SR)[5:25]
    np.testing.assert_allclose(loud[:, 0] - quiet[:, 0], 8 * 20 * math.log10(2), atol=0.1)
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=0.1)


def test_silence_has_no_chroma_and_the_floor_as_log_mel():
    assert not features.chroma(np.zeros(SR), SR).any()
    np.testing.assert_allclose(features.log_mel(np.zeros(SR), SR), features.FLOOR_DB, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 13, 64])
def test_the_dct_matrix_is_scipys_and_orthonormal(size):
    matrix = features.dct_matrix(size)
    np.testing.assert_allclose(matrix, scipy.fft.dct(np.eye(size), axis=0, norm="ortho"),
                               atol=1e-12)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), atol=1e-12)


def test_mel_filters_cannot_be_spoiled():
    with pytest.raises(ValueError, match="read-only"):
        features.mel_filters(SR)[:] = 0


@given(st.lists(st.floats(-70, 100), min_size=1, max_size=20))
def test_decibels_and_power_are_inverse_above_the_floor(db):
    np.testing.assert_allclose(features.power_to_db(features.db_to_power(db)), db, atol=1e-3)
    assert features.power_to_db(0) == pytest.approx(features.FLOOR_DB)
    assert features.power_to_db(np.zeros((2, 3, 4)),
                                floor_db=-50).tolist() == np.full((2, 3, 4), -50).tolist()


def test_distance_is_zero_for_equal_spectra_and_knows_decibels():
    assert features.spectral_distance(MELODY, MELODY, SR) == 0
    assert features.spectral_distance(MELODY, -MELODY, SR) == pytest.approx(0, abs=1e-4)
    assert features.spectral_distance(NOISE, 2 * NOISE, SR) == pytest.approx(20 * math.log10(2),
        abs=1e-3)
    assert features.spectral_distance(0 * NOISE, 0 * NOISE, SR) == 0
    assert 30 < features.spectral_distance(NOISE, 0 * NOISE, SR) <= 60
    assert features.spectral_distance(0 * NOISE, 0.01 * NOISE, SR) == pytest.approx(
        features.spectral_distance(0 * NOISE, NOISE, SR), abs=0.01)


def test_distance_does_not_depend_on_the_level_of_both():
    other = tone(62, 3)
    assert features.spectral_distance(0.01 * MELODY, 0.01 * other, SR) == pytest.approx(
        features.spectral_distance(MELODY, other, SR), rel=1e-3)


@settings(max_examples=20)
@given(st.integers(50, 80), st.integers(50, 80), st.floats(0.01, 1))
def test_distance_is_symmetric_and_bounded(first, second, gain):
    a, b = tone(first), gain * tone(second)
    there, back = features.spectral_distance(a, b, SR), features.spectral_distance(b, a, SR)
    assert there == pytest.approx(back, rel=1e-5)
    assert 0 <= there <= 60


def test_distance_grows_with_noise_and_with_pitch():
    noise = np.resize(NOISE, len(MELODY))
    grown = [features.spectral_distance(MELODY, MELODY + level * noise, SR)
             for level in (0.01, 0.1, 1, 10)]
    assert grown == sorted(grown)
    assert grown[-1] > 2 * grown[1]
    assert features.spectral_distance(tone(60), tone(60), SR) < features.spectral_distance(tone(60),
        tone(61), SR)


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 48000, 96000])
def test_distance_works_at_usual_rates(sr):
    assert features.spectral_distance(tone(60, sr=sr), tone(62, sr=sr), sr) > 3


NAN = np.array([0.1, np.nan])
BAD = [*[(f"{name} of {kind}", lambda make=make, y=y: make(y), advice)
         for name, make in (("stft", features.stft), ("log_mel", lambda y: features.log_mel(y, SR)),
                            ("mfcc", lambda y: features.mfcc(y, SR)),
                            ("chroma", lambda y: features.chroma(y, SR)))
         for kind, y, advice in (("nothing", [], "empty"), ("NaN", NAN, "NaN"),
                                 ("stereo", np.zeros((SR, 2)), "to_mono"),
                                 ("3-d", np.zeros((2, 2, 100)), "shape"),
                                 ("unequal lengths", [MELODY, MELODY[1:]], "same length"),
                                 ("an empty batch", np.zeros((0, 1000)), "empty"),
                                 ("integers", np.arange(100), "full scale"))],
       ("odd n_fft", lambda: features.stft(NOISE, 1023), "even"),
       ("n_fft 0", lambda: features.stft(NOISE, 0), "n_fft"),
       ("n_fft of millions", lambda: features.stft(NOISE, 2**22), "n_fft"),
       ("fractional n_fft", lambda: features.stft(NOISE, 512.0), "n_fft"),
       ("hop 0", lambda: features.log_mel(NOISE, SR, hop_length=0), "hop_length"),
       ("hop beyond the window", lambda: features.log_mel(NOISE, SR, hop_length=1025),
        "hop_length"), ("0 mels", lambda: features.log_mel(NOISE, SR, n_mels=0), "n_mels"),
       ("too many mels", lambda: features.log_mel(NOISE, SR, n_mels=500), "Take fewer"),
       ("rate -1", lambda: features.log_mel(NOISE, -1), "sample rate"),
       ("rate as text", lambda: features.mfcc(NOISE, "16k"), "sample rate"),
       ("more mfcc than mels", lambda: features.mfcc(NOISE, SR, n_mfcc=65), "n_mfcc"),
       ("no mfcc", lambda: features.mfcc(NOISE, SR, n_mfcc=0), "n_mfcc"),
       ("dct of nothing", lambda: features.dct_matrix(0), "size"),
       ("distance of unequal lengths", lambda: features.spectral_distance(NOISE, NOISE[:8000], SR),
        "same length"), ("distance of NaN", lambda: features.spectral_distance(NOISE, NAN, SR),
                         "NaN"), ("distance at rate 0",
                                  lambda: features.spectral_distance(NOISE, NOISE, 0),
                                  "sample rate")]


@pytest.mark.parametrize(("use", "advice"), [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])
def test_bad_input_raises_one_clear_error(use, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        use()
    assert "course_utils" in str(caught.traceback[-1].path)
