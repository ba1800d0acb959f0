"""Answers of a listening test on disk: one CSV a listener, to which every answer is appended at
once.
"""
import codecs
import contextlib
import csv
import errno
import io
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils import environment
from course_utils.outside import archives

CHOICES = {"rate": ("1", "2", "3", "4", "5"), "prefer": ("A", "B"), "pick": ("A", "B"),
           "consent": ("yes",)}
ROLES = ("consent", "practice", "test", "repeat")
# A letter first, so that no spreadsheet takes a code for a number.
CODE = re.compile(r"[A-Z][A-Z0-9]{2,11}")
STUDY = re.compile(r"[A-Za-z0-9_-]{1,100}")
SOUNDS = re.compile(r"x[0-9a-f]{8}")
SOUND = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}/[0-9]{1,3}")  # a system and its excerpt
# No test is longer, and nothing is made of a number before it was compared with these.
MOST = {"trial": 1000, "of": 1000, "plays": 10_000, "milliseconds": 10**10}
LARGEST = 5_000_000  # bytes of a listener's file, which has some thousand
MOST_LINES, LONGEST_LINE = 20_000, 10_000
SEPARATORS = (",", ";", "\t", "|")
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Answer(NamedTuple):
    """One answer of one listener.

    Notebook: 13_listening_test

    Attributes:
        study: name of the study.
        sounds: checksum of all sounds of the study, 8 hexadecimal digits after an x.
        participant: the listener's code.
        trial: its number in this listener's order, 0 for the consent.
        of: how many trials this listener has.
        kind: `rate`, `prefer`, `pick` or `consent`.
        role: `practice`, `test` or `repeat` (asked a second time), or `consent`.
        first, second: what was played, such as "Bach/2"; no second sound where one is rated.
        answer: `A`, `B`, `1` to `5`, or `yes`.
        plays: how many times a sound was started.
        milliseconds: from the first start to the answer.
    """
    study: str
    sounds: str
    participant: str
    trial: int
    of: int
    kind: str
    role: str
    first: str
    second: str
    answer: str
    plays: int
    milliseconds: int


COLUMNS = (*Answer._fields, "check")
NUMBERS = [name for name, kind in Answer.__annotations__.items() if kind is int]


class Problem(NamedTuple):
    """A line that is no answer, or no new one: where it stands, what is wrong, and the line
    itself.
    """
    file: str
    line: int
    reason: str
    text: str


def system_of(sound: str) -> str:
    """Return who made a sound: "Bach" for "Bach/2"."""
    return sound.rpartition("/")[0]


def item_of(sound: str) -> int:
    """Return which excerpt of its system a sound is: 2 for "Bach/2".

    Raises:
        ValueError: if that is no number of an excerpt.
    """
    if not SOUND.fullmatch(sound):
        raise ValueError("A sound is called by its system and a number up to 999, such as Bach/2, "
                         f"not {environment.printable(sound, 60)!r}.")
    return int(sound.rpartition("/")[2])


def chosen(answer: Answer) -> str:
    """Return the sound that was chosen of a pair, such as "Bach/2"."""
    return {"A": answer.first, "B": answer.second}[answer.answer]


def check_code(code: str) -> str:
    """Return a participant's code in capitals.

    Raises:
        ValueError: if it is not a letter followed by 2 to 11 letters or digits.
    """
    code = str(code).strip().upper()
    if not CODE.fullmatch(code):
        raise ValueError("A code is a letter followed by 2 to 11 letters or digits, such as "
                         f"QXB42, not {code!r}. Do not use your name.")
    return code


def append(path: str | Path, answer: Answer) -> None:
    """Write one answer to the end of a file, and wait until it is on the disk.

    Notebook: 13_listening_test

    Nothing that stands in the file is ever changed. A last line that was cut off by a crash is
    closed first, so that it becomes a line of its own, which `read` puts aside.

    Args:
        path: the CSV; made if it is not there, its folder has to be.
        answer: what to write.

    Raises:
        OSError: if it cannot be written (a full disk), or is a link. The file is then as it was
            before.
    """
    line = to_line(answer)
    try:
        with open(path, "a+b", buffering=0, opener=environment.private) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            closed = b"" if file.read(1) in (b"", b"\n") else b"\n"
            header = b"" if _has_header(file) else joined(COLUMNS)
            _write_whole(file, closed + header + line, size)
    except OSError as error:
        raise type(error)(f"This answer could not be saved in '{path}' ({error.strerror}). The "
                          "earlier ones are safe. Free some disk space, or see who may write "
                          "there; then give the answer again.") from error


def _has_header(file) -> bool:
    file.seek(0)
    return joined(COLUMNS) in file.read()


def _write_whole(file, data: bytes, size: int) -> None:
    try:
        written = 0
        while written < len(data):
            written += file.write(data[written:])
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(size)
        raise


def to_line(answer: Answer) -> bytes:
    """Return an answer as a line of a CSV, with its checksum at the end."""
    fields = [str(value) for value in answer]
    return joined([*fields, _checksum(fields)])


