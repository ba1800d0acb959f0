"""Score files as the world has them: what is right for each kind, and what is refused."""
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course_utils import scores
from course_utils.scores import Score, melodies, musicxml_reader, planning, reading, score_files
from tests.scores.makers import (
    BACKWARD,
    FORWARD,
    bar,
    chunk,
    ending,
    key,
    meta,
    midi,
    musicxml,
    mxl,
    number,
    played,
    sign,
    sound,
    time,
    words,
)

CASES = Path(__file__).parent / "cases"
A, B, C, D, E, F = (bar(f"{name}:4") for name in ("A4", "B4", "C5", "D5", "E5", "F5"))
SCALE = "G4 A4 B4 C5 D5 C5 B4 G4"
UP, HIGH, LOW = "C5 D5 E5 F5", "G5 G5 A5 A5", "E5 E5 D5 D5"
TUNE = chunk(played(SCALE))


def plain(*names: str) -> str:
    """Write whole notes as a melody, such as "A4:4 B4:4"."""
    return " ".join(f"{name}{5 if name in 'CDEF' else 4}:4" for name in "".join(names).split())


def after(text: str, *others: str) -> str:
    return text + "".join(others)


def events(*lists) -> bytes:
    return chunk([event for found in lists for event in found])


ONE, TWO = ending("1", "start"), ending("2", "start")
STOP = ending("1", "stop").replace("</b", '<repeat direction="backward"/></b')
OPEN = ending("2", "discontinue")
TIMES = '<barline location="right"><repeat direction="backward" times="3"/></barline>'
SHIFT = ("<attributes><transpose><diatonic>{}</diatonic><chromatic>{}</chromatic>{}</transpose>"
         "</attributes>")
METRONOME = ("<direction><direction-type><metronome><beat-unit>{}</beat-unit>{}<per-minute>{}"
             "</per-minute></metronome></direction-type></direction>")
NO_KEY = {"key": None}

