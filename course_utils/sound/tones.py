"""Single notes of many instruments, played from a sound font, for networks that hear timbre."""
import contextlib
import hashlib
import importlib.metadata
import importlib.resources
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import environment, synth
from course_utils.checks import SR, check_whole
from course_utils.outside import archives, fonts

SPLITS = ("train", "valid", "test")
LENGTH = 1.0  # seconds of every tone
HELD = 0.8  # seconds until the key is let go, so that the release is heard
PITCHES = range(48, 73)  # C3 to C5, where all these programs sound at the written pitch
VELOCITIES = range(40, 128)
GOLDEN = (5**0.5 - 1) / 2
LABELS = 1000  # bytes kept beside each tone, at most

# Families by what vibrates and what keeps it going: a string left alone after a pluck or a blow; a
# string under a bow; a solid body left alone after a blow; a column of air behind lips, behind a
# cane reed, behind an edge; wind or current that a key lets through; an oscillator. All General
# MIDI programs that fit, but for distorted and effect sounds, for those that this sound font has
# out of tune (21, 22, 78), too short (13) or with a hole (65), and for voices: it holds three
# recordings of them. Programs in one pair of brackets are made from the same recordings, at least
# in part, and are never split.
FAMILIES = {"plucked": ((0, 1, 2, 3), (6,), (7,), (15, 25), (24,), (26,), (27,), (28,), (32,),
                        (33, 35), (34,), (36,), (37,), (45,), (46,), (104,), (105,), (106,),
                        (107,)), "bowed": ((40, 41, 110), (42,), (43,), (44, 48, 49)),
            "bars": ((4,), (5,), (8,), (9,), (10,), (11,), (12,), (14,), (108,), (112,), (114,)),
            "brass": ((56,), (57,), (58,), (59,), (60,), (61,)),
            "reeds": ((64,), (66,), (67,), (68,), (69,), (70,), (71,), (109,), (111,)),
            "flutes": ((72,), (73,), (74,), (75, 76), (77,), (79,)),
            "organs": ((16,), (17, 18), (19,), (20, 23)),
            "synths": ((38, 87), (50,), (51, 90), (62, 63, 81), (80,))}
# The brackets of a family are dealt out in turn to four folds, so that each can be held out once.
FOLDS = ("train", "valid", "train", "test")
PROGRAMS = tuple(sorted((program, family, number % len(FOLDS))
                        for family, brackets in enumerate(FAMILIES.values())
                        for number, bracket in enumerate(brackets) for program in bracket))


@dataclass(frozen=True, eq=False)
class Tones:
    """Single notes with their labels, row by row; in the order of their programs, so shuffle them
    before training.

    Attributes:
        waveform: (tones, 16000) float32, one second at 16 kHz; the key is let go after 0.8 s.
        program: (tones,) int, General MIDI program.
        instrument: (tones,) str, its name.
        family: (tones,) int, the class to be learned, an index into `families`.
        fold: (tones,) int, 0 to 3; no recording is in two of them. 0 and 2 are for training, 1 for
            validation, 3 for testing.
        pitch: (tones,) int, MIDI note number, 48 to 72.
        velocity: (tones,) int, how hard the key was struck, 40 to 127.
        families: names of the families.
        sr: sample rate in Hz.
        skipped: programs that the sound font could not play, each with the reason.
    """
    waveform: np.ndarray
    program: np.ndarray
    instrument: np.ndarray
    family: np.ndarray
    fold: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    families: tuple[str, ...] = tuple(FAMILIES)
    sr: int = SR
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.waveform)


def tones(split: str | None = None, soundfont: str | Path | None = None,
          per_program: int = 40) -> Tones:
    """Play single notes of 80 instruments in 8 families.

    Notebook: 02_preparing_audio, 05_cnn_hears_timbre

    Every program plays the same notes, so that neither pitch nor velocity gives its family away.
    About half of each family is for training, a quarter for validation, a quarter for testing. A
    program is in one split only, and so are the recordings that the default sound font makes it
    from. The first call renders, which takes half a minute; the next ones read what it kept in the
    cache folder (100 MB).

    Args:
        split: "train", "valid", "test", or None for all of them.
        soundfont: path of a sound font (.sf2), for instruments sampled by other people; by default
            pretty_midi's.
        per_program: tones of each program, 1 to 500; fewer are ready sooner.

    Returns:
        `Tones`, rendered with the key let go after 0.8 s, as loud as the sound font has them.

    Raises:
        ValueError: if an argument is out of range, or the file no sound font, or one without any of
            these programs.
        OSError: if the sound font cannot be read.
    """
    if split not in (None, *SPLITS):
        raise ValueError(f"The split is one of {', '.join(SPLITS)}, or None for all of them, not "
                         f"{split!r}.")
    check_whole("per_program", per_program, 1, 500)
    soundfont = fonts.path(soundfont)
    notes, font = _notes(per_program), fonts.read(soundfont)
    key = _key(notes, font)
    cache = environment.cache_folder() / f"tones-{key}.npz"
    kept = _read(cache, key, per_program)
    if kept is None:
        kept = _render(notes, soundfont, fonts.programs(font))
        _keep(cache, key, *kept)
    return _labelled(*kept, notes, split)


