"""Load, save, play and resample sound. What a waveform is, and the checks of it, are in
`checks`.
"""
import base64
import contextlib
import html
import io
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from course_utils.checks import check_number, check_rate, to_mono, waveform
from course_utils.environment import printable, writing
from course_utils.outside import containers

MAX_SAMPLES = 2**28
MAX_PLAYED_SECONDS = 600
PCM = {"subtype": "PCM_16"}
MP3 = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE",
       "compression_level": 0.0}
FORMATS = {".wav": {"format": "WAV", **PCM}, ".flac": {"format": "FLAC", **PCM},
           ".ogg": {"format": "OGG", "subtype": "VORBIS"}, ".mp3": MP3}
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
BLOCK = 2**16
NOTES = {"open": "lacks the mark that ends a recording: {:.2f} s are there, and all of these are "
                 "loaded. If more was recorded, copy or download it again.",
         "more": "ends after {:.2f} s by its header, but there are bytes beyond, which are not "
                 "loaded. If sound is missing, open it in a sound editor and export it again."}


def load(path: str | Path | BinaryIO, sr: int | None = None, mono: bool = True,
         offset: float = 0.0, duration: float | None = None) -> tuple[np.ndarray, int]:
    """Load a sound file: wav, flac, ogg, opus, mp3, aiff and whatever else libsndfile reads, and
    what phones record: m4a, aac, 3gp, webm, or a film (mp4), whose sound is taken, through FFmpeg.

    Notebook: 01_loading_audio

    All of it is loaded, joined files too. It warns of a file that may go on: an Ogg without an end,
    or a WAV with bytes after what its header tells.

    Args:
        path: a file, or an opened one (such as an upload in `io.BytesIO`).
        sr: sample rate to convert to, in Hz; None keeps the file's own.
        mono: mix the channels into one.
        offset: where to start, in seconds.
        duration: how much to load, in seconds; None for all of it.

    Returns:
        y, finite float32 (samples,), or (samples, channels) with `mono=False`; and its sample rate
        in Hz.

    Raises:
        FileNotFoundError, OSError: if the file is missing, a folder, not readable, cut off or
            damaged.
        ValueError: if it is no sound that can be decoded (or is protected), changes its sample rate
            on the way, holds no samples or NaN, or is too long to load at once.

    Example:
        >>> import tempfile
        >>> from course_utils import audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     y, sr = audio.load(audio.save(f"{folder}/stereo.wav", [[0.5, 0.25]] * 800, 8000))
        >>> y.shape, float(y[0])
        ((800,), 0.375)
    """
    if sr is not None:
        sr = check_rate(sr)
    check_number("offset in seconds", offset, 0, 1e6)
    if duration is not None:
        check_number("duration in seconds", duration, 1e-6, 1e6)
    with _opened(path) as (file, ends):
        native = check_rate(file.samplerate)
        y = _read(file, _name(path), mono, round(offset * native),
                  None if duration is None else max(1, round(duration * native)), ends)
    if not np.isfinite(y).all():
        raise ValueError(f"{_name(path)} holds NaN or infinity. It was saved from a broken "
                         "computation; make it again.")
    return (y, native) if sr is None else (resample(y, native, sr), sr)


def _name(path) -> str:
    return f"'{path}'" if isinstance(path, (str, os.PathLike)) else "The opened file"


@contextlib.contextmanager
def _opened(path) -> Iterator[tuple]:
    import soundfile

    _check_readable(path)
    with containers.opened(path, _name(path)) as (file, ends):
        try:
            yield file, ends
        except soundfile.LibsndfileError as error:
            raise OSError(f"{_name(path)} is damaged or cut off ({error}). Copy or download it "
                          "again.") from error


def _check_readable(path) -> None:
    if not isinstance(path, (str, os.PathLike)):
        if not hasattr(path, "read"):
            raise ValueError(f"load takes the path of a sound file, not {type(path).__name__}.")
        return
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder. Give the path of one sound file in it.")
    if not file.exists():
        raise FileNotFoundError(f"'{path}' does not exist. Check the spelling and the folder; a "
                                "path starts from where the notebook is. A web address has to be "
                                "downloaded first.")
    if not os.access(file, os.R_OK):
        raise PermissionError(f"'{path}' may not be read by you. Change its permissions, or copy "
                              "it.")
    if file.stat().st_size == 0:
        raise ValueError(f"'{path}' is empty (0 bytes). Copy or download it again.")


