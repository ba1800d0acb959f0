"""Run uv with the package index that pip was told to use, which uv does not look up: `python -m
tools.uv pip install ...`.

Only the standard library is imported here: this runs before anything else is installed.
"""
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def surroundings() -> dict[str, str]:
    """Return the environment variables for uv, pip's index among them if one was chosen."""
    settings = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True,
                              text=True).stdout
    chosen = re.search(r"^global\.index-url='(.+)'$", settings, re.MULTILINE)
    index = os.environ.get("PIP_INDEX_URL") or (chosen and chosen[1])
    return ({"UV_DEFAULT_INDEX": index} if index else {}) | os.environ


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run uv; options are those of `subprocess.run`.

    Raises:
        subprocess.CalledProcessError: if uv fails.
    """
    return subprocess.run([sys.executable, "-m", "uv", *arguments], check=True, env=surroundings(),
                          **options)


def find_python(version: str) -> str | None:
    """Return a Python of a version such as "3.13"; also pyenv's, which uv does not look up."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for candidate in (shutil.which(f"python{version}"),
                      *sorted(pyenv.glob(f"versions/*/bin/python{version}"))):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return str(candidate)
    return None


def python_in(venv: Path) -> Path:
    """Return where a virtual environment has its Python."""
    return venv / ("Scripts" if os.name == "nt" else "bin") / "python"


def prepare(venv: Path, python: str, *installs: list[str]) -> Path:
    """Make a virtual environment, unless it is there and the same was asked for; return its Python.

    Args:
        venv: its folder.
        python: which Python to take: a path, or a version.
        installs: what `pip install` is told, one call after the other.

    Raises:
        RuntimeError: if that is not possible.
    """
    told = [python, *itertools.chain(*installs)]
    told += [Path(name).read_text(encoding="utf-8") for name in told[1:] if Path(name).is_file()]
    stamp = venv / ".ready"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != "\n".join(told):
        try:
            run("venv", "--quiet", "--clear", "--python", python, str(venv))
            for arguments in installs:
                run("pip", "install", "--quiet", "--python", str(python_in(venv)), *arguments)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{venv.name} could not be made under Python {python} (see above). "
                               "Is there a network?") from error
        stamp.write_text("\n".join(told), encoding="utf-8")
    return python_in(venv)


if __name__ == "__main__":
    try:
        run(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
