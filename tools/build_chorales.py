"""Build data/chorales.npz from the music21 corpus: `python -m tools.build_chorales [TARGET]`.

The corpus holds each chorale as MusicXML or Humdrum. The table holds it on a grid of sixteenth
notes: four voices, repeats written out, and what a composer knows beside the notes (bar, beat,
fermata, key).
"""
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from course_utils import environment
from course_utils.scores import REST
from course_utils.scores.reading import Bar, lay_bars, to_step

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
SPLITS = ("train", "valid", "test")
LONGEST_REST = 16


def split_of_files(table: dict) -> dict[str, str]:
    """Map each corpus file to its split; a piece of two splits belongs to the later one."""
    split = {p["file"]: name for name in SPLITS for p in table[name] if p["file"]}
    banned = [f for f in table["keep_out_of_training"] if split.get(f) == "train"]
    return {f: name for f, name in split.items() if f not in banned}


def find_voices(score) -> list:
    """Return soprano, alto, tenor and bass, but no instruments that double or accompany."""
    parts = list(score.parts)
    if all(part.partName is None for part in parts):
        return parts[:4]
    return [next(p for p in parts if (p.partName or "").startswith(voice)) for voice in VOICES]


def read_voice(part, length: int) -> dict[str, np.ndarray]:
    """Sample one part on the grid: its pitch, note onsets and fermatas."""
    pitch = np.full(length, REST, np.int8)
    onset, fermata = np.zeros(length, bool), np.zeros(length, bool)
    for note in part.stripTies().flatten().notes:
        begin, end = to_step(note.offset), to_step(note.offset + note.quarterLength)
        if begin < end:
            pitch[begin:end] = max(p.midi for p in note.pitches)
            onset[begin] = True
            fermata[begin:end] = any(type(e).__name__ == "Fermata" for e in note.expressions)
    return {"pitch": pitch, "onset": onset, "fermata": fermata}


def grid_of(measure) -> Bar:
    begin = to_step(measure.offset)
    return Bar(begin, to_step(measure.offset + measure.duration.quarterLength) - begin,
               to_step(measure.barDuration.quarterLength))


def heard(pitches: np.ndarray) -> np.ndarray:
    """Mark the steps to keep: all but silence at the ends, and long rests (instruments alone)."""
    sounding = np.flatnonzero((pitches != REST).any(axis=1))
    gap = np.zeros(len(pitches), int)
    for before, after in pairwise([-1, *sounding.tolist(), len(pitches)]):
        gap[before + 1 : after] = 999 if before < 0 or after == len(pitches) else after - before - 1
    return gap <= LONGEST_REST


def read_chorale(file: str) -> dict[str, np.ndarray]:
    """Read one corpus file as the columns of the table; arrays run over steps."""
    from music21 import corpus, stream

    score = corpus.parse(f"bach/{file}", forceSource=True)
    voices = stream.Score(find_voices(score))
    key = voices.analyze("key")
    if any(part.recurse().getElementsByClass("RepeatMark") for part in voices.parts):
        voices = voices.expandRepeats()
    length = max(to_step(part.highestTime) for part in voices.parts)
    read = [read_voice(part, length) for part in voices.parts]
    beat, bar = lay_bars([grid_of(m) for m in voices.parts[0].getElementsByClass("Measure")],
                         length)
    columns = {
        "pitches": np.stack([v["pitch"] for v in read], axis=1),
        "onsets": np.stack([v["onset"] for v in read], axis=1),
        "fermata": np.any([v["fermata"] for v in read], axis=0),
        "beat": beat.astype(np.uint8),
        "bar": bar.astype(np.uint8),
    }
    keep = heard(columns["pitches"])
    return {name: column[keep] for name, column in columns.items()} | {
        "key": np.int8(key.tonic.pitchClass + (12 if key.mode == "minor" else 0))}


def build(split: dict[str, str]) -> dict[str, np.ndarray]:
    """Read every file of `split` (file → split name) and stack them into one table of arrays."""
    files = sorted(split)
    pieces = [read_chorale(f) for f in tqdm(files, unit="chorale", disable=environment.quiet())]
    table = {name: np.concatenate([p[name] for p in pieces])
             for name in ("pitches", "onsets", "fermata", "beat", "bar")}
    return table | {
        "length": np.array([len(p["beat"]) for p in pieces], np.int32),
        "key": np.array([p["key"] for p in pieces]),
        "bwv": np.array([f.removeprefix("bwv").rsplit(".", 1)[0] for f in files]),
        "split": np.array([split[f] for f in files]),
    }


def main() -> None:
    data = environment.data_folder()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "chorales.npz"
    table = json.loads((data / "jsb_split_bwv.json").read_text())
    with environment.writing(target) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **build(split_of_files(table)))
    print(f"{target}: {target.stat().st_size} bytes, sha256 {environment.sha256(target)}")


if __name__ == "__main__":
    main()