# name: (file, its voices as typed melodies, what else is right, words of what is told)
MIDI = {"progchange": ("progchange.mid", [SCALE], {}, ""),
        "type0_satb": ("type0_satb.mid",
                       ["G4:2 A4:2 B4:4", "D4 D4 D4:2 D4:4", "B3:2 C4:2 D4:4", "G3 F#3 F#3:2 G3:4"],
                       {}, ""), "no_last_off": ("no_last_off.mid", [SCALE], {}, ""),
        "n32": ("n32.mid", ["C4:.25 D4:.25 E4:.25 F#4:.25 G#4:.25 A#4:.25 C4:.25 D4:.25"], {},
                r"shorter than a sixteenth \(8\)"),
        "tsig_track2": ("tsig_track2.mid", ["G4 " * 12], {"bar": 12, "key": 12, "tempo": 120}, ""),
        "ks_18flats": ("ks_18flats.mid", [SCALE], {"key": None}, "make no sense"),
        "alien_chunk": ("alien_chunk.mid", [SCALE], {}, ""), "rmid": ("rmid.mid", [SCALE], {}, ""),
        "tempo240": ("tempo240.mid", [SCALE], {"tempo": 240, "title": "tempo240"}, ""),
        "running status":
        (midi(b"MTrk\0\0\0\x10" + b"\0\x90\x43\x50\x60\x43\0\0\x45\x50\x60\x45\0\0\xb0\7",
              beat=96)[:-3].replace(b"\0\0\0\x10", b"\0\0\0\x0d"), ["G4 A4"], {}, ""),
        "missing end of track": (midi(chunk(played(SCALE), end=None)), [SCALE], {}, ""),
        "junk after it": (midi(TUNE) + b"junk" * 50, [SCALE], {}, ""),
        "junk after the end of the track":
        (midi(TUNE[:7] + bytes([TUNE[7] + 4]) + TUNE[8:] + b"\xff" * 4), [SCALE], {}, ""),
        "an alien chunk between tracks":
        (midi(TUNE, b"XFKM\0\0\0\3abc", chunk(played("C4:8")), tracks=2), [SCALE, "C4:8"], {}, ""),
        "an alien chunk with a wrong length":
        (midi(b"JUNK\0\0\xff\xff", TUNE, tracks=1), [SCALE], {}, ""),
        "a MacBinary header": (b"\0" * 128 + midi(TUNE), [SCALE], {}, ""),
        "a long header": (b"MThd\0\0\0\x08" + midi(TUNE)[8:14] + b"\0\0" + TUNE, [SCALE], {}, ""),
        "20 tracks": (midi(*[chunk(played("C4 D4"))] * 20), ["C4 D4"] * 20, {}, ""),
        "100 tracks": (midi(*[chunk(played("C4 D4"))] * 100), ["C4 D4"] * 64, {}, r"voices \(36\)"),
        "channels of one track": (midi(events(played("C5 D5", 3), played("E4:2", 1))),
                                  ["E4:2", "C5 D5"], {}, ""),
        "the same channel in two tracks": (midi(chunk(played("C5 D5")), chunk(played("E4:2"))),
                                           ["C5 D5", "E4:2"], {}, ""),
        "programs at every note":
        (midi(events(played(SCALE), [(480 * i, bytes([0xC0, i])) for i in range(8)])), [SCALE], {},
         ""), "drums": (midi(events(played(SCALE), played("C2 C2", 9))), [SCALE], {},
                        r"drum notes \(2\)"),
        "tracks are missing": (midi(TUNE, tracks=3), [SCALE], {}, "2 of 3 tracks are missing"),
        "unison in a track": (midi(events(played("C5:2 D5"), played("C5:1"))), ["C5:2 D5"], {}, ""),
        "a stuck note":
        (midi(events([(0, b"\x90\x43\x50")], [(t + 480, e) for t, e in played("A4 B4")])),
         ["G4 A4 B4"], {}, ""),
        "struck again without an end":
        (midi(chunk([(0, b"\x90\x43\x50"), (480, b"\x90\x43\x50"), (960, b"\x80\x43\0")])),
         ["G4 G4"], {}, ""),
        "the end of the track at the last note":
        (midi(chunk([*played("G4"), (480, b"\x90\x45\x50")])), ["G4 A4:.25"], {}, ""),
        "pick-up":
        (midi(chunk(played("G4 " * 9)),
              events([(0, meta(0x58, 1, 2, 24, 8)), (480, meta(0x58, 4, 2, 24, 8))])), ["G4 " * 9],
         {"bar": 16, "beat": 12}, ""),
        "changing metres":
        (
    midi(events(played("G4 " * 10),
                [(0, meta(0x58, 3, 2, 24, 8)), (2880, meta(0x58, 4, 2, 24, 8))])), ["G4 " * 10],
    {"bars": [12, 12, 16]}, ""),
    "a metre of nothing": (midi(events(played(SCALE), [(0, meta(0x58, 0, 2, 24, 8))])), [SCALE],
                           {"bar": 16}, "make no sense"),
    "a key of no mode": (midi(events(played(SCALE), [(0, meta(0x59, 0, 7))])), [SCALE],
                         {"key": None}, "make no sense"),
    "key and tempo in the last track":
    (midi(TUNE, events([(0, meta(0x59, 2, 0)), (0, meta(0x51, 10, 44, 42))])), [SCALE],
     {"key": 2, "tempo": pytest.approx(90, abs=0.01)}, ""),
    "a tempo of nothing": (midi(events(played(SCALE), [(0, meta(0x51, 0, 0, 0))])), [SCALE],
                           {"tempo": None}, ""),
    "triplets": (midi(chunk(played("G4:.3333 A4:.3333 B4:.3333 C5"))), ["G4:.25 A4:.5 B4:.25 C5"],
                 {}, ""), "a long beat": (midi(chunk(played(SCALE, beat=30000)), beat=30000),
                                          [SCALE], {}, ""),
    "system exclusive": (midi(events(played(SCALE), [(0, b"\xf0\x03ab\xf7")])), [SCALE], {}, ""),
    "metre far out": (midi(events(played(SCALE), [(10**8, meta(0x58, 3, 2, 24, 8))])), [SCALE],
                      {"bar": 16}, "")}

