"""Instruments as wavetables: single periods cut out of a note, the breath between their harmonics,
and the way back to sound.

A note is described by twelve moments. At each there is one period, a frame of 1024 samples that
holds up to 64 harmonics, and the noise in 16 bands. As levels, in decibels below the loudest of
them all, this is an array of (12, 80).
"""
import functools

import numpy as np

from course_utils.checks import SR

FRAME = 1024  # samples of one period
HARMONICS = 64
BANDS = 16  # of noise, equally wide in mel from 0 to 8000 Hz
NYQUIST = SR / 2  # Hz; above it the tones hold nothing
FLOOR = -90.0  # dB
# seconds after the note begins
TIMES = np.array([0.008, 0.024, 0.048, 0.08, 0.14, 0.24, 0.38, 0.56, 0.76, 0.84, 0.90, 0.96])
BODY = 9  # so many of them while the key is held, as long as `tones.HELD`
# a frame is the mean of that many periods, or of those within so many seconds
PERIODS, SHORTEST = 5, 0.032
NOISE_WINDOW = 2048
# bins that a Blackman-Harris window spreads a partial over: down to nothing, and to -35 dB
LOBE, HALF_LOBE = 4, 3
DETUNED = np.arange(-40, 41, 2)  # cents
# samples of a period that is read with linear interpolation, 70 dB above its error
TABLE = 8 * FRAME
HOP = 256


def audible(pitch: np.ndarray) -> np.ndarray:
    """Mark which levels a note at 16 kHz can have: harmonics below 8000 Hz, and all bands of noise.

    Args:
        pitch: (notes,) MIDI pitches.

    Returns:
        float32 (notes, 80), 1 or 0.
    """
    import librosa

    high = np.arange(1, HARMONICS + 1) * librosa.midi_to_hz(pitch)[..., None] < NYQUIST
    return np.concatenate([high, np.ones((*high.shape[:-1], BANDS))], axis=-1, dtype=np.float32)


def tune(y: np.ndarray, pitch: float) -> np.ndarray:
    """Find the frequencies of notes that should all sound one pitch: where the first six harmonics
    are strongest.

    Args:
        y: (notes, samples) at 16 kHz.
        pitch: MIDI pitch; up to 40 cents off are found, to 2 cents.

    Returns:
        (notes,) in Hz.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import wavetables
        >>> y = np.sin(2 * np.pi * 445 * np.arange(16000) / 16000)  # too sharp for the A at 440 Hz
        >>> int(wavetables.tune(y[None], 69)[0])
        445
    """
    import librosa

    part = y[:, 2400:6496] * np.hanning(4096).astype(np.float32)
    tried = librosa.midi_to_hz(pitch + DETUNED / 100)
    number = np.arange(1, 1 + max(1, min(6, int(NYQUIST / tried.max()))))
    waves = np.exp(-2j * np.pi * np.outer(np.outer(tried, number),
                                          np.arange(4096) / SR)).astype(np.complex64)
    # (notes, pitches tried)
    strength = np.abs(part @ waves.T).reshape(len(y), len(tried), -1).sum(axis=2)
    return tried[strength.argmax(axis=1)]


