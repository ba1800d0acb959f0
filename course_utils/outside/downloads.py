"""Large files from the web: resumed where they stopped, compared with their checksum, unpacked
without surprises.
"""
import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from course_utils import environment
from course_utils.outside import archives

ATTEMPTS = 4  # in a row without any progress
WAIT = 1  # second before the second attempt, twice as many before the third, and so on
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces
BLOCK = 2**16  # bytes at a time; the last block before a broken connection is lost
SLOWEST, PATIENCE = 1000, 60  # bytes a second over that many seconds: a slower server is given up
DAY = 86_400  # seconds after which what a run left behind is dead
HEADER = 512  # bytes that an empty file counts, so that their number is bounded too


@dataclass(frozen=True)
class Source:
    """A published archive.

    Attributes:
        folder: the one folder in it.
        url: where it is.
        checksum: "md5:..." or "sha256:...", as its publisher gives it.
        size: of the archive, in bytes.
        unpacked: upper bound of what is in it, in bytes.
    """
    folder: str
    url: str
    checksum: str
    size: int
    unpacked: int


def collection(source: Source, folder: Path) -> Path:
    """Return the unpacked folder of a collection, after downloading, checking and unpacking it
    where it is not there yet.

    The archive is removed once it is unpacked. One that was put into the folder by hand is used
    like a downloaded one. If several processes ask at once, one works, and the others wait.

    Raises:
        OSError: if there is too little room, or downloading or unpacking fails; calling again
            resumes the download.
    """
    if (folder / source.folder).is_dir():
        return folder / source.folder
    with archives.locked(folder / f".{source.folder}.lock"):
        if (folder / source.folder).is_dir():  # another process was first
            return folder / source.folder
        archive = folder / source.url.rpartition("/")[2]
        _check_room(source, folder, archive)
        fetch(source.url, archive, checksum=source.checksum, size=source.size)
        unpacked = unpack(archive, folder, source.folder, max_bytes=source.unpacked)
        archive.unlink()
    return unpacked


def fetch(url: str, target: str | Path, *, checksum: str, size: int) -> Path:
    """Download a file, going on from where an earlier attempt stopped.

    What has arrived is kept as `target.part`; the target itself appears only when it is complete
    and its checksum right.

    Args:
        url: address of the file.
        target: where to put it; nothing is downloaded if it is there already.
        checksum: "md5:..." or "sha256:...".
        size: its size in bytes.

    Returns:
        The target.

    Raises:
        OSError: if it cannot be downloaded or written, or is not the file that was expected.
    """
    target = Path(target)
    if _is_right(target, checksum, size):
        return target
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder '{target.parent}'. Create it first, or choose "
                                "another folder.")
    with archives.locked(target.with_name(f".{target.name}.lock")):
        if _is_right(target, checksum, size):  # another process was first
            return target
        part = target.with_name(target.name + ".part")
        resumed = _size(part) > 0
        _complete(url, part, size)
        if not (right := _is_right(part, checksum, size)) and resumed:
            # The beginning may be of another file, or damaged: once more, from the start.
            part.unlink()
            _complete(url, part, size)
            right = _is_right(part, checksum, size)
        if right:
            os.replace(part, target)
            return target
        part.unlink()
    raise OSError(f"What came from {url} is not the expected file: its checksum differs. Call "
                  "again to download it anew; if that does not help, the file was changed or "
                  "something on the way replaces it.")


def _is_right(path: Path, checksum: str, size: int) -> bool:
    import pooch

    algorithm, _, digest = checksum.partition(":")
    return (path.is_file() and path.stat().st_size == size
            and pooch.file_hash(path, algorithm) == digest)


