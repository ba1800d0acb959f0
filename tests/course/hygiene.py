"""What every notebook of the course keeps to. A rule takes a notebook and its path, and yields its
complaints.
"""
import ast
import collections
import io
import json
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tools import execute, notebooks
from tools.alt_texts import WORDLESS

LARGEST = 1_000_000
LARGEST_TOGETHER = 12_000_000
SECTIONS = ("Summary", "Exercises", "Quiz", "Going further")
WIDEST = 84
MOST_NAMES = 8
MOST_LINES = 280
PROMISES = {"what the reader will be able to do": r"able to", "what is needed first": r"\bneed",
            "the minutes": r"\d+ min"}
ANSWER = re.compile(r"<details><summary>.+?</summary>\s*(Right|No)\b\W*(.*?)</details>", re.DOTALL)
Complaints = Iterator[str]


def is_solution(path: Path) -> bool:
    """Tell whether a notebook holds worked answers."""
    return path.parent.name == "solutions"


def headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    """Return the level and text of every heading, leaving out what only looks like one inside a
    code fence.
    """
    prose = re.sub(r"^```.*?^```", "", notebooks.markdown(notebook), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^(#{1,6})\s+(.*)$", prose, re.MULTILINE)
    return [(len(marks), text.strip()) for marks, text in found]


def section(notebook: NotebookNode, title: str) -> str:
    """Return the prose from a heading of the second level to the next one."""
    found = re.search(rf"^## {title}.*?(?=^## |\Z)", notebooks.markdown(notebook),
                      re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def valid(notebook: NotebookNode, path: Path) -> Complaints:
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "has cells without an id of their own"
        return
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"is not a valid notebook: {error.message}"


def small(notebook: NotebookNode, path: Path) -> Complaints:
    size = len(json.dumps(notebook, ensure_ascii=False, indent=1).encode())
    if size > LARGEST:
        yield f"takes {size / 1e6:.2f} MB (at most {LARGEST / 1e6:.0f})"


def clean_outputs(notebook: NotebookNode, path: Path) -> Complaints:
    yield from execute.unclean(notebook)


def portable_source(notebook: NotebookNode, path: Path) -> Complaints:
    for cell in notebook.cells:
        if found := execute.MACHINE_PATH.search(cell.source):
            yield f"names a machine's path: {cell.source[found.start() : found.end() + 30]!r}"


def one_title(notebook: NotebookNode, path: Path) -> Complaints:
    levels = [level for level, _ in headings(notebook)]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"has {levels.count(1)} headings of the first level (one, at the top)"
    if any(deeper > level + 1 for level, deeper in pairwise(levels)):
        yield "skips a heading level"


def setup(notebook: NotebookNode, path: Path) -> Complaints:
    cells = notebooks.code_cells(notebook)
    if not cells or cells[0].source != notebooks.setup_cell():
        yield "does not begin with the set-up cell of tools/notebooks.py"
    name = f"solutions/{path.name}" if is_solution(path) else path.name
    if not notebook.cells or notebooks.badge(name) not in notebook.cells[0].source:
        yield "lacks its Colab badge in the first cell"


def executed(notebook: NotebookNode, path: Path) -> Complaints:
    counts = [cell.execution_count for cell in notebooks.code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield "was not executed from top to bottom"
    if notebook.metadata.get("course", {}).get("code") != notebooks.code_hash(notebook):
        yield "has changed since it was executed (run `make notebooks`)"


def compared(notebook: NotebookNode, path: Path) -> Complaints:
    cells = [cell for cell in notebooks.code_cells(notebook) if notebooks.COMPARED in cell.source]
    if len(cells) < (1 if is_solution(path) else 3):
        yield f"has {len(cells)} cells with {notebooks.COMPARED} (at least 3)"
    if not all(cell.outputs for cell in cells):
        yield f"has a cell with {notebooks.COMPARED} that stores no output to compare"


def readable_code(notebook: NotebookNode, path: Path) -> Complaints:
    lengths = sorted(_code_lines(cell) for cell in notebooks.code_cells(notebook))
    if lengths and lengths[int(0.9 * (len(lengths) - 1))] > 20:
        yield f"has long cells (nine in ten of at most 20 lines; lengths {lengths})"
    lines = sum(map(_logical_lines, notebooks.code_cells(notebook)[1:]))
    if lines > MOST_LINES:
        yield f"has {lines} lines of code (at most {MOST_LINES}, however they are wrapped)"


def narrow_code(notebook: NotebookNode, path: Path) -> Complaints:
    for cell in notebooks.code_cells(notebook)[1:]:
        for line in cell.source.splitlines():
            if len(line) > WIDEST:
                yield f"has a line of {len(line)} characters (at most {WIDEST}): {line!r}"


def few_names(notebook: NotebookNode, path: Path) -> Complaints:
    for cell in notebooks.code_cells(notebook):
        names: collections.Counter[str] = collections.Counter()
        for node in ast.walk(notebooks.syntax_tree(cell)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("course_utils."):
                names[node.module] += len(node.names)
        for place, number in names.items():
            if number > MOST_NAMES:
                yield f"imports {number} names from {place} in one cell (at most {MOST_NAMES})"


def prose(notebook: NotebookNode, path: Path) -> Complaints:
    text = re.sub(r"<[^>]*>|\]\([^)]*\)", " ", notebooks.markdown(notebook))
    words, lines = len(text.split()), sum(map(_code_lines, notebooks.code_cells(notebook)))
    if not 1000 <= words <= 2500:
        yield f"has {words} words of prose (1000 to 2500)"
    if words < 4 * lines:
        yield f"has {words} words for {lines} lines of code (at least 4 a line)"


def alt_texts(notebook: NotebookNode, path: Path) -> Complaints:
    text = notebooks.markdown(notebook)
    for image in re.findall(r"!\[\s*\]\([^)]*\)|<img\b[^>]*>", text):
        if not re.search(r'\balt="[^"]+"', image):
            yield f"shows a picture without alt text: {image[:60]}"
    for cell in notebooks.code_cells(notebook):
        if any(text in ("", WORDLESS) for text in notebooks.figure_texts(cell)):
            yield ("stores a figure without alt text (label it, and run it by `make notebooks`): "
                   f"{cell.source[:60]!r}")


def links(notebook: NotebookNode, path: Path) -> Complaints:
    for target in re.findall(r"\]\(([^)\s]+)", notebooks.markdown(notebook)):
        outside = re.match(r"https?:|#|mailto:|attachment:|data:", target)
        if not outside and not (path.parent / target.split("#")[0]).exists():
            yield f"links to '{target}', which is not there"


def objectives(notebook: NotebookNode, path: Path) -> Complaints:
    box = notebooks.first_box(notebook)
    for what, pattern in PROMISES.items():
        if not re.search(pattern, box, re.IGNORECASE):
            yield f"has no box at the top that says {what} (/{pattern}/ in a Markdown quote)"


def sections(notebook: NotebookNode, path: Path) -> Complaints:
    titles = [text for level, text in headings(notebook)
              if level == 2 and text.startswith(SECTIONS)]
    if tuple(titles) != SECTIONS:
        yield f"does not end with the sections {', '.join(SECTIONS)} (found {titles})"


def quiz(notebook: NotebookNode, path: Path) -> Complaints:
    questions = re.split(r"^\*\*\d\.", section(notebook, "Quiz"), flags=re.MULTILINE)[1:]
    if len(questions) != 5:
        yield f"asks {len(questions)} quiz questions (5, each beginning with **1. and so on)"
    said = [[verdict for verdict, _ in ANSWER.findall(question)] for question in questions]
    if len(set(map(tuple, said))) == 1:
        yield "has a quiz whose right answers all stand in the same place"
    for number, (question, verdicts) in enumerate(zip(questions, said), 1):
        told = question.count("<details>") == len(verdicts) >= 3
        if not told or verdicts.count("Right") != 1:
            yield (f"has a quiz question {number} without three or more answers, one \"Right\", "
                   "the others \"No\"")
        if any(len(explanation.split()) < 4 for _, explanation in ANSWER.findall(question)):
            yield f"has a quiz question {number} with an answer that is not explained"


def exercises(notebook: NotebookNode, path: Path) -> Complaints:
    chapter, told = path.name[:2], "PASS" if is_solution(path) else notebooks.STILL_OPEN
    checked = [(number, cell) for cell in notebooks.code_cells(notebook)
               for number in notebooks.checked_exercises(cell)]
    numbers = [number for number, _ in checked]
    fewest = 1 if chapter == "00" else 3
    in_order = [f"{chapter}.{number}" for number in range(1, len(numbers) + 1)]
    if numbers != in_order or not fewest <= len(numbers) <= 5:
        yield f"checks the exercises {numbers} ({chapter}.1, {chapter}.2 and so on; three to five)"
    boxes = notebooks.quotes(notebooks.markdown(notebook))
    for number, cell in checked:
        if f"Exercise {number}" not in boxes:
            yield f"has no box (Markdown quote) that says \"Exercise {number}\""
        if not any(number in text and told in text for text in execute.output_texts(cell)):
            yield f"does not store \"{told}\" under exercise {number}"
        if is_solution(path) and notebooks.COMPARED not in cell.source:
            yield f"does not compare the verdict on exercise {number} ({notebooks.COMPARED})"


def twin(notebook: NotebookNode, path: Path) -> Complaints:
    answers = path.parent / "solutions" / path.name
    if not answers.exists():
        yield f"has no worked answers in solutions/{path.name}"
        return
    asked, answered = ([n for cell in notebooks.code_cells(nb)
                        for n in notebooks.checked_exercises(cell)]
                       for nb in (notebook, notebooks.read(answers)))
    if asked != answered:
        yield f"asks the exercises {asked}, but solutions/{path.name} answers {answered}"


def heard(notebook: NotebookNode, path: Path) -> Complaints:
    players = (str(o.get("data", {}).get("text/html", ""))
               for cell in notebooks.code_cells(notebook) for o in cell.outputs)
    if "scratch" not in path.name and not any("<audio" in player for player in players):
        yield "plays no sound"


def _code_lines(cell: NotebookNode) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def _logical_lines(cell: NotebookNode) -> int:
    """Count a cell's statements' lines: one that is wrapped counts once, a comment not at all."""
    source = io.StringIO(TransformerManager().transform_cell(cell.source))
    return sum(token.type == tokenize.NEWLINE
               for token in tokenize.generate_tokens(source.readline))


RULES = (valid, small, clean_outputs, portable_source, one_title, setup, executed, compared,
         readable_code, narrow_code, few_names, alt_texts, links, exercises)
CHAPTER_RULES = (prose, objectives, sections, quiz, twin, heard)


def complaints(path: Path) -> list[str]:
    """Return what is wrong with one notebook, in words."""
    notebook = notebooks.read(path)
    rules = RULES if is_solution(path) else RULES + CHAPTER_RULES
    return [complaint for rule in rules for complaint in rule(notebook, path)]
