"""Scores on paper: how a grid of notes is written down, and its picture."""
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np

from course_utils import environment
from course_utils.scores import (
    REST,
    SEMITONES,
    STEPS_PER_QUARTER,
    VOICES,
    Score,
    bars,
    excerpt,
    time_signature,
    voice_name,
)

LETTERS = "FCGDAEB"  # along the circle of fifths
# lengths of a beat or more, and the multiples of a step where they may begin
GRID = {24: 8, 16: 4, 12: 4, 8: 4, 6: 2, 4: 2}
PAGE = {"scale": 42, "pageHeight": 60000, "adjustPageHeight": True, "footer": "none",
        "staffLineWidth": 0.2, "pageMarginLeft": 80, "svgViewBox": True, "svgRemoveXlink": True,
        "svgFormatRaw": True}


class Head(NamedTuple):
    """One written note or rest: MIDI pitch or -1, first step, length in steps, tie ("", start,
    continue, stop), fermata.
    """
    pitch: int
    start: int
    length: int
    tie: str
    fermata: bool


def sharps(score: Score) -> int:
    """Return the key signature: number of sharps, or of flats if negative, -5..6.

    Without a key, it is the signature that needs the fewest accidentals.
    """
    if score.key is not None:
        return (7 * (score.key + 3 * (score.key >= 12)) + 5) % 12 - 5
    fifths = np.bincount(7 * score.pitches[score.pitches != REST] % 12, minlength=12)
    return max(range(-5, 7), key=lambda n: (sum(fifths[(n + i) % 12] for i in range(-1, 6)),
                                            -abs(n)))


def spell(pitch: int, signature: int) -> tuple[str, int]:
    """Name a MIDI pitch in a key, by name and octave, such as ("F#", 4) or ("B-", 3).

    Of a pitch's names it is the one that lies between two fifths below the major tonic and nine
    above: the degrees of the scale, the lowered seventh, and the raised degrees that lead to
    another.

    Args:
        pitch: MIDI note number.
        signature: sharps of the key signature, or flats if negative.
    """
    fifth = signature - 2 + (7 * pitch - signature + 2) % 12
    letter, alter = LETTERS[(fifth + 1) % 7], (fifth + 1) // 7
    return letter + ("#" * alter or "-" * -alter), (pitch - alter - SEMITONES[letter]) // 12 - 1


def lengths(beat: int, steps: int) -> list[int]:
    """Break a span of steps that begins at a beat of the bar into lengths that can be written as
    one (dotted) note each.
    """
    written = []
    while steps:
        off_beat = beat % STEPS_PER_QUARTER
        if steps in GRID and beat % GRID[steps] == 0:
            length = steps
        elif off_beat or steps < STEPS_PER_QUARTER:
            length = min(steps, STEPS_PER_QUARTER - off_beat)
        else:
            length = next(n for n, grid in GRID.items() if n <= steps and beat % grid == 0)
        written.append(length)
        beat, steps = beat + length, steps - length
    return written


def heads(score: Score) -> list[list[Head]]:
    """Write every voice as notes and rests that cross no bar line and have a length that can be
    written, tied as needed.
    """
    voices = [_spans(pitches, onsets) for pitches, onsets in zip(score.pitches.T, score.onsets.T)]
    edges = np.flatnonzero(
        np.diff(np.concatenate([[False], score.fermata, [False]]).astype(np.int8))).tolist()
    signs: list[list] = [[] for _ in voices]
    for fermata in zip(edges[::2], edges[1::2]):
        for voice in _bearers(voices, *fermata):
            signs[voice].append(fermata)
    borders = {begin for begin, _ in bars(score)}
    return [[head for span in spans for head in _heads(span, score.beat, borders, sign)]
            for spans, sign in zip(voices, signs)]


