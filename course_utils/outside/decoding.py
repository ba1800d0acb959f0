"""Sound that libsndfile does not read, decoded by FFmpeg (in the package av): what phones record
(m4a, 3gp, webm), films, and streams that libsndfile leaves too early.
"""
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

# What FFmpeg may take a file for. A playlist among them could make it open other files or
# addresses, and text would be taken for subtitles.
KNOWN = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mp3", "ogg", "flac", "wav", "w64", "aiff",
         "caf", "au", "aac", "amr", "asf", "avi", "ac3", "eac3", "ape", "wv", "tta", "mpc", "mpc8",
         "flv", "mpeg", "mpegts", "dsf", "tak", "voc", "rm")
SIGNS = ((0, b"OggS"), (0, b"\x1aE\xdf\xa3"), (4, b"ftyp"), (4, b"moov"), (4, b"mdat"))
LOCKED = ("drms", "enca")  # how MP4 names sound that only a shop's own player decodes
ROUNDED = 0.25  # seconds by which the length in the header of a webm or wma may be off
POINTERS = 8  # with that many channels, each for itself, the package av reads beyond the last one
CHUNK = 2**16
ADVICE = ("If another program plays it, convert it to wav, flac, ogg or mp3 there, e.g. ffmpeg -i "
          "song.xyz song.wav")


