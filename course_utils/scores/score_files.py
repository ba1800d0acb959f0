"""Scores in files: MIDI and MusicXML, out and in."""
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from course_utils import environment, scores
from course_utils.outside import archives
from course_utils.scores import STEPS_PER_QUARTER, Score, engraving, midi_reader, musicxml_reader
from course_utils.scores.midi_reader import END

# flute, English horn, clarinet, bassoon: quick to speak, in tune, and easy to tell apart
PROGRAMS = (73, 69, 71, 70)
ENDINGS = re.compile(r"(\.(midi?|musicxml|xml|mxl|mscz))+$", re.I)
READERS = {**dict.fromkeys((".mid", ".midi", ".kar", ".rmi"), midi_reader.read),
           **dict.fromkeys((".musicxml", ".xml", ".mxl"), musicxml_reader.read)}
MOST_BYTES = 2**26  # of an archive of pieces, a thousand times what all chorales take


def to_midi(score: Score, path: str | Path | None = None, *, quarter_bpm: float = 80,
            programs: int | Sequence[int] | None = None, velocity: int = 80, comment: str = ""):
    """Turn a score into MIDI, one track a voice.

    Notebook: 08_lstm_composes_chorales

    Args:
        score: the music.
        path: file to write; None to write none.
        quarter_bpm: tempo, quarter notes a minute, 10..400.
        programs: General MIDI program 0..127, one for all voices or one for each; by default a wind
            quartet.
        velocity: loudness of every note, 1..127.
        comment: where the music comes from, kept as a text event.

    Returns:
        A `pretty_midi.PrettyMIDI`.

    Raises:
        ValueError: if an argument is out of range.
        OSError: if the file cannot be written.

    Example:
        >>> from course_utils.scores import melodies, score_files
        >>> melody = melodies.parse_melody("C4 E4 G4 C5")
        >>> [round(score_files.to_midi(melody, quarter_bpm=n).get_end_time(), 2) for n in (60, 120)]
        [4.0, 2.0]
    """
    import pretty_midi as pm

    voices = score.pitches.shape[1]
    if not 10 <= quarter_bpm <= 400 or not 1 <= velocity <= 127 or voices > 15:
        raise ValueError("MIDI takes 10 to 400 quarters a minute, a velocity of 1 to 127 and up "
                         f"to 15 voices, not {quarter_bpm}, {velocity} and {voices}.")
    at = 60 / quarter_bpm / STEPS_PER_QUARTER
    midi = pm.PrettyMIDI(initial_tempo=quarter_bpm, charset="utf-8")
    for voice, program in enumerate(_programs(programs, voices)):
        midi.instruments.append(pm.Instrument(program, name=scores.voice_name(score, voice)))
    for note in scores.to_notes(score):
        midi.instruments[note.voice].notes.append(
            pm.Note(velocity, note.pitch, note.start * at, note.end * at))
    for begin, steps in _signatures(score):
        midi.time_signature_changes.append(
            pm.TimeSignature(*scores.time_signature(steps), begin * at))
    midi.key_signature_changes = [] if score.key is None else [pm.KeySignature(score.key, 0)]
    texts = [(text, 0) for text in (score.title, comment) if text] + [(END, len(score) * at)]
    midi.text_events = [pm.Text(text, time) for text, time in texts]
    if path is not None:
        with environment.writing(path) as temporary:
            midi.write(str(temporary))
    return midi


def to_musicxml(score: Score, path: str | Path, *, comment: str = "") -> None:
    """Write a score as a MusicXML file, which notation programs open: a staff a voice, bars, ties,
    fermatas, key.

    Args:
        score: the music.
        path: file to write, which ends in .musicxml or .xml.
        comment: where the music comes from, kept in the file's miscellaneous fields.

    Raises:
        ValueError: if the ending is another.
        OSError: if the file cannot be written.
    """
    if Path(path).suffix.lower() not in (".musicxml", ".xml"):
        raise ValueError(f"The file is MusicXML: let '{path}' end in .musicxml.")
    text = engraving.musicxml(score, [(v,) for v in range(score.pitches.shape[1])], comment)
    with environment.writing(path) as temporary:
        temporary.write_bytes(text)


def _programs(programs: int | Sequence[int] | None, voices: int) -> list[int]:
    if programs is None:
        programs = [PROGRAMS[v % len(PROGRAMS)] for v in range(voices)]
    programs = [programs] * voices if np.ndim(programs) == 0 else list(programs)
    if len(programs) != voices:
        raise ValueError(f"The score has {voices} voices, but {len(programs)} programs are given. "
                         "Give one, or one for each.")
    if not all(isinstance(p, int | np.integer) and 0 <= p <= 127 for p in programs):
        raise ValueError(f"General MIDI programs are whole numbers from 0 to 127, not {programs}.")
    return [int(p) for p in programs]