def _complete(url: str, part: Path, size: int) -> None:
    """Append to a part until it has its size, again after a broken connection while that brings
    something.
    """
    if _size(part) > size:
        part.unlink()
    best, failures, reason = 0, 0, ""
    while (have := _size(part)) != size:
        if have > size:
            part.unlink()
            raise _changed(url, size)
        if have > best:
            best, failures = have, 0
        if failures == ATTEMPTS:
            raise OSError(f"The download of {url} stopped at {_megabytes(best)} of "
                          f"{_megabytes(size)}{reason}. Check the network, then call again: it "
                          "goes on from there.")
        time.sleep(WAIT * failures)
        failures += 1
        reason = _receive(url, part, size)


def _receive(url: str, part: Path, size: int) -> str:
    """Fetch what a part lacks; return what broke off, if anything did that may go better next
    time.
    """
    import requests

    have = _size(part)
    # Compression on the way would make the received bytes differ from the file's.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with _answer(url, headers) as response:
            _check_answer(response, url, size)
            # A server that knows no ranges answers 200 and sends everything.
            _append(response, part, have if response.status_code == 206 else 0, size)
    # A connection that breaks while the body arrives is an error of the library below requests.
    except (requests.RequestException, requests.exceptions.BaseHTTPError) as error:
        code = getattr(getattr(error, "response", None), "status_code", None)
        return f" ({code or type(error).__name__})"
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(f"'{part}' could not be written ({error.strerror}). Make room or choose "
                          "another folder, then call again: what has arrived is kept.") from error
    return ""


def _answer(url: str, headers: dict):
    """Ask a server, and wait for its first lines for a bounded time in all: the limit between two
    pieces does not help against one that sends a byte at a time.
    """
    import requests

    found: list = []

    def ask() -> None:
        try:
            found.append(requests.get(url, headers=headers, stream=True, timeout=TIMEOUT))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not found:
        raise _too_slow(url)
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _too_slow(url: str) -> OSError:
    return OSError(f"The server of {url} sends next to nothing ({SLOWEST} bytes a second are the "
                   "least). Call again later: it goes on from there.")


def _check_answer(response, url: str, size: int) -> None:
    """Find out before the first byte whether this is the file, so that nobody waits for gigabytes
    of another.
    """
    code = response.status_code
    if code >= 500 or code in (408, 429):
        response.raise_for_status()
    if code >= 400 and code != 416:
        raise OSError(f"{url} cannot be downloaded: the server answers {code}. It may have moved; "
                      "look for its new address on the publisher's page.")
    total = (response.headers.get("Content-Range", "").rpartition("/")[2]
             or response.headers.get("Content-Length", ""))
    if code == 416 or (total.isdigit() and int(total) != size):
        raise _changed(url, size)


def _changed(url: str, size: int) -> OSError:
    return OSError(f"{url} is not the expected file of {size} bytes. Perhaps your network asks you "
                   "to log in first (open any web page), or the publisher has changed the file.")


def _append(response, part: Path, have: int, size: int) -> None:
    from tqdm import tqdm

    with (open(part, "r+b" if have else "wb", opener=environment.private) as file,
          tqdm(total=size, initial=have, desc=part.stem, unit="B", unit_scale=True,
               disable=environment.quiet()) as bar):
        file.seek(have)
        begin = time.monotonic()
        # As it comes, since waiting for a whole block from a slow server would take hours.
        while block := response.raw.read1(BLOCK):
            # one byte too many shows that it is another file
            file.write(block[: size + 1 - file.tell()])
            bar.update(len(block))
            if file.tell() > size:
                break
            passed = time.monotonic() - begin
            if passed > PATIENCE and file.tell() - have < SLOWEST * passed:
                raise _too_slow(response.url)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _check_room(source: Source, folder: Path, archive: Path) -> None:
    there = max(_size(archive), _size(archive.with_name(archive.name + ".part")))
    needed, free = (source.size - min(there, source.size) + source.unpacked,
                    shutil.disk_usage(folder).free)
    if needed > free:
        raise OSError(f"{source.folder} needs {_megabytes(needed)} in '{folder}', where "
                      f"{_megabytes(free)} are free. Make room, or give another folder.")


