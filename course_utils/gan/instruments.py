"""Instruments made of levels (`wavetables.levels`): notes of any pitch and length, morphs, and
whole scores.

An instrument is an array (25, 12, 80): the levels of a note for each of the pitches 48 to 72. Notes
beyond are played with the levels of the nearest one.
"""
from collections.abc import Sequence

import numpy as np

from course_utils import audio
from course_utils.checks import SR, check_number, check_rate
from course_utils.gan import wavetables
from course_utils.gan.wavetables import BODY, FLOOR, HARMONICS, TIMES
from course_utils.scores import STEPS_PER_QUARTER, Score, to_notes
from course_utils.sound import tones
from course_utils.synth import TAIL

PITCHES = np.array(tones.PITCHES)
RELEASE = 0.35  # seconds from letting go to silence
LOUDNESS = 0.1  # RMS of a note's loudest moment
LOUDEST = 10 ** (-1 / 20)  # -1 dBFS
SHORTEST, LONGEST = 0.03, 60.0  # seconds that a key is held
PANNING = (0.35, -0.15, 0.15, -0.35)  # -1 left, 1 right


def unfold(levels: np.ndarray, held: float) -> tuple[np.ndarray, np.ndarray]:
    """Stretch or shorten a note: say when which levels sound.

    Notebook: 11_gan_invents_instruments

    The attack stays as it is. A long note goes on as it went in its second half, only not louder.
    From whatever is reached when the key is let go, each level falls as it fell in the original's
    release; then the note fades out.

    Args:
        levels: (12, 80) in dB.
        held: seconds until the key is let go.

    Returns:
        Times in seconds, (moments,), from 0, and levels, (moments, 80), the last of them silence.
    """
    body, release = levels[:BODY], levels[BODY:]
    slope = np.minimum(0, (body[-1] - body[-3]) / (TIMES[BODY - 1] - TIMES[BODY - 3]))

    def at(time: float) -> np.ndarray:
        place = np.interp(time, TIMES[:BODY], np.arange(BODY))
        low = min(int(place), BODY - 2)
        return (body[low] + (place - low) * (body[low + 1] - body[low]) + slope
                * max(0, time - TIMES[BODY - 1]))

    before = TIMES[:BODY] < held
    falling = at(held) + np.minimum(0, release - at(tones.HELD))
    silence = np.full((1, levels.shape[1]), FLOOR)
    # The breath is there at once: the scratch, blow or puff before the note is what its family is
    # known by.
    start = np.where(np.arange(levels.shape[1]) < HARMONICS, FLOOR, body[:1])
    times = np.concatenate([[0], TIMES[:BODY][before], [held], held + TIMES[BODY:] - tones.HELD,
                            [held + RELEASE]])
    return (times,
            np.maximum(np.concatenate([start, body[before], at(held)[None], falling, silence]),
                       FLOOR))