def _spans(pitches: np.ndarray, onsets: np.ndarray) -> list[tuple[int, int, int]]:
    """List a voice's notes and rests as (pitch or -1, first step, step after the last)."""
    rests = (pitches == REST) & np.append(True, pitches[:-1] != REST)
    borders = [*np.flatnonzero(onsets | rests).tolist(), len(pitches)]
    return [(int(pitches[a]), a, b) for a, b in zip(borders, borders[1:])]


def _bearers(voices: list[list], begin: int, end: int) -> list[int]:
    """Return which voices carry a fermata: those with exactly one note under it, or else the one
    that moves least.
    """
    inside = [[span for span in spans if span[1] < end and span[2] > begin] for spans in voices]
    exact = [v for v, spans in enumerate(inside) if len(spans) == 1 and spans[0][0] != REST
             and spans[0][1:] == (begin, end)]
    return (exact
            or [min(range(len(voices)), key=lambda v: (max(inside[v])[0] == REST, len(inside[v])))])


def _heads(span: tuple[int, int, int], beat: np.ndarray, borders: set[int],
           signs: list) -> list[Head]:
    """Cut one note or rest at bar lines, at the ends of a fermata, and into lengths that can be
    written.
    """
    pitch, start, end = span
    cuts = [c for c in sorted(borders.union(*signs)) if start < c < end]
    written = []
    for a, b in zip([start, *cuts], [*cuts, end]):
        for length in lengths(int(beat[a]), b - a):
            written.append(Head(pitch, a, length, "continue", any(x <= a < y for x, y in signs)))
            a += length
    if len(written) == 1 or pitch == REST:
        return [head._replace(tie="") for head in written]
    return [written[0]._replace(tie="start"), *written[1:-1], written[-1]._replace(tie="stop")]


def notate(score: Score, staves: Sequence[Sequence[int]], comment: str = ""):
    """Write a score down with music21: bars, clefs, signatures, ties, fermatas, accidentals and
    beams.

    Args:
        score: the music.
        staves: the voices on each staff, from the top, such as `((0, 1), (2, 3))`.
        comment: where the music comes from, kept in the metadata.

    Returns:
        A `music21.stream.Score`.
    """
    from music21 import layout, metadata, stream

    music = stream.Score()
    music.insert(0, metadata.Metadata(movementName=score.title or "Untitled"))
    if comment:
        music.metadata.addCustom("comment", comment)
    signature, voices, spans = sharps(score), heads(score), bars(score)
    for staff in staves:
        part = stream.Part(id=f"P{staff[0] + 1}")
        names = [voice_name(score, v) for v in staff]
        part.partName = names[0] if len(names) == 1 else " ".join(f"{name[0]}." for name in names)
        for number, (begin, end) in enumerate(spans, start=0 if score.beat[0] else 1):
            measure = _measure(score, number, begin, staff, signature)
            here = [[head for head in voices[v] if begin <= head.start < end] for v in staff]
            _fill(measure, here if len(staff) == 1 else _one_fermata(here, staff == staves[0]),
                  begin, signature)
            part.append(measure)
        measure.rightBarline = "final"
        part.makeBeams(inPlace=True, setStemDirections=False)
        music.insert(0, part)
    if len(staves) > 1:
        music.insert(0, layout.StaffGroup(list(music.parts), symbol="bracket", barTogether=True))
    return music


def _one_fermata(voices: list[list[Head]], top: bool) -> list[list[Head]]:
    """Keep one sign of each fermata on a staff of two voices: above the upper staff, below the
    lower.
    """
    outer = 0 if top else 1
    signed = {head.start for head in voices[outer] if head.fermata}
    inner = [head._replace(fermata=head.fermata and head.start not in signed)
             for head in voices[1 - outer]]
    return [voices[outer], inner] if top else [inner, voices[outer]]