def unpack(archive: str | Path, folder: str | Path, top: str, *, max_bytes: int) -> Path:
    """Unpack one folder from a .zip or .tar.gz file, all of it or nothing.

    Args:
        archive: the archive. Only plain files with paths inside of the folder are accepted: no
            links, no devices.
        folder: where to put the folder.
        top: name of the folder in the archive, and of the one that is made.
        max_bytes: upper bound of what may be written; each file counts 512 bytes more than its
            size.

    Returns:
        The new folder.

    Raises:
        OSError: if the archive is damaged, unsafe or larger, or cannot be written out.
    """
    archive, folder = Path(archive), Path(folder)
    temporary = None
    try:
        _clear_away(folder, top)
        temporary = Path(tempfile.mkdtemp(prefix=f".{top}.", suffix=".unpacking", dir=folder))
        _extract(archive, temporary, max_bytes)
        if not (temporary / top).is_dir():
            raise OSError(
                f"'{archive}' holds no folder '{top}'. Delete it, then download it again.")
        _move_first(temporary / top, folder / top)
    except Exception as error:
        if type(error) is OSError and error.errno is None:
            raise
        if getattr(error, "errno", None) is not None:
            raise type(error)(f"'{archive}' could not be unpacked in '{folder}' "
                              f"({error.strerror}). Make room there or choose another folder, then "
                              "call again.") from error
        raise OSError(
            f"'{archive}' is damaged ({error}). Delete it, then download it again.") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder / top


def _clear_away(folder: Path, top: str) -> None:
    """Remove what runs that were killed have left behind; another's that works is younger."""
    for left in folder.glob(f".{top}.*unpacking"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > DAY and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)


def _move_first(made: Path, target: Path) -> None:
    """Move a folder into place, unless another process was first: then its folder stays."""
    try:
        os.rename(made, target)
    except OSError:
        if not target.is_dir() or not any(target.iterdir()):
            raise


def _extract(archive: Path, folder: Path, max_bytes: int) -> None:
    from tqdm import tqdm

    members = _zip_members(archive) if archive.suffix == ".zip" else _tar_members(archive)
    for name, source in tqdm(members, f"Unpacking {archive.name}", unit=" files",
                             disable=environment.quiet()):
        target = inside(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        max_bytes -= HEADER
        with open(target, "xb") as file:
            while max_bytes >= 0 and (block := source.read(BLOCK)):
                max_bytes -= file.write(block)
        if max_bytes < 0:
            raise OSError(f"'{archive}' unpacks to more than its publisher says. It is not safe: "
                          "delete it.")


def inside(folder: Path, name: str) -> Path:
    """Return the path of a name from an archive, which has to lie inside of the folder.

    Raises:
        OSError: if it does not, or would not on another system.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or any(c in name
                                                                         for c in "\\:\0"):
        raise OSError(f"The archive holds a file '{name}', which would lie outside of '{folder}'. "
                      "It is not safe: delete it.")
    return folder.joinpath(*path.parts)


def _zip_members(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise OSError(f"'{archive}' holds a link or device, '{member.filename}'. It is not "
                              "safe: delete it.")
            if not member.is_dir():
                with file.open(member) as source:
                    yield member.orig_filename, source


def _tar_members(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|",
                                                    tarinfo=_Member) as file:
        for member in file:
            if not (member.isreg() or member.isdir()):
                raise OSError(f"'{archive}' holds a link or device, '{member.name}'. It is not "
                              "safe: delete it.")
            if member.isreg():
                yield member.name, file.extractfile(member)


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, *args):
        """Refuse an enormous name or comment, since tarfile would read all of it into memory."""
        member = super().frombuf(*args)
        if not member.isreg() and member.size > BLOCK:
            raise OSError(f"The archive's entry '{member.name}' has a header of {member.size} "
                          "bytes. It is not safe: delete it.")
        return member