def _signatures(score: Score) -> list[tuple[int, int]]:
    """List where the time signature changes and to how many steps; a pick-up is a short bar of its
    own in MIDI.
    """
    spans = scores.bars(score)
    lengths = [b - a for a, b in spans[:-1]] + [int(score.bar[spans[-1][0]])]
    return [(a, n) for i, ((a, _), n) in enumerate(zip(spans, lengths)) if i == 0
            or n != lengths[i - 1]]


def read(path: str | Path, told: list[str] | None = None) -> Score:
    """Read a melody or a piece in several voices from a MIDI or MusicXML file.

    Notebook: 08_lstm_composes_chorales

    Notes go to the grid of sixteenths. A voice is a channel of a track, or a voice of a part, at
    sounding pitch, with repeats written out. A MIDI file keeps neither fermatas nor voices that
    rest throughout.

    Args:
        path: file that ends in .mid, .midi, .kar, .rmi, .musicxml, .xml or .mxl, or MIDI of any
            name.
        told: a list, to which sentences about what is left out are added.

    Returns:
        A `Score`, voices in the order of the file; key and tempo None where the file does not tell.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is a folder or may not be read.
        ValueError: if it is damaged, of another kind, too long, without notes, or has two notes at
            once in a voice.

    Example:
        >>> import tempfile
        >>> from course_utils.scores import melodies, score_files
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     midi = score_files.to_midi(melodies.parse_melody("C4 r D4"), f"{folder}/a.mid")
        ...     score_files.read(f"{folder}/a.mid").pitches[::4, 0].tolist()
        [60, -1, 62]
    """
    path, said = Path(path), []
    content = read_bytes(path, musicxml_reader.MOST_BYTES)
    reader = READERS.get(path.suffix.lower(), midi_reader.read if is_midi(content) else None)
    if reader is None:
        raise ValueError(f"'{path}' is not a score that can be read. Give a file that ends in "
                         f"{', '.join(READERS)}.")
    try:
        score = reader(content, said)
    except ValueError as error:
        raise ValueError(f"'{path}': {error}") from error
    except Exception as error:  # a file may be wrong in ways that nobody thought of
        raise ValueError(f"'{path}' is damaged ({type(error).__name__}: {error}). Export it from "
                         "your music program again.") from error
    if told is not None:
        told += [f"'{path}': {sentence}" for sentence in said]
    title = ENDINGS.sub("", score.title) or ENDINGS.sub("", path.name)
    return replace(score, title=title or path.stem)


def is_midi(content: bytes) -> bool:
    """Tell MIDI by its first twelve bytes, bare or in a RIFF wrapper."""
    return content[:4] == b"MThd" or content[8:12] == b"RMID"


def read_bytes(path: str | Path, most: int | None = None) -> bytes:
    """Read a file whole, saying clearly what is wrong where that fails.

    Args:
        path: the file.
        most: size up to which it is read, in bytes; None for any size.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is a folder or may not be read.
        ValueError: if it is empty or too large.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder. Give a file inside of it.")
    try:
        with open(path, "rb") as file:
            content = file.read(-1 if most is None else most + 1)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file '{path}'. Check the name; you are in the folder "
                                f"{Path.cwd()}.") from error
    except OSError as error:
        raise PermissionError(
            f"'{path}' cannot be read ({error.strerror}). Check its permissions.") from error
    if not content:
        raise ValueError(f"'{path}' is empty. Export or download it again.")
    if most is not None and len(content) > most:
        raise ValueError(f"'{path}' is larger than {most // 1_000_000} MB. Cut it to the part that "
                         "you need.")
    return content


def read_grids(path: str | Path) -> dict[str, np.ndarray]:
    """Read pieces from a NumPy archive, one array a piece; `evaluation.chorale_nll` says what an
    array has to be.

    Raises:
        ValueError: if the file is no such archive, or empty, or holds what is not a plain array of
            whole numbers.
        OSError: if it cannot be read.
    """
    advice = ("Save pieces with np.savez(path, first=grid, second=another), each an array of whole "
              "numbers.")
    content = read_bytes(path)
    if content[:2] != b"PK":
        raise ValueError(f"'{path}' is not a NumPy archive (.npz). {advice}")
    try:
        pieces = archives.read_npz(path, kinds="biufcU", largest=MOST_BYTES)
    except ValueError as error:
        raise ValueError(f"'{path}' is damaged, too large or holds Python objects. "
                         f"{advice}") from error
    if not pieces:
        raise ValueError(f"'{path}' is empty. {advice}")
    for name, grid in pieces.items():
        if not isinstance(grid, np.ndarray) or grid.dtype.kind not in "iu":
            raise ValueError(f"Piece '{name}' of '{path}' is not an array of whole numbers. Write "
                             "rests as -1, and then grid.astype(int).")
    return pieces
