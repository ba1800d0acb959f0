"""Scores in files: MIDI and MusicXML, out and in."""
import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_utils import archives, environment, scores
from course_utils.scores import LONGEST_BAR, STEPS_PER_QUARTER, Note, Score, engraving

# flute, English horn, clarinet, bassoon: quick to speak, in tune, and easy to tell apart
PROGRAMS = (73, 69, 71, 70)
END = "end"
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
    return [(a, n) for i,
            ((a, _), n) in enumerate(zip(spans, lengths)) if i == 0 or n != lengths[i - 1]]


def read(path: str | Path) -> Score:
    """Read a melody or a piece in several voices from a MIDI or MusicXML file.

    Notebook: 08_lstm_composes_chorales

    Notes go to the grid of sixteenths. A MIDI file keeps neither fermatas nor voices that rest
    throughout.

    Args:
        path: file that ends in .mid, .midi, .musicxml, .xml or .mxl, with one voice a track or
            part.

    Returns:
        A `Score`, voices in the order of the file; key None where the file does not tell.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is a folder or may not be read.
        ValueError: if it is damaged, of another kind, without notes, or has two notes at once in a
            voice.
    """
    path = Path(path)
    readers = {".mid": read_midi, ".midi": read_midi, ".musicxml": _read_musicxml,
               ".xml": _read_musicxml, ".mxl": _read_musicxml}
    if path.suffix.lower() not in readers:
        raise ValueError(f"'{path}' is not a score that can be read. Give a file that ends in "
                         f"{', '.join(readers)}.")
    return readers[path.suffix.lower()](path)