class Decoded:
    """A sound read like a `soundfile.SoundFile`, from its beginning: samplerate in Hz, channels,
    frames (0 until all is read), promised (how many its header tells, if it does not have them),
    damaged (whether something could not be decoded; both known when all is read), seek and read.

    Args:
        raw: an opened file that can be sought in.
        name: what messages call it.
        promised: frames that the header tells, where FFmpeg does not say.

    Raises:
        ValueError: if it holds no sound that can be decoded.
        OSError: if too little is left of it.
    """

    extra_info = ""

    def __init__(self, raw: BinaryIO, name: str, promised: int = 0):
        self.name, self.samplerate, self.channels, self.frames = name, 0, 1, 0
        self.promised, self.damaged, self._end = promised, False, 0.0
        self._container = _container(raw, name)
        streams = self._container.streams
        if not streams.audio:
            raise ValueError(f"{name} holds no sound. Choose a file with music in it.")
        self._stream = _best(streams)
        _check_decoder(self._stream, name)
        self._blocks = self._decode()
        self._rest = next(self._blocks, None)
        if self._rest is None:
            raise (_damaged(name) if self.damaged else ValueError(
                f"{name} holds no samples, only a header. Record, copy or download it again."))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()

    def _end_told(self) -> float:
        """Return when the sound ends by the header, in seconds; 0 where FFmpeg only guesses."""
        stream, container = self._stream, self._container
        if "mp4" in container.format.name and stream.duration:
            return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
        if (container.format.name in ("matroska,webm", "asf") and not container.streams.video
                and container.duration):
            return container.duration / 1e6
        return 0.0

    def read(self, frames: int, **_) -> np.ndarray:
        """Return the next frames as float32 (frames, channels), fewer at the end."""
        blocks, count = [self._rest], len(self._rest)
        while count < frames and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            count += len(block)
        y = np.concatenate(blocks)
        self._rest = y[frames:]
        return y[:frames]

    def seek(self, start: int) -> None:
        """Leave out so many frames."""
        leave_out(self, start)

    def _decode(self) -> Iterator[np.ndarray]:
        total, last = 0, None
        for y in map(self._checked, self._frames()):
            if last is not None:
                yield last
            total, last = total + len(y), y
        exact = "mp4" in self._container.format.name
        missing = round((self._end_told() - self._end) * self.samplerate)
        if exact and last is not None and 0 < -missing < len(last):
            last = last[:missing]  # AAC comes in whole packets; the index tells where music ends
            total += missing
        if last is not None:
            yield last
        if missing > 0.01 * total + (0 if exact else ROUNDED * self.samplerate):
            self.promised = total + missing
        self.frames = total

    def _frames(self) -> Iterator:
        import av

        good = bad = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield from next(packets).decode()
                good += 1
            except (StopIteration, av.error.EOFError):
                break
            except (av.error.FFmpegError, IndexError):  # IndexError: packets of a false stream
                bad += 1
        # Between joined MP3 files lie titles and pictures, which are no sound.
        self.damaged = bad > (2 + good // 10 if self._container.format.name == "mp3" else 0)

    def _checked(self, frame) -> np.ndarray:
        channels = frame.layout.nb_channels
        if not self.samplerate:
            self.samplerate, self.channels = frame.rate, channels
        check_same(self, frame.rate, channels)
        y = _as_float(frame)
        begin = self._end if frame.time is None else frame.time  # there may be gaps in between
        self._end = begin + len(y) / self.samplerate
        return y


class _Calm:
    """An opened file that answers a place out of reach with -1: FFmpeg, misled by a damaged file,
    asks for such, and an error here would be printed.
    """

    def __init__(self, raw: BinaryIO):
        self.read, self.tell, self._seek = raw.read, raw.tell, raw.seek

    def seek(self, place: int, whence: int = 0) -> int:
        try:
            return self._seek(place, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _best(streams):
    try:
        return streams.best("audio") or streams.audio[0]
    except IndexError:  # of streams that a damaged header promises
        return streams.audio[0]


def _damaged(name: str) -> OSError:
    return OSError(f"{name} is damaged, cut off or protected: nothing in it can be decoded. Copy "
                   "or download it again.")


def _container(raw: BinaryIO, name: str):
    import av

    begin = bytes_at(raw, 0, 16)
    raw.seek(0)
    try:
        return av.open(_Calm(raw), options={"format_whitelist": ",".join(KNOWN)},
                       metadata_errors="replace")
    except (av.error.FFmpegError, UnicodeError) as error:
        if any(begin[at:].startswith(sign) for at, sign in SIGNS):
            raise _damaged(name) from error
        raise ValueError(f"{name} could not be decoded as sound. {ADVICE}") from error


def _check_decoder(stream, name: str) -> None:
    try:
        locked = stream.codec_context is None or stream.codec_context.codec_tag in LOCKED
    except UnicodeDecodeError as error:  # a tag is four letters, if the file is sound
        raise _damaged(name) from error
    if locked:
        raise ValueError(f"{name} is protected (bought music often is), or in a format whose "
                         f"decoder needs a licence. {ADVICE}")


def _as_float(frame) -> np.ndarray:
    """Return FFmpeg's frame as float32 (frames, channels), full scale -1 to 1."""
    import av

    if frame.format.is_planar and frame.layout.nb_channels >= POINTERS:
        (frame,) = av.AudioResampler(format="flt").resample(frame)
    y = frame.to_ndarray()
    y = y.T if frame.format.is_planar else y.reshape(-1, frame.layout.nb_channels)
    if y.dtype == np.uint8:
        return (y.astype(np.float32) - 128) / 128
    full = 1 if y.dtype.kind == "f" else 2.0 ** (8 * y.dtype.itemsize - 1)
    return (y / full).astype(np.float32)


def bytes_at(raw: BinaryIO, place: int, count: int) -> bytes:
    """Return some bytes of an opened file, fewer at its end."""
    raw.seek(place)
    return raw.read(count)


def leave_out(file, frames: int) -> None:
    """Read so many frames of an opened sound, and forget them."""
    while frames and (got := len(file.read(min(CHUNK, frames)))):
        frames -= got


def check_same(file, rate: int, channels: int) -> None:
    """Check that a sound goes on as it began.

    Raises:
        ValueError: if its rate or its channels change.
    """
    if (file.samplerate, file.channels) != (rate, channels):
        raise ValueError(f"{file.name} changes on the way from {file.channels} channel(s) at "
                         f"{file.samplerate} Hz to {channels} at {rate} Hz. Convert it first, e.g. "
                         "ffmpeg -i song.xyz song.wav")
