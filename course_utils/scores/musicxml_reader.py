"""MusicXML files, plain or compressed, read bar by bar into a score."""
import io
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from course_utils import scores
from course_utils.scores import LONGEST_BAR, REST, Note, Score, reading, repeats
from course_utils.scores.musicxml_bars import Part, Written, key_number

MOST_BYTES = 50_000_000  # unpacked
MOST_PACKED = 16_000_000
MOST_WRITTEN = 200_000  # bars, of all parts together
CHUNK = 2**16
ROOTS = ("score-partwise", "score-timewise")
TITLES = ("work-title", "movement-title")
AGAIN = "Export it from your music program again."


def read(content: bytes, told: list[str]) -> Score:
    """Read MusicXML: a voice for each voice of each part, at sounding pitch, repeats written out.

    Args:
        content: the file, plain or compressed.
        told: a list that sentences about what is left out are added to.

    Returns:
        A `Score`, whose title is empty where the file has none.

    Raises:
        ValueError: if it is no MusicXML file, damaged, too long, without notes, or has two notes at
            once in a voice.
    """
    sheet, parts, marks, kept = Sheet(), {}, defaultdict(repeats.Marks), reading.Kept()
    for count, (name, number, element) in enumerate(sheet.bars(unpacked(content))):
        part = parts.get(name, Part(marks, kept))
        if len(part.bars) == repeats.MOST_BARS or count == MOST_WRITTEN:
            raise ValueError(f"It has more than {repeats.MOST_BARS} bars, or {MOST_WRITTEN} in all "
                             "parts. Cut it to the part that you need.")
        if name in parts or len(parts) < reading.MOST_VOICES:
            parts[name] = part
            part.add(element, number)
        else:
            kept["bars of more parts"] += 1
    if not kept["notes"]:
        raise ValueError("There are no notes in it (drums and cue notes do not count).")
    parts = list(parts.values())
    order, said = repeats.order(max(len(part.bars) for part in parts), marks)
    told += said
    score = _build(parts, order, kept, re.sub(r"\s+", " ", sheet.title).strip())
    told += kept.sentences()
    return score


