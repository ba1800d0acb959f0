"""From features back to sound: inverse STFT, Griffin-Lim, and what mel bands and MFCCs can still
tell.
"""
import numpy as np

from course_utils.checks import as_array, check_sizes, check_whole
from course_utils.sound.features import (
    HOP_LENGTH,
    N_FFT,
    N_MELS,
    db_to_power,
    dct_matrix,
    mel_filters,
    stft,
)

LOUDEST_DB = 120.0


def istft(spectrum: np.ndarray, hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Turn an STFT back into sound: the waveform whose STFT is nearest to it.

    Notebook: 03_features

    Args:
        spectrum: complex or real (frames, n_fft // 2 + 1).
        hop_length: samples from frame to frame, at most half of n_fft.

    Returns:
        float32, (frames - 1) * hop_length samples, at least one.

    Raises:
        ValueError: if it is not such a matrix, or the hop is too long for windows to overlap.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features, inversion
        >>> y = np.sin(np.arange(5120))
        >>> bool(np.allclose(inversion.istft(features.stft(y)), y, atol=1e-4))
        True
    """
    import librosa

    spectrum = _matrix(spectrum, "spectrum", kinds="iufc")
    n_fft, length = 2 * (spectrum.shape[1] - 1), max(1, (len(spectrum) - 1) * hop_length)
    check_sizes(n_fft, 1)
    check_whole("hop_length", hop_length, 1, n_fft // 2)
    return librosa.istft(spectrum.T.astype(np.complex64), n_fft=n_fft, hop_length=hop_length,
                         length=length)


def griffin_lim(magnitude: np.ndarray, hop_length: int = HOP_LENGTH, n_iter: int = 32,
                seed: int = 0) -> np.ndarray:
    """Find sound for STFT magnitudes whose phase is unknown.

    Notebook: 03_features

    Start with random phases; then, again and again, turn the spectrogram into sound, take the
    phases of that sound's STFT, and put the given magnitudes back. Griffin and Lim, "Signal
    estimation from modified short-time Fourier transform" (1984), with the momentum of Perraudin,
    Balazs and Søndergaard, "A fast Griffin-Lim algorithm" (2013).

    Args:
        magnitude: (frames, n_fft // 2 + 1), not negative.
        hop_length: samples from frame to frame.
        n_iter: how often.
        seed: of the first phases.

    Returns:
        float32, (frames - 1) * hop_length samples, at least one; the same for the same input.

    Raises:
        ValueError: if magnitudes are negative or complex, or the sizes do not fit.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features, inversion
        >>> y = np.sin(np.arange(5120))
        >>> len(inversion.griffin_lim(np.abs(features.stft(y)), n_iter=4))
        5120
    """
    magnitude = _matrix(magnitude, "magnitude")
    check_whole("n_iter", n_iter, 1, 10_000)
    if magnitude.min() < 0:
        raise ValueError("Magnitudes are not negative. Take np.abs of an STFT, or the square root "
                         "of power.")
    n_fft, before = 2 * (magnitude.shape[1] - 1), 0
    spectrum = magnitude * np.exp(2j * np.pi * np.random.default_rng(seed).random(magnitude.shape))
    for _ in range(n_iter):
        now = stft(istft(spectrum, hop_length), n_fft, hop_length)
        ahead = now + 0.99 * (now - before)
        spectrum, before = magnitude * ahead / np.maximum(np.abs(ahead), 1e-16), now
    return istft(spectrum, hop_length)


def mel_to_power(mel: np.ndarray, sr: int, n_fft: int = N_FFT, n_iter: int = 30) -> np.ndarray:
    """Estimate the power spectrogram behind mel bands.

    Notebook: 03_features

    Richardson-Lucy iterations, the multiplicative updates of Lee and Seung, "Algorithms for
    non-negative matrix factorization" (2001), with known filters: each bin is multiplied by how far
    its bands fall short. Power stays positive, and quiet bands count as much as loud ones, in which
    it beats a pseudo-inverse.

    Args:
        mel: power (not dB) in mel bands, (frames, n_mels), not negative.
        sr: sample rate in Hz.
        n_fft: samples in a window, even.
        n_iter: iterations.

    Returns:
        float32 (frames, n_fft // 2 + 1).
    """
    mel = _matrix(mel, "mel").astype(np.float32)
    filters = mel_filters(sr, n_fft, mel.shape[1])
    if mel.min() < 0:
        raise ValueError("Mel power is not negative. Decibels are turned into power by "
                         "features.db_to_power.")
    reached = filters.sum(axis=0)
    power = np.where(reached > 0, mel.mean(axis=1, keepdims=True), 0).astype(np.float32)
    for _ in range(n_iter):
        power *= (mel / np.maximum(power @ filters.T, 1e-20)) @ filters / np.maximum(reached, 1e-12)
    return power


def from_log_mel(features: np.ndarray, sr: int, n_fft: int = N_FFT,
                 hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Turn a log-mel spectrogram back into sound.

    Notebook: 03_features

    Args:
        features: dB (frames, n_mels), as `log_mel` makes it with these parameters.
        sr: sample rate in Hz.
        n_fft: samples in a window, even.
        hop_length: samples from frame to frame.

    Returns:
        float32, (frames - 1) * hop_length samples, at least one.

    Raises:
        ValueError: if the features hold NaN or decibels that no sound has.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features, inversion
        >>> y = np.sin(np.arange(2048))
        >>> len(inversion.from_log_mel(features.log_mel(y, 16000), 16000))
        2048
    """
    features = _matrix(features)
    if features.max() > LOUDEST_DB:
        raise ValueError(f"The features go up to {features.max():.0f}, and no log-mel is above "
                         f"{LOUDEST_DB:.0f} dB. If a network made them, undo its normalization "
                         "first.")
    return griffin_lim(np.sqrt(mel_to_power(db_to_power(features), sr, n_fft)), hop_length)


def from_mfcc(coefficients: np.ndarray, sr: int, n_mels: int = N_MELS, n_fft: int = N_FFT,
              hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Turn MFCCs back into sound: the transposed DCT, then as `from_log_mel`.

    Notebook: 03_features

    Args:
        coefficients: (frames, n_mfcc), as `mfcc` makes it with these parameters; those missing up
            to n_mels count as 0.
        sr, n_mels, n_fft, hop_length: as in `mfcc`.

    Returns:
        float32, (frames - 1) * hop_length samples, at least one.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import features, inversion
        >>> y = np.sin(np.arange(2048))
        >>> len(inversion.from_mfcc(features.mfcc(y, 16000, n_mfcc=13), 16000))
        2048
    """
    coefficients = _matrix(coefficients, "coefficients")
    check_whole("the number of coefficients", coefficients.shape[1], 1, n_mels)
    return from_log_mel(coefficients @ dct_matrix(n_mels)[:coefficients.shape[1]], sr, n_fft,
                        hop_length)


def _matrix(values, name: str = "features", kinds: str = "iuf") -> np.ndarray:
    values = as_array(values)
    if values.ndim != 2 or not values.size or values.dtype.kind not in kinds:
        raise ValueError(f"{name} has shape (frames, bins), at least one of each, and holds "
                         f"{'real ' * ('c' not in kinds)}numbers; this has {values.shape}, "
                         f"{values.dtype}. Convert the items of a batch one by one.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity. Find where they come from, such as a "
                         "diverged network.")
    return values