def _read(file, name: str, mono: bool, start: int, wanted: int | None, ends: str) -> np.ndarray:
    whole = wanted is None
    if 0 < file.frames <= start:
        raise _beyond(file, name)
    if start and (file.frames or hasattr(file, "promised")):
        file.seek(start)
    blocks, frames = [], 0
    # Block by block, so that memory follows the data that is there and not what a broken header
    # claims.
    while whole or frames < wanted:
        block = file.read(BLOCK if whole else min(BLOCK, wanted - frames), dtype="float32",
                          always_2d=True)
        if not len(block):
            break
        frames += len(block)
        blocks.append(block.mean(axis=1) if mono or file.channels == 1 else block)
        if frames * (1 if mono else file.channels) > MAX_SAMPLES:
            raise ValueError(f"{name} is too long to load at once. Load a part, e.g. "
                             "load(path, duration=600).")
    if not frames and ends != "cut":
        raise _beyond(file, name) if start else ValueError(
            f"{name} holds no samples, only a header. Record, copy or download it again.")
    if whole or not frames:
        _check_end(file, name, ends, (start + frames) / file.samplerate,
                   _declared_frames(file) / file.samplerate)
    return np.concatenate(blocks)


def _beyond(file, name: str) -> ValueError:
    return ValueError(f"{name} lasts {file.frames / file.samplerate:.2f} s; choose an offset below "
                      "that.")


def _check_end(file, name: str, ends: str, seconds: float, declared: float) -> None:
    """Say what is missing of a file that was read to its end."""
    rescue = ("Copy or download it again, or load what is there with load(path, duration=...).")
    if seconds < 0.99 * declared:
        raise OSError(f"{name} is cut off: {seconds:.2f} s are left of {declared:.2f} s. {rescue}")
    if ends == "cut":
        raise OSError(f"{name} is cut off: it ends in the middle of something, after "
                      f"{seconds:.2f} s. {rescue}")
    if getattr(file, "damaged", False):
        raise OSError(f"{name} is damaged, cut off or protected: not all of it can be decoded, "
                      f"only {seconds:.2f} s. {rescue}")
    if ends in NOTES:
        warnings.warn(f"{name} {NOTES[ends].format(seconds)}", stacklevel=4)


def _declared_frames(file) -> float:
    if hasattr(file, "promised"):  # FFmpeg reads it
        return file.promised
    # libsndfile silently shortens a wav, aiff or au whose data end early; only its log keeps the
    # header's figure.
    found = re.search(r"(?:data|Data Size|SSND)\s*: (\d+) \(should be (\d+)\)", file.extra_info)
    # Programs that write into a pipe do not know the length and put a number near 2**31 or 2**32
    # there.
    if not found or not int(found[2]) or int(found[1]) > 0x7FFF0000:
        return file.frames
    return file.frames * int(found[1]) / int(found[2])