def unpacked(content: bytes) -> bytes:
    """Return the score of a compressed file: what its container names; and a plain one as it is.

    Raises:
        ValueError: if the archive is damaged or would take more than 50 MB.
    """
    if content[:2] != b"PK":
        return _small(content, len(content), MOST_BYTES)
    _small(content, len(content), MOST_PACKED)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _extract(archive, _score_name(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError,
            OSError) as error:
        raise ValueError(f"It is not a compressed MusicXML file, or is damaged ({error}). "
                         f"{AGAIN}") from error


def _small(content: bytes, size: int, most: int) -> bytes:
    if size > most:
        raise ValueError(f"Its score takes more than {most // 1_000_000} MB. Cut it to the part "
                         "that you need.")
    return content


def _score_name(archive: zipfile.ZipFile) -> str:
    """Return which file of an archive is the score; without a container, the first that looks like
    one.
    """
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        roots: list[dict] = []
        parser = expat.ParserCreate()
        parser.EntityDeclHandler = _refuse_entities
        parser.StartElementHandler = lambda tag, attributes: (
            roots.append(attributes) if tag.split(":")[-1] == "rootfile" else None)
        try:
            parser.Parse(_extract(archive, "META-INF/container.xml", 1_000_000), True)
        except expat.ExpatError as error:
            raise KeyError(f"its container: {error}") from error
        found = [root["full-path"] for root in roots if root.get("full-path")]
    else:
        found = [name for name in names if re.search(r"\.(musicxml|xml)$", name.lower())
                 and not name.startswith(("META-INF/", "__MACOSX/"))]
    if not found:
        raise ValueError(f"No score is in the archive. {AGAIN}")
    return found[0]


def _extract(archive: zipfile.ZipFile, name: str, most: int = MOST_BYTES) -> bytes:
    """Unpack one file, never more than `most` bytes, whatever the archive says."""
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError("it is packed in another way than MusicXML allows")
    _small(b"", info.file_size, most)
    with archive.open(info) as file:
        content = file.read(most + 1)
    return _small(content, len(content), most)


def _refuse_entities(*_) -> None:
    raise ValueError(f"It declares entities of its own, which no score needs. {AGAIN}")


class Sheet:
    """Takes XML apart, holding one bar at a time; what is too large or too deep is refused."""

    def __init__(self):
        self._titles = dict.fromkeys(TITLES, "")
        self._open: list[tuple[str, dict]] = []
        self._builder: TreeBuilder | None = None
        self._ready: list[tuple[str, str, Element]] = []
        self._count = self._in_bar = self._parts = 0

    @property
    def title(self) -> str:
        return next((text for text in self._titles.values() if text.strip()), "")

    def bars(self, content: bytes) -> Iterator[tuple[str, str, Element]]:
        """Yield (part, number, element) of all bars, in the order of the file.

        Raises:
            ValueError: if it is no MusicXML, damaged, or unreasonable.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.EntityDeclHandler = self._text, _refuse_entities
        content = content.lstrip(b" \t\r\n")
        try:
            for at in range(0, max(1, len(content)), CHUNK):
                parser.Parse(content[at : at + CHUNK], at + CHUNK >= len(content))
                yield from self._ready
                self._ready.clear()
                # one endless tag, or no two names alike, would fill the memory
                if at - parser.CurrentByteIndex > 2**20 or len(parser.intern) > 10_000:
                    raise ValueError(f"It is not a MusicXML file that can be meant. {AGAIN}")
        except (expat.ExpatError, LookupError, UnicodeError) as error:
            what = "is damaged" if self._open else "is not a MusicXML file, or is damaged"
            raise ValueError(f"It {what} ({error}). {AGAIN}") from error

    def _start(self, tag: str, attributes: dict) -> None:
        if not self._open and tag not in ROOTS:
            raise ValueError(f"It is not a MusicXML file: it begins with <{tag[:40]}>, not "
                             f"<{ROOTS[0]}>. {AGAIN}")
        self._open.append((tag, attributes))
        self._count, self._in_bar = self._count + 1, self._in_bar + 1
        if len(self._open) > 50 or self._count > 3_000_000 or (
                self._builder and self._in_bar > 200_000):
            raise ValueError("It is too large or too deep for a score. Cut it to the part that you "
                             "need.")
        self._parts += len(self._open) == 2 and tag == "part"
        if len(self._open) == 3 and {tag, self._open[1][0]} == {"part", "measure"}:
            self._builder, self._in_bar = TreeBuilder(), 0
        if self._builder:
            self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        if self._builder:
            self._builder.end(tag)
            if len(self._open) == 3:
                self._finish()
        self._open.pop()

    def _finish(self) -> None:
        """Put a bar by. In the order of parts they need no names; in the order of time, they do."""
        places = dict(self._open[1:])
        name = (str(self._parts) if self._open[0][0] == ROOTS[0]
                else places["part"].get("id", ""))
        self._ready.append((name, places["measure"].get("number", ""), self._builder.close()))
        self._builder = None

    def _text(self, text: str) -> None:
        if self._builder:
            self._builder.data(text)
        elif self._open and self._open[-1][0] in TITLES:
            self._titles[self._open[-1][0]] = (self._titles[self._open[-1][0]] + text)[:500]


def _build(parts: list[Part], order: list[int], kept: reading.Kept, title: str) -> Score:
    """Put the bars of all parts one behind the other, in the order in which they are played."""
    begins, bars = _places(parts, order)
    names = [(part, voice) for part in range(len(parts)) for voice in parts[part].voices()]
    kept["voices"] = max(0, len(names) - reading.MOST_VOICES)
    names = names[: reading.MOST_VOICES]
    notes, fermatas = [], []
    for number, part in enumerate(parts):
        numbers = {name[1]: voice for voice, name in enumerate(names) if name[0] == number}
        for line in _lines(part, numbers, list(zip(order, begins)), fermatas, kept, number):
            notes += line
        reading.check_notes(len(notes))
    beat, bar = reading.lay_bars(bars, bars[-1].begin + bars[-1].size,
                                 len(bars) > 1 or parts[0].bars[0].number == "0")
    fermata = np.zeros(len(beat), bool)
    for begin, end in fermatas:
        fermata[begin:end] = True
    key = next((part.key for part in parts if part.key and part.key[1]), (0, "", 0))
    tempo = min((part.tempo for part in parts if part.tempo), default=(0, None))[1]
    return scores.from_notes(notes, len(names), beat, bar, fermata=fermata, key=key_number(*key),
                             title=title, tempo=tempo)


def _places(parts: list[Part], order: list[int]) -> tuple[list[float], list[reading.Bar]]:
    """Return where each played bar begins, in quarters, and its place on the grid.

    A bar is as long as its longest voice. One that is empty in all parts is as long as its metre,
    or nothing at the end.
    """
    lengths, fulls, metre = [], [], 4.0
    count = max(len(part.bars) for part in parts)
    for bar in range(count):
        here = [part.bars[bar] for part in parts if bar < len(part.bars)]
        metre = next((written.metre for written in here if written.metre is not None), metre)
        lengths.append(_length(here, bar == count - 1) or (bar < count - 1) * (metre or 4.0))
        fulls.append(metre or min(lengths[-1] or 4.0, LONGEST_BAR / scores.STEPS_PER_QUARTER))
    begins, bars, at = [], [], 0.0
    for bar in order:
        begins.append(at)
        begin, at = reading.to_step(at), at + lengths[bar]
        reading.check_length(at)
        bars.append(reading.Bar(begin, reading.to_step(at) - begin, reading.to_step(fulls[bar])))
    return begins, bars


def _length(here: list[Written], final: bool) -> float:
    """Return how long a bar is, by its notes and rests. What only goes forward counts where every
    part does so, but not at the end: the final bar may be incomplete.
    """
    if final or any(0 < written.filled == written.length for written in here):
        return max(written.filled for written in here)
    return max(written.length for written in here)


def _lines(part: Part, numbers: dict, played: list[tuple[int, float]], fermatas: list,
           kept: reading.Kept, place: int) -> list[list[Note]]:
    """Return the notes of a part's voices, tied ones joined; add the spans under a fermata.

    Args:
        part: the part.
        numbers: the numbers of its voices in the score, by name.
        played: (bar, where it begins in quarters), in the order of playing.
        fermatas: list to which (first step, step after the last) is added.
        kept: what is kept, counted.
        place: number of the part, from 0.
    """
    lines: dict[int, list[Note]] = defaultdict(list)
    seen: set[int] = set()
    for bar, at in played:
        for sound in part.bars[bar].sounds if bar < len(part.bars) else ():
            begin, end = reading.to_step(at + sound.begin), reading.to_step(at + sound.end)
            number = numbers.get(part.voice(sound))
            if sound.fermata and begin < end:
                fermatas.append((begin, end))
            if sound.pitch == REST:
                continue
            if number is not None and begin < end:
                _append(lines[number], Note(number, sound.pitch, begin, end), sound.tied,
                        f"part {place + 1}, bar {part.bars[bar].number or bar + 1}")
            elif bar not in seen:
                kept["notes"] -= 1
                kept[reading.SHORT] += begin == end
        seen.add(bar)
    return list(lines.values())


def _append(line: list[Note], note: Note, tied: bool, place: str) -> None:
    """Append a note to a voice, or let the last one last longer: tied notes and unisons are one."""
    last = line[-1] if line else Note(0, REST, -1, -1)
    if last.pitch == note.pitch and (last.start == note.start or (tied and last.end == note.start)):
        line[-1] = last._replace(end=max(last.end, note.end))
    elif note.start == last.start or note.start < last.end - 1:
        raise ValueError(f"It has two notes at once in {place}. Keep one voice a part, such as the "
                         "melody alone.")
    else:
        line.append(note)
