"""From a raw recording to clean material: measure, quantize, denoise, level, trim, stretch,
transpose; or all in one call.
"""
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from course_utils.audio import load, resample
from course_utils.checks import SR, check_number, check_rate, check_whole, to_mono, waveform
from course_utils.sound.windows import frame

LOUDNESS_BLOCK = 0.4
LOWEST_RATE = 8000
SILENCE = 1e-6


def describe(y: np.ndarray, sr: int) -> dict[str, float]:
    """Measure a waveform.

    Notebook: 01_loading_audio

    Returns:
        `duration` in seconds; `sample_rate` in Hz; `samples`; `channels`; `peak_dbfs` and
        `rms_dbfs`, in dB relative to a sample of 1 (silence is -inf, a sine at full scale has an
        RMS of -3.01); `dc`, the mean; `clipped`, the share of samples in flat tops: at least three
        equal samples in a row beyond 98 % of full scale.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> round(preparing.describe(np.sin(np.arange(16000)), 16000)["rms_dbfs"], 2)
        -3.01
    """
    y, sr = waveform(y), check_rate(sr)
    level = np.abs(y.astype(np.float64))
    return {"duration": len(y) / sr, "sample_rate": sr, "samples": len(y),
            "channels": 1 if y.ndim == 1 else y.shape[1], "peak_dbfs": _to_db(level.max()),
            "rms_dbfs": _to_db(np.sqrt((level**2).mean())), "dc": float(y.mean(dtype=np.float64)),
            "clipped": float(_flat_tops(y).mean())}


