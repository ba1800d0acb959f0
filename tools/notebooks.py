"""What every tool needs to know of a notebook: its code, its exercises, the cells made here."""
import argparse
import ast
import hashlib
import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COMPARED = "# NBVAL_CHECK_OUTPUT"
STILL_OPEN = "still open"


def all_notebooks() -> list[Path]:
    """Return the course's notebooks in order, each chapter's solutions after the chapters."""
    return sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(NOTEBOOKS.glob("solutions/*.ipynb"))


def chapters() -> list[Path]:
    """Return the course's notebooks in order, without the worked answers."""
    return [path for path in all_notebooks() if path.parent == NOTEBOOKS]


def read(path: Path) -> NotebookNode:
    """Read a notebook as it stands; `nbformat.read` would repair it on the way."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def _course() -> dict[str, str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]


def repository() -> str:
    """Return where the course lives on GitHub, as OWNER/NAME (pyproject.toml, `[tool.course]`)."""
    return _course()["repository"]


def tag() -> str:
    """Return the release that the notebooks belong to, which does not move as a branch does."""
    return _course()["tag"]


def setup_cell(address: str | None = None, release: str | None = None) -> str:
    """Return the first code cell of every notebook. In Colab it installs what is missing and
    replaces nothing.
    """
    source = f"git+https://github.com/{address or repository()}@{release or tag()}"
    return f'''# In Google Colab, install what it lacks. Everywhere else this cell does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "deep-learning-with-music[colab] @ {source}"'''


def badge(name: str, address: str | None = None, release: str | None = None) -> str:
    """Return the Markdown of a notebook's "Open in Colab" badge; `name` such as
    `solutions/00_welcome.ipynb`.
    """
    colab = "https://colab.research.google.com"
    where = f"{address or repository()}/blob/{release or tag()}"
    link = f"{colab}/github/{where}/notebooks/{name}"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({link})"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def figure_text(output: NotebookNode) -> str | None:
    """Return the text that stands for a figure or score, "" if it lacks one; None of no picture."""
    data = output.get("data", {})
    if "image/png" in data:
        return output.get("metadata", {}).get("image/png", {}).get("alt", "")
    if "image/svg+xml" in data:
        label = re.search(r'<svg [^>]*aria-label="([^"]*)"', data["image/svg+xml"])
        return html.unescape(label[1]) if label else ""
    return None


def figure_texts(cell: NotebookNode) -> list[str]:
    """Return the texts of all pictures stored under a code cell."""
    return [text for output in cell.outputs if (text := figure_text(output)) is not None]


def markdown(notebook: NotebookNode) -> str:
    """Return all prose of a notebook, one paragraph break between cells."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def quotes(text: str) -> str:
    """Return the text of the boxes (Markdown quotes)."""
    return "\n".join(re.findall(r"^>\s?(.*)$", text, re.MULTILINE))


def first_box(notebook: NotebookNode) -> str:
    """Return the box at the top, which says what the reader will learn and what it takes."""
    return quotes("\n".join(cell.source for cell in notebook.cells[:3]
                            if cell.cell_type == "markdown"))


def syntax_tree(cell: NotebookNode) -> ast.Module:
    """Parse a code cell, its magics included."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def code_hash(notebook: NotebookNode) -> str:
    """Return a checksum of the code, but for the set-up cell: another address is no other code."""
    code = "\0".join(cell.source for cell in code_cells(notebook)[1:])
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def checked_exercises(cell: NotebookNode) -> Iterator[str]:
    """Yield the numbers that a cell passes to `exercises.check`."""
    for node in ast.walk(syntax_tree(cell)):
        called = isinstance(node, ast.Call) and ast.unparse(node.func) == "exercises.check"
        if called and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def helper_files(notebook: NotebookNode, chapter: str = "") -> set[Path]:
    """Return the files of course_utils that a notebook imports, directly or through one another.

    Args:
        notebook: the notebook.
        chapter: its two-digit number; `exercises` loads the checks of that chapter only.
    """
    exercises = ROOT / "course_utils" / "exercises"
    files: set[Path] = set()
    waiting = set().union(*(imported_files(syntax_tree(cell)) for cell in code_cells(notebook)))
    while waiting:
        path = waiting.pop()
        files.add(path)
        found = imported_files(ast.parse(path.read_text(encoding="utf-8")))
        if path == exercises / "__init__.py":
            found |= set(exercises.glob(f"chapter_{chapter}.py"))
        waiting |= found - files
    return files


def imported_files(tree: ast.AST) -> set[Path]:
    """Return the files of course_utils that a syntax tree imports, with their rooms' faces."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    paths = (ROOT.joinpath(*name.split(".")) for name in names if name.startswith("course_utils."))
    found = {file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")}
    return {file for file in found if file.exists()}


def parser(told: str, default: list[Path]) -> argparse.ArgumentParser:
    """Return the parser of a command that takes notebooks; `told` is its module's docstring."""
    command = argparse.ArgumentParser(description=told,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", default=default,
                         type=lambda name: Path(name).resolve(), help="all, if none is named")
    return command
