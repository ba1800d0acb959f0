"""Files that others may have made, damaged or be working on: plain bytes, NumPy archives, weights,
and a lock.

Sizes and kinds are checked before memory is taken. What a reader does not return, it answers with a
ValueError or an OSError that says what to do.
"""
import ast
import contextlib
import errno
import json
import math
import os
import re
import socket
import stat
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from course_utils import environment

LARGEST = 2**31  # bytes of a file, and of what is unpacked from it
ARRAYS = 10_000  # of an archive or a file of weights
HEADER = 10_000  # bytes that describe an array, as in NumPy
DIMENSIONS = 16
RATIO = 1100  # bytes that a packed byte can stand for
BLOCK = 2**20
END = 2**16 + 22  # bytes at the end of a zip file in which its last record begins
KIND = re.compile(r"([<>|=]?)([biufcSU?])(\d{0,5})")


@contextlib.contextmanager
def opened(path: str | Path, largest: int = LARGEST, *, links: bool = True) -> Iterator[BinaryIO]:
    """Open an ordinary file for reading; anything else is refused without waiting for it.

    Args:
        path: the file.
        largest: bytes that it may have.
        links: follow a symbolic link.

    Raises:
        OSError: if it is missing, a folder, a device, a pipe or larger, or may not be read.
    """
    flags = environment.PLAIN & ~(getattr(os, "O_NOFOLLOW", 0) if links else 0)
    if not links and os.path.islink(path):  # told apart, since a loop of links is another error
        raise OSError(errno.ELOOP, "it is a link, no file of its own", str(path))
    with open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
        if found.st_size > largest:
            raise OSError(errno.EFBIG, f"it has {found.st_size:,} bytes, and {largest:,} are read "
                          "at most", str(path))
        yield file


def read_plain(path: str | Path, largest: int, *, links: bool = True) -> bytes:
    """Read an ordinary file whole; arguments and errors as `opened`."""
    with opened(path, largest, links=links) as file:
        content = file.read(largest + 1)
    if len(content) > largest:  # it grew
        raise OSError(errno.EFBIG, f"more than {largest:,} bytes are not read", str(path))
    return content


@contextlib.contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Let one process at a time into the block; the others wait for as long as it lives.

    Args:
        lock: a file that is there while somebody is in the block.

    Raises:
        OSError: if it cannot be written.
    """
    me, told = ({"host": socket.gethostname(), "process": os.getpid(), "begun": _begun(os.getpid()),
                 "thread": threading.get_ident()}, environment.quiet())
    begin = time.monotonic()
    while not _take(lock, me):
        if not told and (told := time.monotonic() - begin > 2):
            place = environment.printable(lock.parent)
            print(f"Another process works in '{place}'; waiting for it.")
        time.sleep(0.05)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if json.loads(lock.read_bytes()) == me:
                lock.unlink()


def _take(lock: Path, me: dict) -> bool:
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except (FileExistsError, PermissionError) as error:
        # Windows denies what is just being removed.
        if isinstance(error, PermissionError) and not lock.exists():
            raise
        if _is_stale(lock):
            _break(lock)
        return False
    with open(handle, "w", encoding="ascii") as file:
        json.dump(me, file)
    return True


def _is_stale(lock: Path) -> bool:
    """Tell whether the process that holds a lock was killed."""
    try:
        age = time.time() - lock.stat().st_mtime
        owner = json.loads(lock.read_bytes()[:1000])
        if owner["host"] == socket.gethostname():
            return abs(_begun(int(owner["process"])) - owner["begun"]) > 2
    except OSError:
        return False  # it has gone in this moment
    except (ValueError, TypeError, KeyError):
        return age > 10  # seconds; its owner has not yet written its name, or was killed before
    return age > 86_400  # of another machine, a day


def _break(lock: Path) -> None:
    """Remove the lock of a process that was killed; one that a living process has just taken in its
    place is put back.
    """
    aside = lock.with_name(f"{lock.name}.{os.getpid()}-{threading.get_ident()}")
    with contextlib.suppress(OSError):
        os.rename(lock, aside)
        if not _is_stale(aside):
            os.link(aside, lock)
    aside.unlink(missing_ok=True)


def _begun(process: int) -> float:
    """Return when a process began, in seconds since 1970; 0 if there is none of this number."""
    import psutil

    try:
        return psutil.Process(process).create_time()
    except psutil.Error:
        return 0.0


def read_npz(path: str | Path, *names: str, kinds: str = "biuf",
             largest: int = LARGEST) -> dict[str, np.ndarray]:
    """Read the arrays of a NumPy archive, as `np.savez` and `np.savez_compressed` write it.

    Args:
        path: the .npz file.
        names: arrays that it has to hold; others may be there too. None are asked for by default.
        kinds: what the arrays may be, by NumPy's letters: b for True and False, i and u for whole
            numbers, f for floats, c for complex ones, U for text.
        largest: bytes of the file, and of all arrays together.

    Returns:
        The arrays by name, in the order of the file; all can be changed.

    Raises:
        ValueError: if it is no such archive, damaged, encrypted, larger, or holds other things.
        OSError: if it cannot be read.
    """
    with opened(path, largest) as file:
        try:
            arrays = dict(_arrays(file, kinds, largest))
        # What zipfile and zlib raise of damaged bytes is more than they say.
        except Exception as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before 0
                raise
            raise ValueError(f"'{path}' is no NumPy archive that can be read, or is damaged "
                             f"({error or type(error).__name__}).") from error
    if lacking := [name for name in names if name not in arrays]:
        raise ValueError(f"'{path}' lacks the arrays {', '.join(lacking)}.")
    return arrays


def _arrays(file: BinaryIO, kinds: str, largest: int) -> Iterator[tuple[str, np.ndarray]]:
    _check_end(file)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > largest:
            raise ValueError(f"it unpacks to more than {largest:,} bytes")
        if len({member.filename for member in members}) < len(members):
            raise ValueError("it holds a name twice")
        for member in members:
            if not member.filename.endswith(".npy") or member.flag_bits & 1 or (
                    member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)):
                raise ValueError(f"'{environment.printable(member.filename, 60)}' in it is no "
                                 "array, encrypted, or packed in an unknown way")
            if member.file_size > RATIO * member.compress_size:
                raise ValueError("an array claims more than can be packed in so few bytes")
            with archive.open(member) as stream:
                yield member.filename.removesuffix(".npy"), _array(stream, member.file_size, kinds)


def _check_end(file: BinaryIO) -> None:
    """Bound the number of entries before zipfile makes an object of each."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END))
    tail = file.read(END)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        raise ValueError("the end of the archive is missing")
    if b"PK\6\7" in tail[max(0, at - 20) : at] or tail[at + 10 : at + 12] == b"\xff\xff":
        raise ValueError("it is a zip file of the large kind")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if int.from_bytes(tail[at + 10 : at + 12], "little") > ARRAYS or length > 200 * ARRAYS:
        raise ValueError(f"it holds more than {ARRAYS:,} entries")


