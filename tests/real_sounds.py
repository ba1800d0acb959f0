"""Sound files as they come from phones, pipes, browsers and broken disks, made in code."""
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile

SR = 44100
SECONDS = 2
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * SR) / SR)).astype(np.float32)


def written(folder: Path, name: str, y: np.ndarray = TONE, sr: int = SR, **how) -> bytes:
    """Return what libsndfile writes."""
    path = folder / f"_{name}"
    soundfile.write(path, y, sr, **how)
    content = path.read_bytes()
    path.unlink()
    return content


def encoded(folder: Path, name: str, codec: str, *, rate: int = SR, layout: str = "mono",
            fmt: str | None = None, film: bool = False, **options) -> bytes:
    """Return what FFmpeg writes: the tone, with pictures if it is to be a film."""
    path = folder / f"_{name}"
    with av.open(str(path), "w", format=fmt, options=options) as out:
        sound = out.add_stream(codec, rate=rate, layout=layout)
        sound.bit_rate = 96000
        pictures = out.add_stream("mpeg4", rate=25) if film else None
        if pictures:
            pictures.width = pictures.height = 32
            for number in range(25 * SECONDS):
                picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number, np.uint8),
                                                     format="rgb24")
                out.mux(pictures.encode(picture))
            out.mux(pictures.encode(None))
        context = sound.codec_context
        resampler = av.AudioResampler(format=context.format.name, layout=layout, rate=rate)
        step = context.frame_size or 1024
        channels = {"mono": 1, "stereo": 2, "7.1": 8}[layout]
        for start in range(0, len(TONE), step):
            block = np.repeat(TONE[start:start + step], channels)[None]
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
            frame.sample_rate, frame.pts = SR, start
            for ready in resampler.resample(frame):
                out.mux(sound.encode(ready))
        for ready in [*resampler.resample(None), None]:
            out.mux(sound.encode(ready))
    content = path.read_bytes()
    path.unlink()
    return content


def vbr_mp3(folder: Path) -> bytes:
    """Return an MP3 of variable rate without the frame that tells how many there are."""
    noise = np.random.default_rng(0).normal(scale=0.2, size=len(TONE)).astype(np.float32)
    y = np.concatenate([noise, 0.001 * TONE, noise])
    content = written(folder, "v.mp3", y, bitrate_mode="VARIABLE", compression_level=0.2)
    place = content.index(b"Xing")
    return content[content.index(b"\xff\xfb", place):]


def patched_wav(data: int | None, riff: int | None = None, after: bytes = b"") -> bytes:
    """Return a WAV of the tone whose header tells other sizes, with more bytes after it."""
    samples = (TONE * 32767).astype("<i2").tobytes()
    data = len(samples) if data is None else data
    riff = 36 + len(samples) if riff is None else riff
    return (b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 1, SR, 2 * SR, 2, 16) + b"data"
            + struct.pack("<I", data) + samples + after)


def endless_flac(folder: Path) -> bytes:
    """Return a FLAC that does not tell its length, as a pipe writes it."""
    flac = bytearray(written(folder, "e.flac"))
    flac[21:26] = (int.from_bytes(flac[21:26], "big") >> 36 << 36).to_bytes(5, "big")
    return bytes(flac)


def noisy_ogg(folder: Path, **how) -> bytes:
    """Return an Ogg of several pages."""
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(TONE)).astype(np.float32)
    return written(folder, "n.ogg", noise, **{"format": "OGG", "subtype": "VORBIS"} | how)


def last_page(ogg: bytes) -> int:
    """Return where the last page of an Ogg begins."""
    return ogg.rindex(b"OggS")


ID3 = b"ID3\x03\x00\x00\x00\x08\x00\x00" + bytes(8 << 14)  # a tag with room for a picture
COVER = b"ID3\x03\x00\x00\x04\x00\x00\x00" + bytes(8 << 20)  # one of 8 MB
Maker = Callable[[Path], bytes]


def sf(name: str, **how) -> Maker:
    """Return a maker of a file by libsndfile."""
    return lambda folder: written(folder, name, **how)


def ff(name: str, codec: str, **how) -> Maker:
    """Return a maker of a file by FFmpeg."""
    return lambda folder: encoded(folder, name, codec, **how)


def twice(make: Maker) -> Maker:
    """Return a maker of a file joined with itself."""
    return lambda folder: make(folder) * 2


def cut(make: Maker, share: float = 0.6) -> Maker:
    """Return a maker of a file of which a share is left."""
    return lambda folder: (content := make(folder))[:int(len(content) * share)]
