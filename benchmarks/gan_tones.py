"""How good are invented instruments? `python -m benchmarks.gan_tones [--all]` measures the shipped
generator, in half a minute.

With --all three seeds are trained with the full recipe (it resumes), and measured next to untrained
generators, noise, and real notes against real notes; the table of notebook 11 is stored in
data/gan_tones.json (then run `python -m tools.manifest`).
"""
import argparse
import functools
import json
from pathlib import Path

import numpy as np

from course_utils import datasets, environment
from course_utils.checks import SR
from course_utils.cnn import timbre
from course_utils.gan import instruments, tone_gan, wavetables
from course_utils.measuring import distances
from course_utils.sound import tones

SEEDS = (0, 1, 2)
PER_FAMILY = 50  # notes that are compared
TABLE = "gan_tones.json"
HIGHEST_TESTED = 84  # C6


@functools.cache
def known() -> tones.Tones:
    """Return the notes that are learned from."""
    return tone_gan.known_tones()


def deal(found: tones.Tones, seed: int, parts: int = 1, by: str = "note") -> list[tones.Tones]:
    """Draw as many notes of each family, in parts that share no note (or, by "program", no
    instrument).
    """
    rng, rows = np.random.default_rng(seed), [[] for _ in range(parts)]
    for family in range(len(tones.FAMILIES)):
        own = rng.permutation(np.flatnonzero(found.family == family))
        programs = rng.permutation(np.unique(found.program[own]))
        part = np.searchsorted(np.sort(programs), found.program[own])
        part = (np.argsort(programs)[part] % parts if by == "program"
                else np.arange(len(own)) % parts)
        for number in range(parts):
            rows[number].extend(own[part == number][:PER_FAMILY])
    return [tone_gan.select(found, np.array(own)) for own in rows]


