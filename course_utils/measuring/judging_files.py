"""Judge the files in a folder: MIDI or MusicXML against Bach's chorales, sound against the
instruments of the course.
"""
import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from course_utils import audio, datasets
from course_utils.cnn import timbre
from course_utils.measuring import counterpoint, measures, memorisation, musical_statistics
from course_utils.scores import HIGHEST, LOWEST, REST, STEPS_PER_QUARTER, Score, score_files

SOUNDS = (b"RIFF", b"fLaC", b"OggS", b"ID3")  # which no score begins with
ENOUGH = 10  # files that make a set of which distances can be told
SHOWN = ("parallels a bar", "Fréchet, extrapolated", "kernel MMD", "precision", "recall",
         "classifier accuracy")


def files_in(folder: str | Path) -> tuple[list[Path], list[Path], dict[str, str]]:
    """List the scores in a folder and below, all other files, which may be sounds, in order of
    name, and what is left out unopened, with why.

    Notebook: 12_measuring_music

    Raises:
        FileNotFoundError: if there is no such folder.
        NotADirectoryError: if it is a file.
        ValueError: if it holds no files.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder '{folder}'. Check the name; you are in the "
                                f"folder {Path.cwd()}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"'{folder}' is a file. Put it into a folder of its own, and give "
                                 "the folder's name.")
    found, left = _walk(folder)
    if not found and not left:
        raise ValueError(f"There is nothing to judge in '{folder}'. Put scores or sound files into "
                         f"it, which end in {', '.join((*score_files.READERS, *audio.FORMATS))} or "
                         "others.")
    written = [path for path in found if _is_score(path)]
    return written, [path for path in found if path not in written], left


def _walk(folder: Path) -> tuple[list[Path], dict[str, str]]:
    found: list[Path] = []
    left: dict[str, str] = {}

    def closed(error: OSError) -> None:
        left[str(error.filename)] = f"the folder cannot be opened ({error.strerror})"

    for place, folders, names in os.walk(folder, onerror=closed):
        for path in [Path(place, name) for name in sorted(folders + names)]:
            if path.name.startswith("."):
                left[str(path)] = "its name begins with a dot, so it is hidden"
            elif path.is_symlink() and path.is_dir():
                left[str(path)] = "a link to a folder; links are not followed"
            elif path.is_file():
                found.append(path)
            elif not path.is_dir():
                left[str(path)] = "not an ordinary file, or a link to one that is gone"
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found), left


def _is_score(path: Path) -> bool:
    """Tell a score by its first bytes, whatever its name ends in, or else by its name."""
    begin = b""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        begin = file.read(12)
    named = path.suffix.lower() in score_files.READERS
    return score_files.is_midi(begin) or (named and not begin.startswith(SOUNDS))


def read_all(paths: Iterable[Path], read: Callable) -> tuple[dict[str, object], dict[str, str]]:
    """Read files; return what was read and, for each file that does not fit, why, both by file
    name. Whatever goes wrong with one costs no other.
    """
    good: dict[str, object] = {}
    bad: dict[str, str] = {}
    for path in paths:
        try:
            good[str(path)] = read(path)
        except (ValueError, OSError) as error:
            bad[str(path)] = str(error)
        except Exception as error:
            bad[str(path)] = f"it breaks the reader ({type(error).__name__}: {error})"
    return good, bad


def read_score(path: Path) -> Score:
    """Read a score that can be compared with Bach's.

    Raises:
        ValueError: if it has not four voices, is shorter than two bars, or leaves the chorales'
            range; or as `score_files.read`.
        OSError: as `score_files.read`.
    """
    score = score_files.read(path)
    voices, sounding = score.pitches.shape[1], score.pitches[score.pitches != REST]
    if voices != 4:
        raise ValueError(f"'{path}' has {voices} voice{'s' * (voices != 1)}; Bach's chorales have "
                         "four. Give it four tracks, one voice a track, highest first.")
    if len(score) < measures.SHORTEST:
        raise ValueError(f"'{path}' lasts {len(score)} sixteenths; {measures.SHORTEST}, two bars, "
                         "are needed at least.")
    if not sounding.size:
        raise ValueError(f"'{path}' holds rests alone. Give it notes.")
    if sounding.min() < LOWEST or sounding.max() > HIGHEST:
        raise ValueError(f"'{path}' runs from MIDI {sounding.min()} to {sounding.max()}; chorales "
                         f"lie in {LOWEST} to {HIGHEST}. Transpose it by octaves first.")
    return score


@functools.cache
def usual(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return between which values 95 % of training Bach lies in each of `columns`, for excerpts of
    so many steps.
    """
    table = np.array([list(columns(piece).values())
                      for piece in measures.excerpts(datasets.chorales("train"), steps)])
    low, high = np.quantile(table, [0.025, 0.975], axis=0)
    return low, high


@functools.cache
def usual_copy(steps: int) -> float:
    """Return how long a passage 95 % of held-out Bach share with training Bach at most, in
    quarters, in so many steps.
    """
    held_out = memorisation.longest_copies(measures.excerpts(datasets.chorales("test"), steps),
                                           datasets.chorales("train"))
    return float(np.quantile(held_out, 0.95)) / STEPS_PER_QUARTER