def joined(fields: Sequence[str]) -> bytes:
    """Return fields as a line of a CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode(errors="replace")


def _checksum(fields: Sequence[str]) -> str:
    # The x keeps spreadsheets from reading 12345e67 as a number.
    return f"x{zlib.crc32(chr(31).join(fields).encode()):08x}"


def read(path: str | Path) -> tuple[list[Answer], list[Problem]]:
    """Read one file of answers, whatever program has saved it.

    Notebook: 13_listening_test

    UTF-8 with or without byte-order mark, UTF-16 or Windows-1252; commas, semicolons, tabs or bars;
    columns in any order.

    Returns:
        The answers in the order of the file, and the lines that are none.

    Raises:
        OSError: if the file cannot be read, is a link or no ordinary file, or much larger than a
            listener's.
    """
    found = list(rows(path))
    return ([row for row in found if isinstance(row, Answer)],
            [row for row in found if isinstance(row, Problem)])


def rows(path: str | Path) -> Iterator[Answer | Problem | None]:
    """Yield an answer or a problem for every line; None for headers and empty lines."""
    return parse(read_lines(path), Path(path).name)


def parse(lines: Sequence[str], name: str) -> Iterator[Answer | Problem | None]:
    """Yield an answer or a problem for every line of a file of that name, as `rows`."""
    columns = COLUMNS
    separator = max(SEPARATORS, key=lambda mark: sum(len(_fields(line, mark)) >= len(COLUMNS)
                                                     for line in lines))
    for number, line in enumerate(lines, 1):
        fields = _fields(line, separator)
        if set(COLUMNS) <= set(fields):
            columns = fields
            yield None
        elif not any(fields):
            yield None
        else:
            try:
                yield _to_answer(fields, columns)
            except ValueError as error:
                yield Problem(name, number, str(error), line[:LONGEST_LINE])


def read_lines(path: str | Path) -> list[str]:
    """Return the lines of a file of answers.

    Raises:
        OSError: if it cannot be read, or is no file that a listener's answers can be in.
    """
    lines = split_lines(archives.read_plain(path, LARGEST, links=False))
    if len(lines) > MOST_LINES:
        raise OSError(errno.EFBIG, f"it has {len(lines):,} lines, and {MOST_LINES:,} are read at "
                      "most", str(path))
    return lines


def split_lines(data: bytes) -> list[str]:
    """Return the lines of a file, whatever its encoding and line breaks."""
    encoding = next((name for mark, name in BOMS.items() if data.startswith(mark)), "")
    if encoding:
        text = data.decode(encoding, errors="replace")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    lines = re.split(r"\r\n|\n|\r", text)
    return lines if lines[-1] else lines[:-1]


def _fields(line: str, separator: str) -> list[str]:
    if len(line) > LONGEST_LINE:
        return [line]
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return [line]


def _to_answer(fields: Sequence[str], columns: Sequence[str]) -> Answer:
    """Turn a line's fields into an answer; a ValueError says in a few words why that does not
    work.
    """
    if len(fields) < len(columns):
        raise ValueError(f"{len(fields)} of {len(columns)} fields: cut off, or no answer at all")
    if any(fields[len(columns):]):
        raise ValueError(f"{len(fields)} fields, {len(columns)} are known")
    row = dict(zip(columns, fields))
    if _checksum([row[name] for name in Answer._fields]) != row["check"]:
        raise ValueError("changed since it was saved, or half of two lines")
    answer = Answer(**{name: _number(name, row[name]) if name in NUMBERS else row[name]
                       for name in Answer._fields})
    _check_known(answer)
    return answer


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise ValueError("a number is expected where none stands")
    if int(text) > MOST[name]:
        raise ValueError(f"{name} is {text}, which no test has")
    return int(text)


def _check_known(answer: Answer) -> None:
    """Check that a test can have such an answer."""
    if answer.role not in ROLES or answer.answer not in CHOICES.get(answer.kind, ()) or (
            not CODE.fullmatch(answer.participant)):
        raise ValueError("kind, role, answer or code that no test has")
    if not STUDY.fullmatch(answer.study) or not SOUNDS.fullmatch(answer.sounds):
        raise ValueError("a study or a checksum of sounds that no test has")
    consent = answer.kind == "consent"
    if consent != (answer.role == "consent") or not (1 - consent <= answer.trial <= (
            0 if consent else answer.of)):
        raise ValueError("a trial that this test does not have")
    heard = {"consent": (), "rate": (answer.first,)}.get(answer.kind, answer[7:9])
    if not all(map(SOUND.fullmatch, heard)) or any(answer[7 + len(heard) : 9]):
        raise ValueError("a sound that no test has")


def by_listener(answers: Sequence[Answer]) -> Mapping[str, list[Answer]]:
    """Sort answers by participant code, in the order of the codes."""
    groups: dict[str, list[Answer]] = {}
    for answer in sorted(answers, key=lambda a: a.participant):
        groups.setdefault(answer.participant, []).append(answer)
    return groups