def cut_frames(y: np.ndarray, frequency: float, times: np.ndarray = TIMES) -> np.ndarray:
    """Cut single periods out of a note, as if resampled to 1024 samples each.

    Notebook: 11_gan_invents_instruments (written out)

    Every frame is the mean of some neighbouring periods, weighted by a Hann window, and turned so
    that its first harmonic is a sine that begins at 0.

    Args:
        y: (samples,) or (notes, samples) at 16 kHz, all of the same frequency.
        frequency: in Hz.
        times: middle of each frame, in seconds.

    Returns:
        float32 (..., frames, 1024).
    """
    half = int(max(PERIODS / frequency, SHORTEST) * SR / 2)
    number = np.arange(1, 1 + min(HARMONICS, int((NYQUIST - 1) / frequency)))
    window = np.hanning(2 * half + 3)[1:-1]
    around = np.arange(-half, half + 1)
    waves = (2 * window / window.sum()
             * np.exp(-2j * np.pi * np.outer(number, around) * frequency / SR))
    places = half + np.round(np.asarray(times) * SR).astype(int)[:, None] + around
    padded = np.pad(y, [(0, 0)] * (y.ndim - 1) + [(half, half)])
    parts = padded[..., places].astype(np.complex64)
    # (notes * frames, harmonics)
    harmonics = parts.reshape(-1, len(around)) @ waves.T.astype(np.complex64)
    harmonics = harmonics.reshape(*parts.shape[:-1], -1)  # (notes, frames, harmonics)
    turn = np.angle(harmonics[..., :1]) + np.pi / 2
    spectrum = np.zeros((*harmonics.shape[:-1], FRAME // 2 + 1), complex)
    spectrum[..., number] = harmonics * np.exp(-1j * number * turn) * FRAME / 2
    return np.fft.irfft(spectrum).astype(np.float32)


def breath(y: np.ndarray, frequency: float, times: np.ndarray = TIMES) -> np.ndarray:
    """Measure the noise between the harmonics of notes.

    Partials that are no harmonics, as bells have them, count as noise, too. Source of the division
    into harmonics and noise: Serra and Smith, "Spectral modeling synthesis" (1990).

    Args:
        y: (notes, samples) at 16 kHz, all of the same frequency.
        frequency: in Hz.
        times: middle of each frame, in seconds.

    Returns:
        (notes, frames, 16): how strong white noise would be, as variance, that has as much power in
        the band.
    """
    import scipy.signal

    window = scipy.signal.windows.blackmanharris(NOISE_WINDOW, sym=False)
    places = np.round(np.asarray(times) * SR).astype(int)[:, None] + np.arange(NOISE_WINDOW)
    padded = np.pad(y, [(0, 0), (NOISE_WINDOW // 2, NOISE_WINDOW // 2)])
    power = np.abs(np.fft.rfft(padded[:, places] * window)) ** 2 / (window**2).sum()
    return power @ _between(frequency)


def _between(frequency: float) -> np.ndarray:
    """Return the matrix (1025, 16) that averages over a band what is not near a harmonic."""
    place = np.fft.rfftfreq(NOISE_WINDOW, 1 / SR) / frequency  # in harmonics
    width = SR / NOISE_WINDOW / frequency
    # Organs have stops that sound an octave below: their partials half-way between harmonics are no
    # noise either.
    apart = [np.abs(place - np.maximum(1, np.round(place))) / LOBE,
             np.abs(place - np.floor(place) - 0.5) / HALF_LOBE]
    margin = np.min(apart, axis=0) / width
    band = np.clip(np.searchsorted(_band_edges(), place * frequency, side="right") - 1, 0,
                   BANDS - 1)
    # A narrow band at the bottom may hold nothing free: then the best there is stands in.
    weights = np.stack([(band == number) & (margin >= min(1, margin[band == number].max()))
                        for number in range(BANDS)], axis=1)
    return weights / weights.sum(axis=0)


@functools.cache
def _band_edges() -> np.ndarray:
    """Return the borders of the bands of noise in Hz, (17,), equally far apart in mel."""
    return 700 * (10 ** (np.linspace(0, np.log10(1 + NYQUIST / 700), BANDS + 1)) - 1)


def levels(y: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Describe notes by the levels of their harmonics and of their breath at twelve moments.

    Notebook: 11_gan_invents_instruments

    Args:
        y: (notes, samples) at 16 kHz, one second each; the key is let go after 0.8 s.
        pitch: (notes,) MIDI pitches, whole numbers; the notes may be up to 40 cents off.

    Returns:
        float32 (notes, 12, 80), in dB below the loudest level of the note, at least -90: 64
        harmonics, 16 bands of noise.

    Raises:
        ValueError: if the notes have another shape, or one of them is silent.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import wavetables
        >>> y = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
        >>> wavetables.levels(y[None], [69])[0].argmax(axis=1).tolist()  # a sine is one harmonic
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    y, pitch = np.asarray(y, np.float32), np.asarray(pitch)
    if y.ndim != 2 or pitch.shape != y.shape[:1] or y.shape[1] < 9600:
        raise ValueError("Give notes of one second at 16 kHz, (notes, 16000), and a pitch for "
                         f"each, not {y.shape} and {pitch.shape}. A single note is y[None], its "
                         "pitch [60].")
    if not (np.abs(y).max(axis=1) > 1e-6).all():
        raise ValueError("A note is silent. Leave it out: it has no timbre.")
    power = np.empty((len(y), len(TIMES), HARMONICS + BANDS))
    for key in np.unique(pitch):
        rows = np.flatnonzero(pitch == key)
        found = tune(y[rows], key)
        for exact in np.unique(found):
            same = rows[found == exact]
            power[same, :, :HARMONICS] = amplitudes(cut_frames(y[same], exact)) ** 2
            power[same, :, HARMONICS:] = breath(y[same], exact)
    loudest = power.max(axis=(1, 2), keepdims=True)
    return np.maximum(10 * np.log10(np.maximum(power / loudest, 1e-12)), FLOOR).astype(np.float32)


def amplitudes(frames: np.ndarray) -> np.ndarray:
    """Return the amplitudes of the harmonics of frames (..., 1024): (..., 64), without their
    phases.
    """
    return np.abs(np.fft.rfft(frames)[..., 1 : HARMONICS + 1]) * 2 / FRAME


def to_frames(levels: np.ndarray) -> np.ndarray:
    """Make periods out of levels: a sum of sines that all begin at 0.

    Notebook: 11_gan_invents_instruments (written out)

    The ear hardly hears phases; frames of equal phases can be cross-faded without cancelling out.

    Args:
        levels: (..., harmonics) in dB; what follows the 64th is not used.

    Returns:
        (..., 1024), float64.
    """
    amplitude = np.where(levels > FLOOR, 10 ** (levels / 20), 0)[..., :HARMONICS]
    spectrum = np.zeros((*amplitude.shape[:-1], FRAME // 2 + 1), complex)
    spectrum[..., 1 : amplitude.shape[-1] + 1] = -0.5j * FRAME * amplitude
    return np.fft.irfft(spectrum)


def band_limit(frames: np.ndarray, frequency: float, sr: int) -> np.ndarray:
    """Remove the harmonics that would alias, those from half the sample rate on.

    Notebook: 11_gan_invents_instruments (written out)

    Args:
        frames: (..., 1024), one period each.
        frequency: how many periods a second will be read, in Hz.
        sr: sample rate in Hz.
    """
    spectrum = np.fft.rfft(frames)
    spectrum[..., np.arange(spectrum.shape[-1]) * frequency >= sr / 2] = 0
    return np.fft.irfft(spectrum)


def read_frames(frames: np.ndarray, times: np.ndarray, frequency: float, sr: int) -> np.ndarray:
    """Read frames as an oscillator does, in tune and without aliases, cross-fading from each to the
    next.

    Notebook: 11_gan_invents_instruments (written out)

    Args:
        frames: (frames, 1024), one period each, at least 2.
        times: (frames,), when each of them sounds alone, in seconds, rising from 0.
        frequency: of the sound, in Hz.
        sr: its sample rate in Hz.

    Returns:
        (samples,), float64, up to the last of the times.
    """
    # Sixteen times as many samples as a period's highest harmonic needs: then straight lines
    # between them will do.
    table = np.fft.irfft(np.fft.rfft(band_limit(frames, frequency, sr)), TABLE) * (TABLE / FRAME)
    table = np.append(table, table[:, :1], axis=1)
    t = np.arange(round(times[-1] * sr)) / sr
    place = np.interp(t, times, np.arange(len(times)))
    first = np.minimum(place.astype(int), len(times) - 2)
    phase = frequency * t % 1 * TABLE
    left = phase.astype(int)
    both = [table[k, left] + (phase - left) * (table[k, left + 1] - table[k, left])
            for k in (first, first + 1)]
    return both[0] + (place - first) * (both[1] - both[0])


def blow(levels: np.ndarray, times: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Make the noise of a note: white noise, filtered by short Fourier transforms.

    Args:
        levels: (frames, 16), of the bands, in dB.
        times: (frames,) in seconds, rising from 0.
        sr: sample rate in Hz.
        rng: NumPy's random generator.

    Returns:
        (samples,), float64, up to the last of the times.
    """
    count, width = round(times[-1] * sr), 2 * HOP
    blocks = -(-count // HOP) + 1
    middle = (_band_edges()[1:] + _band_edges()[:-1]) / 2
    bins, moments = np.fft.rfftfreq(width, 1 / sr), np.arange(blocks) * HOP / sr
    by_band = np.stack([np.interp(moments, times, np.maximum(band, FLOOR)) for band in levels.T],
                       axis=1)
    gain = np.stack([np.interp(bins, middle, row) for row in by_band])
    gain = np.where((gain > FLOOR) & (bins < NYQUIST), 10 ** (gain / 20), 0) * np.sqrt(sr / SR)
    white = rng.standard_normal((blocks + 1) * HOP)
    window = np.sqrt(np.hanning(width + 1)[:-1])
    parts = np.lib.stride_tricks.sliding_window_view(white, width)[::HOP] * window
    parts = np.fft.irfft(np.fft.rfft(parts) * gain) * window
    y = np.zeros((blocks + 1) * HOP)
    y[:-HOP] += parts[:, :HOP].ravel()
    y[HOP:] += parts[:, HOP:].ravel()
    return y[HOP : HOP + count]