def read_bytes(path: str | Path) -> bytes:
    """Read a file whole, saying clearly what is wrong where that fails.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is a folder or may not be read.
        ValueError: if it is empty.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder. Give a file inside of it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file '{path}'. Check the name; you are in the folder "
                                f"{Path.cwd()}.") from error
    except OSError as error:
        raise PermissionError(
            f"'{path}' cannot be read ({error.strerror}). Check its permissions.") from error
    if not content:
        raise ValueError(f"'{path}' is empty. Export or download it again.")
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


def read_midi(path: str | Path) -> Score:
    """Read a MIDI file: one voice a track, notes rounded to the nearest sixteenth of the file's own
    beat; see `read`.
    """
    import pretty_midi as pm

    path = Path(path)
    content = read_bytes(path)
    try:
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            midi = pm.PrettyMIDI(io.BytesIO(content))
    except Exception as error:
        raise ValueError(f"'{path}' is not a MIDI file, or is damaged. Export it from your music "
                         "program again.") from error
    tracks = [i.notes for i in midi.instruments if i.notes and not i.is_drum]
    if not tracks or midi.resolution <= 0:
        raise ValueError(f"There are no notes in '{path}' (drums do not count).")

    def steps(seconds: float) -> int:
        return round(midi.time_to_tick(seconds) * STEPS_PER_QUARTER / midi.resolution)

    notes = [_rounded(v, notes, steps, path) for v, notes in enumerate(tracks)]
    ends = ([note.end for note in sum(notes, [])]
            + [steps(t.time) for t in midi.text_events if t.text == END])
    signatures = [(steps(t.time), t.numerator * 16 / t.denominator)
                  for t in midi.time_signature_changes]
    beat, bar = _bars_of_signatures(signatures, max(ends))
    key = midi.key_signature_changes[0].key_number if midi.key_signature_changes else None
    return scores.from_notes(sum(notes, []), len(tracks), beat, bar, key=key, title=path.stem)


def _rounded(voice: int, notes: list, steps, path: Path) -> list[Note]:
    """Round a track's notes to steps. A note may overlap the next by a sixteenth (legato); the next
    then cuts it off.
    """
    rounded: dict[int, Note] = {}
    last = None
    for note in sorted(notes, key=lambda n: (n.start, n.end)):
        start, end = steps(note.start), steps(note.end)
        if last and (note.start == last.start or start < steps(last.end) - 1):
            raise ValueError(f"'{path}' has two notes at once in track {voice + 1}, "
                             f"{note.start:.1f} s from the beginning. Keep one voice a track, such "
                             "as the melody alone.")
        if start not in rounded or rounded[start].end < end:
            rounded[start] = Note(voice, note.pitch, start, max(end, start + 1))
        last = note
    return list(rounded.values())


def _bars_of_signatures(signatures: list[tuple[int, float]], steps: int) -> tuple[np.ndarray,
    np.ndarray]:
    """Lay bars over the grid; a first bar that a longer one follows is a pick-up."""
    changes = [(0, 16.0), *signatures] if not signatures or signatures[0][0] > 0 else signatures
    changes = [(start, min(max(1, round(length)), LONGEST_BAR)) for start, length in changes]
    beat, bar = np.zeros(steps, np.int16), np.zeros(steps, np.int16)
    for i, (start, length) in enumerate(changes):
        end = changes[i + 1][0] if i + 1 < len(changes) else steps
        full = (changes[1][1] if i == 0 and len(changes) > 1 and end <= length < changes[1][1]
                else length)
        here = np.arange(full - length, full - length + max(0, end - start))
        beat[start:end], bar[start:end] = (here % full)[: len(beat[start:end])], full
    return beat, bar


def _read_musicxml(path: str | Path) -> Score:
    """Read a MusicXML file: one voice a part (or voice of a part), at sounding pitch, repeats
    written out; see `read`.
    """
    from music21 import converter, note, repeat, stream
    from music21 import key as keys

    path = Path(path)
    read_bytes(path)
    try:
        music = converter.parse(path, format="musicxml", forceSource=True).toSoundingPitch()
        if any(music.recurse().getElementsByClass(repeat.RepeatMark)):
            music = music.expandRepeats()
    except Exception as error:
        raise ValueError(f"'{path}' is not a MusicXML file, or is damaged. Export it from your "
                         "music program again.") from error
    split = [part.voicesToParts().parts if part.recurse().getElementsByClass(stream.Voice)
             else [part] for part in music.parts]
    parts = [part for group in split for part in group
             if not part.recurse().getElementsByClass(note.Unpitched)]
    read = [_read_part(voice, part, path) for voice, part in enumerate(parts)]
    notes = [n for part, _ in read for n in part]
    if not notes:
        raise ValueError(f"There are no notes in '{path}' (drums do not count).")
    beat, bar = bars_of_measures(music.parts[0], max(to_step(part.highestTime) for part in parts))
    fermata = np.zeros(len(beat), bool)
    for begin, end in (span for _, spans in read for span in spans):
        fermata[begin:end] = True
    key = next(iter(music.recurse().getElementsByClass(keys.Key)), None)
    number = key and key.tonic.pitchClass + 12 * (key.mode == "minor")
    title = music.metadata and music.metadata.bestTitle or path.stem
    return scores.from_notes(notes, len(parts), beat, bar, fermata=fermata, key=number, title=title)


def to_step(quarters: float) -> int:
    """Round a time in quarters up to the next step, as the table of chorales does."""
    return math.ceil(float(quarters) * STEPS_PER_QUARTER - 1e-6)


def _read_part(voice: int, part, path: Path) -> tuple[list[Note], list[tuple[int, int]]]:
    """Return a part's notes, tied ones joined, and the spans of steps under a fermata."""
    notes: list[Note] = []
    fermatas = []
    for item in part.flatten().notesAndRests:
        begin, end = to_step(item.offset), to_step(item.offset + item.quarterLength)
        if begin == end:  # grace notes and chord symbols
            continue
        if any("Fermata" in sign.classes for sign in item.expressions):
            fermatas.append((begin, end))
        if item.isChord:
            raise ValueError(f"'{path}' has two notes at once in part {voice + 1}, bar "
                             f"{item.measureNumber}. Keep one voice a part, such as the melody "
                             "alone.")
        if item.isNote:
            new = Note(voice, round(item.pitch.ps), begin, end)
            held = (item.tie and item.tie.type != "start" and notes
                    and notes[-1][1:4:2] == (new.pitch, begin))
            notes[-1:] = [notes[-1]._replace(end=end)] if held else [*notes[-1:], new]
    return notes, fermatas


def bars_of_measures(part, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every step's position in the bar and the bar's length, both in steps, of a music21
    part.

    A first incomplete bar is a pick-up; another continues an incomplete one before it (a repeat
    sign inside a bar).
    """
    bar, position = np.full(length, 16, np.int16), None
    beat = np.arange(length, dtype=np.int16) % 16
    measures = list(part.getElementsByClass("Measure"))
    for measure in measures:
        begin = to_step(measure.offset)
        size, full = to_step(measure.offset
                             + measure.duration.quarterLength) - begin, to_step(
            measure.barDuration.quarterLength)
        if position is None:
            position = max(0, full - size) if len(measures) > 1 or measure.number == 0 else 0
        elif size >= full:
            position = 0
        here = slice(begin, begin + size)
        beat[here] = (position + np.arange(size)[: len(beat[here])]) % full
        bar[here] = full
        position = (position + size) % full
    return beat, bar