def columns(score: Score) -> dict[str, float]:
    """Return what is told of one score: `musical_statistics.STATISTICS`, and parallel fifths and
    octaves a bar.
    """
    told = {name: float(function(score))
            for name, function in musical_statistics.STATISTICS.items()}
    return told | {"parallels a bar": counterpoint.parallels_a_bar(score)}


def judge_score(score: Score) -> list[str]:
    """Tell how a score compares with Bach, in lines: what is out of the usual, and what it shares
    with training Bach.

    Its first eight bars are compared with the same stretch of the chorales, or all of it if it is
    shorter.
    """
    steps = min(len(score), measures.STEPS)
    cut = measures.excerpts([score], steps)
    low, high = usual(steps)
    lines = []
    for (name, value), a, b in zip(columns(cut[0]).items(), low, high):
        remark = "" if a <= value <= b else "  <- unusual for Bach"
        lines.append(f"    {name:22}{value:8.2f}   Bach {a:.2f} to {b:.2f}{remark}")
    copied = memorisation.longest_copies(cut, datasets.chorales("train"))[0] / STEPS_PER_QUARTER
    limit = usual_copy(steps)
    remark = "  <- more than unrelated chorales share" if copied > limit else ""
    return [*lines, f"    longest passage found in Bach's training chorales: {copied:g} quarters, "
            f"unrelated ones share up to {limit:g}{remark}"]


def judge_set(pieces: list[Score]) -> list[str]:
    """Tell how a set of scores compares with Bach as a whole, in lines; held-out Bach stands beside
    it.
    """
    steps = min(measures.STEPS, *(len(piece) for piece in pieces))
    known, reference = (datasets.chorales("train"),
                        measures.excerpts(datasets.chorales("train"), steps))
    unit = musical_statistics.table(reference)
    bach = measures.describe(reference, known, unit)
    sets = {"your files": measures.excerpts(pieces, steps),
            "held-out Bach": measures.excerpts(datasets.chorales("test"), steps)}
    lines = [f"All {len(pieces)} pieces together, {steps} sixteenths of each (value, 95 % "
             "interval):"]
    described = {title: measures.describe(chosen, known, unit) for title, chosen in sets.items()}
    for name in SHOWN:
        row = [measures.MEASURES[name](bach, each) for each in described.values()]
        told = "   ".join(f"{title} {v:.3g} ({a:.3g} to {b:.3g})"
                          for title, (v, a, b) in zip(sets, row))
        lines.append(f"    {name:22}{told}")
    return lines


def judge_sound(y: np.ndarray, sr: int) -> list[str]:
    """Tell what the timbre network makes of a recording, and how loud it is, in lines."""
    families = timbre.classify(y, sr)
    first, second = list(families)[:2]
    peak, rms = np.abs(y).max(), np.sqrt(np.mean(np.square(y, dtype=np.float64)))
    return [f"    {len(y) / sr:.1f} s, peak {20 * np.log10(peak):.1f} dBFS, RMS "
            f"{20 * np.log10(rms):.1f} dBFS" + ("  <- clipped" if peak >= 0.999 else ""),
            f"    sounds like {first} ({families[first]:.0%}) or {second} ({families[second]:.0%})"]


def judge_folder(folder: str | Path) -> tuple[list[str], list[str]]:
    """Judge every file in a folder; one that does not fit is told apart and costs no other.

    Notebook: 12_measuring_music

    Args:
        folder: with scores in four voices, or sound files, or both, also in folders below.

    Returns:
        What to print of the files that were judged, and of those that do not fit, in lines.

    Raises:
        ValueError, FileNotFoundError, NotADirectoryError: as `files_in`.
    """
    written, sounds, left = files_in(folder)
    pieces: dict[str, Score] = {}

    def read_and_judge(path: Path) -> list[str]:
        score = read_score(path)
        told = judge_score(score)
        pieces[str(path)] = score
        return told

    judged, bad = read_all(written, read_and_judge)
    heard, silent = read_all(sounds, _hear)
    lines = [line for name, told in (judged | heard).items() for line in (name, *told)]
    together, apart = read_all([Path(folder)] if len(pieces) >= ENOUGH else [],
                               lambda _: judge_set(list(pieces.values())))
    lines += [line for told in together.values() for line in told]
    if 0 < len(pieces) < ENOUGH:
        lines.append(f"{len(pieces)} piece{'s' * (len(pieces) > 1)}: too few for distances between "
                     f"sets, which take {ENOUGH}.")
    refused = left | bad | silent | apart
    return lines, [f"not judged: {_line(name, why)}" for name, why in refused.items()]


def _hear(path: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", UserWarning)
        told = judge_sound(*audio.load(path))
    return [*told, *(f"    note: {note.message}" for note in noted
                     if note.category is UserWarning)]


def _line(name: str, why: str) -> str:
    """Return one line that names a file, whatever breaks there are in its name or the message."""
    told = why if name in why else f"'{name}': {why}"
    return " ".join(told.splitlines())
