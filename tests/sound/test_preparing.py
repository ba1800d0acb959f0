"""Measuring, quantizing, denoising, leveling, trimming, stretching, transposing; and the chain in
one call.
"""
import math

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import lfilter

from course_utils import audio
from course_utils.checks import SR
from course_utils.sound import preparing

T = np.arange(SR) / SR
TONE = (0.5 * np.sin(2 * np.pi * 440 * T)).astype(np.float32)
NOISE = np.random.default_rng(0).normal(scale=0.05, size=SR).astype(np.float32)
SOUNDS = arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32))


def _pitch(y, sr=SR):
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    return spectrum.argmax() * sr / len(y)


def _snr(clean, y):
    return 10 * np.log10(np.mean(clean**2) / np.mean((clean - y) ** 2))


def test_describe_measures_a_tone():
    found = preparing.describe(TONE + 0.1, SR)
    assert (found["duration"], found["sample_rate"], found["samples"],
            found["channels"]) == (1, SR, SR, 1)
    assert found["peak_dbfs"] == pytest.approx(20 * math.log10(0.6), abs=0.01)
    assert found["rms_dbfs"] == pytest.approx(10 * math.log10(0.125 + 0.01), abs=0.01)
    assert found["dc"] == pytest.approx(0.1, abs=1e-4)
    assert found["clipped"] == 0


def test_describe_finds_clipping_but_not_in_a_tone_at_full_scale():
    assert preparing.describe(2 * TONE, SR)["clipped"] == 0
    found = preparing.describe(np.clip(4 * TONE, -1, 1), SR)["clipped"]
    assert found == pytest.approx(2 / 3, abs=0.05), ("a sine of amplitude 2 is beyond 1 for two "
                                                     "thirds of the time")
    stereo = np.stack([TONE, np.clip(4 * TONE, -1, 1)], axis=1)
    assert preparing.describe(stereo, SR)["clipped"] == pytest.approx(found / 2, abs=0.01)


def test_describe_silence_and_one_sample():
    found = preparing.describe(np.zeros(100), SR)
    assert (found["peak_dbfs"], found["rms_dbfs"], found["dc"], found["clipped"]) == (-math.inf,
        -math.inf, 0, 0)
    assert preparing.describe([0.5], SR)["samples"] == 1


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_each_bit_brings_six_decibels(bits):
    amplitude = 1 - 2 / 2**bits
    y = amplitude * np.sin(2 * np.pi * 441.7 * T)
    assert _snr(y,
                preparing.quantize(y, bits)) == pytest.approx(6.02 * bits + 1.76 + 20
                                                              * np.log10(amplitude), abs=0.5)


@given(SOUNDS, st.integers(2, 24))
def test_quantizing_twice_changes_nothing_and_errs_by_half_a_step(y, bits):
    once = preparing.quantize(y, bits)
    assert np.abs(once - np.minimum(y, 1 - 2 / 2**bits)).max() <= 1 / 2**bits + 1e-7
    assert len(np.unique(once)) <= 2**bits
    np.testing.assert_array_equal(preparing.quantize(once, bits), once)


def test_dither_lets_through_what_is_below_one_step():
    quiet = 0.3 / 128 * np.sin(2 * np.pi * 440 * T)
    assert not preparing.quantize(quiet, 8).any()
    dithered = preparing.quantize(quiet, 8, dither=True)
    assert _pitch(dithered) == 440
    np.testing.assert_array_equal(dithered, preparing.quantize(quiet, 8, dither=True))


@given(SOUNDS)
def test_removing_dc_twice_changes_nothing(y):
    once = preparing.remove_dc(y)
    assert abs(float(once.mean())) < 1e-6
    np.testing.assert_allclose(preparing.remove_dc(once), once, atol=1e-6)


@given(SOUNDS, st.floats(-60, 0))
def test_peak_normalization_hits_the_level_and_twice_changes_nothing(y, dbfs):
    assume(np.abs(y).max() > 1e-5)
    once = preparing.normalize_peak(y, dbfs)
    assert np.abs(once).max() == pytest.approx(10 ** (dbfs / 20), rel=1e-5)
    np.testing.assert_allclose(preparing.normalize_peak(once, dbfs), once, rtol=1e-5)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(-60, 0), st.floats(1e-4, 10))