MUSICXML = {
    "ends2": ("ends2.musicxml", [f"{UP} " * 4], {"length": 64}, ""),
    "ten ends": (musicxml([after(A, BACKWARD)] * 10), ["A4:4 " * 20], {}, ""),
    "repeat_top_only": ("repeat_top_only.musicxml", [f"{UP} {UP} {HIGH}", "C4 B3 C4 A3 " * 2
                                                     + "E4 E4 F4 F4"], {"length": 48}, ""),
    "repeat below only": (musicxml([A, B], [after(C, BACKWARD), D]),
                          [plain("A A B"), plain("C C D")], {}, ""),
    "forward_only": ("forward_only.musicxml", [f"{UP} {HIGH} {LOW}"], {}, ""),
    "single repeat": (musicxml([after(A, BACKWARD), B]), [plain("A A B")], {}, ""),
    "repeat in the middle": (musicxml([A, FORWARD + B, after(C, BACKWARD), D]),
                             [plain("A B C B C D")], {}, ""),
    "triple repeat": (musicxml([after(A, TIMES), B]), [plain("A A A B")], {}, ""),
    "closed twice": (musicxml([FORWARD + A, after(B, BACKWARD), after(C, BACKWARD)]),
                     [plain("A B A B C C")], {}, ""),
    "closed on the left of the next": (musicxml([A, '<barline location="left"><repeat '
                                                 'direction="backward"/></barline>' + B]),
                                       [plain("A A B")], {}, ""),
    "voltas": (musicxml([A, ONE + B + STOP, TWO + C + OPEN, D]), [plain("A B A C D")], {}, ""),
    "voltas below only": (musicxml([A, B, C, D], [A, ONE + B + STOP, TWO + C + OPEN, D]),
                          [plain("A B A C D")] * 2, {}, ""),
    "volta 1, 2": (musicxml([A, ending("1, 2", "start") + B + STOP, ending("3", "start") + C]),
                   [plain("A B A B A C")], {}, ""),
    "volta without a second": (musicxml([A, ONE + B + STOP, C]), [plain("A B A C")], {}, ""),
    "two groups of voltas": (musicxml([A, ONE + B + STOP, TWO + C + OPEN] * 2),
                             [plain("A B A C A B A C")], {}, ""),
    "da capo": (musicxml([A, after(B, sound(dacapo="yes"))]), [plain("A B A B")], {}, ""),
    "da capo al fine": (musicxml([after(A, words("Fine")), after(B, words("D.C. al Fine"))]),
                        [plain("A B A")], {}, ""),
    "da capo in one part": (musicxml([A, B, C], [after(D, sound(fine="yes")), E,
                                                 after(F, sound(dacapo="yes"))]),
                            [plain("A B C A"), plain("D E F D")], {}, ""),
    "dal segno al coda": (musicxml([A, sign("segno") + B, after(C, words("To Coda")),
                                    after(D, words("D.S. al Coda")), sign("coda") + E]),
                          [plain("A B C D B C E")], {}, ""),
    "dal segno, by sounds": (musicxml([A, sound(segno="s") + B, after(C, sound(tocoda="c")),
                                       after(D, sound(dalsegno="s")), sound(coda="c") + E]),
                             [plain("A B C D B C E")], {}, ""),
    "a minuet": (musicxml([after(A, BACKWARD), after(B, words("Fine"), BACKWARD),
                           after(C, BACKWARD), after(D, BACKWARD, words("Da Capo al Fine"))]),
                 [plain("A A B B C C D D A B")], {}, ""),
    "dal segno without a segno": (musicxml([A, after(B, words("D.S."))]), [plain("A B")], {},
                                  "no segno and is passed over"),
    "no_divisions": ("no_divisions.musicxml", [f"{UP} {HIGH}"], {}, ""),
    "satb_clap": ("satb_clap.musicxml", ["C5 D5 E5 D5 r:4 G5 F5 E5 D5", "G4 " * 8
                                         + "C5 B4 C5 B4"], {}, r"without a pitch \(4\)"),
    "a part of drums": (musicxml([bar("* * * *")], [A]), ["A4:4"], {}, r"without a pitch \(4\)"),
    "mode_dorian": ("mode_dorian.musicxml", ["D5 E5 F5 G5 A5 G5 F5 D5"], NO_KEY, ""),
    "mixolydian on one flat": (musicxml([key("-1", "mixolydian") + C]), ["C5:4"], NO_KEY, ""),
    "aeolian": (musicxml([key("-3", "aeolian") + C]), ["C5:4"], {"key": 12}, ""),
    "a signature without mode": (musicxml([key("2") + D]), ["D5:4"], NO_KEY, ""),
    "18 flats": (musicxml([key("-18", "major") + D]), ["D5:4"], NO_KEY, ""),
    "cue": ("cue.musicxml", [f"{UP} r:4 {HIGH}"], {}, r"cue notes \(4\)"),
    "grace notes": (musicxml([bar("C5, D5 E5, F5:3")]), ["D5 F5:3"], {}, r"grace notes \(2\)"),
    "only the second voice sings": (musicxml([bar("A4:4", "C4:4", names="12"),
                                              bar("D4:4", names="2"),
                                              bar("B4:4", "E4:4", names="12")]),
                                    ["A4:4 r:4 B4:4", "C4:4 D4:4 E4:4"], {}, ""),
    "voices without names": (musicxml([bar("A4:4", "C4:4"), bar("B4:4", "D4:4")]),
                             ["A4:4 B4:4", "C4:4 D4:4"], {}, ""),
    "unisons of voices": (musicxml([bar("A4 B4:3", "A4 G4:3", names="12")]),
                          ["A4 B4:3", "A4 G4:3"], {}, ""),
    "a chord of one pitch": (musicxml([bar("A4:4 A4:4+")]), ["A4:4"], {}, ""),
    "closed score on two staves": (musicxml([bar("A4:4", "F4:4", "C4:4", "F3:4", names="1256",
                                                 staves="1122")]),
                                   ["A4:4", "F4:4", "C4:4", "F3:4"], {}, ""),
    "the same voice on two staves": (musicxml([bar("A4:4", "F3:4", names="11", staves="12")]),
                                     ["A4:4", "F3:4"], {}, ""),
    "a voice that wanders": (musicxml([bar("A4:2", names="1", staves="1")
                                       + bar("F3:2", names="1", staves="2")]), ["A4:2 F3:2"], {},
                             ""),
    "ties": (musicxml([bar("A4:2 B4:2~"), bar("B4:2_ B4:2")]), ["A4:2 B4:4 B4:2"], {}, ""),
    "a tie into a repeat": (musicxml([FORWARD + bar("A4:4~"), bar("A4:4_") + BACKWARD]),
                            ["A4:8 A4:8"], {}, ""),
    "a fermata": (musicxml([bar("A4:2 B4:2^")]), ["A4:2 B4:2"], {"fermata": 8}, ""),
    "triplet quavers": (musicxml([bar("A4:.33333 B4:.33333 C5:.33333 D5:3")]),
                        ["A4:.5 B4:.25 C5:.25 D5:3"], {}, ""),
    "thirty-seconds": (musicxml([bar("A4:.125 B4:.125 C5:.125 D5:.125 E5:3.5")]),
                       ["A4:.25 C5:.25 E5:3.5"], {}, r"shorter than a sixteenth \(2\)"),
    "clarinet in B flat": (musicxml([SHIFT.format(-1, -2, "") + key("2", "major") + D]),
                           ["C5:4"], {"key": 0}, ""),
    "an octave lower": (musicxml([SHIFT.format(0, 0, "<octave-change>-1</octave-change>") + D]),
                        ["D4:4"], {}, ""),
    "pick-up bar": (musicxml([bar("G4"), bar("A4 " * 4), bar("B4 " * 3)], first=0),
                    ["G4 " + "A4 " * 4 + "B4 " * 3], {"beat": 12, "length": 32}, ""),
    "changing bars": (musicxml([time("3") + bar("A4:3"), time("2+3", "8") + bar("B4:2.5"),
                                time("2", "2") + bar("C5:4")]), ["A4:3 B4:2.5 C5:4"],
                      {"bars": [12, 10, 16]}, ""),
    "no metre": (musicxml(["<attributes><time><senza-misura/></time></attributes>" + bar("A4:7")]),
                 ["A4:7"], {"bar": 28}, ""),
    "a rest longer than its bar": (musicxml([A, A], [bar("r:8"), C]), ["A4:4 A4:4", "r:4 C5:4"],
                                   {"length": 32}, ""),
    "an empty bar": (musicxml([A, "", B]), ["A4:4 r:4 B4:4"], {}, ""),
    "parts of different lengths": (musicxml([A, B], [C]), ["A4:4 B4:4", "C5:4 r:4"], {}, ""),
    "sound tempo": (musicxml([sound(tempo="96.5") + A]), ["A4:4"], {"tempo": 96.5}, ""),
    "metronome": (musicxml([A], [METRONOME.format("quarter", "<beat-unit-dot/>", "c. 60") + A]),
                  ["A4:4"] * 2, {"tempo": 90}, ""),
    "metronome that compares": (musicxml([METRONOME.format("quarter", "", "") + A]), ["A4:4"],
                                {"tempo": None}, ""),
    "title": (musicxml([A], head="<work><work-title> My\ntune.musicxml</work-title></work>"),
              ["A4:4"], {"title": "My tune"}, ""),
    "in order of time": (b"<score-timewise><measure><part id='a'>%b</part><part id='b'>%b</part>"
                         b"</measure><measure><part id='a'>%b</part></measure></score-timewise>"
                         % tuple(text.replace("96<", "4<").encode() for text in (A, C, B)),
                         ["A4:4 B4:4", "C5:4 r:4"], {}, ""),
    "UTF-16": (musicxml([A]).decode().replace("UTF-8", "UTF-16").encode("utf-16"), ["A4:4"], {},
               ""),
    "BOM": (b"\xef\xbb\xbf" + musicxml([A]), ["A4:4"], {}, ""),
    "blank lines in front": (b"\n\n" + musicxml([A]), ["A4:4"], {}, ""),
    "DOCTYPE": (musicxml([A]).replace(b"<score-p", b'<!DOCTYPE score-partwise PUBLIC "-//Recordare'
                                      b'//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/'
                                      b'dtds/partwise.dtd"><score-p', 1), ["A4:4"], {}, ""),
    "Latin letters": (musicxml([A], head="<work><work-title>\xdcbung</work-title></work>").decode()
                      .replace("UTF-8", "ISO-8859-1").encode("latin-1"), ["A4:4"],
                      {"title": "Übung"}, ""),
    "two_scores": ("two_scores.mxl", [UP], {}, ""),
    "no container": (mxl(None, a_musicxml=musicxml([A])), ["A4:4"], {}, ""),
    "a score in a folder": (mxl("b/b.xml", **{"a_xml": musicxml([B]), "b/b_xml": musicxml([A])}),
                            ["A4:4"], {}, ""),
}