def _measure(score: Score, number: int, begin: int, staff: Sequence[int], signature: int):
    """Return an empty bar with what stands in front of its notes."""
    from music21 import key, meter, stream

    measure = stream.Measure(number=number)
    measure.paddingLeft = int(score.beat[begin]) / STEPS_PER_QUARTER
    if begin == 0:
        mode = None if score.key is None else "minor" if score.key >= 12 else "major"
        measure.insert(0, _clef(score, staff))
        measure.insert(0,
                       key.KeySignature(signature).asKey(mode) if mode
                       else key.KeySignature(signature))
        measure.showNumber = (stream.enums.ShowNumber.NEVER if number == 0
                              else stream.enums.ShowNumber.DEFAULT)
    if begin == 0 or score.bar[begin] != score.bar[begin - 1]:
        measure.insert(0,
                       meter.TimeSignature("{}/{}".format(*time_signature(int(score.bar[begin])))))
    return measure


def _clef(score: Score, staff: Sequence[int]):
    """Return the clef that the staff's lowest voice reads: by its name in four parts, otherwise by
    how high it lies.
    """
    from music21 import clef

    lowest = voice_name(score, staff[-1])
    if lowest in VOICES:
        return {"Tenor": clef.Treble8vbClef, "Bass": clef.BassClef}.get(lowest, clef.TrebleClef)()
    sounding = score.pitches[:, staff[-1]][score.pitches[:, staff[-1]] != REST]
    return clef.BassClef() if sounding.size and np.median(sounding) < 59 else clef.TrebleClef()


def _fill(measure, voices: list[list[Head]], begin: int, signature: int) -> None:
    """Put the notes of one staff into a bar; of two voices, the upper has its stems up and the
    lower down.
    """
    from music21 import stream

    placed = []
    for rank, written in enumerate(voices):
        layer = measure if len(voices) == 1 else stream.Voice(id=str(rank + 1))
        for head in written:
            item = _item(head, signature, lower=rank > 0)
            if len(voices) > 1 and head.pitch != REST:
                item.stemDirection = "down" if rank else "up"
            layer.insert((head.start - begin) / STEPS_PER_QUARTER, item)
            placed.append((head, item))
        if layer is not measure:
            measure.insert(0, layer)
    _show_accidentals(sorted(placed, key=lambda pair: pair[0].start), signature)


def _item(head: Head, signature: int, lower: bool):
    """Make the music21 object of a written note or rest."""
    from music21 import expressions, note, tie

    if head.pitch == REST:
        item = note.Rest()
    else:
        name, octave = spell(head.pitch, signature)
        item = note.Note(name, octave=octave)
    item.quarterLength = head.length / STEPS_PER_QUARTER
    if head.tie:
        item.tie = tie.Tie(head.tie)
    if head.fermata:
        sign = expressions.Fermata()
        sign.type = "inverted" if lower else "upright"
        item.expressions.append(sign)
    return item


def _show_accidentals(placed: list, signature: int) -> None:
    """Show an accidental where the note differs from the signature and from the last such note in
    the bar.
    """
    usual = dict.fromkeys(LETTERS[:signature] if signature > 0 else LETTERS[signature:] if signature
                          else "", np.sign(signature))
    seen: dict = {}
    for head, item in placed:
        if head.pitch == REST:
            continue
        place, alter = (item.pitch.step, item.pitch.octave), int(item.pitch.alter)
        shown = (head.tie in ("", "start")
                 and seen.get(place, usual.get(item.pitch.step, 0)) != alter)
        if shown:
            seen[place] = alter
        if shown and not alter:
            item.pitch.accidental = "natural"
        if item.pitch.accidental is not None:
            item.pitch.accidental.displayStatus = shown


def musicxml(score: Score, staves: Sequence[Sequence[int]], comment: str = "") -> bytes:
    """Return a score as the text of a MusicXML file; see `notate`."""
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    exporter = GeneralObjectExporter(notate(score, staves, comment))
    exporter.makeNotation = False
    text = exporter.parse().decode().replace('<creator type="composer">Music21</creator>', "")
    for number, name in enumerate(re.findall(r'<score-part id="(\w+)"', text), 1):
        text = text.replace(f'"{name}"', f'"P{number}"')  # music21 draws these names at random
    return re.sub(r"\s*<encoding-date>.*?</encoding-date>", "", text).encode()


