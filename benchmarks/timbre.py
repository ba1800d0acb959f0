"""How well instruments never trained on are heard, version by version: `python -m benchmarks.timbre
[--seeds 3] [--store]`.

Leave-programs-out: four times, a quarter of the programs of every family is held out, and all
versions are trained on the others. Every program is held out once, and so are the recordings that
it is made from. The figures are balanced over families; intervals (95 %) are over seeds and over
what is held out together. The whole takes an hour and a half on two cores; without --all only the
shipped network is measured, on the fold that it never saw, and timed.
"""
import argparse
import functools
import hashlib
import inspect
import json
import time
from collections.abc import Callable

import numpy as np

from course_utils import datasets, environment
from course_utils.checks import SR
from course_utils.cnn import networks, timbre
from course_utils.sound import features, imagined, tones

FRAMES = (2000, 4500, 7000, 9500)  # where frames of 1024 samples begin
IMAGINED = {"per_family": 200, "per_instrument": 4, "seed": 1}


@functools.cache
def pictures_of(kind: str) -> tuple:
    """Return pictures, family, program and pitch of all rendered tones ("real") or of those
    imagined.
    """
    if kind == "real":
        found = datasets.tones()
        return timbre.pictures(found.waveform), found.family, found.program, found.pitch

    def invent():
        found = imagined.imagined_tones(**IMAGINED)
        labels = np.stack([found.family, found.program, found.pitch], axis=1)
        return np.concatenate([timbre.pictures(found.waveform).reshape(len(found), -1), labels],
                              axis=1, dtype=np.float32)

    rows = kept(invent, tuple(IMAGINED.values()), (tones, imagined, timbre.pictures))
    return rows[:, :-3].reshape(-1, 63, 64), *rows[:, -3:].astype(int).T


def frames_of(found: tones.Tones, starts: tuple) -> np.ndarray:
    """Cut frames, (tones, frames, 1200): long enough to be played a bit faster."""
    return np.stack([found.waveform[:, start : start + 1200] for start in starts], axis=1)