def read(tmp_path, content: bytes | str, ending: str, told: list | None = None) -> Score:
    if isinstance(content, str):
        return score_files.read(CASES / content, told)
    (tmp_path / f"tune{ending}").write_bytes(content)
    return score_files.read(tmp_path / f"tune{ending}", told)


def ending_of(content) -> str:
    return (".mid" if b"MThd" in content else ".mxl" if content[:2] == b"PK" else ".musicxml"
            ) if isinstance(content, bytes) else ""


@pytest.mark.parametrize("name", [*MIDI, *MUSICXML])
def test_what_is_right(tmp_path, name):
    content, voices, facts, said = (MIDI | MUSICXML)[name]
    told: list[str] = []
    score = read(tmp_path, content, ending_of(content), told)
    assert score.pitches.shape[1] == len(voices)
    for voice, text in enumerate(voices):
        right = melodies.parse_melody(text)
        line = [note[1:] for note in scores.to_notes(score) if note.voice == voice]
        assert line == [note[1:] for note in scores.to_notes(right)], f"voice {voice + 1}"
    found = {"length": len(score), "bar": score.bar[0], "beat": score.beat[0], "key": score.key,
             "bars": [score.bar[a] for a, _ in scores.bars(score)], "tempo": score.tempo,
             "title": score.title, "fermata": score.fermata.sum()}
    assert {fact: found[fact] for fact in facts} == facts
    assert len(told) == bool(said)
    if said:
        assert re.search(said, told[0]) and told[0].startswith("'") and "\n" not in told[0]


