"""A room's files of answers put together, nothing lost without a word; and a listener's data
removed.
"""
import collections
import contextlib
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils.environment import printable, writing
from course_utils.listening.answer_log import (
    Answer,
    Problem,
    check_code,
    joined,
    parse,
    read_lines,
    to_line,
)
from course_utils.listening.design import Study, Trial, plan

QUARANTINE = "quarantine.csv"
FORMULA = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet takes for the beginning of a formula


class Merged(NamedTuple):
    """What a folder of answers holds: the answers, the lines put aside, and how many files and
    lines were read.
    """
    answers: list[Answer]
    problems: list[Problem]
    files: int
    lines: int


class Deleted(NamedTuple):
    """What was removed of a participant: how many answers, and what may still be there and why."""
    removed: int
    problems: list[Problem]


class _Found(NamedTuple):
    """An answer and where it stands."""
    file: str
    line: int
    answer: Answer

    def aside(self, reason: str) -> Problem:
        return Problem(self.file, self.line, reason, to_line(self.answer).decode().strip())


def merge(folder: str | Path, study: str | Study) -> Merged:
    """Put together the answers of all listeners, from all CSV files of a folder.

    Notebook: 13_listening_test

    Every line is either an answer that is kept, or is put aside with a reason, or is a header or
    empty. A file holds one listener's answers; where two files of one code contradict each other,
    none of that code's answers counts, since nobody knows which of them are the listener's.

    Args:
        folder: where the files are; folders inside it count, too. Links are put aside.
        study: name of the study; answers of others are put aside. Of a `Study` itself, answers to
            trials that it did not ask are put aside, too.

    Returns:
        Answers, problems, and the numbers of files and of lines.

    Raises:
        FileNotFoundError: if there is no such folder, or no CSV file in it.
    """
    paths = [path for path in _csv_files(folder) if path.name != QUARANTINE]
    if not paths:
        raise FileNotFoundError(f"There are no CSV files in '{folder}'. Give the folder where the "
                                "listeners' files are.")
    found, problems, lines = [], [], 0
    for path in paths:
        name = printable(path.relative_to(folder))
        try:
            rows = list(parse(read_lines(path), name))
        except OSError as error:
            problems.append(Problem(name, 0, f"the file cannot be read ({error.strerror})", ""))
            continue
        lines += len(rows)
        problems += [] if rows else [Problem(name, 0, "the file is empty", "")]
        problems += [row for row in rows if isinstance(row, Problem)]
        here = [_Found(name, number, row) for number, row in enumerate(rows, 1)
                if isinstance(row, Answer)]
        kept, aside = _of_one_listener(here, study)
        found, problems = found + kept, problems + aside
    kept, aside = _without_contradictions(found)
    return Merged(kept, problems + aside, len(paths), lines)


def _csv_files(folder: str | Path) -> list[Path]:
    return sorted(path for path in Path(folder).rglob("*.[cC][sS][vV]")
                  if not path.name.startswith("."))


def _of_one_listener(here: list[_Found],
                     study: str | Study) -> tuple[list[_Found], list[Problem]]:
    """Keep a file's answers to a study, if they are one listener's; put the others aside."""
    codes = {found.answer.participant for found in here}
    if len(codes) > 1:
        reason = f"{len(codes)} codes in one file: it is not one listener's"
        return [], [found.aside(reason) for found in here]
    reasons = list(_foreign(here, study))
    return ([found for found, reason in zip(here, reasons) if not reason],
            [found.aside(reason) for found, reason in zip(here, reasons) if reason])


def _foreign(here: list[_Found], study: str | Study) -> Iterator[str]:
    """Yield for each answer of one listener why it is not of the study, "" if it is."""
    name = study if isinstance(study, str) else study.name
    asked = None if isinstance(study, str) or not here else plan(study, here[0].answer.participant)
    for _, _, a in here:
        trial = Trial(a.trial, a.kind, a.role, a.first, a.second)
        if a.study != name:
            yield f"of the study {a.study!r}"
        elif asked is None or a.kind == "consent":
            yield ""
        else:
            fits = a.of == len(asked) and asked[a.trial - 1] == trial
            yield "" if fits else "a trial that this study did not ask"


