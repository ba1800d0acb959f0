"""Answers of a listening test on disk: one CSV a listener, to which every answer is appended at
once.
"""
import codecs
import contextlib
import csv
import io
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CHOICES = {"rate": ("1", "2", "3", "4", "5"), "prefer": ("A", "B"), "pick": ("A", "B"),
           "consent": ("yes",)}
ROLES = ("consent", "practice", "test", "repeat")
# A letter first, so that no spreadsheet takes a code for a number.
CODE = re.compile(r"[A-Z][A-Z0-9]{2,11}")
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
        OSError: if it cannot be written (a full disk). The file is then as it was before.
    """
    line = to_line(answer)
    try:
        with open(path, "a+b", buffering=0) as file:
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
    return text.getvalue().encode()


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
        OSError: if the file cannot be read.
    """
    found = list(rows(path))
    return [row for row in found if isinstance(row, Answer)], [row for row in found
                                                               if isinstance(row, Problem)]


def rows(path: str | Path) -> Iterator[Answer | Problem | None]:
    """Yield an answer or a problem for every line; None for headers and empty lines."""
    path, columns = Path(path), COLUMNS
    lines = split_lines(path.read_bytes())
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
                yield Problem(path.name, number, str(error), line)


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
    try:
        answer = Answer(**{name: int(row[name]) if name in NUMBERS else row[name]
                           for name in Answer._fields})
    except ValueError:
        raise ValueError("a number is expected where none stands") from None
    if answer.role not in ROLES or answer.answer not in CHOICES.get(answer.kind,
                                                                    ()) or not CODE.fullmatch(
        answer.participant):
        raise ValueError("kind, role, answer or code that no test has")
    return answer


def by_listener(answers: Sequence[Answer]) -> Mapping[str, list[Answer]]:
    """Sort answers by participant code, in the order of the codes."""
    groups: dict[str, list[Answer]] = {}
    for answer in sorted(answers, key=lambda a: a.participant):
        groups.setdefault(answer.participant, []).append(answer)
    return groups
