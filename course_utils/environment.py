"""Where the course runs: folders, budget, seeds, safe file writing, and a one-table report."""
import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from html import escape
from pathlib import Path

BUDGETS = ("quick", "full")
LONGEST_NAME = 200  # characters of a title or name
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows
# What a terminal or a page reads as "from here on to the left", so that a name looks like another.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# A FIFO would be waited for, and a link may lead to somebody else's file; Windows has neither.
PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

# TensorFlow writes notes about the processor to stderr while it is imported, which a notebook would
# show as if they were errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def in_colab() -> bool:
    """Tell whether this Python runs in Google Colab."""
    return "google.colab" in sys.modules


def quiet() -> bool:
    """Tell whether progress bars should stay silent (outputs about to be stored in a notebook)."""
    return os.environ.get("COURSE_QUIET", "") not in ("", "0")


def data_folder() -> Path:
    """Return the folder of shipped data: `data/` of the repository, or the copy inside an installed
    wheel.
    """
    package = Path(__file__).parent
    for folder in (package.parent / "data", package / "data"):
        if (folder / "MANIFEST.json").exists():
            return folder
    raise FileNotFoundError("The course's data folder is missing. Install the package again, or "
                            "clone the repository afresh.")


def cache_folder() -> Path:
    """Return the folder for files that can be made again (`COURSE_CACHE`, or the user's cache
    folder).

    A new one is its owner's alone.

    Raises:
        OSError: if it is not there and cannot be made, or others may write into it.
    """
    import pooch

    folder = Path(os.environ.get("COURSE_CACHE") or pooch.os_cache("deep-learning-with-music"))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
    except OSError as error:
        raise type(error)(f"Cannot make the cache folder '{folder}' ({error.strerror}). "
                          "Set COURSE_CACHE to a folder that you can write to.") from error
    if _open_to_others(found):
        raise PermissionError(f"Others may write into the cache folder '{folder}', and so change "
                              "what you hear. Forbid it (chmod go-w), or set COURSE_CACHE to a "
                              "folder of your own.")
    return folder


def _open_to_others(found: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):  # on Windows the mode says nothing about others
        return False
    # Root reads everybody's files anyway; in containers a folder from outside is another's.
    strange = os.geteuid() != 0 and found.st_uid not in (0, os.geteuid())
    return strange or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def printable(text: object, longest: int | None = None) -> str:
    """Return text from outside as one line that can be printed, shown and written anywhere.

    What steers a terminal, turns the direction of reading or cannot be encoded is left out; line
    breaks and tabs become spaces.

    Args:
        text: such as a name, a title or a message with one in it.
        longest: number of characters that are kept; None for all.
    """
    line = re.sub(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", TURNING.sub("", str(text)))
    kept = (c for c in line if unicodedata.category(c) not in ("Cc", "Cs")
            and ord(c) & 0xFFFE != 0xFFFE)  # which no XML may hold
    return "".join(kept)[:longest]


def safe_name(name: object, otherwise: str = "music") -> str:
    """Return a name that a file can have in every folder of every system, without an ending.

    Args:
        name: such as the title of a piece.
        otherwise: what is returned if nothing is left of the name.
    """
    plain = re.sub(r"[^\w.-]+", "_", printable(name, LONGEST_NAME)).strip("._-")
    while len(plain.encode()) > 100:
        plain = plain[:-1]
    return f"_{plain}" if RESERVED.fullmatch(plain) else plain or otherwise


def private(path: str | Path, flags: int) -> int:
    """Open a file so that others cannot read what is written, and no link is followed; for
    `open(..., opener=private)`.

    Raises:
        OSError: if it is a link, or cannot be opened.
    """
    return os.open(path, flags | PLAIN, 0o600)


def use_budget(name: str) -> None:
    """Choose `"quick"` (laptop, minutes) or `"full"` (GPU, or an evening) for all later cells.

    Notebook: 00_welcome

    Raises:
        ValueError: if the name is neither.
    """
    if name not in BUDGETS:
        raise ValueError(f"The budget is one of {', '.join(BUDGETS)}, not {name!r}.")
    os.environ["COURSE_BUDGET"] = name


def budget() -> str:
    """Return the budget in force: `COURSE_BUDGET`, or `"quick"` where it is not set.

    Raises:
        ValueError: if `COURSE_BUDGET` is set to anything else.

    Example:
        >>> from course_utils import environment
        >>> environment.budget()  # where COURSE_BUDGET is not set
        'quick'
    """
    name = os.environ.get("COURSE_BUDGET") or "quick"
    if name not in BUDGETS:
        raise ValueError(f"COURSE_BUDGET is {name!r}; set it to one of {', '.join(BUDGETS)}, or "
                         "unset it.")
    return name


def by_budget(quick, full):
    """Return `quick` or `full`, whichever the budget in force asks for.

    Notebook: 00_welcome

    Example:
        >>> from course_utils import environment
        >>> environment.by_budget(quick=300, full=4000)  # where COURSE_BUDGET is not set
        300
    """
    return full if budget() == "full" else quick


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, so that a second run gives the same numbers."""
    import keras

    keras.utils.set_random_seed(seed)


def sha256(path: str | Path) -> str:
    """Return the SHA-256 checksum of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shipped(name: str) -> Path:
    """Return the path of a shipped data file, after comparing its checksum with
    `data/MANIFEST.json`.

    Args:
        name: path inside the data folder, such as `"chorales.npz"`.

    Raises:
        FileNotFoundError: if the file is not listed or not there.
        OSError: if its checksum differs (a damaged or half-finished copy).

    Example:
        >>> from course_utils import environment
        >>> environment.shipped("chorales.npz").name
        'chorales.npz'
    """
    folder = data_folder()
    entry = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))["files"].get(name)
    path = folder / name
    if entry is None or not path.exists():
        raise FileNotFoundError(f"'{name}' is not among the course's data files ({folder}).")
    if sha256(path) != entry["sha256"]:
        raise OSError(f"'{path}' is damaged: its checksum is not the one in MANIFEST.json. "
                      "Restore it (git checkout, or install the package again).")
    return path


