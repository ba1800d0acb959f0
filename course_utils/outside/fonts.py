"""Sound fonts, read before the renderer sees them: SoundFont 2.04, whose tables point at one
another and into the samples.
"""
import importlib.resources
from pathlib import Path

import numpy as np

from course_utils.outside import archives

LARGEST = 2**30  # bytes
CHUNKS = 1000  # of one list
# The tables of the list `pdta` by name: bytes of a row, and which two bytes of it point where.
POINTERS = {"phdr": (38, {24: "pbag"}), "pbag": (4, {0: "pgen", 2: "pmod"}), "pmod": (10, {}),
            "pgen": (4, {}), "inst": (22, {20: "ibag"}), "ibag": (4, {0: "igen", 2: "imod"}),
            "imod": (10, {}), "igen": (4, {}), "shdr": (46, {})}
NAMED = {"pgen": (41, "inst"), "igen": (53, "shdr")}  # a generator whose amount is a row of a table
SAMPLE = np.dtype([("name", "S20"), ("begin", "<u4"), ("end", "<u4"), ("loop", "<u4", 2),
                   ("rate", "<u4"), ("rest", "V6")])
ADVICE = "Download it again, or give the path of another .sf2 file."


def path(soundfont: str | Path | None = None) -> Path:
    """Return the path of a sound font, by default that of the one that pretty_midi brings."""
    return Path(soundfont or importlib.resources.files("pretty_midi") / "TimGM6mb.sf2")


def read(path: str | Path) -> bytes:
    """Read a sound font, and check that nothing in it points outside of it.

    Args:
        path: the .sf2 file.

    Returns:
        Its content.

    Raises:
        ValueError: if it is no sound font, empty or damaged.
        FileNotFoundError, OSError: if it is missing, a folder, larger than 1 GB or not readable.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"'{path}' is a folder. Give the path of an .sf2 file in it.")
    try:
        font = archives.read_plain(path, LARGEST)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file '{path}'. Check the name of the sound "
                                "font.") from error
    except OSError as error:
        raise type(error)(f"The sound font '{path}' cannot be read ({error.strerror}). Check the "
                          "name and its permissions.") from error
    if font[:4] != b"RIFF" or font[8:12] != b"sfbk":
        raise ValueError(f"'{path}' is not a sound font, or empty. {ADVICE}")
    try:
        _check(font)
    except ValueError as error:
        raise ValueError(f"'{path}' is not a sound font that can be played: it is damaged "
                         f"({error}). {ADVICE}") from error
    return font


def programs(font: bytes) -> set[int]:
    """List the melodic programs of a sound font that `read` returned, since the renderer plays
    another where one is missing.
    """
    rows = np.frombuffer(_tables(font)["phdr"], np.uint8).reshape(-1, 38)[:-1]
    melodic = (rows[:, 22] == 0) & (rows[:, 23] == 0)
    return set((rows[melodic, 20] + 256 * rows[melodic, 21].astype(int)).tolist())


def _check(font: bytes) -> None:
    tables = _tables(font)
    for name, (width, _) in POINTERS.items():
        size = len(tables.get(name, b""))
        if not size or size % width:
            raise ValueError(f"its table {name} is missing or cut off")
    for name, (width, pointers) in POINTERS.items():
        for place, other in pointers.items():
            _check_order(tables[name], width, place, len(tables[other]) // POINTERS[other][0])
    for name, (generator, other) in NAMED.items():
        rows = np.frombuffer(tables[name], "<u2").reshape(-1, 2)
        named = rows[:-1][rows[:-1, 0] == generator, 1]
        if (named >= len(tables[other]) // POINTERS[other][0] - 1).any():
            raise ValueError(f"its table {name} names what is not in {other}")
    _check_samples(np.frombuffer(tables["shdr"], SAMPLE)[:-1], len(tables["smpl"]) // 2)


def _check_order(table: bytes, width: int, place: int, count: int) -> None:
    """Check that a table's pointers rise and stay within the rows of the other."""
    rows = np.frombuffer(table, np.uint8).reshape(-1, width)
    pointers = rows[:, place] + 256 * rows[:, place + 1].astype(int)
    if (np.diff(pointers) < 0).any() or pointers[-1] >= count:
        raise ValueError("a table points outside of another")


def _check_samples(samples: np.ndarray, length: int) -> None:
    if not len(samples) or (samples["end"] > length).any() or (
            samples["begin"] > samples["end"]).any():
        raise ValueError("a sample lies outside of its sound")
    used = samples[samples["end"] > samples["begin"]]
    if (used["loop"] > length).any() or ((used["rate"] < 400) | (used["rate"] > 400_000)).any():
        raise ValueError("a sample has a loop or a rate that cannot be")


def _tables(font: bytes) -> dict[str, memoryview]:
    """Return the parts of a sound font that matter by name, without copying them."""
    size = int.from_bytes(font[4:8], "little") + 8
    if size > len(font):
        raise ValueError(f"{len(font):,} of {size:,} bytes are there")
    found, whole = {}, memoryview(font)[:size]
    for kind, content in _chunks(whole[12:]):
        if kind == b"LIST" and bytes(content[:4]) in (b"sdta", b"pdta"):
            found |= {name.decode("latin-1"): part for name, part in _chunks(content[4:])}
    if "smpl" not in found:
        raise ValueError("it holds no samples")
    return found


def _chunks(content: memoryview):
    """Yield the name and the content of each part of a list."""
    for _ in range(CHUNKS):
        if len(content) < 8:
            return
        size = int.from_bytes(content[4:8], "little")
        if size > len(content) - 8:
            raise ValueError("a part of it is cut off")
        yield bytes(content[:4]), content[8 : 8 + size]
        content = content[8 + size + size % 2 :]
    raise ValueError(f"it has more than {CHUNKS} parts")