def change_frames(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change frames in gain (12 dB), pitch (a tone up or down at most) and noise; cut them to 1024
    samples.
    """
    speed = 2 ** rng.uniform(-2 / 12, 2 / 12, (len(x), 1))
    at = np.arange(1024) * speed
    below = at.astype(int)
    rows = np.arange(len(x))[:, None]
    y = x[rows, below] * (1 - at + below) + x[rows, below + 1] * (at - below)
    gain = 10 ** (rng.uniform(-12, 12, (len(x), 1)) / 20)
    noise = (rng.standard_normal(y.shape) * y.std(axis=1, keepdims=True)
             * 10 ** (rng.uniform(-60, -20, (len(x), 1)) / 20))
    return (gain * (y + noise)).astype(np.float32)[..., None]


def frame_version(starts: tuple, dropout: float = 0.0, decay: float = 0.0,
                  change: bool = False) -> Callable:
    """Return a version that trains `networks.frame_cnn` on some frames of each note and averages
    over four.
    """
    def run(learn, held, seed):
        found = datasets.tones()
        x, many = frames_of(found, starts)[learn].reshape(-1, 1200), len(starts)
        family = np.repeat(found.family[learn], many)
        weight = timbre.balance(family, np.repeat(found.program[learn], many))
        environment.seed_everything(seed)
        model = networks.frame_cnn(len(tones.FAMILIES), dropout, decay)
        how = {"change": change_frames} if change else {}
        timbre.train(model, x if change else x[:, :1024, None], family, weight, 20 // many,
                     seed=seed, **how)
        asked = frames_of(found, FRAMES)[held][..., :1024].reshape(-1, 1024, 1)
        return timbre.predict(model, asked).reshape(-1, len(FRAMES),
                                                    len(tones.FAMILIES)).mean(axis=1)
    return run


def picture_version(build: Callable, invented: bool = False, change: bool = False,
                    epochs: int = 20) -> Callable:
    """Return a version that trains a network on pictures of whole notes."""
    def run(learn, held, seed):
        x, *labels = pictures_of("real")
        model, _ = fit_pictures(build, [x[learn], *(label[learn] for label in labels)], invented,
                                change, epochs, seed)
        return timbre.predict(model, x[held])
    return run


def fit_pictures(build: Callable, real: list, invented: bool, change: bool, epochs: int,
                 seed: int) -> tuple:
    """Train a network on real pictures, and on as much weight of imagined ones; return it with its
    training curves.
    """
    x, family, program, pitch = real
    weight = timbre.balance(family, program)
    if invented:
        more = pictures_of("imagined")
        weight = np.concatenate([weight / len(x), timbre.balance(*more[1:3]) / len(more[0])])
        x, family, program, pitch = (np.concatenate(pair)
                                     for pair in zip((x, family, program, pitch), more))
        weight /= weight.mean()

    def changed(x, rng):
        return timbre.augment(np.where(rng.random((len(x), 1, 1)) < 0.5,
                                       timbre.blend(x, family, pitch, rng), x), rng)

    environment.seed_everything(seed)
    model = build()
    return (model, timbre.train(model, x, family, weight, epochs, seed=seed,
                                **({"change": changed} if change else {})))


def classic_version(name: str, invented: bool = False) -> Callable:
    """Return a baseline on the mean of each MFCC (20), or on outline and texture in four parts of
    the note.
    """
    def run(learn, held, seed):
        x, family, program, _ = pictures_of("real")
        if invented:
            more = pictures_of("imagined")
            learn = np.r_[np.flatnonzero(learn), len(x) + np.arange(len(more[0]))]
            x, family, program = (np.concatenate(pair) for pair in zip((x, family, program), more))
        described = parts(x) if name == "support vectors" else x @ features.dct_matrix(64)[:20].T
        described = described if name == "support vectors" else described.mean(axis=1)
        weight = timbre.balance(family[learn], program[learn])
        return _classifier(name, seed, described[learn], family[learn], weight,
                           described[: len(held)][held])
    return run


def parts(x: np.ndarray) -> np.ndarray:
    """Describe notes by 16 bands of outline and of texture in their attack, body, end of the body
    and release.
    """
    both = np.stack(
        [x, np.abs(x - np.roll(x, 1, axis=2))]).reshape(2, len(x), 63, 16, 4).mean(axis=-1)
    cut = [both[:, :, slice(*part)].mean(axis=2) for part in ((0, 4), (6, 14), (20, 44), (53, 63))]
    return np.concatenate([half for pair in cut for half in pair], axis=1)


def _classifier(name: str, seed: int, x, family, weight, asked) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    scale = StandardScaler().fit(x)
    if name == "k-nearest neighbours":
        heard = KNeighborsClassifier(5).fit(scale.transform(x),
                                            family).predict(scale.transform(asked))
    elif name == "majority":
        heard = np.full(len(asked), np.bincount(family).argmax())
    else:
        model = (LogisticRegression(C=0.1, max_iter=1000) if name == "logistic regression"
                 else SVC(C=3))
        heard = model.fit(scale.transform(x), family,
                          sample_weight=weight).predict(scale.transform(asked))
    return np.eye(len(tones.FAMILIES))[heard]


VERSIONS = {
    "majority": classic_version("majority"),
    "k-nearest neighbours on MFCC means": classic_version("k-nearest neighbours"),
    "logistic regression on MFCC means": classic_version("logistic regression"),
    "1 frames, one a note": frame_version(FRAMES[1:2]),
    "2 more data: four frames a note": frame_version(FRAMES),
    "3 dropout and weight decay": frame_version(FRAMES, 0.5, 1e-4),
    "4 augmentation": frame_version(FRAMES, 0.5, 1e-4, True),
    "5 log-mel pictures, 2-D": picture_version(networks.picture_cnn),
    "6 outline and texture, note pooled": picture_version(networks.timbre_cnn),
    "7 imagined instruments": picture_version(networks.timbre_cnn, True, epochs=12),
    "8 blended and augmented": picture_version(networks.timbre_cnn, True, True, epochs=12),
    "9 trained three times longer": picture_version(networks.timbre_cnn, True, True, epochs=40),
    "support vectors on outline and texture": classic_version("support vectors"),
    "support vectors, imagined instruments": classic_version("support vectors", True),
}
CODE = (tones, imagined, timbre.pictures, timbre.balance, timbre.blend, timbre.augment,
        timbre.train, networks.frame_cnn, networks.picture_cnn, networks.timbre_cnn, change_frames,
        frame_version, picture_version, fit_pictures, classic_version)


def rotate(version: str, seeds: int) -> np.ndarray:
    """Hold every fold out once: return what is said of each tone, (seeds, tones, families)."""
    seeds = 1 if VERSIONS[version].__qualname__.startswith("classic") else seeds
    return np.stack([_rotated(version, seed) for seed in range(seeds)])


def _rotated(version: str, seed: int) -> np.ndarray:
    """Return one seed's part of `rotate`."""
    def run():
        found = datasets.tones()
        said = np.zeros((len(found), len(tones.FAMILIES)), np.float32)
        for fold in range(len(tones.FOLDS)):
            held = found.fold == fold
            said[held] = VERSIONS[version](~held, held, seed)
        return said

    return kept(run, (version, seed, IMAGINED), CODE)


def kept(make: Callable, recipe: tuple, code: tuple) -> np.ndarray:
    """Return what was computed before from the same recipe by the same code, so that an interrupted
    run resumes.
    """
    key = hashlib.sha256(
        repr((recipe, [inspect.getsource(part) for part in code])).encode()).hexdigest()[:16]
    path = environment.cache_folder() / f"timbre-benchmark-{key}.npy"
    if not path.exists():
        with environment.writing(path) as temporary:
            np.save(temporary, make())
    return np.load(path)


def by_program(said: np.ndarray, found: tones.Tones) -> tuple[np.ndarray, np.ndarray]:
    """Return for each seed and program the share of notes heard rightly, and whether all of its
    notes together are.
    """
    programs = np.unique(found.program)
    rows = [found.program == program for program in programs]
    family = np.array([found.family[row][0] for row in rows])
    notes = np.stack([(said[:, row].argmax(axis=2) == kind).mean(axis=1)
                      for row, kind in zip(rows, family)], axis=1)
    whole = np.stack([said[:, row].mean(axis=1).argmax(axis=1) == kind
                      for row, kind in zip(rows, family)], axis=1)
    return notes, whole.astype(float)


def interval(right: np.ndarray, draws: int = 2000) -> tuple[float, float, float]:
    """Return the mean over families, and its 95 % bootstrap interval over seeds and brackets of
    programs.

    Args:
        right: (seeds, programs), a share.
    """
    rng, programs = np.random.default_rng(0), sorted(program for program, *_ in tones.PROGRAMS)
    brackets = [[[programs.index(p) for p in bracket] for bracket in family]
                for family in tones.FAMILIES.values()]
    means = [np.stack([right[:, bracket].mean(axis=1) for bracket in family])
             for family in brackets]
    sizes = [np.array([len(bracket) for bracket in family]) for family in brackets]

    def draw(seeds, chosen):
        return np.mean([np.average(m[c][:, seeds].mean(axis=1), weights=s[c])
                        for m, s, c in zip(means, sizes, chosen)])

    drawn = [draw(rng.integers(len(right), size=len(right)),
                  [rng.integers(len(s), size=len(s)) for s in sizes]) for _ in range(draws)]
    return (float(draw(np.arange(len(right)), [np.arange(len(s)) for s in sizes])),
            *map(float, np.quantile(drawn, [0.025, 0.975])))


def table(seeds: int, beginning: str = "") -> dict:
    """Rotate all versions, or those whose name begins so: return their figures with intervals, and
    what the best one hears.
    """
    found, rows = datasets.tones(), {}
    best = np.zeros((1, len(found), len(tones.FAMILIES)))
    for name in (name for name in VERSIONS if name.startswith(beginning)):
        begin = time.perf_counter()
        said = rotate(name, seeds)
        notes, whole = by_program(said, found)
        rows[name] = {"notes": interval(notes), "instruments": interval(whole), "seeds": len(said)}
        print(f"{name:42}" + "".join(f"  {kind} {row[0]:.3f} ({row[1]:.3f} to {row[2]:.3f})"
                                     for kind, row in list(rows[name].items())[:2])
              + f"  {time.perf_counter() - begin:.0f} s", flush=True)
        best = said if name.startswith("9") else best
    heard = best.argmax(axis=2)
    said_of = {int(p): np.bincount(heard[:, found.program == p].ravel(),
                                   minlength=len(tones.FAMILIES)).tolist()
               for p in np.unique(found.program)}
    return {"versions": rows, "heard": said_of}


def speed(minutes: int = 60) -> float:
    """Return how many times faster than real time an hour of sound is embedded, minute by
    minute.
    """
    notes = datasets.tones().waveform
    order = np.random.default_rng(0).integers(len(notes), size=(minutes, 60))
    y = notes[order].reshape(minutes, -1)  # 60 notes of a second each, one after the other
    timbre.embed(y[0], SR)
    begin = time.perf_counter()
    found = sum(len(timbre.embed(row, SR)) for row in y)
    took = time.perf_counter() - begin
    print(f"embeddings of {minutes} minutes: {found} notes in {took:.1f} s, "
          f"{60 * minutes / took:.0f} x real time")
    return 60 * minutes / took


def shipped() -> float:
    """Measure the shipped network on the test programs."""
    held = datasets.tones("test")
    said = timbre.predict(timbre.load(), timbre.pictures(held.waveform))
    accuracy = timbre.balanced_accuracy(held.family, said.argmax(axis=1))
    print(f"shipped network, test programs: {accuracy:.3f}")
    return accuracy


def another_font(soundfont: str, seeds: int) -> dict[str, tuple[float, float]]:
    """Train versions 6, 7 and 9 on all but the test programs; return what they reach on those, here
    and in another sound font.
    """
    found, elsewhere = datasets.tones(), datasets.tones("test", soundfont)
    x, *labels = pictures_of("real")
    learn = found.fold != tones.FOLDS.index("test")
    real, other = ([x[learn], *(label[learn] for label in labels)],
                   timbre.pictures(elsewhere.waveform))
    figures = {}
    recipes = {"6 pictures alone": (False, False, 20), "7 imagined": (True, False, 12),
               "9 augmented, longer": (True, True, 40)}
    for name, how in recipes.items():
        models = [fit_pictures(networks.timbre_cnn, real, *how, seed)[0] for seed in range(seeds)]
        asked = (x[~learn], found.family[~learn]), (other, elsewhere.family)
        here, there = (
            float(
            np.mean([timbre.balanced_accuracy(family, timbre.predict(model, notes).argmax(axis=1))
                     for model in models])) for notes, family in asked)
        figures[name] = here, there
        print(f"{name:20} test programs: this sound font {here:.3f}, another one {there:.3f}",
              flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true",
                        help="train all versions, every fold held out once")
    parser.add_argument("--only", default="",
                        help="versions whose name begins so; the next run finds them done")
    parser.add_argument("--seeds", type=int, default=3,
                        help="trainings of each network and fold (default 3)")
    parser.add_argument("--store", action="store_true",
                        help="keep the table in data/timbre_versions.json, for notebook 05")
    parser.add_argument("--soundfont", help="train three versions, and measure them in this other "
                        "sound font (.sf2), too")
    arguments, _ = parser.parse_known_args()
    if arguments.all or arguments.store or arguments.only:
        found = table(arguments.seeds, "" if arguments.store else arguments.only)
        if arguments.store:
            with environment.writing(environment.data_folder()
                                     / "timbre_versions.json") as temporary:
                temporary.write_text(json.dumps(found) + "\n", encoding="utf-8")
        return
    if arguments.soundfont:
        another_font(arguments.soundfont, arguments.seeds)
        return
    shipped()
    speed()


if __name__ == "__main__":
    main()
