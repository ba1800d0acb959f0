"""Music to learn from: chorales, tones, recordings, and loaders for two published collections."""
import contextlib
import csv
import functools
import json
import math
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from course_utils import audio, environment, scores, synth
from course_utils.outside import archives, downloads
from course_utils.outside.downloads import Source
from course_utils.scores import Score
from course_utils.sound.tones import SPLITS, Tones, tones

__all__ = ["MAESTRO", "NSYNTH", "RECORDINGS", "SPLITS", "Tones", "chorales", "maestro", "nsynth",
           "recording", "tones"]

# What it is, how long it lasts in seconds, and the voices of a chorale that stand in for it with
# their programs.
RECORDINGS = {"trumpet": ("Mihai Sorohan: solo trumpet", 5.3, {0: 56}),
              "brahms": ("Johannes Brahms: Hungarian Dance No. 5, string orchestra", 45.9,
                         {0: 48, 1: 48, 2: 48, 3: 48}),
              "nutcracker":
              ("Pyotr Tchaikovsky: Dance of the Sugar Plum Fairy, arranged by Kevin MacLeod", 119.9,
               {0: 8, 1: 45, 3: 45}), "vibeace": ("Kevin MacLeod: Vibe Ace", 61.5,
                                                  {0: 11, 2: 11, 3: 32}),
              "choice": ("Admiral Bob: Choice, drums and bass", 25.0, {3: 36}),
              "fishin": ("Karissa Hobbs: Let's Go Fishin'", 28.0, {0: 53, 1: 25, 3: 25}),
              "sweetwaltz": ("Setuniman: Sweet Waltz", 23.0, {0: 0, 1: 0, 2: 0, 3: 0}),
              "pistachio": ("The Piano Lady: Pistachio Ice Cream Ragtime", 72.0,
                            {0: 3, 1: 3, 2: 3, 3: 3})}
RECORDING_RATE = 22050  # of librosa's examples
PATIENCE = 10  # seconds to wait for librosa.org
FADE = 0.05  # seconds

# Addresses, checksums and sizes as published; the bounds of what is unpacked leave some percent to
# spare.
_HOST = "https://storage.googleapis.com/"
_NSYNTH = _HOST + "download.magenta.tensorflow.org/datasets/nsynth/nsynth-{}.jsonwav.tar.gz"
_MAESTRO = _HOST + "magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0{}.zip"
NSYNTH = {"train": Source("nsynth-train", _NSYNTH.format("train"),
                          "md5:fde6665a93865503ba598b9fac388660", 23_815_298_079, 40 * 10**9),
          "valid": Source("nsynth-valid", _NSYNTH.format("valid"),
                          "md5:87e94a00a19b6dbc99cf6d4c0c0cae87", 1_068_767_009, 18 * 10**8),
          "test": Source("nsynth-test", _NSYNTH.format("test"),
                         "md5:5e6f8719bf7e16ad0a00d518b78af77d", 349_501_546, 6 * 10**8)}
MAESTRO = {
    "midi": Source("maestro-v3.0.0", _MAESTRO.format("-midi"),
                   "sha256:70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
                   58_416_533, 10**8),
    "audio": Source("maestro-v3.0.0", _MAESTRO.format(""),
                    "sha256:6680fea5be2339ea15091a249fbd70e49551246ddbd5ca50f1b2352c08c95291",
                    108_445_099_632, 130 * 10**9),
}


@functools.cache
def _chorale_table() -> dict[str, list[Score]]:
    columns = archives.read_npz(environment.shipped("chorales.npz"), kinds="biuU")
    splits: dict[str, list[Score]] = {name: [] for name in SPLITS}
    ends = np.cumsum(columns["length"])
    for i, (begin, end) in enumerate(zip(ends - columns["length"], ends)):
        steps = {name: columns[name][begin:end]
                 for name in ("pitches", "onsets", "beat", "bar", "fermata")}
        steps |= {name: steps[name].astype(np.int16) for name in ("pitches", "beat", "bar")}
        splits[str(columns["split"][i])].append(
            Score(**steps, key=int(columns["key"][i]), title=f"BWV {columns['bwv'][i]}"))
    return splits