def save(path: str | Path, y: np.ndarray, sr: int, comment: str = "") -> Path:
    """Save a waveform as .wav or .flac (16-bit PCM), .ogg (Vorbis) or .mp3, whichever the name ends
    in.

    Notebook: 01_loading_audio

    A waveform whose peak exceeds full scale is turned down as a whole until it fits, so nothing is
    ever clipped. The file appears only when it is complete.

    Args:
        path: where to; the folder has to exist.
        y: (samples,) or (samples, channels).
        sr: sample rate in Hz.
        comment: text to keep in the file, such as how it was made.

    Returns:
        The path.

    Raises:
        ValueError: if the ending is unknown, the waveform is not one, or the format cannot hold it.
        OSError: if it cannot be written there.

    Example:
        >>> import tempfile
        >>> from course_utils import audio
        >>> with tempfile.TemporaryDirectory() as folder:  # twice as loud as fits: turned down
        ...     audio.load(audio.save(f"{folder}/loud.flac", [0.5, 1.0, -2.0], 8000))[0].tolist()
        [0.25, 0.5, -1.0]
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError("save takes a path, a waveform and a sample rate, in this order: "
                         "audio.save('music.wav', y, sr)")
    path, y, sr = Path(path), _fitted(waveform(y)), check_rate(sr)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(
            f"'{path.name}' ends in none of {', '.join(FORMATS)}. Choose one of these.")
    how = FORMATS[path.suffix.lower()]
    if how["subtype"] == "PCM_16":
        # libsndfile would scale by 32767 and load by 1/32768: each round trip would turn the music
        # down a little.
        y = np.clip(np.round(y * 32768), -32768, 32767).astype(np.int16)
    with writing(path) as temporary:
        _encode(temporary, y, sr, how, comment)
    return path


def _fitted(y: np.ndarray) -> np.ndarray:
    return y / max(1.0, float(np.abs(y).max()))


def _encode(target, y: np.ndarray, sr: int, how: dict, comment: str = "") -> None:
    import soundfile

    channels = 1 if y.ndim == 1 else y.shape[1]
    try:
        file = soundfile.SoundFile(target, "w", sr, channels, **how)
    except (soundfile.LibsndfileError, ValueError) as error:
        hint = (f" at one of {', '.join(map(str, MP3_RATES))} Hz, with one or two channels"
                if how["format"] == "MP3" else "")
        raise ValueError(f"{how['format']} cannot hold {channels} channel(s) at {sr} Hz. "
                         f"Use .wav, or audio.resample and audio.to_mono first{hint}.") from error
    try:
        with file:
            if comment:
                file.comment = comment
            # In one long write libsndfile's Vorbis encoder overruns the stack.
            for start in range(0, len(y), BLOCK):
                file.write(y[start:start + BLOCK])
    except soundfile.LibsndfileError as error:
        raise OSError(f"The sound could not be written ({error}). Is the disk full?") from error


def play(y: np.ndarray, sr: int, label: str = "Sound"):
    """Show an audio player that holds the sound itself, compressed as MP3.

    Notebook: 01_loading_audio

    Like `save` it turns down what exceeds full scale; it never turns up, so that loudness can be
    compared.

    Args:
        y: (samples,) or (samples, channels), at most ten minutes; beyond two channels it is mixed
            to one.
        sr: sample rate in Hz.
        label: what is heard; shown above the player and read out by screen readers.

    Returns:
        An `IPython.display.HTML`.

    Raises:
        ValueError: if the waveform is not one, or is too long to store in a notebook.

    Example:
        >>> from course_utils import audio
        >>> "Silence (500 ms)" in audio.play([0.0] * 8000, 16000, "Silence").data
        True
    """
    from IPython.display import HTML

    y, sr = _fitted(waveform(y)), check_rate(sr)
    seconds = len(y) / sr
    if seconds > MAX_PLAYED_SECONDS:
        raise ValueError(f"{seconds / 60:.0f} minutes are too much to keep in a notebook. Play a "
                         "part, such as y[:60 * sr].")
    label = printable(label)
    name = html.escape(f"{label} ({seconds:.1f} s)" if seconds >= 1
                       else f"{label} ({1000 * seconds:.0f} ms)")
    data = base64.b64encode(mp3(y, sr)).decode()
    return HTML(f'<figure style="margin: 0.5em 0"><figcaption>{name}</figcaption><audio controls '
                f'aria-label="{name}" src="data:audio/mpeg;base64,{data}"></audio></figure>')


def mp3(y: np.ndarray, sr: int, quality: float | None = None) -> bytes:
    """Encode a waveform as MP3, as `play` stores it in a notebook.

    Args:
        y: (samples,) or (samples, channels).
        sr: sample rate in Hz.
        quality: 0 for the finest to 1 for the smallest; None for 0 up to 8 seconds, 0.5 beyond.
    """
    if y.ndim == 2 and y.shape[1] > 2:
        y = to_mono(y)
    encoded = next((r for r in MP3_RATES if r >= sr), MP3_RATES[-1])
    y = _fitted(resample(y, sr, encoded))
    # Short sounds at the finest quality (quantization noise and aliases stay audible), long ones at
    # half the size.
    quality = (0.0 if len(y) <= 8 * encoded else 0.5) if quality is None else quality
    buffer = io.BytesIO()
    _encode(buffer, y, encoded, {**MP3, "compression_level": quality})
    return buffer.getvalue()


def resample(y: np.ndarray, sr: int, new_sr: int) -> np.ndarray:
    """Convert a waveform to another sample rate, filtering out what would alias.

    Notebook: 01_loading_audio

    Args:
        y: (samples,) or (samples, channels).
        sr: its sample rate in Hz.
        new_sr: the sample rate wanted, in Hz.

    Returns:
        float32, round(samples * new_sr / sr) long, at least one sample.

    Example:
        >>> import numpy as np
        >>> from course_utils import audio
        >>> len(audio.resample(np.zeros(44100), 44100, 22050))
        22050
    """
    import soxr

    y, sr, new_sr = waveform(y), check_rate(sr), check_rate(new_sr)
    if sr == new_sr:
        return y
    length = max(1, round(len(y) * new_sr / sr))
    if length * y[0].size > 2 * MAX_SAMPLES:
        raise ValueError(f"{len(y) / sr / 60:.0f} minutes at {new_sr} Hz do not fit into memory. "
                         "Resample it in parts.")
    converted = soxr.resample(y, sr, new_sr)[:length]
    return np.pad(converted, [(0, length - len(converted))] + [(0, 0)] * (y.ndim - 1))
