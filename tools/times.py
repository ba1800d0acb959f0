"""Write README's table of times: `python -m tools.times [--measure] [NOTEBOOK ...]`.

The minutes of reading and playing are those that each notebook promises in its first box. With
--measure the notebooks run, one after the other, in fresh kernels, and their seconds of computing
are written as well; without it those in README stay. Measure on a machine that does nothing else.
"""
import re
import sys
from pathlib import Path

from course_utils import environment
from tools import execute, notebooks

README = notebooks.ROOT / "README.md"
ROW = re.compile(r"^(\| \[\d\d [^\]]+\]\(notebooks/(\w+)\.ipynb\) \|.*\|) (\d+) \| (\d+) \|$",
                 re.MULTILINE)
TOTAL = re.compile(r"\*\*[\d.]+ hours\*\* of reading and playing, \*\*[\d.]+ minutes\*\* of "
                   r"computing")
PROMISE = re.compile(r"(\d+) min\b.*?computer works (\d+) min", re.DOTALL)


def promised(path: Path) -> tuple[int, int]:
    """Return the minutes of reading and playing, and of computing, that a first box promises."""
    minutes, computing = PROMISE.search(notebooks.first_box(notebooks.read(path))).groups()
    return int(minutes), int(computing)


def table(text: str, measured: dict[str, float]) -> str:
    """Return README's text with the notebooks' own minutes, the seconds measured, and their sums.

    Args:
        text: the text.
        measured: seconds of computing by the notebooks' names without ending; those of others stay.
    """
    def row(match: re.Match) -> str:
        minutes, _ = promised(notebooks.NOTEBOOKS / f"{match[2]}.ipynb")
        return f"{match[1]} {minutes} | {measured.get(match[2], int(match[4])):.0f} |"

    text = ROW.sub(row, text)
    minutes, seconds = (sum(int(match[column]) for match in ROW.finditer(text))
                        for column in (3, 4))
    return TOTAL.sub(f"**{minutes / 60:.0f} hours** of reading and playing, **{seconds / 60:.0f} "
                     "minutes** of computing", text)


def main(arguments: list[str] | None = None) -> int:
    """Write the table; return 1 if a notebook fails."""
    parser = notebooks.parser(__doc__, notebooks.chapters())
    parser.add_argument("--measure", action="store_true", help="run the notebooks")
    options = parser.parse_args(arguments)
    measured = {}
    try:
        for path in options.notebooks if options.measure else ():
            measured[path.stem], _ = execute.run(notebooks.read(path), path.parent)
            print(f"{path.stem}: {measured[path.stem]:.0f} s", flush=True)
    except (RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = table(README.read_text(encoding="utf-8"), measured)
    with environment.writing(README) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
