"""Single notes of many instruments, played from a sound font, for networks that hear timbre."""
import contextlib
import hashlib
import importlib.metadata
import importlib.resources
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import environment, score_files, synth

SPLITS = ("train", "valid", "test")
SR = 16000
LENGTH = 1.0  # seconds of every tone
HELD = 0.8  # seconds until the key is let go, so that the release is heard
PITCHES = range(48, 73)  # C3 to C5, where all these programs sound at the written pitch
VELOCITIES = range(40, 128)
GOLDEN = (5**0.5 - 1) / 2

# General MIDI programs of (train, valid, test). Programs that the sound font makes from the same recordings (the pianos
# 0, 2 and 3; violin and viola; ...) are all in training: a test on them would ask for what was learned by heart.
FAMILIES = {
    "piano": ((0, 2, 3, 4), (7,), (5, 6)),
    "mallets": ((8, 11, 12, 15), (9,), (10, 13)),
    "guitar": ((24, 25, 29, 30), (27,), (26, 28)),
    "bass": ((33, 35, 36, 38), (34,), (32, 37)),
    "strings": ((40, 41, 44, 46), (42,), (43, 45)),
    "ensemble": ((48, 49, 53, 54), (51,), (50, 52)),
    "brass": ((56, 58, 61, 62), (59,), (57, 60)),
    "reed": ((64, 67, 68, 71), (69,), (66, 70)),
    "pipe": ((73, 74, 75, 76), (79,), (72, 77)),
}
PROGRAMS = tuple((program, family, split) for number, split in enumerate(SPLITS)
                 for family, programs in enumerate(FAMILIES.values()) for program in programs[number])


@dataclass(frozen=True, eq=False)
class Tones:
    """Single notes with their labels, row by row; in the order of their programs, so shuffle them before training.

    Attributes:
        waveform: (tones, 16000) float32, one second at 16 kHz; the key is let go after 0.8 s.
        program: (tones,) int, General MIDI program.
        instrument: (tones,) str, its name.
        family: (tones,) int, the class to be learned, an index into `families`.
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
    pitch: np.ndarray
    velocity: np.ndarray
    families: tuple[str, ...] = tuple(FAMILIES)
    sr: int = SR
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.waveform)


def tones(split: str | None = None, soundfont: str | Path | None = None, per_program: int = 40) -> Tones:
    """Play single notes of 63 instruments in 9 families (taught in 02_preparing_audio and 05_cnn_hears_timbre).

    Every program plays the same notes, so that neither pitch nor velocity gives its family away, and every family has
    four programs for training, one for validation and two for testing. A program is in one split only, and so are the
    recordings that the default sound font makes it from. The first call renders, which takes half a minute; the next ones
    read what it kept in the cache folder (80 MB).

    Args:
        split: "train", "valid", "test", or None for all of them.
        soundfont: path of a sound font (.sf2), for instruments sampled by other people; by default pretty_midi's.
        per_program: tones of each program, 1 to 500; fewer are ready sooner.

    Returns:
        `Tones`, rendered with the key let go after 0.8 s, as loud as the sound font has them.

    Raises:
        ValueError: if an argument is out of range, or the file no sound font, or one without any of these programs.
        OSError: if the sound font cannot be read.
    """
    if split not in (None, *SPLITS):
        raise ValueError(f"The split is one of {', '.join(SPLITS)}, or None for all of them, not {split!r}.")
    if not isinstance(per_program, int | np.integer) or not 1 <= per_program <= 500:
        raise ValueError(f"per_program is a whole number of tones from 1 to 500, not {per_program!r}.")
    soundfont = Path(soundfont or importlib.resources.files("pretty_midi") / "TimGM6mb.sf2")
    notes, font = _notes(per_program), score_files.read_bytes(soundfont)
    cache = environment.cache_folder() / f"tones-{_key(notes, font)}.npz"
    kept = _read(cache, per_program)
    if kept is None:
        kept = _render(notes, soundfont, _programs_in(font, soundfont))
        _keep(cache, *kept)
    return _labelled(*kept, notes, split)


def _notes(count: int) -> list[tuple[int, int]]:
    """Spread pitches evenly, and velocities by the golden ratio, which leaves no pattern between the two."""
    return [(PITCHES[(2 * i + 1) * len(PITCHES) // (2 * count)], VELOCITIES[int((i + 1) * GOLDEN % 1 * len(VELOCITIES))])
            for i in range(count)]


def _key(notes: list[tuple[int, int]], font: bytes) -> str:
    """Name what the sound depends on, so that a cache made otherwise is not taken for it."""
    renderer = "fluidsynth"
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        renderer = importlib.metadata.version("midirenderer")
    recipe = repr((PROGRAMS, notes, SR, LENGTH, HELD, renderer)).encode()
    return hashlib.sha256(recipe + hashlib.sha256(font).digest()).hexdigest()[:16]


def _programs_in(font: bytes, path: Path) -> set[int]:
    """List the programs of a sound font, since the renderer plays another where one is missing.

    The presets' headers follow SoundFont 2.04, section 7.2: 38 bytes each, the last one a full stop; bank 0 is melodic.
    """
    at = font.rfind(b"pdtaphdr") + 8
    size = int.from_bytes(font[at : at + 4], "little")
    header = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("rest", "V14")])
    if font[:4] != b"RIFF" or at < 8 or not 0 < size <= len(font) - at - 4 or size % header.itemsize:
        raise ValueError(f"'{path}' is not a sound font, or damaged. Give the path of an .sf2 file.")
    presets = np.frombuffer(font, header, size // header.itemsize, at + 4)[:-1]
    return set(presets["program"][presets["bank"] == 0].tolist())


def _render(notes: list[tuple[int, int]], soundfont: Path, present: set[int]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Play all programs; return 16-bit waveforms (tones, 16000), the program of each, and what was skipped and why."""
    from tqdm import tqdm

    rows, skipped = {}, []
    for program in tqdm([program for program, *_ in PROGRAMS], "Rendering tones", disable=environment.quiet()):
        try:
            if program not in present:
                raise ValueError("The sound font lacks it.")
            y = synth.render_notes([(program, *note, HELD) for note in notes], length=LENGTH, sr=SR, soundfont=soundfont)
            rows[program] = np.clip(np.round(y * 32768), -32768, 32767).astype(np.int16)
        except ValueError as error:
            skipped.append(f"{_name(program)} ({program}): {error}")
    if not rows:
        raise ValueError(f"'{soundfont}' can play none of the instruments. {skipped[0]}")
    return np.concatenate(list(rows.values())), np.repeat(list(rows), len(notes)), skipped


