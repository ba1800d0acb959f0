"""Bars of MusicXML, one part after the other: what sounds in them, and what steers their order."""
import math
import re
from collections import defaultdict
from typing import NamedTuple
from xml.etree.ElementTree import Element

from course_utils.scores import REST, SEMITONES, reading
from course_utils.scores.repeats import MOST_PLAYS, Marks

NUMBER = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*")
TYPES = {"breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": 1 / 2, "16th": 1 / 4,
         "32nd": 1 / 8, "64th": 1 / 16}
MODES = {"major": 0, "ionian": 0, "minor": 9, "aeolian": 9}
YES = {"yes", "true"}


class Sound(NamedTuple):
    """A note of a bar, or (pitch -1) a rest under a fermata; begin and end in quarters from the
    beginning of the bar; the voice by staff and name.
    """
    voice: tuple[str, str]
    pitch: int
    begin: float
    end: float
    tied: bool
    fermata: bool


class Written(NamedTuple):
    """A bar of a part: its sounds, how long it is in quarters, up to where notes and rests fill it,
    and the metre that it states: its quarters, 0 for none that holds, None where nothing is stated.
    """
    number: str
    sounds: tuple[Sound, ...]
    length: float
    filled: float
    metre: float | None


def number(text: str | None) -> float:
    """Turn the text of an element into a number.

    Raises:
        ValueError: if it is none, or has more than nine digits.
    """
    found = NUMBER.fullmatch(text or "")
    if not found:
        raise ValueError(f"It is a damaged MusicXML file ({(text or '')[:20]!r} is not a number "
                         "that can be meant). Export it from your music program again.")
    return float(found[1])