def _array(stream: BinaryIO, size: int, kinds: str) -> np.ndarray:
    """Read one array, after comparing what it claims to be with the bytes that are there."""
    kind, shape, fortran, begin = _described(stream)
    if kind.kind not in kinds:
        raise ValueError(f"an array holds {kind}, which is not expected here")
    if begin + math.prod(shape) * kind.itemsize != size:
        raise ValueError(f"an array of {shape} claims other than its {size - begin:,} bytes")
    array = np.empty(shape, kind, "F" if fortran else "C")
    flat = array.reshape(-1, order="A").view(np.uint8) if array.size and kind.itemsize else []
    at = 0
    while at < len(flat) and (block := stream.read(min(BLOCK, len(flat) - at))):
        flat[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    if at < len(flat) or stream.read(1):
        raise ValueError("an array is cut off")
    return _sound_values(array)


def _sound_values(array: np.ndarray) -> np.ndarray:
    """Let no byte stand for True that is not 1, and no number for a character that there is not."""
    if array.dtype.kind == "b":
        return array.view(np.uint8) != 0
    codes = np.dtype(array.dtype.str[0] + "u4")
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize and (
            np.ascontiguousarray(array).reshape(-1).view(codes) > 0x10FFFF).any():
        raise ValueError("a text holds what is no character")
    return array


def _described(stream: BinaryIO) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """Return an array's type, shape, whether it runs down the columns, and where it begins."""
    start = stream.read(8)
    wide = start[6:7] != b"\1"
    length = int.from_bytes(lead := stream.read(4 if wide else 2), "little")
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0",
                                                      b"\3\0") or (length > HEADER):
        raise ValueError("an array has no header")
    try:
        told = ast.literal_eval(stream.read(length).decode("utf-8").strip())
        kind, shape, fortran = (told[name] for name in ("descr", "shape", "fortran_order"))
        fits = KIND.fullmatch(kind) and len(shape) <= DIMENSIONS and type(fortran) is bool
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        fits = False
    if not fits or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise ValueError("an array's header is damaged, or asks for Python's objects")
    return np.dtype(kind), tuple(shape), fortran, 8 + len(lead) + length


def read_weights(network, path: str | Path, largest: int = LARGEST):
    """Load weights that Keras saved as .weights.h5 into a network.

    Args:
        network: a built Keras model; changed.
        path: the file.
        largest: bytes that it may have.

    Returns:
        The network.

    Raises:
        ValueError: if the file is damaged, belongs to another network, or holds NaN or infinity.
        OSError: if it cannot be read.
    """
    with opened(path, largest):
        pass
    try:
        _check_weights(Path(path), largest)
        network.load_weights(path)
    except Exception as error:
        raise ValueError(f"'{path}' holds no weights of this network, or is damaged "
                         f"({environment.printable(error, 200)}). Save or download them "
                         "again.") from error
    for variable in network.variables:
        if not np.isfinite(variable.value.numpy()).all():
            raise ValueError(f"'{path}' holds NaN or infinity, of a training that diverged. Train "
                             "again, or take other weights.")
    return network


def _check_weights(path: Path, largest: int) -> None:
    """Refuse what reaches beyond the file or claims more than it holds, before Keras reads it."""
    import h5py

    waiting, seen, total = [], set(), 0
    with h5py.File(path, "r") as file:
        waiting.append(file)
        while waiting:
            group = waiting.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError("it holds a link")
                entry = group[name]
                address = h5py.h5o.get_info(entry.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if len(seen) > ARRAYS:
                    raise ValueError(f"it holds more than {ARRAYS:,} entries")
                if isinstance(entry, h5py.Group):
                    waiting.append(entry)
                else:
                    total += _weight(entry)
    if total > min(largest, path.stat().st_size):
        raise ValueError("its arrays claim more than the file holds")


def _weight(entry) -> int:
    """Return the bytes of an array of weights, which is plain: in the file, not packed."""
    import h5py

    if not isinstance(entry, h5py.Dataset) or entry.dtype.kind not in "biuf":
        raise ValueError("it holds other things than numbers")
    if entry.is_virtual or entry.external or entry.id.get_create_plist().get_nfilters():
        raise ValueError("its arrays lie elsewhere, or are packed")
    return math.prod(entry.shape or ()) * entry.dtype.itemsize