def invent(generator, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return levels, families and pitches of new instruments, a note of each."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(len(tones.FAMILIES)), PER_FAMILY)
    pitch, z = (rng.choice(tones.PITCHES, len(family)),
                rng.standard_normal((len(family), tone_gan.LATENT)))
    return tone_gan.generate(generator, z, family, pitch), family, pitch


def compare(y: np.ndarray, family: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Compare notes with real ones: Fréchet distance, density and coverage in the listener's
    embedding; accuracy.
    """
    return _compared(timbre.listen(deal(known(), seed)[0].waveform)[0], y, family)


def _compared(reference: np.ndarray, y: np.ndarray, family: np.ndarray) -> dict[str, float]:
    embedded, said = timbre.listen(y)
    density, coverage = distances.density_coverage(reference, embedded)
    return {"frechet": float(distances.frechet_distance(reference, embedded)),
            "density": float(density), "coverage": float(coverage),
            "accuracy": timbre.balanced_accuracy(family, said.argmax(axis=1))}


def references(seed: int) -> dict[str, dict]:
    """Measure what is no generator: real notes, the same as levels, and noise."""
    (first, other), (here, there) = deal(known(), seed, 2), deal(known(), seed, 2, "program")
    found = datasets.tones()
    # What neither the generator nor the listener has been trained on.
    new = deal(tone_gan.select(found, found.fold == tones.FOLDS.index("test")), seed)[0]
    levels = wavetables.levels(other.waveform, other.pitch)
    noise = np.random.default_rng(seed).standard_normal((400, SR))
    return {"real, other notes of the same instruments": compare_with(first, other),
            "real, other instruments": compare_with(here, there),
            "real, instruments that the listener does not know":
            compare(new.waveform, new.family, seed),
            "real, by way of levels": compare(instruments.one_second(levels, other.pitch),
                                              other.family, seed),
            "noise": compare(noise, np.repeat(np.arange(8), 50), seed)}


def compare_with(reference: tones.Tones, others: tones.Tones) -> dict[str, float]:
    """Compare real notes with real ones, as `compare` does."""
    return _compared(timbre.listen(reference.waveform)[0], others.waveform, others.family)


def in_tune(generator, seed: int) -> dict[str, float]:
    """Play a note of three new instruments at every pitch from C3 to C6; ask pYIN for its pitch,
    and look for clicks.
    """
    import librosa

    rng, cents, peaks, clicks = np.random.default_rng(seed), [], [], []
    pitches = np.tile(np.arange(48, HIGHEST_TESTED + 1), 3)
    family, z = (rng.integers(0, 8, len(pitches)),
                 rng.standard_normal((len(pitches), tone_gan.LATENT)))
    for number, (levels, pitch) in enumerate(zip(tone_gan.generate(generator, z, family, pitches),
                                                 pitches)):
        y = instruments.play_note(levels, int(pitch), 0.6, 44100, number)
        found, voiced, _ = librosa.pyin(y[:22050], fmin=65, fmax=2100, sr=44100, frame_length=4096,
                                        hop_length=1024)
        right = librosa.midi_to_hz(int(pitch))
        cents.append(1200 * np.log2(np.nanmedian(found) / right) if voiced.any() else np.inf)
        peaks.append(np.abs(y).max())
        clicks.append(instruments.click(y, 44100, 9000 * max(1, right / librosa.midi_to_hz(72))))
    return {"in_tune": float(np.mean(np.abs(cents) < 20)), "peak": float(max(peaks)),
            "worst_click": float(max(clicks)), "notes": len(pitches)}


def novelty(levels: np.ndarray) -> dict[str, float]:
    """Compare how far new notes and real ones are from the nearest real note of another instrument,
    in RMS dB a level.
    """
    found = deal(known(), 5)[0]
    real, others = (wavetables.levels(found.waveform, found.pitch).reshape(len(found), -1),
                    levels.reshape(len(levels), -1))
    apart = distances.pairwise(real, real) + 1e9 * (found.program[:, None] == found.program)
    scale = np.sqrt(real.shape[1])
    return {"to_nearest_real": float(np.median(distances.pairwise(others, real).min(axis=1))
                                     / scale),
            "real_to_nearest_other": float(np.median(apart.min(axis=1)) / scale)}


def measure(generator, seed: int) -> dict:
    """Measure all of one generator."""
    levels, family, pitch = invent(generator, seed)
    return (compare(instruments.one_second(levels, pitch), family, seed) | in_tune(generator, seed)
            | novelty(levels))


def rounded(figures: dict) -> dict:
    """Round what is stored."""
    return {name: rounded(value) if isinstance(value, dict) else round(value, 4)
            for name, value in figures.items()}


def trained(seed: int, folder: Path | None = None):
    """Train a generator with the full recipe."""
    data = tone_gan.training_data(known())
    return tone_gan.train(data, seed=seed, folder=folder, **tone_gan.RECIPE)


def show(rows: dict[str, dict]) -> None:
    """Print a line for each set of notes."""
    print(f"{'':52}{'Fréchet':>8}{'coverage':>9}{'heard':>7}")
    for name, row in rows.items():
        print(f"{name:52}{row['frechet']:8.1f}{row['coverage']:9.2f}{row['accuracy']:7.2f}")


def main(arguments: list[str] | None = None) -> dict:
    """Measure, print and return."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true",
                        help="train three seeds, measure everything, store it")
    if not parser.parse_args(arguments or []).all:
        figures = measure(tone_gan.load(), 1)
        show({"shipped generator": figures})
        print({name: figures[name] for name in ("in_tune", "peak", "worst_click")})
        return figures
    rows = references(0)
    for seed in SEEDS:
        environment.seed_everything(seed)
        untrained = tone_gan.tone_generator(tone_gan.RECIPE["units"])
        levels, family, pitch = invent(untrained, seed)
        rows[f"untrained generator, seed {seed}"] = compare(instruments.one_second(levels, pitch),
                                                            family, seed)
        rows[f"generator, seed {seed}"] = measure(
            trained(seed, environment.cache_folder() / f"gan_tones-{seed}"), seed)
        print(f"generator, seed {seed}", rounded(rows[f"generator, seed {seed}"]), flush=True)
    show(rows)
    with environment.writing(environment.data_folder() / TABLE) as temporary:
        temporary.write_text(json.dumps({"recipe": tone_gan.RECIPE, "rows": rounded(rows)},
                                        indent=1) + "\n", encoding="utf-8")
    return rows


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