def test_there_are_cases_enough():
    assert len(MIDI | MUSICXML) >= 60
    assert all(path.stat().st_size < 20_000 for path in CASES.iterdir())


HEAD = b"MThd\0\0\0\6\0\1\0\1"
REFUSED = {
    "huge_tick": ("huge_tick.mid", "8000 can be read"),
    "frames of a film": (HEAD + b"\xe7\x28" + TUNE, "frames of a film"),
    "no division": (HEAD + b"\0\0" + TUNE, "no beats"),
    "a track that breaks off": (midi(TUNE)[:-20], "damaged"),
    "a track that begins with data": (midi(b"MTrk\0\0\0\4\0\x43\x50\0"), "damaged"),
    "an endless number": (midi(b"MTrk\0\0\0\x08" + b"\xff" * 8), "damaged"),
    "a metre of 255 whole notes": (midi(events(played(SCALE), [(0, meta(0x58, 255, 0, 24, 8))])),
                                   "metre"),
    "an end far out": (midi(events(played(SCALE), [(10**8, meta(1, *b"end"))])), "8000"),
    "a chord": (midi(events(played("C5"), played("E5"))), "two notes at once in track 1"),
    "too many notes": (midi(b"MTrk" + (800_004).to_bytes(4, "big") + b"\0\x90\x40\x50" * 200_001),
                       "200000 notes"),
    "a long note": (musicxml([bar("A4:4").replace("96<", "999999999<")]), "8000"),
    "a duration of a milliard": (musicxml([A.replace("96<", "1000000000<")]), "1000000000"),
    "10000 beats": (musicxml([time("10000") + A]), "metre of 10000"),
    "no beats": (musicxml([time("0") + A]), "metre of 0"),
    "divisions of nothing": (musicxml([A]).replace(b"<divisions>24<", b"<divisions>0<"), "divi"),
    "played 100000 times": (musicxml([A + TIMES.replace("3", "100000")]), "100000 times"),
    "endings 1 to 9999": (musicxml([A, ending("1-9999", "start") + B + STOP]), "101 times"),
    "repeats without end": (musicxml([A + TIMES.replace("3", "90")] * 200), "8000|10000 bars"),
    "10001 bars": (musicxml([""] * 10_001), "10000 bars"),
    "octave 999999": (musicxml([A.replace("<octave>4", "<octave>999999")]), "octave"),
    "octave of letters": (musicxml([A.replace("<octave>4", "<octave>x")]), "damaged"),
    "a step of no scale": (musicxml([A.replace("<step>A", "<step>H")]), "name of a note"),
    "chords": (musicxml([A, bar("A4:4 C5:4+")]), "two notes at once in part 1, bar 2"),
    "only cue notes": (musicxml([bar("A4:4'")]), "no notes"),
    "entity bomb": (b'<!DOCTYPE a [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><score-partwise/>',
                    "entities"),
    "too deep": (musicxml(["<a>" * 60]), "too deep"),
    "an endless tag": (musicxml(["<a " + "b" * 2_500_000]), "MusicXML"),
    "no two names alike": (musicxml(["".join(f"<a{i}/>" for i in range(30_000))]), "MusicXML"),
    "too many elements": (musicxml(["<a/>" * 210_000]), "too large"),
    "a page": (b"<html></html>", "begins with <html>"),
    "an unknown encoding": (musicxml([A]).replace(b"UTF-8", b"KLINGON"), "MusicXML"),
    "an archive of nothing": (mxl(None), "No score"),
    "a container of nothing": (mxl("missing.xml", a_xml=musicxml([A])), "missing.xml"),
    "a container that is broken": (mxl('"<', a_xml=musicxml([A])), "container"),
    "an archive that is broken": (mxl(None, a_xml=musicxml([A]))[:-30], "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why_and_names_the_file(tmp_path, name):
    content, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path, content, ending_of(content))
    assert ("huge_tick" if isinstance(content, str) else "tune") in str(caught.value)


def test_an_archive_is_never_unpacked_beyond_its_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(musicxml_reader, "MOST_BYTES", 1000)
    path = tmp_path / "a.mxl"
    path.write_bytes(mxl(None, a_xml=b" " * 1001))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # refused before it is opened
    with pytest.raises(ValueError, match="a.mxl"):
        score_files.read(path)


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 60_000_000)
    size = (60_000_000).to_bytes(4, "little")
    (tmp_path / "a.mxl").write_bytes(packed.getvalue().replace(size, b"\1\0\0\0"))
    with pytest.raises(ValueError, match="a.mxl"):
        score_files.read(tmp_path / "a.mxl")


