"""Features of sound: STFT, log-mel, MFCC, chroma, and a spectral distance. The way back is in
`inversion`.

The constants are the one definition of feature parameters for the whole course. Features have one
row per frame, (frames, bins), the first frame centred on the first sample. What makes features also
takes a batch of sounds of equal length, (batch, samples), and then returns (batch, frames, bins).
"""
import functools
import math
import warnings
from collections.abc import Callable

import numpy as np

from course_utils.checks import (
    MAX_CHANNELS,
    as_array,
    check_rate,
    check_sizes,
    check_whole,
    waveform,
)
from course_utils.sound import windows

FRAME_LENGTH = windows.FRAME_LENGTH
N_FFT = 1024
HOP_LENGTH = 256
N_MELS = 64
N_MFCC = 64
FLOOR_DB = -80.0
N_FFT_CHROMA = 4096
BLOCK = 2**22  # samples transformed at a time, about 70 MB of spectrum


def stft(y: np.ndarray, n_fft: int = N_FFT, hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Compute the short-time Fourier transform with a Hann window.

    Notebook: 03_features

    Args:
        y: (samples,) or (batch, samples).
        n_fft: samples in a window, even.
        hop_length: samples from frame to frame.

    Returns:
        complex64 (frames, n_fft // 2 + 1), with 1 + samples // hop_length frames; `np.abs` gives
        magnitudes.

    Raises:
        ValueError: if y is not sound of one channel, or the sizes are no sizes.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> features.stft(np.zeros(16000)).shape
        (63, 513)
    """
    return _in_blocks(y, n_fft, hop_length, lambda spectrum: spectrum)


def _in_blocks(y, n_fft: int, hop_length: int, function: Callable) -> np.ndarray:
    """Return a function of the STFT, (frames, bins), of a sound, or of a batch of sounds, a block
    at a time to save memory.
    """
    import librosa

    check_sizes(n_fft, hop_length)
    y = _sounds(y)
    sounds = y[None] if y.ndim == 1 else y
    together = max(1, BLOCK // sounds.shape[1])
    rows = []
    with warnings.catch_warnings():
        # librosa warns of sounds shorter than a window, which are padded with zeros here as
        # everywhere.
        warnings.filterwarnings("ignore", "n_fft=", UserWarning)
        for first in range(0, len(sounds), together):
            spectrum = librosa.stft(sounds[first:first + together], n_fft=n_fft,
                                    hop_length=hop_length)
            # (sounds, bins, frames) to (sounds, frames, bins)
            rows.append(function(np.swapaxes(spectrum, 1, 2)))
    return np.concatenate(rows) if y.ndim == 2 else rows[0][0]


def _sounds(y) -> np.ndarray:
    y = as_array(y)
    if y.ndim != 2 or y.shape[1] <= MAX_CHANNELS:
        return waveform(y, mono=True)
    return waveform(y.reshape(-1)).reshape(y.shape)  # (batch * samples,) and back


def power_to_db(power: np.ndarray, floor_db: float = FLOOR_DB) -> np.ndarray:
    """Turn power into decibels, 10 log10(power), but not below a floor.

    Notebook: 03_features

    The floor is fixed and not relative to the loudest frame, so that a moment has the same features
    whatever comes later. -80 dB lies just above the rounding noise of 16-bit sound in a mel band.

    Returns:
        float32 of the same shape.
    """
    return 10 * np.log10(np.maximum(power, 10 ** (floor_db / 10))).astype(np.float32, copy=False)


def db_to_power(db: np.ndarray) -> np.ndarray:
    """Turn decibels back into power, 10 ** (db / 10), float32 of the same shape."""
    return 10 ** (np.asarray(db, np.float32) / 10)


def mel_filters(sr: int, n_fft: int = N_FFT, n_mels: int = N_MELS) -> np.ndarray:
    """Return the triangular filters that gather the power of an STFT into mel bands.

    Notebook: 03_features

    Returns:
        float32 (n_mels, n_fft // 2 + 1), read-only, on Slaney's mel scale, each of area 1
        (librosa's default).

    Raises:
        ValueError: if there are so many that a filter would fall between two bins.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> middle = features.mel_filters(16000).argmax(axis=1) * 16000 / 1024  # in Hz
        >>> bool(middle[1] - middle[0] < middle[-1] - middle[-2])  # the higher, the wider
        True
    """
    sr = check_rate(sr)
    check_sizes(n_fft, 1)
    check_whole("n_mels", n_mels, 1, n_fft // 2)
    return _mel_filters(sr, n_fft, n_mels)


@functools.lru_cache(maxsize=16)
def _mel_filters(sr: int, n_fft: int, n_mels: int) -> np.ndarray:
    import librosa

    with warnings.catch_warnings():
        # librosa only warns of an empty filter; the error below says what to do.
        warnings.simplefilter("ignore", UserWarning)
        filters = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels)
    if not filters.any(axis=1).all():
        raise ValueError(f"{n_mels} mel bands are too many for n_fft={n_fft} at {sr} Hz: some hold "
                         "no frequency at all. Take fewer bands or a larger n_fft.")
    filters.flags.writeable = False
    return filters


def log_mel(y: np.ndarray, sr: int, n_mels: int = N_MELS, n_fft: int = N_FFT,
            hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Compute the log-mel spectrogram, the course's picture of timbre.

    Notebook: 03_features

    Args:
        y: (samples,) or (batch, samples).
        sr: sample rate in Hz; the networks of the course expect 16000.
        n_mels: bands.
        n_fft: samples in a window, even.
        hop_length: samples from frame to frame.

    Returns:
        float32 (frames, n_mels), in dB, from -80 to about 30 for sound within full scale.

    Raises:
        ValueError: as `stft` and `mel_filters`.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> mel = features.log_mel(np.zeros(16000), 16000)
        >>> mel.shape, round(float(mel.max()))  # silence lies on the floor, in dB
        ((63, 64), -80)
    """
    return _by_mel(y, sr, n_mels, n_fft, hop_length, power_to_db)


def _by_mel(y, sr: int, n_mels: int, n_fft: int, hop_length: int, function: Callable) -> np.ndarray:
    filters = mel_filters(sr, n_fft, n_mels)
    return _in_blocks(y, n_fft, hop_length, lambda spectrum: function(_bands(spectrum, filters)))


def _bands(spectrum: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Gather the power of an STFT, (sounds, frames, bins), by filters (bands, bins), in one large
    product.
    """
    # (sounds * frames, bins)
    power = (spectrum.real**2 + spectrum.imag**2).reshape(-1, spectrum.shape[2])
    return (power @ filters.T).reshape(*spectrum.shape[:2], len(filters))


def dct_matrix(size: int) -> np.ndarray:
    """Return the orthonormal DCT-II as a matrix: D[k, b] = sqrt(2 / B) cos(pi k (b + 1/2) / B),
    D[0] by sqrt(2) less.

    Notebook: 03_features

    Its transpose is its inverse.

    Returns:
        float64 (size, size).

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> dct = features.dct_matrix(64)
        >>> bool(np.allclose(dct.T @ dct, np.eye(64)))
        True
    """
    check_whole("size", size, 1, 2**14)
    k, n = np.arange(size)[:, None], np.arange(size)
    matrix = np.sqrt(2 / size) * np.cos(np.pi * k * (n + 0.5) / size)
    matrix[0] /= np.sqrt(2)
    return matrix


def mfcc(y: np.ndarray, sr: int, n_mfcc: int = N_MFCC, n_mels: int = N_MELS, n_fft: int = N_FFT,
         hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Compute mel-frequency cepstral coefficients: the first `n_mfcc` of the DCT of each log-mel
    frame.

    Notebook: 03_features

    Args: as `log_mel`; n_mfcc is at most n_mels, and as many keep everything.

    Returns:
        float32 (frames, n_mfcc). The first is the loudness, the next ones the broad shape of the
        spectrum.

    Raises:
        ValueError: as `log_mel`, or for more coefficients than bands.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> features.mfcc(np.zeros(16000), 16000, n_mfcc=13).shape
        (63, 13)
    """
    check_whole("n_mfcc", n_mfcc, 1, n_mels)
    dct = dct_matrix(n_mels)[:n_mfcc]
    return _by_mel(y, sr, n_mels, n_fft, hop_length,
                   lambda mel: (power_to_db(mel) @ dct.T).astype(np.float32))


def chroma(y: np.ndarray, sr: int, hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Compute how strong each of the 12 pitch classes is, octaves folded together.

    Notebook: 03_features

    The window is 4096 samples, since semitones in the bass lie only a few hertz apart. Tuning: A4 =
    440 Hz.

    Args: as `log_mel`.

    Returns:
        float32 (frames, 12), C first; the strongest class of a frame is 1, a silent frame is all 0.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> tones = [np.sin(2 * np.pi * hz * np.arange(8000) / 16000) for hz in (220, 440, 880)]
        >>> [int(features.chroma(y, 16000).mean(axis=0).argmax()) for y in tones]  # A each time
        [9, 9, 9]
    """
    import librosa

    filters = librosa.filters.chroma(sr=check_rate(sr), n_fft=N_FFT_CHROMA, tuning=0.0)

    def fold(spectrum):
        classes = _bands(spectrum, filters)
        return classes / np.maximum(classes.max(axis=-1, keepdims=True), 1e-8)

    return _in_blocks(y, N_FFT_CHROMA, hop_length, fold)


def spectral_distance(y1: np.ndarray, y2: np.ndarray, sr: int) -> float:
    """Measure how far two sounds are apart in spectrum, in dB.

    Notebook: 03_features

    The log-spectral distance (Gray and Markel, "Distance measures for speech processing", 1976) on
    mel bands: mean over frames t of sqrt(mean over bands b of (L1[t, b] - L2[t, b])^2), where L is
    the power of 128 mel bands in dB, cut off 60 dB below the loudest value of both sounds. Bands
    are finer than those of the course's features (windows of about 0.128 s), so that what 64 bands
    lose can be seen. 0 for equal spectra, whatever the phase; at most 60.

    Args:
        y1, y2: (samples,); the longer one may exceed the other by up to 1024 samples, which are
            left out.
        sr: sample rate of both in Hz.

    Returns:
        The distance in dB.

    Raises:
        ValueError: if their lengths differ by more.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features
        >>> y = np.sin(np.arange(16000))
        >>> round(features.spectral_distance(y, -y, 16000), 2)  # phase does not count
        0.0
    """
    y1, y2 = waveform(y1, mono=True), waveform(y2, mono=True)
    if abs(len(y1) - len(y2)) > FRAME_LENGTH:
        raise ValueError(f"The sounds have {len(y1)} and {len(y2)} samples. Cut both to the same "
                         "length first.")
    length = min(len(y1), len(y2))
    n_fft = max(512, 2 ** round(math.log2(check_rate(sr) / 8)))
    mel = [_by_mel(y[:length], sr, 128, n_fft, n_fft // 4, lambda mel: mel) for y in (y1, y2)]
    floor = max(1e-20, 1e-6 * max(m.max() for m in mel))
    difference = (power_to_db(mel[0], 10 * math.log10(floor))
                  - power_to_db(mel[1], 10 * math.log10(floor)))
    return float(np.sqrt((difference**2).mean(axis=1)).mean())
