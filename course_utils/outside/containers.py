"""How far a sound file goes, and the reader that gives all of it: libsndfile, or else FFmpeg.

libsndfile reads one stream, and of joined files it gives the first, so the file itself is asked.
FFmpeg decodes MP3 (see `_stops_early`), and what libsndfile does not know.
"""
import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from course_utils.outside.decoding import CHUNK, Decoded, bytes_at, check_same, leave_out

UNKNOWN = 2**60  # frames; libsndfile says 2**63 - 1 where a FLAC does not tell
SECOND_FLAC = b"fLaC\x00\x00\x00\x22"


class Layout(NamedTuple):
    """Where the files in a file begin, and how it ends: "well", "cut" (in the middle of something),
    "open" (without the mark that ends a stream) or "more" (after what the header tells).
    """
    starts: list[int]
    ends: str


class Joined:
    """Sound files one after the other in one, read by libsndfile like a single one."""

    extra_info = ""

    def __init__(self, parts: list[bytes], name: str):
        import soundfile

        self.name, self._files = name, [soundfile.SoundFile(io.BytesIO(part)) for part in parts]
        self.samplerate, self.channels = self._files[0].samplerate, self._files[0].channels
        for file in self._files:
            check_same(self, file.samplerate, file.channels)
        self.frames = sum(file.frames for file in self._files)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in self._files:
            file.close()

    def read(self, frames: int, **_) -> np.ndarray:
        """Return the next frames as float32 (frames, channels), fewer only at the very end."""
        blocks, wanted = [np.zeros((0, self.channels), np.float32)], frames
        for file in self._files:
            if wanted:
                blocks.append(file.read(wanted, dtype="float32", always_2d=True))
                wanted -= len(blocks[-1])
        return np.concatenate(blocks)

    def seek(self, start: int) -> None:
        """Leave out so many frames."""
        leave_out(self, start)


@contextlib.contextmanager
def opened(path: str | Path | BinaryIO, name: str) -> Iterator[tuple]:
    """Yield a reader of all sound in a file, and how the file ends (see `Layout`).

    The reader has samplerate in Hz, channels, frames, extra_info, seek and read, as a
    `soundfile.SoundFile` has.

    Args:
        path: a file, or an opened one.
        name: what messages call it.

    Raises:
        ValueError: if it is no sound that can be decoded, or changes its rate or its channels.
        OSError: if too little is left of it.
    """
    with _binary(path) as raw:
        found = layout(raw)
        target = path if isinstance(path, (str, os.PathLike)) else raw
        with _reader(target, raw, found, name) as file:
            yield file, found.ends


@contextlib.contextmanager
def _binary(path) -> Iterator[BinaryIO]:
    if isinstance(path, (str, os.PathLike)):
        with open(path, "rb") as raw:
            yield raw
        return
    if isinstance(path.read(0), str):
        raise ValueError("The file was opened as text. Open it with open(path, 'rb').")
    sought = path.seekable() if hasattr(path, "seekable") else hasattr(path, "seek")
    yield path if sought else io.BytesIO(path.read())


def _reader(target, raw: BinaryIO, found: Layout, name: str):
    import soundfile

    if len(found.starts) > 1:
        borders = zip(found.starts, [*found.starts[1:], _length(raw)])
        with contextlib.suppress(soundfile.LibsndfileError):
            return Joined([bytes_at(raw, a, b - a) for a, b in borders], name)
    try:
        with _sound_file(target, raw) as file:
            early, promised = _stops_early(file, raw), _promised(file, raw)
    except (soundfile.LibsndfileError, TypeError):
        return Decoded(raw, name)
    if early:
        with contextlib.suppress(ValueError, OSError):
            return Decoded(raw, name, promised)
    return _sound_file(target, raw)


def _sound_file(target, raw: BinaryIO):
    import soundfile

    raw.seek(0)
    try:
        return soundfile.SoundFile(target)
    except UnicodeError:  # a name that is no text
        return soundfile.SoundFile(raw)


