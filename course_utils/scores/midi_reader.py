"""MIDI files, read: a voice for each channel of each track, whatever surrounds the notes."""
import struct
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from course_utils import scores
from course_utils.scores import LONGEST_BAR, STEPS_PER_QUARTER, Note, Score, reading

END = "end"  # a text that marks the end of a score whose last steps are rests
DRUMS = 9
MOST_BYTES = 10_000_000
TEXT, END_OF_TRACK, TEMPO, METRE, KEY = 0x101, 0x12F, 0x151, 0x158, 0x159
DAMAGED = "It is not a MIDI file, or is damaged ({}). Export it from your music program again."


@dataclass
class Played:
    """One note of a track, in ticks; its end is None until somebody lets go of the key."""
    begin: int
    end: int | None
    pitch: int

    @property
    def length(self) -> int:
        return self.end - self.begin


@dataclass
class Music:
    """What a file holds, of all tracks together; times are ticks, `beat` of them to a quarter."""
    beat: int
    voices: dict[tuple[int, int], list[Played]] = field(default_factory=dict)
    metres: dict[int, float] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    tempos: dict[int, float] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    kept: reading.Kept = field(default_factory=reading.Kept)

    def step(self, tick: int) -> int:
        """Round to the nearest step, and from the middle down: what begins there is off the
        beat.
        """
        return -((self.beat - 2 * STEPS_PER_QUARTER * tick) // (2 * self.beat))


def read(content: bytes, told: list[str]) -> Score:
    """Read a MIDI file: notes rounded to the nearest sixteenth of the file's own beat.

    Args:
        content: the file.
        told: a list that sentences about what is left out are added to.

    Returns:
        A `Score` without title.

    Raises:
        ValueError: if it is no MIDI file, damaged, too long, without notes, or has two notes at
            once in a voice.
    """
    beat, tracks = _tracks(content, told)
    music = Music(beat)
    for number, track in enumerate(tracks):
        _hear(music, number, track)
    if not music.voices:
        raise ValueError("There are no notes in it (drums do not count).")
    voices = [music.voices[name] for name in sorted(music.voices)]
    music.kept["voices"] = max(0, len(voices) - reading.MOST_VOICES)
    notes, ends = [], [music.step(tick) for tick in music.ends]
    for voice, played in enumerate(voices[: reading.MOST_VOICES]):
        notes += _rounded(voice, played, music)
        ends.append(music.step(max(note.end for note in played)))
    music.kept["notes"] = len(notes)
    told += music.kept.sentences()
    metres = [(music.step(tick), length) for tick, length in sorted(music.metres.items())]
    beats, bars = _bars(metres, max(ends + [note.end for note in notes]))
    return scores.from_notes(notes, 1 + notes[-1].voice, beats, bars, key=_first(music.keys),
                             tempo=_first(music.tempos))


def _first(by_tick: dict):
    return by_tick[min(by_tick)] if by_tick else None


def _tracks(content: bytes, told: list[str]) -> tuple[int, list[bytes]]:
    """Return the ticks of a quarter, and the tracks' bytes; what wraps or parts them is skipped."""
    at = content.find(b"MThd", 0, 4096)
    if at < 0:
        raise ValueError("It is not a MIDI file. Export it from your music program again.")
    if len(content) > MOST_BYTES:
        raise ValueError(f"It is larger than {MOST_BYTES // 1_000_000} MB. Cut it to the part that "
                         "you need.")
    if len(content) < at + 14:
        raise ValueError(DAMAGED.format("it ends too early"))
    length, _, promised, beat = struct.unpack_from(">IHHh", content, at + 4)
    if beat <= 0:
        raise ValueError("It is a MIDI file whose time has no beats (but frames of a film, or "
                         "nothing). Export it with ticks per quarter note.")
    tracks = list(_chunks(content, at + 8 + length))
    if len(tracks) < promised:
        told.append(f"{promised - len(tracks)} of {promised} tracks are missing at its end.")
    return beat, tracks


def _chunks(content: bytes, at: int) -> Iterator[bytes]:
    """Yield the tracks. After a chunk of another kind, the search goes on for the next."""
    while at + 8 <= len(content):
        following = at + 8 + int.from_bytes(content[at + 4 : at + 8])
        if content[at : at + 4] == b"MTrk":
            yield content[at + 8 : following]
            if following > len(content) and b"\xff\x2f\x00" not in content[at + 8 :]:
                raise ValueError(DAMAGED.format("it ends in the middle of a track"))
        elif content[following : following + 4] != b"MTrk":
            following = content.find(b"MTrk", at + 4)
            if following < 0:
                return
        at = following
    if at < len(content) and b"MTrk".startswith(content[at : at + 4]):
        raise ValueError(DAMAGED.format("it ends at the beginning of a track"))


def _events(track: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (tick, status, data) of a track: statuses 0x80 to 0xEF are of channels, 0x100 and above
    meta events. The end of the track always comes, and comes last.
    """
    at = tick = running = 0
    while at < len(track):
        delta, at = _number(track, at)
        tick += delta
        status = track[at]
        if status < 0x80:
            status = running
        else:
            at += 1
        if 0x80 <= status < 0xF0:
            running, size = status, 1 if 0xC0 <= status < 0xE0 else 2
        elif status == 0xFF:
            status = 0x100 + track[at]
            size, at = _number(track, at + 1)
        elif status in (0xF0, 0xF7):
            size, at = _number(track, at)
        else:
            size = {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)
        if not status or at + size > len(track):
            raise IndexError(at)
        if status == END_OF_TRACK:
            break
        yield tick, status, track[at : at + size]
        at += size
    yield tick, END_OF_TRACK, b""


def _number(track: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = 0
    for here in range(at, at + 4):
        value = value << 7 | track[here] & 0x7F
        if track[here] < 0x80:
            return value, here + 1
    raise IndexError(at)


def _hear(music: Music, number: int, track: bytes) -> None:
    """Add what a track holds to the music."""
    heard, held = defaultdict(list), defaultdict(deque)
    try:
        for tick, status, data in _events(track):
            if 0x80 <= status < 0xA0:
                _key_moves(music, heard, held, tick, status, data)
            elif status > 0xFF:
                _meta(music, tick, status, data)
    except IndexError:
        raise ValueError(DAMAGED.format(f"track {number + 1} breaks off")) from None
    music.kept["drum notes"] += len(heard.pop(DRUMS, []))
    for channel, notes in heard.items():
        kept = _settled(notes, tick, max(1, music.beat // STEPS_PER_QUARTER))
        music.kept[reading.SHORT] += sum(not note.length for note in kept)
        if any(note.length for note in kept):
            music.voices[number, channel] = [note for note in kept if note.length]


def _key_moves(music: Music, heard: dict, held: dict, tick: int, status: int, data: bytes) -> None:
    """Begin a note, or end the one of this pitch that has been held longest."""
    (pitch, velocity), channel = data, status % 16
    if pitch > 127:
        raise IndexError(pitch)
    if status >= 0x90 and velocity:
        if channel != DRUMS:
            reading.check_length(tick / music.beat)
        music.kept["notes"] += 1
        reading.check_notes(music.kept["notes"])
        heard[channel].append(Played(tick, None, pitch))
        held[channel, pitch].append(heard[channel][-1])
    elif held[channel, pitch]:
        held[channel, pitch].popleft().end = tick


def _meta(music: Music, tick: int, status: int, data: bytes) -> None:
    """Take note of metre, key, tempo and end; what makes no sense is left out, the notes are
    sound.
    """
    if status == TEXT and data == END.encode():
        reading.check_length(tick / music.beat)
        music.ends.append(tick)
    elif status == TEMPO and int.from_bytes(data[:3]):
        music.tempos.setdefault(tick, 60e6 / int.from_bytes(data[:3]))
    elif status == METRE and len(data) >= 2 and data[0] and data[1] <= 6:
        music.metres.setdefault(tick, STEPS_PER_QUARTER * reading.check_bar(
            data[0] * 4 / 2 ** data[1]))
    elif status == KEY and len(data) >= 2 and (data[0] + 7) % 256 <= 14 and data[1] <= 1:
        fifths = (data[0] ^ 128) - 128  # a signed byte
        music.keys.setdefault(tick, (7 * fifths + 9 * data[1]) % 12 + 12 * data[1])
    elif status in (METRE, KEY):
        music.kept["metres or keys that make no sense"] += 1


def _settled(notes: list[Played], end: int, step: int) -> list[Played]:
    """Give every note an end, in the order of time. One that nobody let go lasts until the next
    note, or the end of the track; one that is struck again ends there; unisons are one note.
    """
    settled, struck = [], {}
    now = following = max(end, max(note.begin for note in notes) + step)
    for note in sorted(notes, key=lambda n: n.begin, reverse=True):
        if note.begin < now:
            now, following = note.begin, now
        note.end = following if note.end is None else note.end
        again = struck.get(note.pitch)
        if again and again.begin == note.begin:
            again.end = max(again.end, note.end)
            continue
        if again:
            note.end = min(note.end, again.begin)
        struck[note.pitch] = note
        settled.append(note)
    return settled[::-1]


def _rounded(voice: int, played: list[Played], music: Music) -> list[Note]:
    """Round a voice's notes to steps. A note may overlap the next by a sixteenth (legato); the next
    then cuts it off. Of two that fall on one step, the much longer one stays (the other is an
    ornament), or else the one nearer to the beat.
    """
    chosen: dict[int, Played] = {}
    last = None
    for note in sorted(played, key=lambda n: (n.begin, n.end)):
        reading.check_length(note.end / music.beat)
        start = music.step(note.begin)
        if last and (note.begin == last.begin or start < music.step(last.end) - 1):
            raise ValueError(f"It has two notes at once in track {voice + 1}, "
                             f"{note.begin / music.beat:.1f} quarter notes from the beginning. "
                             "Keep one voice a track, such as the melody alone.")
        if start not in chosen or _outweighs(note, chosen[start], start * music.beat):
            chosen[start] = note
        last = note
    music.kept[reading.SHORT] += len(played) - len(chosen)
    return [Note(voice, note.pitch, start, max(music.step(note.end), start + 1))
            for start, note in chosen.items()]


def _outweighs(new: Played, old: Played, line: int) -> bool:
    """Tell which of two notes is kept on a step that lies at `line`, in quarters of a tick."""
    if new.length > 1.5 * old.length or old.length > 1.5 * new.length:
        return new.length > old.length
    return (abs(STEPS_PER_QUARTER * new.begin - line) < abs(STEPS_PER_QUARTER * old.begin - line))


def _bars(metres: list[tuple[int, float]], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay bars over the grid; a first bar that a longer one follows is a pick-up."""
    changes = [(0, 16.0), *metres] if not metres or metres[0][0] > 0 else metres
    changes = [(start, min(max(1, round(length)), LONGEST_BAR))
               for start, length in changes if start < steps]
    beat, bar = np.zeros(steps, np.int16), np.zeros(steps, np.int16)
    for i, (start, length) in enumerate(changes):
        end = changes[i + 1][0] if i + 1 < len(changes) else steps
        full = (changes[1][1] if i == 0 and len(changes) > 1 and end <= length < changes[1][1]
                else length)
        here = np.arange(full - length, full - length + max(0, end - start))
        beat[start:end], bar[start:end] = here % full, full
    return beat, bar
