"""Small score files, made in code."""
import io
import struct
import zipfile

from course_utils.scores import melodies

DIVISIONS = 24
MARKS = {"'": "<cue/>", ",": "<grace/>", "+": "<chord/>"}
BACKWARD = '<barline location="right"><repeat direction="backward"/></barline>'
FORWARD = '<barline location="left"><repeat direction="forward"/></barline>'


def xml_note(word: str, voice: str = "", staff: str = "") -> str:
    """Write "C#5:2", a note of two quarters, as MusicXML; r rests, * has no pitch.

    Marks at the end: ' cue, comma grace, + in a chord, ~ tied to the next, _ tied from the last,
    ^ under a fermata.
    """
    body = word.rstrip("',+~_^")
    marks = word[len(body) :]
    name, _, quarters = body.partition(":")
    what = {"r": "<rest/>", "*": "<unpitched/>"}.get(name) or (
        f"<pitch><step>{name[0]}</step><alter>{name.count('#') - name.count('b')}</alter>"
        f"<octave>{name.lstrip('ABCDEFG#b')}</octave></pitch>")
    length = "" if "," in marks else (
        f"<duration>{round(float(quarters or 1) * DIVISIONS)}</duration>")
    ties = "".join(f'<tie type="{kind}"/>' for sign, kind in (("_", "stop"), ("~", "start"))
                   if sign in marks)
    fermata = "<notations><fermata/></notations>" if "^" in marks else ""
    return ("<note>" + "".join(text for mark, text in MARKS.items() if mark in marks) + what
            + length + ties + (voice and f"<voice>{voice}</voice>")
            + (staff and f"<staff>{staff}</staff>") + fermata + "</note>")


def bar(*layers: str, before: str = "", after: str = "", names: str = "", staves: str = "") -> str:
    """Write a bar of one or more layers of words; `names` and `staves` give each a letter."""
    back = f"<backup><duration>{4 * DIVISIONS}</duration></backup>"
    written = ["".join(xml_note(word, names[i : i + 1], staves[i : i + 1])
                       for word in layer.split()) for i, layer in enumerate(layers)]
    return before + back.join(written) + after


def time(beats: str, kind: str = "4") -> str:
    return (f"<attributes><time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>"
            "</attributes>")


def key(fifths: str, mode: str = "") -> str:
    mode = mode and f"<mode>{mode}</mode>"
    return f"<attributes><key><fifths>{fifths}</fifths>{mode}</key></attributes>"


def sound(**attributes: str) -> str:
    listed = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<direction><sound {listed}/></direction>"


def words(text: str) -> str:
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


def sign(name: str) -> str:
    return f"<direction><direction-type><{name}/></direction-type></direction>"


def ending(numbers: str, kind: str) -> str:
    side = "left" if kind == "start" else "right"
    return f'<barline location="{side}"><ending number="{numbers}" type="{kind}"/></barline>'


def musicxml(*parts: list[str], head: str = "", first: int = 1) -> bytes:
    """Write parts, each a list of bars, as a file; without another metre it is in 4/4."""
    start = f"<attributes><divisions>{DIVISIONS}</divisions></attributes>"
    body = ""
    for number, bars in enumerate(parts, 1):
        written = "".join(f'<measure number="{n}">{start if n == first else ""}{text}</measure>'
                          for n, text in enumerate(bars, first))
        body += f'<part id="P{number}">{written}</part>'
    return (f'<?xml version="1.0" encoding="UTF-8"?><score-partwise>{head}{body}'
            "</score-partwise>").encode()


def mxl(named: str | None, **files: bytes) -> bytes:
    """Pack files (x_y becomes x.y) as compressed MusicXML, whose container names one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        if named:
            archive.writestr("META-INF/container.xml", "<container><rootfiles><rootfile "
                             f'full-path="{named}"/></rootfiles></container>')
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


def number(value: int) -> bytes:
    """Write a number as MIDI does, seven bits a byte."""
    return (number(value >> 7)[:-1] + bytes([value >> 7 & 0x7F | 0x80]) if value > 127
            else b"") + bytes([value & 0x7F])


def played(text: str, channel: int = 0, beat: int = 480) -> list[tuple[int, bytes]]:
    """List the events, at ticks, of a melody typed as in `melodies.parse_melody`."""
    events, at = [], 0
    for word in text.split():
        name, _, quarters = word.partition(":")
        end = at + round(float(quarters or 1) * beat)
        if name != "r":
            pitch = int(melodies.parse_melody(name).pitches[0, 0])
            events += [(at, bytes([0x90 + channel, pitch, 80])),
                       (end, bytes([0x80 + channel, pitch, 0]))]
        at = end
    return events


def meta(kind: int, *data: int) -> bytes:
    return bytes([0xFF, kind, len(data), *data])


def chunk(events: list[tuple[int, bytes]], end: int | None = 0) -> bytes:
    """Write a track; its end stands `end` ticks after the last event, or (None) is missing."""
    data, last = b"", 0
    for at, event in sorted(events, key=lambda pair: (pair[0], pair[1][0] // 16 != 8)):
        data, last = data + number(at - last) + event, at
    data += b"" if end is None else number(end) + meta(0x2F)
    return b"MTrk" + struct.pack(">I", len(data)) + data


def midi(*chunks: bytes, kind: int = 1, beat: int = 480, tracks: int | None = None) -> bytes:
    promised = len(chunks) if tracks is None else tracks
    return b"MThd" + struct.pack(">IHHh", 6, kind, promised, beat) + b"".join(chunks)
