"""Say where the course lives on GitHub: `python -m tools.set_repository OWNER/NAME [--tag TAG]`.

It changes the address in pyproject.toml, and with it every badge, link and set-up cell that is made
from it. The set-up cells install the release TAG, and the badges open it: a branch may be another
one tomorrow. Without --tag the release stays.
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


def move(root: Path, old: str, new: str, tag: str) -> list[Path]:
    """Replace address and tag in all files under `root` that name them; return those that changed.

    Raises:
        ValueError: if the new address is not of the form OWNER/NAME, or the tag is none.
    """
    if not re.fullmatch(r"[\w-]+/[\w.-]+", new):
        raise ValueError(f"The address is OWNER/NAME, such as ada/music-course, not {new!r}.")
    if not re.fullmatch(r"\w[\w.-]*", tag):
        raise ValueError(f"The tag is that of a release, such as v1.0, not {tag!r}.")
    before = r'github\.com/|google\.com/github/|\.org/v2/gh/|\nrepository = "'
    places = re.compile(rf"({before}){re.escape(old)}(?![\w-])")
    tags = re.compile(rf'(git\+https://github\.com/{re.escape(new)})(?:@[\w.-]+)?(?=\\?")|'
                      rf'(google\.com/github/{re.escape(new)}/blob/)[\w.-]+(?=/)|'
                      r'(\[tool\.course\]\nrepository = "[^"]*"\ntag = ")[^"]*')
    changed = []
    for path in files_with_address(root):
        before = path.read_text(encoding="utf-8")
        text = places.sub(lambda match: match[1] + new, before)
        text = tags.sub(lambda match: f"{match[1]}@{tag}" if match[1]
                        else f"{match[2] or match[3]}{tag}", text)
        if places.search(before) or text != before:
            with environment.writing(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def main() -> None:
    """Move the address that pyproject.toml holds, and list what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", metavar="OWNER/NAME")
    parser.add_argument("--tag", default=notebooks.tag(), help="such as v1.0")
    options = parser.parse_args()
    try:
        changed = move(notebooks.ROOT, notebooks.repository(), options.address, options.tag)
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(str(path.relative_to(notebooks.ROOT)) for path in changed))


if __name__ == "__main__":
    main()