def _to_db(amplitude: float) -> float:
    """Turn an amplitude, 1 for full scale, into decibels: 20 log10(amplitude), -inf for 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def _flat_tops(y: np.ndarray) -> np.ndarray:
    same = (y[1:] == y[:-1]) & (np.abs(y[1:]) >= 0.98)
    run = same[1:] & same[:-1]
    flat = np.zeros(y.shape, bool)
    for shift in range(3 if len(run) else 0):
        flat[shift:len(run) + shift] |= run
    return flat


def quantize(y: np.ndarray, bits: int, dither: bool = False, seed: int = 0) -> np.ndarray:
    """Round a waveform to the 2**bits levels of PCM with that many bits.

    Notebook: 01_loading_audio

    Args:
        y: (samples,) or (samples, channels).
        bits: 2 to 24.
        dither: add triangular noise two steps wide before rounding, which turns the distortion into
            steady hiss (Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither", JAES 40(5),
            1992).
        seed: of that noise.

    Returns:
        float32 of the same shape, in steps of 2 / 2**bits, from -1 to one step below 1.

    Example:
        >>> from course_utils.sound import preparing
        >>> preparing.quantize([-1.0, 0.1, 0.4, 1.0], bits=2).tolist()  # four levels
        [-1.0, 0.0, 0.5, 0.5]
    """
    y = waveform(y)
    check_whole("bits", bits, 2, 24)
    half = 2.0 ** (bits - 1)
    rng = np.random.default_rng(seed)
    noise = rng.random(y.shape) - rng.random(y.shape) if dither else 0.0
    return (np.clip(np.round(y * half + noise), -half, half - 1) / half).astype(np.float32)


def remove_dc(y: np.ndarray) -> np.ndarray:
    """Subtract each channel's mean, which is no sound but takes room.

    Notebook: 02_preparing_audio

    Example:
        >>> from course_utils.sound import preparing
        >>> preparing.remove_dc([0.25, 0.75]).tolist()
        [-0.25, 0.25]
    """
    y = waveform(y)
    return (y - y.mean(axis=0, dtype=np.float64)).astype(np.float32)


def normalize_peak(y: np.ndarray, dbfs: float = -1.0) -> np.ndarray:
    """Scale a waveform so that its largest sample has this level.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,) or (samples, channels); silence (below -120 dBFS) stays as it is.
        dbfs: level of the peak, at most 0 dB.

    Returns:
        float32 of the same shape.

    Raises:
        ValueError: if the level is above 0 or not a number.

    Example:
        >>> from course_utils.sound import preparing
        >>> preparing.normalize_peak([0.125, -0.25], dbfs=0).tolist()
        [0.5, -1.0]
    """
    y, dbfs = waveform(y), check_number("dbfs", dbfs, -120, 0)
    peak = float(np.abs(y).max())
    return y if peak < SILENCE else (y * (10 ** (dbfs / 20) / peak)).astype(np.float32)


def loudness(y: np.ndarray, sr: int) -> float:
    """Measure the loudness of a whole sound in LUFS (Recommendation ITU-R BS.1770-4).

    Notebook: 02_preparing_audio

    Args:
        y: (samples,) or (samples, channels up to five), at least 0.4 s.
        sr: sample rate in Hz, at least 8000.

    Returns:
        LUFS, -inf for silence.

    Raises:
        ValueError: if the sound is too short, or the rate too low for the ear's weighting filter.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> y = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
        >>> round(preparing.loudness(y, 48000) - preparing.loudness(y / 2, 48000), 1)
        6.0
    """
    import pyloudnorm

    y, sr = waveform(y), check_rate(sr)
    if sr < LOWEST_RATE or len(y) < LOUDNESS_BLOCK * sr or (y.ndim == 2 and y.shape[1] > 5):
        raise ValueError(f"Loudness is defined from {LOUDNESS_BLOCK} s on, 8000 Hz, up to five "
                         f"channels; this waveform has {len(y) / sr:.3f} s at {sr} Hz and shape "
                         f"{y.shape}. Use normalize_peak, or resample or mix it first.")
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(sr).integrated_loudness(y.astype(np.float64)))


def normalize_loudness(y: np.ndarray, sr: int, lufs: float = -23.0) -> np.ndarray:
    """Scale a waveform to this loudness, or as near as its peak may come to full scale.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,) or (samples, channels up to five), at least 0.4 s; silence (below -120 dBFS)
            stays as it is.
        sr: sample rate in Hz.
        lufs: loudness, -70 to 0; broadcasters use -23 (EBU R 128).

    Returns:
        float32 of the same shape, never clipped.

    Raises:
        ValueError: as `loudness`, or if the target is out of range.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> y = preparing.normalize_loudness(0.001 * np.sin(np.arange(16000)), 16000)
        >>> round(preparing.loudness(y, 16000), 1)
        -23.0
    """
    lufs = check_number("lufs", lufs, -70, 0)
    # Measured at full level: the meter leaves out blocks below -70 LUFS, so a quiet sound would
    # measure too loud.
    full = normalize_peak(y, 0.0)
    level = loudness(full, sr)
    return (full if level == -math.inf
            else (full * min(1.0, 10 ** ((lufs - level) / 20))).astype(np.float32))


def denoise(y: np.ndarray, reduction: float = 20.0) -> np.ndarray:
    """Turn steady noise down by spectral gating.

    Notebook: 02_preparing_audio

    In each frequency bin the quietest tenth of the frames is taken for noise alone. If P is the
    power there, P0 the mean power of that noise, the bin is multiplied by max(1 - 2 P0 / P, the
    allowed reduction): spectral subtraction after Berouti, Schwartz and Makhoul ("Enhancement of
    speech corrupted by acoustic noise", ICASSP 1979). What sounds all the time at one pitch, such
    as a drone, is steady too and is turned down with the noise.

    Args:
        y: (samples,).
        reduction: most that a bin is turned down by, in dB, 0 to 100.

    Returns:
        float32 (samples,).

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> hiss = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> bool(preparing.denoise(hiss).std() < 0.5 * hiss.std())
        True
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import istft, stft

    y, reduction = waveform(y, mono=True), check_number("reduction", reduction, 0, 100)
    how = {"nperseg": 1024, "noverlap": 768}
    _, _, spectrum = stft(np.pad(y, (0, max(0, 1024 - len(y)))), **how)
    power = np.abs(spectrum) ** 2
    # The power of noise is exponentially distributed: its lowest tenth lies below -ln(0.9) of its
    # mean.
    noise = np.quantile(power, 0.1, axis=1, keepdims=True) / -math.log(0.9)
    # Averaged over five frames: single noisy bins would else open the gate for a moment, heard as
    # "musical noise".
    power = np.maximum(uniform_filter1d(power, 5, axis=1), 1e-20)
    gain = np.maximum(1 - 2 * noise / power, 10 ** (-reduction / 20))
    return istft(spectrum * gain, **how)[1][:len(y)].astype(np.float32)


def trim_silence(y: np.ndarray, top_db: float = 40.0) -> np.ndarray:
    """Cut off both ends as far as they are quieter than the loudest moment by `top_db`.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,).
        top_db: threshold in dB below the loudest window of 1024 samples (by RMS), 1 to 200.

    Returns:
        float32, a part of y.

    Raises:
        ValueError: if all of it is silent.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> y = np.concatenate([np.zeros(16000), np.sin(np.arange(8000)), np.zeros(16000)])
        >>> 8000 <= len(preparing.trim_silence(y)) <= 8000 + 2 * 1024
        True
    """
    y, top_db = waveform(y, mono=True), check_number("top_db", top_db, 1, 200)
    if np.abs(y).max() < SILENCE:
        raise ValueError("The waveform is silent from start to end: nothing is left after "
                         "trimming. Check the recording's input.")
    level = np.sqrt((frame(y, 1024, 256).astype(np.float64) ** 2).mean(axis=1))
    loud = np.flatnonzero(level >= level.max() * 10 ** (-top_db / 20))
    return y[loud[0] * 256:loud[-1] * 256 + 1024]


def stretch(y: np.ndarray, rate: float) -> np.ndarray:
    """Make a sound faster or slower and keep its pitch, by a phase vocoder.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,).
        rate: tempo, 0.1 to 10; 0.8 makes it 1 / 0.8 times as long.

    Returns:
        float32, round(samples / rate) long, at least one sample.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> len(preparing.stretch(np.sin(np.arange(8000)), 0.8))
        10000
    """
    import librosa

    y, rate = waveform(y, mono=True), check_number("rate", rate, 0.1, 10)
    if rate == 1:
        return y
    with warnings.catch_warnings():
        # librosa 1.0 warns of its own coming changes.
        warnings.simplefilter("ignore")
        return librosa.effects.time_stretch(_at_least(y, 2048),
                                            rate=rate)[:max(1, round(len(y) / rate))]


def _at_least(y: np.ndarray, samples: int) -> np.ndarray:
    return np.pad(y, (0, max(0, samples - len(y))))


def shift_pitch(y: np.ndarray, sr: int, semitones: float) -> np.ndarray:
    """Transpose a sound and keep its duration: stretch it, then resample it back.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,).
        sr: sample rate in Hz.
        semitones: -24 to 24, up if positive.

    Returns:
        float32 (samples,).

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import preparing
        >>> y = np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
        >>> int(np.abs(np.fft.rfft(preparing.shift_pitch(y, 16000, 12))).argmax())  # in Hz
        440
    """
    import librosa

    y, sr = waveform(y, mono=True), check_rate(sr)
    semitones = check_number("semitones", semitones, -24, 24)
    if semitones == 0:
        return y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return librosa.effects.pitch_shift(_at_least(y, 2048), sr=sr, n_steps=semitones)[:len(y)]


def prepare(path: str | Path, sr: int = SR, *, noise_reduction: float = 0.0, rate: float = 1.0,
            semitones: float = 0.0, lufs: float = -23.0) -> tuple[np.ndarray, int, list[str]]:
    """Load a recording and make it ready for a network, reporting every step.

    Notebook: 02_preparing_audio

    The steps: load, mix to mono and resample; remove DC; denoise (if asked); trim silence; stretch
    and transpose (if asked); normalize the loudness.

    Args:
        path: a sound file.
        sr: sample rate wanted, in Hz.
        noise_reduction: in dB, as `reduction` of `denoise`; 0 leaves the noise, which is right for
            clean recordings.
        rate: tempo, as in `stretch`.
        semitones: transposition, as in `shift_pitch`.
        lufs: loudness, as in `normalize_loudness`; where loudness is not defined (under 0.4 s or
            8000 Hz) the peak comes to -1 dBFS instead.

    Returns:
        y, float32 (samples,); sr; and one line of text per step, with the duration and levels after
        it.

    Raises:
        FileNotFoundError, OSError, ValueError: as `load` and the single steps do.
    """
    check_number("noise_reduction", noise_reduction, 0, 100)
    check_number("rate", rate, 0.1, 10)
    check_number("semitones", semitones, -24, 24)
    check_number("lufs", lufs, -70, 0)
    check_rate(sr)
    y, native = load(path, mono=False)
    lines = [_line("loaded", y, native)]
    for step, treat in _chain(native, sr, noise_reduction, rate, semitones):
        y = treat(y)
        lines.append(_line(step, y, sr))
    if len(y) < LOUDNESS_BLOCK * sr or sr < LOWEST_RATE:
        y, step = normalize_peak(y), "peak normalized"
    else:
        y = normalize_loudness(y, sr, lufs)
        step = f"loudness {loudness(y, sr):.1f} LUFS"
    return y, sr, [*lines, _line(step, y, sr)]


def _chain(native: int, sr: int, noise_reduction: float, rate: float,
           semitones: float) -> Iterator[tuple[str, Callable]]:
    yield "mono, resampled", lambda y: resample(to_mono(y), native, sr)
    yield "DC removed", remove_dc
    if noise_reduction:
        yield f"denoised by up to {noise_reduction:g} dB", lambda y: denoise(y, noise_reduction)
    yield "silence trimmed", trim_silence
    if rate != 1:
        yield f"stretched, rate {rate:g}", lambda y: stretch(y, rate)
    if semitones:
        yield f"transposed by {semitones:+g} semitones", lambda y: shift_pitch(y, sr, semitones)


def _line(step: str, y: np.ndarray, sr: int) -> str:
    found = describe(y, sr)
    clipped = f"  {found['clipped']:.2%} clipped" if found["clipped"] else ""
    return (f"{step:28} {found['duration']:8.2f} s  {sr:6d} Hz  {found['channels']} ch  peak "
             f"{found['peak_dbfs']:6.1f} dBFS  RMS {found['rms_dbfs']:6.1f} dBFS{clipped}")