def play_levels(levels: np.ndarray, pitch: float, times: np.ndarray, sr: int = 44100,
                seed: int = 0) -> np.ndarray:
    """Play levels as they follow each other: harmonics from a wavetable, and breath.

    Notebook: 11_gan_invents_instruments

    Args:
        levels: (moments, 80) in dB.
        pitch: MIDI pitch, 0 to 127, also between two keys.
        times: (moments,) in seconds, rising from 0.
        sr: sample rate in Hz, 8000 to 192000.
        seed: of the breath.

    Returns:
        float32 (samples,); its loudest moment has an RMS of 0.1, or less where that would exceed -1
        dBFS.

    Raises:
        ValueError: if something is out of range.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> len(instruments.play_levels(np.zeros((2, 80)), 60, [0, 0.1], sr=8000))
        800
    """
    import librosa

    levels, times = _checked_levels(levels, len(times)), np.asarray(times, float)
    if len(times) < 2 or times[0] != 0 or not (np.diff(times) > 0).all():
        raise ValueError("The times of a note begin with 0 and rise, at least two of them. Sort "
                         "them, and leave none out.")
    frequency, sr = librosa.midi_to_hz(check_number("A pitch", pitch, 0, 127)), check_rate(sr)
    check_number("A sample rate in Hz", sr, 8000, 192000)
    y = wavetables.read_frames(wavetables.to_frames(levels), times, frequency, sr)
    y += wavetables.blow(levels[:, HARMONICS:], times, sr, np.random.default_rng(seed))
    y[: sr // 1000] *= np.linspace(0, 1, sr // 1000)
    loudest = np.sqrt(np.convolve(y**2, np.ones(sr // 50) / (sr // 50), "same").max())
    return (y * min(LOUDNESS / max(loudest, 1e-9),
                    LOUDEST / max(np.abs(y).max(), 1e-9))).astype(np.float32)


def _checked_levels(levels: np.ndarray, moments: int) -> np.ndarray:
    """Check that levels have the shape (moments, 80) and are numbers, none above 0 by much.

    Raises:
        ValueError: if not.
    """
    levels = np.asarray(levels, float)
    if levels.shape != (moments, HARMONICS + wavetables.BANDS) or not (np.abs(levels) <= 200).all():
        raise ValueError(f"Levels of a note are decibels, ({moments}, "
                         f"{HARMONICS + wavetables.BANDS}), without NaN; these have the shape "
                         f"{levels.shape}. wavetables.levels and gan_tones.generate make them.")
    return levels


def play_note(levels: np.ndarray, pitch: float, held: float, sr: int = 44100,
              seed: int = 0) -> np.ndarray:
    """Play one note of any pitch and length.

    Notebook: 11_gan_invents_instruments

    Args:
        levels: (12, 80) in dB.
        pitch: MIDI pitch, 0 to 127, also between two keys.
        held: seconds until the key is let go, 0.03 to 60; the note rings 0.35 s longer.
        sr: sample rate in Hz, 8000 to 192000.
        seed: of the breath.

    Returns:
        float32 (samples,), as `play_levels`.

    Raises:
        ValueError: if something is out of range.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> len(instruments.play_note(np.zeros((12, 80)), pitch=60, held=0.25, sr=8000)) / 8000
        0.6
    """
    held = check_number("The seconds that a note is held", held, SHORTEST, LONGEST)
    times, unfolded = unfold(_checked_levels(levels, len(TIMES)), held)
    return play_levels(unfolded, pitch, times, sr, seed)


def one_second(levels: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Play notes just as `datasets.tones` holds them, for networks to hear.

    Notebook: 11_gan_invents_instruments

    Args:
        levels: (notes, 12, 80) in dB.
        pitch: (notes,) MIDI pitches.

    Returns:
        float32 (notes, 16000), at 16 kHz, the key let go after 0.8 s.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> instruments.one_second(np.zeros((2, 12, 80)), [60, 72]).shape
        (2, 16000)
    """
    notes = [play_note(one, float(key), tones.HELD, SR, seed)
             for seed, (one, key) in enumerate(zip(levels, pitch))]
    return np.stack([note[: SR] for note in notes])


def glide(first: np.ndarray, last: np.ndarray, count: int = 9) -> np.ndarray:
    """Interpolate levels in equal steps: a morph made without any network.

    Notebook: 11_gan_invents_instruments

    Args:
        first, last: of the same shape, in dB.
        count: how many, both ends included.

    Returns:
        (count, ...).

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> instruments.glide(np.array([0.0, -90.0]), np.array([-60.0, -90.0]), 3).tolist()
        [[0.0, -90.0], [-30.0, -90.0], [-60.0, -90.0]]
    """
    share = np.linspace(0, 1, count).reshape(-1, *[1] * np.ndim(first))  # (count, 1, ...)
    return (1 - share) * first + share * last


def perform(score: Score, instruments: Sequence[np.ndarray], *, sr: int = 44100,
            quarter_bpm: float = 80) -> list[np.ndarray]:
    """Play a score, a voice at a time.

    Notebook: 11_gan_invents_instruments

    Args:
        score: the music.
        instruments: one for each voice, (25, 12, 80).
        sr: sample rate in Hz.
        quarter_bpm: quarter notes a minute, 10 to 400.

    Returns:
        float32 (samples,) for each voice, equally long, not yet mixed.

    Raises:
        ValueError: if the instruments do not fit the score, or something is out of range.

    Example:
        >>> import numpy as np
        >>> from course_utils import scores
        >>> from course_utils.gan import instruments
        >>> voices = instruments.perform(scores.from_grid([[60]] * 4), [np.zeros((25, 12, 80))])
        >>> len(voices[0]) / 44100  # a quarter note and 1.5 s to die away
        2.25
    """
    if len(instruments) != score.pitches.shape[1]:
        raise ValueError(f"The score has {score.pitches.shape[1]} voices, and there are "
                         f"{len(instruments)} instruments. Give one for each voice; the same one "
                         "may play several.")
    step = (60 / check_number("A tempo in quarter notes a minute", quarter_bpm, 10, 400)
            / STEPS_PER_QUARTER)
    voices = [np.zeros(round((len(score) * step + TAIL) * check_rate(sr)), np.float32)
              for _ in instruments]
    for number, note in enumerate(to_notes(score)):
        levels = instruments[note.voice][np.clip(note.pitch, PITCHES[0], PITCHES[-1]) - PITCHES[0]]
        y = play_note(levels, note.pitch, (note.end - note.start) * step, sr, seed=number)
        begin = round(note.start * step * sr)
        voices[note.voice][begin : begin + len(y)] += y[: len(voices[note.voice]) - begin]
    return voices


def mix(voices: Sequence[np.ndarray], stereo: bool = False) -> np.ndarray:
    """Mix voices, with a peak of -1 dBFS.

    Args:
        voices: (samples,) each, equally long.
        stereo: spread them from right to left; otherwise one channel.

    Returns:
        float32 (samples,) or (samples, 2); silence stays silence.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> y = instruments.mix([np.full(100, 0.8), np.full(100, 0.8)], stereo=True)
        >>> y.shape, round(float(y.max()), 2)  # -1 dBFS
        ((100, 2), 0.89)
    """
    gains = ([(1 - place, 1 + place) for place in np.resize(PANNING, len(voices))] if stereo
             else np.ones(len(voices)))
    y = np.array(voices).T @ np.array(gains)
    return (y * (LOUDEST / max(np.abs(y).max(), 1e-9))).astype(np.float32)


def click(y: np.ndarray, sr: int, above: float = 9000) -> float:
    """Measure the worst click: the strongest millisecond of what is above all partials, relative to
    the loudest 20 ms, in dB.

    Notebook: 11_gan_invents_instruments

    A jump in a waveform, or a corner, has power at all frequencies. The instruments have none above
    8 kHz, or above pitch 72 beyond 15 times their fundamental.

    Args:
        y: (samples,), at least 20 ms.
        sr: sample rate in Hz.
        above: where to begin, in Hz, less than half the sample rate.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import instruments
        >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 44100)
        >>> bool(instruments.click(np.sign(y), 44100) > instruments.click(y, 44100) + 20)
        True
    """
    y = audio.waveform(y, mono=True).astype(float)
    spectrum = np.fft.rfft(np.pad(y, (0, sr // 50)))
    spectrum[: round(above * 2 * (len(spectrum) - 1) / sr)] = 0
    high = np.fft.irfft(spectrum)

    def loudest(x: np.ndarray, seconds: float) -> float:
        width = round(seconds * sr)
        return float(np.convolve(x**2, np.ones(width) / width, "same").max())

    return 10 * np.log10(max(loudest(high, 0.001), 1e-20) / max(loudest(y, 0.02), 1e-20))
