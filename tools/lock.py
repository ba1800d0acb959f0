"""Write the exact pins: `python -m tools.lock [--upgrade]`.

requirements.txt gets one pin a package, with markers where Python versions or systems must differ,
for Python 3.11 to 3.13, and the checksums of all files that a version was published as; the `colab`
extra of pyproject.toml gets the same versions. Without --upgrade, pins that still fit stay.
"""
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_utils import environment
from tools import uv

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("tensorflow", "lab", "dev")
COLAB_EXTRA = re.compile(r'(?<=^colab = \[\n)(?:[ ]+".*",\n)*', re.MULTILINE)


def compile_pins(*options: str) -> str:
    """Return the text of requirements.txt as uv resolves it."""
    command = ["pip", "compile", "pyproject.toml", "--universal", "--python-version=3.11",
               "--output-file=requirements.txt", "--no-annotate", "--no-header",
               "--no-emit-index-url", "--no-emit-find-links", "--generate-hashes", "--quiet"]
    extras = [f"--extra={name}" for name in EXTRAS]
    uv.run(*command, *extras, *options, cwd=ROOT)
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def pins_of(text: str) -> list[Requirement]:
    """Return the pins of a requirements.txt, without their checksums."""
    return [Requirement(line.removesuffix("\\")) for line in text.splitlines()
            if line.strip() and not line.lstrip().startswith(("--hash=", "#"))]


def pin_colab(project: str, pins: str) -> str:
    """Return pyproject.toml's text with the versions of the `colab` extra taken from the pins.

    Raises:
        ValueError: if a package of the extra has no single pin.
    """
    versions: dict[str, set[str]] = {}
    for pin in pins_of(pins):
        versions.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier))

    def line(match: re.Match) -> str:
        found = versions.get(canonicalize_name(match[1]), set())
        if len(found) != 1:
            raise ValueError(f"'{match[1]}' of the colab extra needs exactly one pin in "
                             "requirements.txt.")
        return f'"{match[1]}{min(found)}'

    return COLAB_EXTRA.sub(lambda block: re.sub(r'"([\w.-]+)==[\w.]+', line, block[0]), project)


def main() -> None:
    """Lock, and say how many packages are pinned."""
    pins = compile_pins(*sys.argv[1:])
    project = ROOT / "pyproject.toml"
    text = pin_colab(project.read_text(encoding="utf-8"), pins)
    with environment.writing(project) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"requirements.txt: {len(pins_of(pins))} pins")


if __name__ == "__main__":
    main()
