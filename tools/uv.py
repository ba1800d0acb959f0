"""Run uv with the package index that pip was told to use, which uv does not look up: `python -m tools.uv pip install ...`.

Only the standard library is imported here: this runs before anything else is installed.
"""
import os
import re
import subprocess
import sys


def surroundings() -> dict[str, str]:
    """Return the environment variables for uv, pip's index among them if one was chosen."""
    settings = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    chosen = re.search(r"^global\.index-url='(.+)'$", settings, re.MULTILINE)
    index = os.environ.get("PIP_INDEX_URL") or (chosen and chosen[1])
    return ({"UV_DEFAULT_INDEX": index} if index else {}) | os.environ


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run uv; options are those of `subprocess.run`.

    Raises:
        subprocess.CalledProcessError: if uv fails.
    """
    return subprocess.run([sys.executable, "-m", "uv", *arguments], check=True, env=surroundings(), **options)


if __name__ == "__main__":
    try:
        run(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