def chorales(split: str) -> list[Score]:
    """Return Bach's four-part chorales of one split of the JSB Chorales benchmark, in order of BWV
    number.

    The split is that of Boulanger-Lewandowski, Bengio and Vincent (2012); the music comes from the
    music21 corpus, on a grid of sixteenths with repeats written out (`python -m
    tools.build_chorales` makes the table again).

    Args:
        split: "train", "valid" or "test".

    Raises:
        ValueError: if the split is another.
        OSError: if the shipped table is missing or damaged.

    Example:
        >>> from course_utils import datasets
        >>> pieces = datasets.chorales("test")
        >>> len(pieces), pieces[0].pitches.shape[1]
        (77, 4)
    """
    return list(_chorale_table()[_checked(split)])


def _checked(split: str) -> str:
    if split not in SPLITS:
        raise ValueError(f"The split is one of {', '.join(SPLITS)}, not {split!r}.")
    return split


def recording(name: str) -> tuple[np.ndarray, int, str]:
    """Return one of librosa's example recordings, or where they cannot be had, a rendered piece
    that stands in for it.

    Notebook: 01_loading_audio

    librosa downloads a recording once and keeps it. Without a network this takes ten seconds at
    most.

    Args:
        name: "trumpet", "brahms", "nutcracker", "vibeace", "choice", "fishin", "sweetwaltz" or
            "pistachio".

    Returns:
        y, float32 (samples,); its sample rate in Hz; and a sentence that says what is heard: print
        it.

    Raises:
        ValueError: if the name is another.
    """
    if name not in list(RECORDINGS):
        raise ValueError(f"The recording is one of {', '.join(RECORDINGS)}, not {name!r}.")
    credit, seconds, programs = RECORDINGS[name]
    found = _librosa_example(name)
    if isinstance(found, Path):
        return *audio.load(found), f"{credit} (recording, from librosa's examples)."
    y, title = _stand_in(seconds, programs)
    voices = ("" if len(programs) == 4
              else f" ({', '.join(scores.VOICES[voice].lower() for voice in programs)})")
    return (y, RECORDING_RATE,
            (f"A stand-in, rendered from {title}{voices}. librosa's recording '{name}' ({credit}) "
             f"could not be fetched: {found}."))


def _librosa_example(name: str) -> Path | str:
    """Return the path of a recording, or what kept it from coming."""
    import librosa
    import pooch

    found: list[Path | str] = []

    def fetch() -> None:
        try:
            found.append(Path(librosa.example(name)))
        except Exception as error:
            found.append(type(error).__name__)

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it tells where the file goes, which says nothing to a learner
    # In a thread, because no timeout of the network covers everything: looking up a name may hang
    # for a minute.
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    logger.setLevel(level)
    return found[0] if found else f"no answer within {PATIENCE} s"