def test_a_file_packed_in_another_way_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.xml", musicxml([A]))
    with pytest.raises(ValueError, match="packed in another way"):
        score_files.read(tmp_path / "a.mxl")


def test_a_melody_keeps_its_tempo_and_what_is_left_out_is_told(tmp_path):
    assert planning.read_melody(CASES / "tempo240.mid")[1:] == (240, [])
    plan, tempo, told = planning.read_melody(CASES / "satb_clap.musicxml")
    assert plan.pitches.shape[1] == 4 and tempo == 80
    assert ["no tempo; 80" in line for line in told] == [False, True, False]
    assert "without a pitch" in told[0] and "2 voices" in told[2]
    (tmp_path / "fast.musicxml").write_bytes(musicxml([sound(tempo="1000") + A]))
    _, tempo, told = planning.read_melody(tmp_path / "fast.musicxml")
    assert tempo == 80 and "a tempo of 1000" in told[0] and "fast.musicxml" in told[0]


def test_a_melody_is_no_longer_than_what_can_be_played(tmp_path):
    from course_utils import synth

    assert planning.LONGEST + synth.TAIL <= synth.LONGEST
    (tmp_path / "long.mid").write_bytes(midi(chunk(played("C5:4 " * 420))))
    with pytest.raises(ValueError, match="long.mid.*21.0 minutes"):
        planning.read_melody(tmp_path / "long.mid")
    (tmp_path / "low.mid").write_bytes(midi(chunk(played("C2:4"))))
    with pytest.raises(ValueError, match="low.mid.*Transpose"):
        planning.read_melody(tmp_path / "low.mid")


