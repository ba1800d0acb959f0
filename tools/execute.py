"""Run notebooks in place and store clean outputs: `python -m tools.execute [--all] [NOTEBOOK ...]`.

Without --all, only notebooks whose code, or whose helpers in course_utils, or shipped data, changed
since they ran. A notebook whose outputs hold an error, a warning, a progress bar or a path of this
machine is not stored.
"""
import argparse
import base64
import hashlib
import io
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image

from course_utils import environment
from tools import hygiene, notebooks

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


def run(notebook: NotebookNode, folder: Path, patience: int = SECONDS_A_CELL) -> tuple[float,
    float]:
    """Run all cells in a fresh kernel; return seconds, and the kernel's peak memory in MB (nan
    where it is not told).

    Raises:
        RuntimeError: if a cell fails, takes too long, or takes the kernel down.
    """
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK_MEMORY if sys.platform != "win32"
                                                    else "print('nan')"))
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
    """Drop what differs from machine to machine or from run to run, and what shows nothing without
    a kernel.
    """
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
                output.data = nbformat.from_dict({"text/plain": "(Run this cell to use the "
                                                  "controls.)"})
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = few_colors(output.data["image/png"])


def few_colors(picture: str) -> str:
    """Return a base64 PNG with a palette of 64 colours, which for figures looks the same, or as it
    was if that is smaller.
    """
    figure = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    smaller = io.BytesIO()
    figure.quantize(64, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return min(base64.b64encode(smaller.getvalue()).decode() + "\n", picture, key=len)


def execute(path: Path) -> str:
    """Run one notebook and store it with its outputs; return its cost in words.

    Raises:
        RuntimeError: if it fails, or if an output should not be stored. The file is then left as it
            was.
    """
    notebook = notebooks.read(path)
    seconds, megabytes = run(notebook, path.parent)
    tidy(notebook)
    if problems := list(hygiene.clean_outputs(notebook, path)):
        raise RuntimeError("\n".join(problems))
    notebook.metadata["course"] = stamp(notebook, path)
    with environment.writing(path) as temporary:
        nbformat.write(notebook, temporary)
    return (f"{seconds:.0f} s, {megabytes:.0f} MB of memory, {path.stat().st_size / 1e3:.0f} kB "
            "stored")


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks that need it; return the number that failed."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="also those that have not changed")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK",
                        help="all of them, if none is named")
    options = parser.parse_args(arguments)
    failed = 0
    for path in map(Path.resolve, options.notebooks or notebooks.all_notebooks()):
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