class Part:
    """Reads the bars of one part, in the order of the file.

    Attributes:
        bars: the bars that were read.
        key: (sharps, mode, semitones that the part is transposed by), None until it is stated.
        tempo: (bar from 0, quarters a minute), None until it is stated.
    """

    def __init__(self, marks: defaultdict[int, Marks], kept: reading.Kept):
        self.bars: list[Written] = []
        self.key = self.tempo = None
        self._marks, self._kept = marks, kept
        self._divisions, self._bar_length = 1.0, 4.0
        self._transposed: dict[str | None, int] = {}
        self._ending: set[int] = set()
        self._home: dict[str, str] = {}
        self._parallel: set[str] = set()
        self.unpitched = 0

    def add(self, element: Element, number: str) -> None:
        """Read one bar.

        Raises:
            ValueError: if a number in it is out of range.
        """
        self._at = self._begin = self._furthest = self._filled = 0.0
        self._layer, self._metre, self._sounds, self._ends = 1, None, [], {}
        self._closing = False
        readers = {"note": self._note, "backup": self._move, "forward": self._move,
                   "attributes": self._attributes, "barline": self._barline,
                   "direction": self._direction, "sound": self._sound}
        for item in element:
            if item.tag in readers:
                readers[item.tag](item)
        if self._ending:
            self._mark().endings |= self._ending
        if self._closing:
            self._ending = set()
        sounds = sorted(self._sounds, key=lambda sound: sound.begin)
        self.bars.append(Written(number, tuple(sounds), self._furthest, self._filled,
                                 self._metre))

    def voices(self) -> list[tuple[str, str]]:
        """List the voices that sound, from the top staff; one that rests if none does, or nothing
        where all that sounds has no pitch.
        """
        found = {self.voice(sound) for bar in self.bars for sound in bar.sounds
                 if sound.pitch != REST}
        return sorted(found, key=_natural) or ([] if self.unpitched else [("", "")])

    def voice(self, sound: Sound) -> tuple[str, str]:
        """Return the voice of a sound. A voice that wanders over staves belongs to its first; the
        same name on two staves at the same time is two voices.
        """
        staff, name = sound.voice
        return (staff, name) if name in self._parallel else (self._home[name], name)

    def _mark(self, bar: int = 0) -> Marks:
        return self._marks[len(self.bars) + bar]

    def _note(self, item: Element) -> None:
        if item.find("grace") is not None:
            self._kept["grace notes"] += 1
            return
        length = self._length(item)
        begin = self._begin if item.find("chord") is not None else self._at
        end = begin + length
        self._begin, self._at = begin, max(self._at, end)
        # some write the rest of a whole bar longer than the bar is
        filled = end if item.find("rest") is None else min(end, self._bar_length)
        self._filled, self._furthest = max(self._filled, filled), max(self._furthest, filled)
        pitch = self._pitch(item)
        fermata = any(sign.find("fermata") is not None for sign in item.findall("notations"))
        voice = self._voice(item, begin, end)
        if pitch != REST or fermata:
            self._sounds.append(Sound(voice, pitch, begin, end, _tied(item), fermata))
            self._kept["notes"] += pitch != REST
            reading.check_notes(self._kept["notes"])

    def _length(self, item: Element) -> float:
        """Return how long a note lasts, in quarters; a rest of a whole bar no longer than the
        bar.
        """
        text, kind, rest = item.findtext("duration"), item.findtext("type"), item.find("rest")
        whole = rest is not None and rest.get("measure") in YES
        if text is not None:
            length = max(0.0, number(text)) / self._divisions
        elif whole:
            length = self._bar_length if self._bar_length < math.inf else 4.0
        else:
            length = TYPES.get(kind, 0) * (2 - 0.5 ** len(item.findall("dot")))
        reading.check_length(length)
        return min(length, self._bar_length) if whole else length

    def _pitch(self, item: Element) -> int:
        """Return the MIDI pitch that sounds, -1 for what is a rest here."""
        pitch = item.find("pitch")
        if pitch is None:
            self.unpitched += (count := item.find("unpitched") is not None)
            self._kept["notes without a pitch"] += count
            return REST
        if item.find("cue") is not None:
            self._kept["cue notes"] += 1
            return REST
        step = (pitch.findtext("step") or "").strip()
        if step not in SEMITONES:
            raise ValueError(f"It is a damaged MusicXML file ({step[:20]!r} is not the name of a "
                             "note). Export it from your music program again.")
        midi = round(12 * (number(pitch.findtext("octave")) + 1) + SEMITONES[step]
                     + number(pitch.findtext("alter") or "0")
                     + self._shift(item.findtext("staff")))
        if not 0 <= midi <= 127:
            raise ValueError(f"In bar {len(self.bars) + 1} it has a note at MIDI {midi}, outside "
                             "of 0 to 127. Correct its octave.")
        return midi

    def _shift(self, staff: str | None) -> int:
        """Return how many semitones above the written note a staff sounds."""
        return self._transposed.get(staff or "1", self._transposed.get(None, 0))

    def _voice(self, item: Element, begin: float, end: float) -> tuple[str, str]:
        """Return staff and voice. Where the file names no voice, a new one begins after each step
        back in time.
        """
        name = (item.findtext("voice") or str(self._layer)).strip()
        staff = (item.findtext("staff") or "1").strip()
        self._home.setdefault(name, staff)
        last, before = self._ends.get(name, (0.0, staff))
        if before != staff and begin < last - 1e-6:
            self._parallel.add(name)
        self._ends[name] = max(last, end), staff
        return staff, name

    def _move(self, item: Element) -> None:
        length = max(0.0, number(item.findtext("duration"))) / self._divisions
        reading.check_length(length)
        if item.tag == "backup":
            self._at, self._layer = max(0.0, self._at - length), self._layer + 1
        else:
            self._at += length
            self._furthest = max(self._furthest, self._at)
        reading.check_length(self._at)

    def _attributes(self, item: Element) -> None:
        if item.find("divisions") is not None:
            self._divisions = number(item.findtext("divisions"))
            if self._divisions <= 0:
                raise ValueError("It divides a quarter note into nothing (divisions). Export it "
                                 "from your music program again.")
        for shift in item.findall("transpose"):
            self._transposed[shift.get("number")] = round(
                number(shift.findtext("chromatic") or "0")
                + 12 * number(shift.findtext("octave-change") or "0"))
        time = item.find("time")
        if time is not None:
            self._metre = _metre(time)
            self._bar_length = self._metre or math.inf
        key = item.find("key")
        if self.key is None and key is not None and key.find("fifths") is not None:
            self.key = (number(key.findtext("fifths")),
                        (key.findtext("mode") or "").strip().lower(),
                        self._shift(key.get("number")))
        for sign in item.iterfind("measure-style/measure-repeat"):
            self._kept["signs to repeat a bar"] += sign.get("type") == "start"

    def _barline(self, item: Element) -> None:
        left = item.get("location") == "left"
        repeat, ending = item.find("repeat"), item.find("ending")
        if ending is not None:
            self._bracket(ending, left)
        if repeat is not None and repeat.get("direction") == "forward":
            self._mark(0 if left else 1).forward = True
        elif repeat is not None:
            times = number(repeat.get("times") or "2")
            mark = self._mark(-1 if left else 0)
            mark.plays = max(mark.plays, int(max(2, times)))
        self._mark().segno |= item.find("segno") is not None
        self._mark().coda |= item.find("coda") is not None

    def _bracket(self, ending: Element, left: bool) -> None:
        """Begin or end the bracket of an ending; its numbers are such as "1", "1, 2" or "1-3"."""
        if ending.get("type") == "start":
            numbers = set()
            for first, last in re.findall(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?",
                                          (ending.get("number") or "")[:1000]):
                numbers |= {*range(int(first), min(int(last or first), MOST_PLAYS + 1) + 1)}
            self._ending = numbers - {0}
        elif left:
            self._ending = set()
        else:
            self._closing = True

    def _direction(self, item: Element) -> None:
        sounds = item.findall("sound")
        leaves = any(sound.get("tocoda") is not None for sound in sounds)
        words = " ".join((word.text or "")[:100] for word in item.iterfind("direction-type/words"))
        self._mark().read_words(words)
        self._mark().segno |= item.find("direction-type/segno") is not None
        if item.find("direction-type/coda") is not None and not leaves:
            self._mark().coda |= not self._mark().to_coda
        for sound in sounds:
            self._sound(sound)
        metronome = item.find("direction-type/metronome")
        if metronome is not None and self.tempo is None:
            self._set_tempo(_beats(metronome))

    def _sound(self, item: Element) -> None:
        mark = self._mark()
        mark.segno |= item.get("segno") is not None
        mark.coda |= item.get("coda") is not None
        mark.to_coda |= item.get("tocoda") is not None
        mark.fine |= item.get("fine") is not None
        if item.get("dacapo") in YES:
            mark.jump = mark.jump or "da capo"
        if item.get("dalsegno") is not None:
            mark.jump = mark.jump or "dal segno"
        if self.tempo is None and NUMBER.fullmatch(item.get("tempo") or ""):
            self._set_tempo(number(item.get("tempo")))

    def _set_tempo(self, tempo: float | None) -> None:
        if tempo and tempo > 0:
            self.tempo = len(self.bars), tempo