@pytest.mark.parametrize("value", [0, 127, 128, 16383, 16384, 2**28 - 1])
def test_numbers_of_variable_length(value):
    from course_utils.scores import midi_reader

    assert midi_reader._number(number(value), 0) == (value, len(number(value)))


GOOD = [read[0] if isinstance(read[0], bytes) else (CASES / read[0]).read_bytes()
        for read in (MIDI | MUSICXML).values()]


def survives(folder, ending: str, content: bytes) -> None:
    """A file is a score, or refused with its name; its music is within bounds."""
    path, told = folder / f"tune{ending}", []
    path.write_bytes(content)
    try:
        score = score_files.read(path, told)
    except (ValueError, OSError) as error:
        assert str(path) in str(error)
        assert not any(f"({name}: " in str(error) for name in ("TypeError", "KeyError",
                                                               "IndexError", "AttributeError"))
        return
    assert len(score) <= reading.MOST_STEPS and score.pitches.shape[1] <= reading.MOST_VOICES
    assert (score.pitches != scores.REST).any() and all(str(path) in line for line in told)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@given(st.sampled_from([".mid", ".musicxml", ".mxl"]), st.binary(max_size=300),
       st.sampled_from([b"", HEAD + b"\1\xe0MTrk\0\0\0\x40", b"PK\3\4", b"<score-partwise>"]))
@example(".mid", b"\0\x90\x43\x50", HEAD + b"\1\xe0MTrk\0\0\0\4")
@settings(max_examples=300)
def test_any_bytes_are_a_score_or_refused(folder, ending, content, start):
    survives(folder, ending, start + content)


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4),
                                                 st.integers(0, 8)), min_size=1, max_size=6))
@settings(max_examples=500)
def test_good_files_with_faults_are_a_score_or_refused(folder, content, faults):
    where = ending_of(content)
    for place, put, cut in faults:
        at = int(place * len(content))
        content = content[:at] + put + content[at + cut :]
    survives(folder, where, content)


XML = [content.decode() for content in GOOD if ending_of(content) == ".musicxml"
       and content[:1] == b"<" and b"ISO-8859" not in content]
PIECES = [BACKWARD, FORWARD, ONE, TWO, STOP, OPEN, TIMES, sound(dacapo="yes"), sign("segno"),
          sign("coda"), words("D.S. al Coda"), words("Fine"), time("0"), time("9999"), "<chord/>",
          "<grace/>", "<cue/>", "<staff>2</staff>", "<voice>x</voice>", "<unpitched/>", "<rest/>",
          "<backup><duration>9</duration></backup>", "<forward><duration>9</duration></forward>",
          "999999999", "-1", "</measure><measure>", "<measure/>"]


@given(st.sampled_from(XML), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PIECES)),
                                      min_size=1, max_size=8))
@settings(max_examples=500)
def test_good_scores_with_odd_elements_are_a_score_or_refused(folder, text, added):
    for place, piece in added:
        at = text.find("<" if piece[0] == "<" else ">", int(place * len(text)))
        at = max(0, at + (piece[0] != "<"))
        text = text[:at] + piece + text[at:]
    survives(folder, ".musicxml", text.encode())
