"""The finale: the chorale LSTM composes, invented instruments play, the timbre CNN listens, and
measures report.
"""
from collections.abc import Sequence

import numpy as np

from course_utils import datasets
from course_utils.cnn import timbre
from course_utils.gan import instruments, tone_gan
from course_utils.lstm import evaluation
from course_utils.measuring import counterpoint, memorisation
from course_utils.measuring.musical_statistics import scale_consistency
from course_utils.scores import VOICES, Score
from course_utils.sound import tones

CANDIDATES = 16
AUDITIONED = np.array([52, 60, 68])  # pitches that every candidate plays
FAMILIES = tuple(tones.FAMILIES)


def draw_families(seed: int) -> list[str]:
    """Draw four different families of instruments, from soprano to bass.

    Notebook: 11_gan_invents_instruments
    """
    return np.random.default_rng(seed).choice(FAMILIES, len(VOICES), replace=False).tolist()


def checked(families: str) -> list[str]:
    """Read the names of four families, with commas between them.

    Raises:
        ValueError: if they are others, or not four.
    """
    names = [name.strip() for name in families.split(",")]
    if len(names) != len(VOICES) or not set(names) <= set(FAMILIES):
        raise ValueError(f"'{families}' does not name four families, such as "
                         f"flutes,reeds,brass,bowed. There are {', '.join(FAMILIES)}.")
    return names


def audition(generator, family: str, seed: int, candidates: int = CANDIDATES) -> np.ndarray:
    """Invent some instruments of a family, and keep the one that the listener is surest of.

    Notebook: 11_gan_invents_instruments

    Args:
        generator: `tone_gan.load()`, or one of your own.
        family: its name.
        seed: of the instruments.
        candidates: how many play.

    Returns:
        float32 (25, 12, 80), as `instruments.perform` takes it.

    Raises:
        ValueError: if there is no such family.
    """
    if family not in FAMILIES:
        raise ValueError(f"There is no family '{family}'. Choose from {', '.join(FAMILIES)}.")
    number = FAMILIES.index(family)
    z = np.random.default_rng([seed, number]).standard_normal((candidates, tone_gan.LATENT))
    rows, pitch = np.repeat(z, len(AUDITIONED), axis=0), np.tile(AUDITIONED, candidates)
    levels = tone_gan.generate(generator, rows, np.full(len(rows), number), pitch)
    # (candidates, 3 pitches)
    sure = how_sure(levels, pitch, number).reshape(candidates, -1).mean(axis=1)
    return tone_gan.instrument(generator, z[sure.argmax()], number)


def how_sure(levels: np.ndarray, pitch: np.ndarray, family: int) -> np.ndarray:
    """Return the probability that the listener gives to a family for single notes, (notes,).

    Notebook: 11_gan_invents_instruments

    Args:
        levels: (notes, 12, 80) in dB.
        pitch: (notes,) MIDI pitches.
        family: its number.
    """
    return timbre.listen(instruments.one_second(levels, pitch))[1][:, family]


def report(score: Score, families: Sequence[str], invented: Sequence[np.ndarray],
           voices: Sequence[np.ndarray], sr: int) -> list[tuple[str, str]]:
    """Let the listener and the measures speak about a performance.

    Notebook: 11_gan_invents_instruments

    Args:
        score: the music, in four voices.
        families: what each voice was meant to be played by.
        invented: the instruments, (25, 12, 80) each.
        voices: (samples,) each, from `instruments.perform`.
        sr: sample rate in Hz.

    Returns:
        Lines of a table: what, and its figure.
    """
    rows = []
    for voice, family, levels, sound in zip(VOICES, families, invented, voices):
        alone = how_sure(levels[AUDITIONED - tones.PITCHES[0]], AUDITIONED,
                         FAMILIES.index(family)).mean()
        (best, sure), *_ = timbre.classify(sound, sr).items()
        rows.append((f"{voice}, on an invented instrument ({family})",
                     f"alone heard as {family} ({alone:.0%}), in the piece as {best} ({sure:.0%})"))
    copied = memorisation.longest_copies([score], datasets.chorales("train"))[0]
    nats = evaluation.chorale_nll(score.pitches.astype(int))
    fifths, octaves = (len(counterpoint.parallels(score, size))
                       for size in (counterpoint.FIFTH, counterpoint.OCTAVE))
    return [*rows,
            ("nats per cell (a chorale by Bach: about 0.3)", f"{nats:.2f}"),
            ("share of notes in one scale", f"{scale_consistency(score):.0%}"),
            ("parallel fifths and octaves", f"{fifths + octaves}"),
            ("longest passage copied from the training chorales", f"{copied} sixteenths"),
            ("length", f"{len(voices[0]) / sr:.1f} s")]