def test_loudness_normalization_hits_the_level_and_twice_changes_nothing(seed, lufs, gain):
    rng = np.random.default_rng(seed)
    y = gain * 0.1 * rng.normal(size=SR) * np.repeat(rng.uniform(0.01, 1, 10), SR // 10)
    once = preparing.normalize_loudness(y, SR, lufs)
    assert np.abs(once).max() <= 1 + 1e-6
    reached = preparing.loudness(once, SR)
    assert reached == pytest.approx(lufs, abs=0.1) or (reached < lufs
                                                       and np.abs(once).max() == pytest.approx(1))
    np.testing.assert_allclose(preparing.normalize_loudness(once, SR, lufs), once, atol=1e-4)


def test_loudness_follows_the_standard():
    """BS.1770: a 997 Hz sine at full scale in one channel measures -3.01 LUFS."""
    y = np.sin(2 * np.pi * 997 * np.arange(3 * 48000) / 48000)
    assert preparing.loudness(y, 48000) == pytest.approx(-3.01, abs=0.1)
    assert preparing.loudness(np.stack([y, y], axis=1), 48000) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("treat", [preparing.normalize_peak,
                                   lambda y: preparing.normalize_loudness(y, SR),
                                   preparing.remove_dc, preparing.denoise])
def test_silence_stays_silence(treat):
    assert not treat(np.zeros(SR)).any()


def test_rounding_noise_is_not_turned_into_sound():
    for residue in (preparing.remove_dc(np.full(SR, 0.1)), 1e-7 * TONE):
        assert np.abs(preparing.normalize_peak(residue)).max() < 1e-6
        assert np.abs(preparing.normalize_loudness(residue, SR)).max() < 1e-6
        with pytest.raises(ValueError, match="silent"):
            preparing.trim_silence(residue)


@pytest.mark.parametrize("color", [0.0, 0.95])
@pytest.mark.parametrize("pauses", [True, False])
def test_denoising_removes_more_noise_than_music(color, pauses):
    rng = np.random.default_rng(1)
    notes = [np.sin(2 * np.pi * f * T[:SR // 4]) * np.exp(-6 * T[:SR // 4])
             for f in (262, 330, 392, 523, 440, 349, 294, 587)]
    if pauses:
        notes = [np.append(n, np.zeros(SR // 8)) for n in notes]
    clean = 0.3 * np.concatenate(notes * 2)
    noise = lfilter([1], [1, -color], rng.normal(size=len(clean)))
    noisy = clean + noise * np.sqrt(np.mean(clean**2) / np.mean(noise**2)) * 10 ** (-15 / 20)
    assert _snr(clean, preparing.denoise(noisy)) > _snr(clean, noisy) + 4
    assert _snr(clean, preparing.denoise(clean)) > 20


def test_denoising_turns_noise_down_by_no_more_than_asked():
    def rms(y):
        return 20 * np.log10(np.sqrt(np.mean(y**2)))

    for reduction in (0, 6, 20):
        lost = rms(NOISE) - rms(preparing.denoise(NOISE, reduction))
        assert reduction * 0.6 <= lost <= reduction + 0.1
    np.testing.assert_allclose(preparing.denoise(TONE, 0), TONE, atol=1e-5)


def test_trimming_keeps_the_sound_and_cuts_the_rest():
    y = np.concatenate([np.zeros(5000), TONE, 1e-4 * NOISE[:7000]])
    trimmed = preparing.trim_silence(y)
    assert len(TONE) <= len(trimmed) < len(TONE) + 2 * 1024
    assert np.sum(trimmed**2) == pytest.approx(np.sum(TONE**2), rel=1e-3)
    np.testing.assert_array_equal(preparing.trim_silence(trimmed), trimmed)
    np.testing.assert_array_equal(preparing.trim_silence([0.5]), [0.5])


@settings(max_examples=15)
@given(st.integers(1, 20000), st.floats(0.1, 10))
def test_stretching_changes_the_duration_by_one_over_the_rate(samples, rate):
    y = preparing.stretch(np.resize(TONE, samples), rate)
    assert len(y) == max(1, round(samples / rate))
    assert y.dtype == np.float32
    assert np.isfinite(y).all()


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.0, 1.6])
def test_stretching_keeps_the_pitch(rate):
    assert _pitch(preparing.stretch(TONE, rate)) == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize("semitones", [-12, -5, 0, 0.5, 7])
def test_transposing_moves_the_pitch_and_keeps_the_duration(semitones):
    y = preparing.shift_pitch(TONE, SR, semitones)
    assert len(y) == len(TONE)
    assert _pitch(y) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.01)


NAN = np.array([0.1, np.nan])
STEREO = np.zeros((SR, 2))
BAD = [*[(f"{f.__name__} of NaN", lambda f=f: f(NAN), "NaN")
         for f in (preparing.remove_dc, preparing.normalize_peak, preparing.denoise,
                   preparing.trim_silence)],
       *[(f"{f.__name__} of nothing", lambda f=f: f([]), "empty")
         for f in (preparing.remove_dc, preparing.normalize_peak, preparing.denoise,
                   preparing.trim_silence)],
       *[(f"{f.__name__} of stereo", lambda f=f: f(STEREO), "to_mono")
         for f in (preparing.denoise, preparing.trim_silence)],
       ("stretch of stereo", lambda: preparing.stretch(STEREO, 0.8), "to_mono"),
       ("stretch by 0", lambda: preparing.stretch(TONE, 0), "rate"),
       ("stretch by a negative rate", lambda: preparing.stretch(TONE, -1), "rate"),
       ("stretch by a thousand", lambda: preparing.stretch(TONE, 1000), "rate"),
       ("stretch by NaN", lambda: preparing.stretch(TONE, math.nan), "rate"),
       ("stretch by text", lambda: preparing.stretch(TONE, "slow"), "rate"),
       ("shift of stereo", lambda: preparing.shift_pitch(STEREO, SR, 1), "to_mono"),
       ("shift by 100", lambda: preparing.shift_pitch(TONE, SR, 100), "semitones"),
       ("shift at rate 0", lambda: preparing.shift_pitch(TONE, 0, 1), "sample rate"),
       ("peak above full scale", lambda: preparing.normalize_peak(TONE, 3), "dbfs"),
       ("peak of NaN dB", lambda: preparing.normalize_peak(TONE, math.nan), "dbfs"),
       ("loudness above full scale", lambda: preparing.normalize_loudness(TONE, SR, 5), "lufs"),
       ("loudness of 0.1 s", lambda: preparing.normalize_loudness(TONE[:1600], SR),
        "normalize_peak"), ("loudness at 4 kHz", lambda: preparing.loudness(TONE, 4000),
                            "resample"), ("loudness of 8 channels",
                                          lambda: preparing.loudness(np.zeros((SR, 8)), SR), "mix"),
       ("negative reduction", lambda: preparing.denoise(TONE, -1), "reduction"),
       ("trim at 0 dB", lambda: preparing.trim_silence(TONE, 0), "top_db"),
       ("trim of silence", lambda: preparing.trim_silence(np.zeros(SR)), "silent"),
       ("1 bit", lambda: preparing.quantize(TONE, 1), "bits"),
       ("32 bits", lambda: preparing.quantize(TONE, 32), "bits"),
       ("half a bit", lambda: preparing.quantize(TONE, 7.5), "bits"),
       ("describe at rate -1", lambda: preparing.describe(TONE, -1), "sample rate"),
       ("describe a 3-d array", lambda: preparing.describe(np.zeros((2, 2, 2)), SR), "shape")]


@pytest.mark.parametrize(("use", "advice"), [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])
def test_bad_input_raises_one_clear_error(use, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        use()
    assert "course_utils" in str(caught.traceback[-1].path)


@pytest.fixture
def recording(tmp_path):
    """Two channels at 44.1 kHz: silence, a tone with noise and DC on it, silence."""
    t = np.arange(44100) / 44100
    tone = np.concatenate([np.zeros(22050), 0.4 * np.sin(2 * np.pi * 440 * t), np.zeros(22050)])
    noisy = tone + np.random.default_rng(0).normal(scale=0.001, size=len(tone)) + 0.05
    soundfile.write(tmp_path / "my recording.wav", np.stack([noisy, noisy], axis=1), 44100)
    return tmp_path / "my recording.wav"


def test_prepare_does_the_chain_and_reports_it(recording):
    y, sr, lines = preparing.prepare(recording, noise_reduction=20, rate=0.8, semitones=12)
    assert (sr, y.dtype, y.ndim) == (16000, np.float32, 1)
    assert len(y) / sr == pytest.approx(1 / 0.8, abs=0.15)
    assert _pitch(y, sr) == pytest.approx(880, rel=0.01)
    assert abs(y.mean()) < 0.01
    assert preparing.loudness(y, sr) == pytest.approx(-23, abs=0.1)
    steps = ("loaded", "mono, resampled", "DC removed", "denoised", "silence trimmed",
             "stretched, rate 0.8", "transposed by +12 semitones", "loudness -23.0 LUFS")
    assert all(line.startswith(step) for line, step in zip(lines, steps, strict=True))
    assert "2.00 s   44100 Hz  2 ch" in lines[0]
    assert str(recording.parent) not in "".join(lines)


def test_prepare_leaves_out_what_is_not_asked_for(recording):
    _, _, lines = preparing.prepare(recording)
    assert [line.split("  ")[0] for line in lines] == ["loaded", "mono, resampled", "DC removed",
                                                       "silence trimmed", "loudness -23.0 LUFS"]


def test_prepare_copes_with_very_short_sound(tmp_path):
    y, _, lines = preparing.prepare(audio.save(tmp_path / "click.wav", TONE[:100], SR))
    assert np.abs(y).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)
    assert lines[-1].startswith("peak normalized")


@pytest.mark.parametrize(("y", "how", "advice"),
                         [(np.zeros(SR), {}, "silent"), (np.full(SR, 0.3), {}, "silent"),
                          (TONE, {"rate": 0}, "rate"), (TONE, {"rate": "0.8"}, "rate"),
                          (TONE, {"semitones": 99}, "semitones"), (TONE, {"lufs": 3}, "lufs"),
                          (TONE, {"noise_reduction": -3}, "noise_reduction"),
                          (TONE, {"sr": 0}, "sample rate")])
def test_prepare_says_what_is_wrong(tmp_path, y, how, advice):
    with pytest.raises(ValueError, match=advice):
        preparing.prepare(audio.save(tmp_path / "a.wav", y, SR), **how)
