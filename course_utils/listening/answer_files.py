"""A room's files of answers put together, nothing lost without a word; and a listener's data
removed.
"""
import collections
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils.environment import writing
from course_utils.listening.answer_log import (
    Answer,
    Problem,
    check_code,
    joined,
    read,
    rows,
    split_lines,
    to_line,
)

QUARANTINE = "quarantine.csv"


class Merged(NamedTuple):
    """What a folder of answers holds: the answers, the lines put aside, and how many files and
    lines were read.
    """
    answers: list[Answer]
    problems: list[Problem]
    files: int
    lines: int


def merge(folder: str | Path, study: str) -> Merged:
    """Put together the answers of all listeners, from all CSV files of a folder.

    Notebook: 13_listening_test

    Every line is either an answer that is kept, or is put aside with a reason, or is a header or
    empty. Of two answers by one code to one trial the first is kept, in the order of the files'
    names.

    Args:
        folder: where the files are; folders inside it count, too.
        study: name of the study; answers of others are put aside.

    Returns:
        Answers, problems, and the numbers of files and of lines.

    Raises:
        FileNotFoundError: if there is no such folder, or no CSV file in it.
    """
    folder = Path(folder)
    paths = sorted(path for path in folder.rglob("*.[cC][sS][vV]") if path.name != QUARANTINE
                   and not path.name.startswith("."))
    if not paths:
        raise FileNotFoundError(f"There are no CSV files in '{folder}'. Give the folder where the "
                                "listeners' files are.")
    seen: dict[tuple, tuple[Answer, str]] = {}
    problems, lines = [], 0
    for path in paths:
        name = str(path.relative_to(folder))
        try:
            found = list(rows(path))
        except OSError as error:
            problems.append(Problem(name, 0, f"the file cannot be read ({error.strerror})", ""))
            continue
        if not found:
            problems.append(Problem(name, 0, "the file is empty", ""))
        lines += len(found)
        problems += _put_aside(found, seen, study, name)
    return Merged([answer for answer, _ in seen.values()], problems, len(paths), lines)


def _put_aside(found: Sequence[Answer | Problem | None], seen: dict, study: str,
               name: str) -> Iterator[Problem]:
    """Add a file's answers to those seen; yield a problem for each line that is none, or not the
    first to its trial.
    """
    for number, row in enumerate(found, 1):
        if isinstance(row, Problem):
            yield row._replace(file=name)
        elif row:
            first, where = seen.get((row.participant, row.trial), (None, ""))
            if row.study == study and first is None:
                seen[row.participant, row.trial] = row, f"{name}, line {number}"
                continue
            reason = (f"of the study {row.study!r}" if row.study != study
                       else f"a duplicate of {where}" if row == first
                       else f"one code, two answers: contradicts {where}")
            yield Problem(name, number, reason, to_line(row).decode().strip())


def report(merged: Merged) -> list[str]:
    """Say in lines what was merged, what was put aside, and who did not finish.

    Notebook: 13_listening_test

    Example:
        >>> from course_utils.listening import answer_files
        >>> answer_files.report(answer_files.Merged([], [], files=2, lines=2))
        ['2 files, 2 lines: 0 answers kept from 0 listeners, 0 put aside']
    """
    answered = collections.Counter(a.participant for a in merged.answers if a.trial)
    planned = {a.participant: a.of for a in merged.answers}
    versions = len({a.sounds for a in merged.answers})
    told = [f"{merged.files} files, {merged.lines} lines: {len(merged.answers)} answers kept from "
            f"{len(planned)} listeners, {len(merged.problems)} put aside"]
    reasons = [re.sub(r"(duplicate of|contradicts) .*", r"\1 an earlier line", problem.reason)
               for problem in merged.problems]
    told += [f"put aside {count}: {reason}" for reason,
             count in sorted(collections.Counter(reasons).items())]
    late = {code: of for code, of in sorted(planned.items()) if answered[code] < of}
    told += [f"unfinished: {code}, {answered[code]} of {of} trials" for code, of in late.items()]
    if versions > 1:
        told.append(f"listeners heard {versions} different sets of sounds: save the sounds once, "
                    "and give the same files to all")
    return told


def save_problems(path: str | Path, problems: Sequence[Problem]) -> Path:
    """Write the lines that were put aside to a CSV with file, line, reason and text, so that
    nothing is lost.
    """
    with writing(path) as temporary:
        temporary.write_bytes(joined(Problem._fields)
                              + b"".join(joined([str(value) for value in p]) for p in problems))
    return Path(path)


def delete(folder: str | Path, participant: str) -> int:
    """Remove all lines of one participant from all CSV files of a folder.

    Notebook: 13_listening_test

    Args:
        folder: where the files are; folders inside it count, too.
        participant: the code.

    Returns:
        The number of answers removed; a file that holds nothing else is removed as a whole.

    Raises:
        ValueError: if this is no code.
        OSError: if a file cannot be changed.
    """
    code, removed = check_code(participant), 0
    named = re.compile(rf"\b{code}\b")
    for path in sorted(Path(folder).rglob("*.[cC][sS][vV]")):
        answers, problems = read(path)
        theirs = sum(answer.participant == code for answer in answers)
        removed += theirs
        if theirs and theirs == len(answers) and all(named.search(problem.text)
                                                     for problem in problems):
            path.unlink()
        elif theirs or any(named.search(problem.text) for problem in problems):
            _keep_others(path, named)
    return removed


def _keep_others(path: Path, named: re.Pattern) -> None:
    kept = [line for line in split_lines(path.read_bytes()) if not named.search(line)]
    with writing(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