def _notes(count: int) -> list[tuple[int, int]]:
    """Spread pitches evenly, and velocities by the golden ratio, which leaves no pattern between
    the two.
    """
    return [(PITCHES[(2 * i + 1) * len(PITCHES) // (2 * count)],
             VELOCITIES[int((i + 1) * GOLDEN % 1 * len(VELOCITIES))]) for i in range(count)]


def _key(notes: list[tuple[int, int]], font: bytes) -> str:
    """Name what the sound depends on, so that a cache made otherwise is not taken for it."""
    renderer = "fluidsynth"
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        renderer = importlib.metadata.version("midirenderer")
    recipe = repr((PROGRAMS, notes, SR, LENGTH, HELD, renderer)).encode()
    return hashlib.sha256(recipe + hashlib.sha256(font).digest()).hexdigest()[:16]


def _render(notes: list[tuple[int, int]], soundfont: Path, present: set[int]) -> tuple[np.ndarray,
    np.ndarray, list[str]]:
    """Play all programs; return 16-bit waveforms (tones, 16000), the program of each, and what was
    skipped and why.
    """
    from tqdm import tqdm

    rows, skipped = {}, []
    for program in tqdm([program for program, *_ in PROGRAMS], "Rendering tones",
                        disable=environment.quiet()):
        try:
            if program not in present:
                raise ValueError("The sound font lacks it.")
            y = synth.render_notes([(program, *note, HELD) for note in notes], length=LENGTH, sr=SR,
                                   soundfont=soundfont)
            rows[program] = np.clip(np.round(y * 32768), -32768, 32767).astype(np.int16)
        except ValueError as error:
            skipped.append(f"{_name(program)} ({program}): {error}")
    if not rows:
        raise ValueError(f"'{soundfont}' can play none of the instruments. {skipped[0]}")
    return np.concatenate(list(rows.values())), np.repeat(list(rows), len(notes)), skipped


def _read(cache: Path, key: str,
          per_program: int) -> tuple[np.ndarray, np.ndarray, list[str]] | None:
    """Read rendered tones back; None where there are none, or the file is damaged or replaced."""
    samples = round(LENGTH * SR)
    largest = 2 * len(PROGRAMS) * per_program * (samples + LABELS)
    try:
        table = archives.read_npz(cache, "waveform", "program", "skipped", "check", kinds="iuU",
                                  largest=largest)
    except (OSError, ValueError):
        return None
    y, program, skipped = table["waveform"], table["program"], table["skipped"]
    fits = (y.dtype == np.int16 and program.ndim == skipped.ndim == 1 and len(program)
            and y.shape == (len(program), samples) and len(program) % per_program == 0
            and str(table["check"]) == _check(key, y, program, skipped))
    return (y, program, skipped.tolist()) if fits else None


def _check(key: str, *arrays: np.ndarray) -> str:
    """Return a checksum of tones and of what they were made from."""
    digest = hashlib.sha256(key.encode())
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).tobytes() if array.dtype.kind == "U"
                      else np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _keep(cache: Path, key: str, y: np.ndarray, program: np.ndarray, skipped: list[str]) -> None:
    told = np.array(skipped, dtype=str)
    try:
        with environment.writing(cache, 0o600) as temporary, open(temporary, "wb") as file:
            np.savez(file, waveform=y, program=program, skipped=told,
                     check=np.array(_check(key, y, program, told)))
    except OSError as error:
        warnings.warn(f"The tones could not be kept in '{cache.parent}' and will be rendered anew "
                      f"next time: {error} Make room there, or set COURSE_CACHE to another folder.",
                      stacklevel=3)


def _labelled(y: np.ndarray, program: np.ndarray, skipped: list[str], notes: list[tuple[int, int]],
              split: str | None) -> Tones:
    place = {number: (family, fold) for number, family, fold in PROGRAMS
             if split in (None, FOLDS[fold])}
    chosen = np.isin(program, list(place))
    if not chosen.any():
        raise ValueError(f"The sound font has none of the instruments of '{split}'. Choose another "
                         "font, or leave split out.")
    pitch, velocity = np.tile(np.array(notes), (len(program) // len(notes), 1))[chosen].T
    program = program[chosen]
    instrument = np.array([_name(number) for number in program])
    family, fold = np.array([place[number] for number in program.tolist()]).T
    return Tones(y[chosen].astype(np.float32) / 32768, program, instrument, family, fold, pitch,
                 velocity, skipped=tuple(skipped))


def _name(program: int) -> str:
    import pretty_midi

    return pretty_midi.program_to_instrument_name(int(program))
