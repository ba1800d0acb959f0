"""Try whether the notebooks hold in other people's hands: `python -m tools.holds [--python 3.12]
[--seed 1] [NOTEBOOK ...]`.

A copy of this working tree is set up with its pins and made read-only. There, without a network,
the notebooks run under nbval in a shuffled order, from a working folder elsewhere, with an empty
home folder. They do so twice: the second time in another order, in another folder, with the first
time's cache. All this takes Linux's `unshare`; without it the command says what it could not do.
"""
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import colab, notebooks, uv

# With mounts and a network of its own: the copy becomes read-only even for root; kernels talk
# through the loopback device.
LOCK = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; ip link set lo up; exec "$@"'


def set_up(copy: Path, version: str) -> Path:
    """Copy the working tree, install what it pins as `make` does, and return the copy's Python.

    Raises:
        RuntimeError: if it cannot be installed.
    """
    copy.mkdir()
    colab.snapshot(notebooks.ROOT, copy)
    return uv.prepare(copy / ".venv", uv.find_python(version) or version,
                      ["--compile-bytecode", "--requirement", str(copy / "requirements.txt")],
                      ["--no-deps", "--editable", str(copy)])


def cut_off(copy: Path) -> list[str]:
    """Return what to put before a command to cut it off from the network and the copy's files.

    Where that cannot be had, print why, and return nothing.
    """
    before = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-ec", LOCK, str(copy)]
    try:
        subprocess.run([*before, "true"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = str(getattr(error, "stderr", error)).strip()
        print("NOT TRIED: running without a network. NOT ENFORCED: a read-only copy; what was "
              f"written is told. ({reason})")
        return []
    return before


def written(copy: Path) -> list[str]:
    """Return what differs in the copy from its commit, but for packages and Python's bytecode."""
    command = ["git", "status", "--porcelain", "--ignored", "--untracked-files=all", "--", ".",
               ":!.venv", ":!**/__pycache__/**"]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True,
                          check=True).stdout.splitlines()


def try_out(path: Path, before: list[str], python: Path, home: Path,
            folder: Path) -> tuple[str, float]:
    """Run one notebook in a working folder; return what went wrong, if anything, and seconds."""
    begin = time.perf_counter()
    command = [*before, str(python), *colab.nbval([path], folder)]
    env = colab.learner(python) | {"HOME": str(home)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    told = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)[-5000:]
    return told if done.returncode else "", time.perf_counter() - begin


def try_all(paths: list[Path], before: list[str], python: Path, home: Path, folder: Path) -> int:
    """Run notebooks one after the other, print how each did, and return the number that failed."""
    folder.mkdir()
    failed, total = 0, 0.0
    for path in paths:
        wrong, seconds = try_out(path, before, python, home, folder)
        failed, total = failed + bool(wrong), total + seconds
        name, verdict = path.relative_to(notebooks.NOTEBOOKS), "FAILS" if wrong else "holds"
        print(f"{name}: {verdict}, {seconds:.0f} s\n{wrong}".strip(), flush=True)
    print(f"{folder.name}: {len(paths)} notebooks, {failed} fail, {total:.0f} s", flush=True)
    return failed


def main(arguments: list[str] | None = None) -> int:
    """Set up, run everything twice, and return the number of failures."""
    parser = notebooks.parser(__doc__, notebooks.all_notebooks())
    parser.add_argument("--python", default="{}.{}".format(*sys.version_info), metavar="VERSION",
                        help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the order; default: %(default)s")
    options = parser.parse_args(arguments)
    paths = options.notebooks
    shuffle = random.Random(options.seed).shuffle
    with tempfile.TemporaryDirectory() as temporary:
        copy, home = Path(temporary) / "read only", Path(temporary) / "home"
        home.mkdir()
        try:
            python = set_up(copy, options.python)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        before, failed = cut_off(copy), 0
        print(f"Python {options.python}, order {options.seed}"
              + (", no network, read-only copy" if before else ""), flush=True)
        for number in ("first", "second"):
            shuffle(paths)
            failed += try_all(paths, before, python, home,
                              Path(temporary) / f"the {number} wörking folder")
        for line in written(copy):
            print(f"written into the copy: {line}")
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