def _read(cache: Path, per_program: int) -> tuple[np.ndarray, np.ndarray, list[str]] | None:
    """Read rendered tones back; None where there are none, or the file is damaged."""
    try:
        with np.load(cache) as table:
            y, program, skipped = table["waveform"], table["program"], table["skipped"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    fits = y.dtype == np.int16 and y.shape == (len(program), round(LENGTH * SR)) and len(program) % per_program == 0
    return (y, program, skipped.tolist()) if fits else None


def _keep(cache: Path, y: np.ndarray, program: np.ndarray, skipped: list[str]) -> None:
    try:
        with environment.writing(cache) as temporary, open(temporary, "wb") as file:
            np.savez(file, waveform=y, program=program, skipped=np.array(skipped, dtype=str))
    except OSError as error:
        warnings.warn(f"The tones could not be kept in '{cache.parent}' and will be rendered anew next time: {error} "
                      "Make room there, or set COURSE_CACHE to another folder.", stacklevel=3)


def _labelled(y: np.ndarray, program: np.ndarray, skipped: list[str], notes: list[tuple[int, int]], split: str | None) -> Tones:
    family_of = {number: family for number, family, part in PROGRAMS if split in (None, part)}
    chosen = np.isin(program, list(family_of))
    if not chosen.any():
        raise ValueError(f"The sound font has none of the instruments of '{split}'. Choose another font, or leave split out.")
    pitch, velocity = np.tile(np.array(notes), (len(program) // len(notes), 1))[chosen].T
    program = program[chosen]
    instrument, family = np.array([_name(number) for number in program]), np.array([family_of[number] for number in program])
    return Tones(y[chosen].astype(np.float32) / 32768, program, instrument, family, pitch, velocity, skipped=tuple(skipped))


def _name(program: int) -> str:
    import pretty_midi

    return pretty_midi.program_to_instrument_name(int(program))