def stored(name: str) -> dict:
    """Return what a shipped JSON file holds: the figures that a benchmark measured, or a network's
    card.

    Args:
        name: path inside the data folder, such as `"gan_toy.json"` or
            `"weights/chorale_lstm.json"`.

    Raises:
        OSError: as `shipped`.

    Example:
        >>> from course_utils import environment
        >>> environment.stored("weights/chorale_lstm.json")["parameters"]
        1860864
    """
    return json.loads(shipped(name).read_text(encoding="utf-8"))


@contextlib.contextmanager
def writing(target: str | Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield a temporary path next to `target`; move it there only if the block succeeds.

    A reader therefore never sees a half-written file, and a full disk leaves the old file as it
    was.

    Args:
        target: the file to write.
        mode: who may read and write it, less what the umask takes away; 0o600 for its owner alone.

    Raises:
        OSError: if the target is a folder or write-protected, or its folder is missing or cannot be
            written to.
    """
    target = Path(target)
    if target.is_dir():
        raise IsADirectoryError(f"'{target}' is a folder. Give a file name, such as "
                                f"'{target / 'music.wav'}'.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder '{target.parent}'. Create it first, or choose "
                                "another place.")
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        raise PermissionError(f"'{target}' is write-protected, or not an ordinary file. Choose "
                              "another name.")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=target.suffix)
    except OSError as error:
        raise type(error)(f"Cannot write into '{target.parent}' ({error.strerror}). Choose another "
                          "place.") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, mode & ~_umask())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the umask without changing it, where the system tells it; elsewhere as it was at
    first.
    """
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(re.findall(r"^Umask:\s*(\d+)", status, re.MULTILINE)[0], 8)
    return _FIRST_UMASK


def _ask_umask() -> int:
    # Asking means setting: for a moment only what the owner may do is allowed, never more.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_FIRST_UMASK = _ask_umask()


def cores() -> int:
    """Return how many processor cores this Python may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report() -> dict[str, str]:
    """Return what a bug report needs, one line a fact: versions, processor, memory, disk, GPU,
    budget.
    """
    import psutil
    import tensorflow as tf

    details = [tf.config.experimental.get_device_details(gpu)
               for gpu in tf.config.list_physical_devices("GPU")]
    packages = ("tensorflow", "keras", "librosa", "numpy", "music21", "ipywidgets", "jupyterlab")
    return {"Python": platform.python_version(),
            "System": f"{platform.system()} {platform.machine()}"
            + (", Google Colab" if in_colab() else ""),
            **{name: _version(name) for name in packages}, "CPU cores": str(cores()),
            "Memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
            "Free disk space": f"{psutil.disk_usage(cache_folder()).free / 1e9:.0f} GB",
            "GPU": ", ".join(gpu.get("device_name", "unnamed") for gpu in details)
            or "none (not needed)", "Budget": budget()}


def show_report():
    """Show `report` as a table under a notebook cell.

    Notebook: 00_welcome
    """
    from IPython.display import HTML

    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
                   for name, value in report().items())
    return HTML(f"<table>{rows}</table>")


def _version(package: str) -> str:
    candidates = ("tensorflow", "tensorflow-cpu") if package == "tensorflow" else (package,)
    for name in candidates:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return "not installed"