def _stops_early(file, raw: BinaryIO) -> bool:
    """Tell whether libsndfile leaves out something of a file, or cannot read it in parts."""
    if file.frames == 0 or file.frames > UNKNOWN:
        return not _empty(raw)
    if file.format == "FLAC":
        return _found_again(raw, SECOND_FLAC)
    # It also guesses how long an MP3 is, and a hole follows wherever one read ends and the next
    # begins: the package soundfile seeks there, and the decoder has forgotten what came before.
    return file.subtype.startswith("MPEG")


def _promised(file, raw: BinaryIO) -> int:
    """Return how many frames an MP3 says it has, 0 if it does not."""
    known = file.subtype.startswith("MPEG") and (file.format != "MP3" or _has_table(raw))
    return file.frames if known else 0


def _has_table(raw: BinaryIO) -> bool:
    """Tell whether an MP3 counts its frames at its beginning."""
    head = bytes_at(raw, 0, 10)
    size = sum((byte & 127) << 7 * (3 - i) for i, byte in enumerate(head[6:]))
    begin = bytes_at(raw, 10 + size if head[:3] == b"ID3" else 0, 8192)
    return any(sign in begin for sign in (b"Xing", b"Info", b"VBRI"))


def _found_again(raw: BinaryIO, sign: bytes) -> bool:
    raw.seek(1)
    before = b""
    while chunk := raw.read(16 * CHUNK):
        if sign in before + chunk:
            return True
        before = chunk[-len(sign):]
    return False


def _length(raw: BinaryIO) -> int:
    return raw.seek(0, os.SEEK_END)


def layout(raw: BinaryIO) -> Layout:
    """Walk through an Ogg or WAV file from page to page or chunk to chunk."""
    begin = bytes_at(raw, 0, 12)
    if begin[:4] == b"OggS":
        return _ogg(raw)
    return _wav(raw) if begin[:4] == b"RIFF" and begin[8:] == b"WAVE" else Layout([0], "well")


def _ogg(raw: BinaryIO) -> Layout:
    starts: list[int] = []
    place, length, flags = 0, _length(raw), 0
    while (page := bytes_at(raw, place, 27))[:4] == b"OggS":
        sizes = raw.read(page[26]) if len(page) == 27 else b""
        end = place + 27 + len(sizes) + sum(sizes)
        if len(page) < 27 or len(sizes) < page[26] or end > length:
            return Layout(starts or [0], "cut")
        if page[5] & 2 and not (starts and flags & 2):  # streams that play together begin together
            starts.append(place)
        place, flags = end, page[5]
    return Layout(starts or [0], "well" if flags & 4 else "open")


def _wav(raw: BinaryIO) -> Layout:
    starts, length = [0], _length(raw)
    while True:
        declared = int.from_bytes(bytes_at(raw, starts[-1] + 4, 4), "little")
        end = starts[-1] + 8 + declared + declared % 2
        begin = bytes_at(raw, end, 12)
        if declared in (0, 0xFFFFFFFF) or begin[:4] != b"RIFF" or begin[8:] != b"WAVE":
            break
        starts.append(end)
    place, size = _data(raw)
    told = max(end, place + size)
    tail = bytes_at(raw, told, CHUNK)
    more = len(starts) == 1 and size and len(tail) > 4096 and any(tail) and not _named(tail)
    return Layout(starts, "more" if more and told < length else "well")


def _named(tail: bytes) -> bool:
    """Tell whether bytes begin like a chunk or a tag: with a name, such as LIST or TAG."""
    return all(byte in b" _-" or chr(byte).isalnum() and byte < 128 for byte in tail[:3])


def _data(raw: BinaryIO) -> tuple[int, int]:
    """Return where the samples of a WAV begin, and how many bytes there are by its header."""
    place = 12
    while len(head := bytes_at(raw, place, 8)) == 8:
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            return place + 8, size
        place += 8 + size + size % 2
    return place, 0


def _empty(raw: BinaryIO) -> bool:
    """Tell whether a WAV that says it has no samples has none: what follows is a chunk, or
    nothing.
    """
    if bytes_at(raw, 0, 4) != b"RIFF":
        return False
    place, size = _data(raw)
    return size == 0 and _named(tail) if (tail := bytes_at(raw, place, 8)) else True
