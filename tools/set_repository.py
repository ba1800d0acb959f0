"""Say where the course lives on GitHub: `python -m tools.set_repository OWNER/NAME`.

It changes the address in pyproject.toml, and with it every badge, link and set-up cell that is made
from it.
"""
import argparse
import re
from pathlib import Path

from course_utils import environment
from tools import notebooks


def files_with_address(root: Path) -> list[Path]:
    """Return the files that name the repository."""
    patterns = ("*.md", "*.cff", "docs/**/*.md", "teaching/**/*.md", "notebooks/**/*.ipynb")
    found = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    return [root / "pyproject.toml", *found]


def move(root: Path, old: str, new: str) -> list[Path]:
    """Replace the address in all files under `root` that name it; return those that changed.

    Raises:
        ValueError: if the new address is not of the form OWNER/NAME.
    """
    if not re.fullmatch(r"[\w-]+/[\w.-]+", new):
        raise ValueError(f"The address is OWNER/NAME, such as ada/music-course, not {new!r}.")
    before = r'github\.com/|google\.com/github/|\.org/v2/gh/|\nrepository = "'
    places = re.compile(rf"({before}){re.escape(old)}(?![\w-])")
    changed = []
    for path in files_with_address(root):
        text = path.read_text(encoding="utf-8")
        if places.search(text):
            with environment.writing(path) as temporary:
                temporary.write_text(places.sub(rf"\g<1>{new}", text), encoding="utf-8",
                                     newline="\n")
            changed.append(path)
    return changed


def main() -> None:
    """Move the address that pyproject.toml holds, and list what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", metavar="OWNER/NAME")
    try:
        changed = move(notebooks.ROOT, notebooks.repository(), parser.parse_args().address)
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(str(path.relative_to(notebooks.ROOT)) for path in changed))


if __name__ == "__main__":
    main()
