"""Judge the sounds that the course makes, by two ears: `python -m benchmarks.verdict_audio
[--all]`.

One ear is the course's own timbre network, the other a transcription network that others trained
(course_utils.measuring.transcription), where it is installed. All of it takes five minutes; without
--all only the first ear listens, and only to single notes. `python -m benchmarks.verdict --sound
--store` keeps the whole table for notebook 12.
"""
from collections.abc import Callable

import numpy as np

from course_utils import environment
from course_utils.checks import SR
from course_utils.cnn import timbre
from course_utils.lstm import continuing
from course_utils.measuring import judging, measures, transcription
from course_utils.sound import features, inversion, tones

REFERENCE, JUDGED = 150, 75
# of an embedding that are kept: fewer than there are sounds, or a covariance cannot be estimated
COMPONENTS = 8
BAR, BLOCK = 16384, 1024
USED = ("Fréchet distance", "Fréchet, extrapolated", "kernel MMD", "precision", "recall")


def notes(folds: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    """Return the numbers of single notes of some folds of `tones.tones`, (count,)."""
    return np.random.default_rng(seed).permutation(
        np.flatnonzero(np.isin(tones.tones().fold, folds)))[:count]


def resynthesised(y: np.ndarray, keep: int | None = None) -> np.ndarray:
    """Turn sounds (sounds, samples) into log-mel and back, or into their first `keep` MFCC and
    back.
    """
    def there_and_back(one: np.ndarray) -> np.ndarray:
        if keep:
            return inversion.from_mfcc(features.mfcc(one, SR)[:, :keep], SR)
        return inversion.from_log_mel(features.log_mel(one, SR), SR)

    return np.stack([np.resize(there_and_back(one), one.shape) for one in y])


def noise_like(y: np.ndarray) -> np.ndarray:
    """Return white noise as loud as each sound."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=y.shape) * y.std(axis=1, keepdims=True)).astype(np.float32)


def in_pieces(y: np.ndarray) -> np.ndarray:
    """Cut each sound into 64 milliseconds each and put them in a random order."""
    rng, whole = np.random.default_rng(0), y.shape[1] // BLOCK * BLOCK
    cut = y[:, :whole].reshape(len(y), -1, BLOCK)
    return np.stack([np.append(pieces[rng.permutation(len(pieces))], rest)
                     for pieces, rest in zip(cut, y[:, whole:])])


def known_cases(other: np.ndarray) -> dict[str, np.ndarray]:
    """Return sounds whose order is known before any measure speaks."""
    return {"half as many": other[::2], "half as loud": other / 2, "in pieces": in_pieces(other),
            "noise": noise_like(other)}


def gan_notes(family: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Return notes of instruments that the GAN of notebook 11 invents, (notes, 16000)."""
    from course_utils.gan import tone_gan

    noise = np.random.default_rng(0).normal(size=(len(family), tone_gan.LATENT))
    return played(tone_gan.generate(tone_gan.load(), noise, family, pitch), pitch)


def played(levels: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Play wavetables (notes, 12, 80) as notes of one second, as long as the real ones are held."""
    from course_utils.gan import instruments

    sounds = [instruments.play_note(one, p, tones.HELD, SR) for one, p in zip(levels, pitch)]
    return np.stack([np.pad(y, (0, max(0, 16000 - len(y))))[:16000] for y in sounds])


def single_notes() -> dict[str, np.ndarray]:
    """Return the reference, other instruments, what is known, and what imitates them, each (sounds,
    16000).
    """
    from course_utils.gan import wavetables

    every, rows = tones.tones(), notes((3,), JUDGED, seed=1)
    other, pitch = every.waveform[rows], every.pitch[rows]
    return {"reference": every.waveform[notes((0, 2), REFERENCE, seed=0)],
            "other instruments": other, **known_cases(other),
            "through log-mel": resynthesised(other), "through 13 MFCC": resynthesised(other, 13),
            "through wavetables": played(wavetables.levels(other, pitch), pitch),
            "GAN of wavetables": gan_notes(every.family[rows], pitch)}


def piano() -> dict[str, np.ndarray]:
    """Return bars of the prelude of notebook 07, and what its networks make of them, each (bars,
    16384).
    """
    y, _ = continuing.prelude(REFERENCE + JUDGED + 2, seed=0)
    cut = y[: len(y) // BAR * BAR].reshape(-1, BAR)
    reference, other = cut[:REFERENCE], cut[REFERENCE + 2:]
    found = {"reference": reference, "other bars": other, **known_cases(other),
             "through log-mel": resynthesised(other)}
    for name, post in (("LSTM of the listing", True), ("LSTM, better recipe", False)):
        found[name] = continued(reference, other, post)
    return found


def continued(reference: np.ndarray, other: np.ndarray, post: bool) -> np.ndarray:
    """Train a network of notebook 07 on bars, and let it continue each of some other bars for a bar
    of its own.
    """
    import keras

    from course_utils.lstm import continuing

    environment.seed_everything(0)
    feature = features.mfcc if post else features.log_mel
    train = feature(reference.ravel(), SR)[:-1]
    low, high = ((train.min(axis=0), train.max(axis=0)) if post
                 else (train.mean(axis=0), train.mean(axis=0) + train.std(axis=0)))
    scaled = (train - low) / (high - low)
    x, target = continuing.sequence_windows(scaled, scaled)
    model = continuing.audio_lstm(activation="relu" if post else None)
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 12 * -(-len(x) // 32))
    model.compile("adam" if post else keras.optimizers.Adam(schedule, global_clipnorm=1.0), "mse")
    model.fit(x, target, batch_size=32, epochs=12, verbose=0)
    primer = np.stack([(feature(bar, SR)[:64] - low) / (high - low) for bar in other])
    invented = (continuing.continue_frames(continuing.last_output(model), primer, 65) * (high - low)
                + low)
    back = inversion.from_mfcc if post else inversion.from_log_mel
    return np.stack([np.resize(back(frames if post else np.minimum(frames, 100), SR), BAR)
                     for frames in invented])


def embeddings(sounds: dict[str, np.ndarray], ear: Callable) -> dict[str, np.ndarray]:
    """Listen to all sounds, and keep the directions in which the reference varies most, in units of
    its spread.
    """
    heard = {name: np.array([ear(one) for one in y], float) for name, y in sounds.items()}
    mean = heard["reference"].mean(axis=0)
    _, spread, directions = np.linalg.svd(heard["reference"] - mean, full_matrices=False)
    unit = directions[:COMPONENTS].T / spread[:COMPONENTS] * np.sqrt(len(heard["reference"]) - 1)
    return {name: (points - mean) @ unit for name, points in heard.items()}


def ears() -> dict[str, Callable]:
    """Return what listens: the timbre network, and the transcription network where it is
    installed.
    """
    found = {"timbre network": lambda y: timbre.listen(y[None, :16000])[0][0]}
    if wanting := transcription.missing():
        print(f"Only the course's own ear listens. For the other one, run {wanting}.")
        return found
    return found | {"transcription network": lambda y: transcription.embed(y, SR)}


def failures(rows: dict[str, dict]) -> dict[str, str]:
    """Return which measures fail the calibration, and why: by the same rule as those of scores
    (`judging.verdict_on`).
    """
    other, *_ = rows
    stands_for = {"other Bach": other, "half as many": "half as many", "transposed": "half as loud",
                  "shuffled": "in pieces", "noise": "noise"}
    told = {m: judging.verdict_on({name: rows[title][m] for name, title in stands_for.items()})
            for m in USED}
    return {m: why.replace("transposed", "turned down").replace("Bach", "real")
            for m, why in told.items() if why}


def judge(everything: bool = True) -> dict:
    """Measure all sounds by both ears and print the table; or only single notes by the first ear.

    Returns:
        Group to ear to "rows" (sounds to measure to (value, low, high)) and "failed" (measure to
        why).
    """
    groups, listeners = {"single notes": single_notes, "piano": piano}, ears()
    if not everything:
        groups, listeners = dict(list(groups.items())[:1]), dict(list(listeners.items())[:1])
    told: dict = {}
    for group, make in groups.items():
        sounds = make()
        for ear, listen in listeners.items():
            points = embeddings(sounds, listen)
            reference = points.pop("reference")
            rows = {name: {m: measures.OF_POINTS[m](reference, p) for m in USED}
                    for name, p in points.items()}
            told.setdefault(group, {})[ear] = {"rows": rows, "failed": failures(rows)}
            print(f"\n{group}, {ear}; not used: {told[group][ear]['failed']}")
            for name, row in rows.items():
                figures = "  ".join(f"{m} {v:.3g} ({low:.3g} to {high:.3g})"
                                    for m, (v, low, high) in row.items())
                print(f"    {name:22}{figures}")
    return told


def main(arguments: list[str] | None = None) -> dict:
    """Judge and print."""
    return judge("--all" in (arguments or []))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