def engrave(score: Score, path: str | Path | None = None, width: int = 1000,
            first_bars: int | None = None) -> str:
    """Draw a score as one page: four voices on two staves, as choirs read them, fewer or more on a
    staff each.

    Args:
        score: the music.
        path: file to write, which ends in .svg; None to write none.
        width: width of the page in pixels, 300..4000; the height follows.
        first_bars: number of bars to draw, from the beginning; None for all.

    Returns:
        An SVG element (white page, title for screen readers) that can stand in HTML.

    Raises:
        ValueError: if the width or the number of bars is out of range, or the ending is another.
        OSError: if the file cannot be written.
    """
    import verovio

    if not 300 <= width <= 4000 or (first_bars is not None and first_bars < 1):
        raise ValueError(f"The width is 300 to 4000 pixels, and first_bars at least 1, not {width} "
                         f"and {first_bars}.")
    if path is not None and Path(path).suffix.lower() != ".svg":
        raise ValueError(f"The picture is an SVG file: let '{path}' end in .svg.")
    if first_bars:
        score = excerpt(score, 0, bars(score)[:first_bars][-1][1])
    count = score.pitches.shape[1]
    staves = ((0, 1), (2, 3)) if count == 4 else tuple((v,) for v in range(count))
    verovio.enableLog(verovio.LOG_ERROR)
    toolkit = verovio.toolkit()
    seed = zlib.crc32(score.pitches.tobytes() + score.title.encode()) % 2**30 + 1
    header = "auto" if score.title else "none"
    toolkit.setOptions(PAGE | {"pageWidth": width * 100 // PAGE["scale"], "header": header,
                               "xmlIdSeed": seed})
    toolkit.loadData(musicxml(score, staves).decode())
    svg = _tidy(toolkit.renderToSVG(1), score)
    if path is not None:
        with environment.writing(path) as temporary:
            temporary.write_text(svg, encoding="utf-8")
    return svg


def _tidy(svg: str, score: Score) -> str:
    """Give an engraved page a name for screen readers and white paper, and take out the wrapping of
    its hundreds of parts.
    """
    name = escape(f"{score.title or 'Score'}: {score.pitches.shape[1]} voices, {len(bars(score))} "
                  "bars", {'"': "&quot;"})
    head, body = svg.split("</defs>", 1)
    body = re.sub(r"<title.*?</title>| id=\"[^\"]*\"| class=\"(?!mNum|[a-z "
                  r"]*placeholder|definition-scale)[^\"]*\"", "", body)
    count = 1
    while count:
        body, count = re.subn(
            r"<g/>|<g>((?:<(?:path|use|rect|ellipse|polygon|polyline)\b[^>]*/>)*)</g>", r"\1", body)
    _, _, page_width, page_height = re.search(r'viewBox="([^"]*)"', head)[1].split()
    paper = (f'<title>{name}</title><rect width="100%" height="100%" style="fill: white; stroke: '
             'none"/>')
    root = (f'<svg role="img" aria-label="{name}" width="{page_width}" height="{page_height}" '
            'style="max-width: 100%; height: auto" ')
    # The title is data: it never stands in a template, where a backslash would mean something.
    _, _, inner = head.partition("<svg ")
    attributes, _, definitions = inner.partition(">")
    return f"{root}{attributes}>{paper}{definitions}</defs>{body}"


def show(score: Score, width: int = 800, first_bars: int | None = None):
    """Show a score in a notebook, no wider than the page; arguments as `engrave`.

    Returns:
        An `IPython.display.SVG`, which GitHub's preview shows too (it takes pictures out of HTML).
    """
    from IPython.display import SVG

    return SVG(engrave(score, width=width, first_bars=first_bars))