def _without_contradictions(found: list[_Found]) -> tuple[list[Answer], list[Problem]]:
    """Keep the first of equal answers; put all of a code aside whose files contradict each other.

    Within one file the first answer to a trial counts: two windows may have asked at once.
    """
    seen: dict[tuple[str, int], _Found] = {}
    doubled, false = [], {}
    for one in found:
        first = seen.setdefault((one.answer.participant, one.answer.trial), one)
        if first is one:
            continue
        where = f"{first.file}, line {first.line}"
        if first.answer != one.answer and first.file != one.file:
            false.setdefault(one.answer.participant, f"{one.file}, line {one.line} contradicts "
                             f"{where}")
        told = "a duplicate of" if first.answer == one.answer else (
            "one code, two answers: contradicts")
        doubled.append(one.aside(f"{told} {where}"))
    kept = [one for one in seen.values() if one.answer.participant not in false]
    doubled += [one.aside(f"its code has two stories: {false[one.answer.participant]}")
                for one in seen.values() if one.answer.participant in false]
    return [one.answer for one in kept], doubled


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
    reasons = [re.sub(r"(duplicate of|contradicts|two stories:) .*", r"\1 an earlier line",
                      printable(problem.reason)).replace("two stories: an earlier line",
                                                         "two stories: files contradict each other")
               for problem in merged.problems]
    told += [f"put aside {count}: {reason}"
             for reason, count in sorted(collections.Counter(reasons).items())]
    late = {code: of for code, of in sorted(planned.items()) if answered[code] < of}
    told += [f"unfinished: {code}, {answered[code]} of {of} trials" for code, of in late.items()]
    if versions > 1:
        told.append(f"listeners heard {versions} different sets of sounds: save the sounds once, "
                    "and give the same files to all")
    return told


def save_problems(path: str | Path, problems: Sequence[Problem]) -> Path:
    """Write the lines that were put aside to a CSV with file, line, reason and text, so that
    nothing is lost.

    An apostrophe goes before what a spreadsheet would take for a formula.
    """
    with writing(path, 0o600) as temporary:
        temporary.write_bytes(joined(Problem._fields)
                              + b"".join(joined([_cell(str(value)) for value in p])
                                         for p in problems))
    return Path(path)


def _cell(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def delete(folder: str | Path, participant: str) -> Deleted:
    """Remove all answers of one participant from all CSV files of a folder.

    Notebook: 13_listening_test

    A file that cannot be changed does not keep the others from it.

    Args:
        folder: where the files are; folders inside it count, too.
        participant: the code.

    Returns:
        The number of answers removed, where a file that holds nothing else is removed as a whole;
        and what was left: files that cannot be read or changed, and lines with this code in them
        that are no answers (half of one, a note). Look at these, and delete them by hand.

    Raises:
        ValueError: if this is no code.
    """
    code, removed, problems = check_code(participant), 0, []
    for path in _csv_files(folder):
        name = printable(path.relative_to(folder))
        try:
            lines = read_lines(path)
            rows = list(parse(lines, name))
            theirs = [_is_of(code, row, path.name == QUARANTINE) for row in rows]
            if any(theirs):
                _keep(path, [line for line, gone in zip(lines, theirs) if not gone],
                      whole=any(row and not gone for row, gone in zip(rows, theirs)))
        except OSError as error:
            reason = f"the file cannot be read or changed ({error.strerror or error})"
            problems.append(Problem(name, 0, reason, ""))
            continue
        removed += sum(theirs)
        problems += [row._replace(reason="no answer, but the code stands in it")
                     for row, gone in zip(rows, theirs) if isinstance(row, Problem) and not gone
                     and re.search(rf"\b{code}\b", row.text)]
    return Deleted(removed, problems)


def _is_of(code: str, row: Answer | Problem | None, quarantine: bool) -> bool:
    """Tell whether a line is an answer of a participant, or in the quarantine the copy of one."""
    if isinstance(row, Problem) and quarantine:
        with contextlib.suppress(StopIteration, csv.Error):
            *_, text = next(csv.reader([row.text]))
            row = next(parse([text.removeprefix("'")], ""), None)
    return isinstance(row, Answer) and row.participant == code


def _keep(path: Path, lines: list[str], whole: bool) -> None:
    """Write the lines that are left, or remove a file in which nothing but a header is left."""
    if not whole:
        path.unlink()
        return
    with writing(path, 0o600) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8",
                             errors="replace", newline="\n")
