"""Run notebooks in place and store clean outputs: `python -m tools.execute [--all] [NOTEBOOK ...]`.

Without --all, only notebooks whose code, or whose helpers in course_utils, or shipped data, changed
since they ran. A notebook whose outputs hold an error, a warning, a progress bar or a path of this
machine is not stored.
"""
import base64
import hashlib
import io
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image

from course_utils import environment
from tools import notebooks

SECONDS_A_CELL = 600
KERNEL = {"COURSE_QUIET": "1", "COURSE_BUDGET": "quick", "PYTHONHASHSEED": "0",
          "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "100"}
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python",
                              "name": "python", "pygments_lexer": "ipython3"}}
# It leaves no name behind: a notebook that forgets an import has to fail.
DESCRIBE = (f"import sys; sys.path.append({str(notebooks.ROOT)!r}); from tools import alt_texts; "
             "alt_texts.describe_figures(); sys.path.pop(); del sys, alt_texts")
PEAK_MEMORY = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
WIDGET = "application/vnd.jupyter.widget-view+json"
UNUSED = {"text/plain": "(Run this cell to use the controls.)"}
BASE64 = re.compile(r"base64,[\w+/=\s]+")
HERE = [re.escape(str(place)) for place in (notebooks.ROOT, Path.home(), Path(sys.prefix))
        if len(str(place)) > 5]
MACHINE_PATH = re.compile("|".join([
    r"(?<![\w.:/])/(?:home|root|tmp|work|usr|opt|var|mnt|private|content|Users)/\w",
    r"\b[A-Z]:\\(?:Users|Program|Windows)", "site-packages", *HERE]))
STORED = {"a warning": re.compile(r"\b\w*Warning\b:|^WARNING|^W0000", re.MULTILINE),
          "a progress bar": re.compile(r"\r|\x1b|\d(?:it/s|s/it)\b|%\||\d[mun]?s/step"),
          "a memory address": re.compile(r" at 0x[0-9a-f]{6,}|ipykernel_\d+"),
          "a machine's path": MACHINE_PATH}


def helpers_hash(notebook: NotebookNode, path: Path) -> str:
    """Return a checksum of what a notebook depends on besides its own code."""
    files = [*sorted(notebooks.helper_files(notebook, path.name[:2])),
             environment.data_folder() / "MANIFEST.json"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def stamp(notebook: NotebookNode, path: Path) -> dict[str, str]:
    """Return the checksums that say whether a notebook needs to run again."""
    return {"code": notebooks.code_hash(notebook), "helpers": helpers_hash(notebook, path)}


def changed(path: Path) -> bool:
    """Tell whether a notebook's code, helpers or data changed since its outputs were stored."""
    notebook = notebooks.read(path)
    try:
        return notebook.metadata.get("course") != stamp(notebook, path)
    except SyntaxError:
        return True


def run(notebook: NotebookNode, folder: Path,
        patience: int = SECONDS_A_CELL) -> tuple[float, float]:
    """Run all cells in a fresh kernel; return seconds, and its peak memory in MB (nan on Windows).

    Raises:
        RuntimeError: if a cell fails, takes too long, or takes the kernel down.
    """
    told = PEAK_MEMORY if sys.platform != "win32" else "print('nan')"
    notebook.cells.append(nbformat.v4.new_code_cell(told))
    client = NotebookClient(notebook, timeout=patience, kernel_name="python3",
                            coalesce_streams=True, resources={"metadata": {"path": str(folder)}},
                            extra_arguments=[f"--IPKernelApp.exec_lines={DESCRIBE}"])
    start = time.perf_counter()
    try:
        client.execute(env=os.environ | KERNEL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise RuntimeError(re.sub(r"\x1b\[[\d;]*m", "", str(error))) from error
    peak = float(notebook.cells.pop().outputs[0].text)
    return time.perf_counter() - start, peak / (1e6 if sys.platform == "darwin" else 1e3)


def tidy(notebook: NotebookNode) -> None:
    """Drop what differs between machines or runs, or shows nothing without a kernel."""
    notebook.metadata = nbformat.from_dict({**notebook.metadata, **METADATA})
    notebook.metadata.pop("widgets", None)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        if not cell.get("id") or cell.id in taken:
            cell.id = f"cell-{number}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
        taken.add(cell.id)
        for name in ("execution", "ExecuteTime", "collapsed"):
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = nbformat.from_dict(UNUSED)
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = few_colors(output.data["image/png"])


def few_colors(picture: str) -> str:
    """Return a base64 PNG in 64 colours, which figures do not show, or as it was if smaller."""
    figure = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    smaller = io.BytesIO()
    figure.quantize(64, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return min(base64.b64encode(smaller.getvalue()).decode() + "\n", picture, key=len)


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Yield what a cell's outputs say in words, without encoded sound and pictures."""
    for output in cell.get("outputs", []):
        data = ({"text/plain": output.get("text", "")} if output.output_type == "stream"
                else output.get("data", {}))
        for kind, content in data.items():
            if kind.startswith("text/") or kind == "image/svg+xml":
                yield BASE64.sub("", content)


def unclean(notebook: NotebookNode) -> Iterator[str]:
    """Yield, in words, what outputs hold that no notebook should store."""
    for number, cell in enumerate(notebooks.code_cells(notebook), 1):
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"stores an error in code cell {number}"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"stores stderr output in code cell {number}"
        text = "\n".join(output_texts(cell))
        for what, pattern in STORED.items():
            if found := pattern.search(text):
                near = text[max(0, found.start() - 30) : found.end() + 30]
                yield f"stores {what} in code cell {number}: {near!r}"


def execute(path: Path) -> str:
    """Run one notebook and store it with its outputs; return its cost in words.

    Raises:
        RuntimeError: if it fails, or an output should not be stored; the file stays as it was.
    """
    notebook = notebooks.read(path)
    seconds, megabytes = run(notebook, path.parent)
    tidy(notebook)
    if problems := list(unclean(notebook)):
        raise RuntimeError("\n".join(problems))
    notebook.metadata["course"] = stamp(notebook, path)
    with environment.writing(path) as temporary:
        nbformat.write(notebook, temporary)
    size = path.stat().st_size / 1e3
    return f"{seconds:.0f} s, {megabytes:.0f} MB of memory, {size:.0f} kB stored"


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks that need it; return the number that failed."""
    parser = notebooks.parser(__doc__, notebooks.all_notebooks())
    parser.add_argument("--all", action="store_true", help="also those that have not changed")
    options = parser.parse_args(arguments)
    failed = 0
    for path in options.notebooks:
        name = f"{path.parent.name}/{path.name}"
        try:
            print(f"{name}: {execute(path) if options.all or changed(path) else 'unchanged'}",
                  flush=True)
        except (RuntimeError, ValueError, OSError) as error:
            failed += 1
            print(f"{name}: NOT STORED\n{error}", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