def key_number(sharps: float, mode: str, semitones: int) -> int | None:
    """Return the key's number: 0..11 major, 12..23 minor; None for other modes, which have no such
    number, and where the signature is impossible.
    """
    if mode not in MODES or not -7 <= sharps <= 7 or sharps != round(sharps):
        return None
    return int(7 * sharps + MODES[mode] + semitones) % 12 + 12 * (MODES[mode] == 9)


def _natural(voice: tuple[str, str]) -> list[tuple[int, str]]:
    """Order voices by number, and names after numbers."""
    return [(int(name) if re.fullmatch(r"\d{1,9}", name) else 10**9, name) for name in voice]


def _tied(item: Element) -> bool:
    """Tell whether a note goes on sounding from the one before."""
    kinds = {tie.get("type") for tie in item.findall("tie")} or {
        tie.get("type") for tie in item.iterfind("notations/tied")}
    return bool(kinds & {"stop", "continue"})


def _metre(time: Element) -> float:
    """Return the length of a bar in quarters, 0 without metre; 3+2 eighths are five."""
    beats = [text.text or "" for text in time.findall("beats")]
    kinds = [number(text.text) for text in time.findall("beat-type")]
    if not beats or len(beats) != len(kinds) or min(kinds) <= 0:
        return 0
    return reading.check_bar(sum(4 / kind * sum(number(beat) for beat in text.split("+"))
                                 for text, kind in zip(beats, kinds)))


def _beats(metronome: Element) -> float | None:
    """Return the quarters a minute of a metronome mark, None where it only compares notes."""
    found = re.search(r"\d{1,4}(\.\d{1,4})?", (metronome.findtext("per-minute") or "")[:100])
    unit = TYPES.get((metronome.findtext("beat-unit") or "").strip())
    if not found or unit is None:
        return None
    return float(found[0]) * unit * (2 - 0.5 ** len(metronome.findall("beat-unit-dot")))