def _stand_in(seconds: float, programs: dict[int, int],
              quarter_bpm: float = 80) -> tuple[np.ndarray, str]:
    """Play some voices of the first test chorales, one after the other, for so many seconds."""
    played, missing, titles = [], round(seconds * RECORDING_RATE), []
    for score in chorales("test"):
        steps = min(len(score), math.ceil(missing / RECORDING_RATE * quarter_bpm / 60
                                          * scores.STEPS_PER_QUARTER))
        part = scores.excerpt(score, 0, steps)
        part = replace(part, pitches=part.pitches[:, list(programs)],
                       onsets=part.onsets[:, list(programs)])
        played.append(synth.render(part, sr=RECORDING_RATE, quarter_bpm=quarter_bpm,
                                   programs=list(programs.values()))[:missing])
        titles.append(score.title)
        missing -= len(played[-1])
        if missing == 0:
            break
    y = np.concatenate(played)
    fade = round(FADE * RECORDING_RATE)
    y[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return y, " and ".join([", ".join(titles[:-1])] * (len(titles) > 1) + titles[-1:])


def nsynth(split: str, folder: str | Path | None = None) -> list[dict]:
    """List the notes of NSynth, which is downloaded at the first call (Engel et al., 2017; licence
    CC BY 4.0).

    Single notes of four seconds at 16 kHz: 4,096 in the test split (350 MB to download, 0.6 GB
    unpacked), 12,678 in the validation split (1.1 GB, 1.8 GB), 289,205 in the training split (24
    GB, 40 GB).

    Args:
        split: "train", "valid" or "test".
        folder: where nsynth-test and so on are or shall be; by default in the cache folder.

    Returns:
        A dictionary for each note: what examples.json has (pitch, velocity, instrument_str,
        instrument_family_str, ...), and `path`, its sound file for `audio.load`.

    Raises:
        ValueError: if the split is another.
        OSError: if downloading or unpacking fails (call again to resume), or the copy there is
            incomplete.
    """
    root = downloads.collection(NSYNTH[_checked(split)], _folder(folder, "nsynth"))
    with _reading(root / "examples.json") as file:
        notes = {name: {**note, "path": _sound(root / "audio", name)}
                 for name, note in json.load(file).items()}
    there = ({entry.name for entry in os.scandir(root / "audio")} if (root / "audio").is_dir()
             else set())
    _check_complete(root, [note["path"] for note in notes.values()
                           if note["path"].name not in there], len(notes))
    return list(notes.values())


def _sound(folder: Path, name: str) -> Path:
    if "/" in name:  # which would lead into another folder
        raise ValueError(f"'{environment.printable(name, 60)}' is no note's name")
    return downloads.inside(folder, f"{name}.wav")


def maestro(split: str, folder: str | Path | None = None, with_audio: bool = False) -> list[dict]:
    """List the piano performances of MAESTRO 3.0.0, which is downloaded at the first call
    (Hawthorne et al., 2019).

    962 performances for training, 137 for validation, 177 for testing. The MIDI files alone are 58
    MB, with the recordings it is 108 GB. Its licence, CC BY-NC-SA 4.0, rules out commercial use.

    Args:
        split: "train", "valid" or "test".
        folder: where maestro-v3.0.0 is or shall be; by default in the cache folder.
        with_audio: download the recordings as well.

    Returns:
        A dictionary for each performance: canonical_composer, canonical_title, year, duration in
        seconds, and `midi_path`; if asked for, `audio_path` too.

    Raises:
        ValueError: if the split is another.
        OSError: if downloading or unpacking fails (call again to resume), or the copy there is
            incomplete.
    """
    label = "validation" if _checked(split) == "valid" else split
    kinds = ("midi", "audio") if with_audio else ("midi",)
    root = downloads.collection(MAESTRO[kinds[-1]], _folder(folder, f"maestro-{kinds[-1]}"))
    with _reading(root / "maestro-v3.0.0.csv") as file:
        pieces = [{name: row[name] for name in ("canonical_composer", "canonical_title")}
                  | {"year": int(row["year"]), "duration": float(row["duration"])}
                  | {f"{kind}_path": downloads.inside(root, row[f"{kind}_filename"])
                     for kind in kinds} for row in csv.DictReader(file) if row["split"] == label]
    paths = [piece[f"{kind}_path"] for piece in pieces for kind in kinds]
    _check_complete(root, [path for path in paths if not path.is_file()], len(paths))
    return pieces


def _folder(folder: str | Path | None, name: str) -> Path:
    folder = Path(folder) if folder else environment.cache_folder() / name
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise type(error)(f"'{folder}' cannot be used as a folder ({error.strerror}). Choose "
                          "another place.") from error
    return folder


@contextlib.contextmanager
def _reading(index: Path):
    """Open the list of a collection; turn whatever is wrong with it into one error that says what
    to do.
    """
    try:
        with open(index, encoding="utf-8", newline="") as file:
            yield file
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise OSError(f"'{index}' is missing or damaged ({type(error).__name__}: {error}). "
                      "Delete the folder "
                      f"'{index.parent}', then call again: it will be downloaded anew.") from error


def _check_complete(root: Path, missing: list[Path], total: int) -> None:
    if missing or not total:
        lack = (f"{len(missing)} of {total} files are missing, such as '{missing[0].name}'"
                if missing else "it lists no files")
        raise OSError(f"The copy of this collection is incomplete: {lack}. Delete the folder "
                      f"'{root}', then call again: it will be downloaded anew.")
