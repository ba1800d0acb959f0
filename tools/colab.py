"""Run the notebooks as Google Colab would: `python -m tools.colab [NOTEBOOK ...]`.

Colab's published packages (tests/colab) are installed into .venv-colab, with a stand-in for
`google.colab`. There the set-up cell runs as every notebook has it; git finds the repository's
address in a snapshot of this working tree. It may add what the `colab` extra names, and must not
change a package that Colab has. Then the notebooks run under nbval, from a folder outside of the
repository, on the installed package; and so do the unit tests of the widgets, since Colab's
ipywidgets are of the generation before JupyterLab's.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import notebooks, uv
from tools.execute import KERNEL

VENV = notebooks.ROOT / ".venv-colab"
PYTHON = VENV / "bin" / "python"
LISTS = notebooks.ROOT / "tests" / "colab"
COLAB_VERSION = (3, 13)
FOR_TESTS = ("pip", "nbval", "hypothesis")
RUN_CELL = """
import nbclient, nbformat, sys
cell = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(sys.stdin.read())])
for output in nbclient.execute(cell).cells[0].outputs:
    print(output.get("text", ""))
"""


def find_python() -> str:
    """Return Colab's version of Python if it is installed, or else the one that runs this."""
    version = ".".join(map(str, COLAB_VERSION))
    if found := uv.find_python(version):
        return found
    if sys.version_info[:2] != COLAB_VERSION:
        print(f"Colab's Python {version} is not installed here; "
              f"{sys.version_info[0]}.{sys.version_info[1]} stands in for it.")
    return sys.executable


def build(python: str) -> None:
    """Install Colab's packages into .venv-colab; only once, unless the lists or the Python change.

    Raises:
        RuntimeError: if they cannot be installed.
    """
    lists = [LISTS / "pins.txt", LISTS / "constraints.txt"]
    told = [text.encode() for text in (python, __file__, *FOR_TESTS)]
    key = hashlib.sha256(b"\0".join([*told, *(path.read_bytes() for path in lists)])).hexdigest()
    stamp, base = VENV / ".ready", VENV / "base.txt"
    try:
        if not stamp.exists() or stamp.read_text() != key:
            uv.run("venv", "--quiet", "--clear", "--python", python, str(VENV))
            uv_pip("install", "--requirement", str(lists[0]), "--constraint", str(lists[1]),
                   *FOR_TESTS)
            base.write_text("".join(f"{name}=={version}\n" for name,
                                    version in installed().items()))
            add_stand_in()
            stamp.write_text(key)
        uv_pip("sync", str(base))
    except subprocess.CalledProcessError as error:
        raise RuntimeError(
            f"Colab's packages cannot be installed on {python} (see above).") from error


def uv_pip(command: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run one of uv's pip commands on .venv-colab."""
    return uv.run("pip", command, "--quiet", "--python", str(PYTHON), *arguments, **options)


def add_stand_in() -> None:
    """Put an empty `google.colab` among the packages, imported at start, as it is in Colab's own
    kernel.
    """
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([PYTHON, "-c", where], capture_output=True, text=True,
                                   check=True).stdout.strip())
    (packages / "google" / "colab").mkdir(parents=True, exist_ok=True)
    (packages / "google" / "colab" / "__init__.py").touch()
    (packages / "google_colab.pth").write_text("import google.colab\n")


def installed() -> dict[str, str]:
    """Return the versions of all packages in .venv-colab."""
    listed = uv_pip("list", "--format=json", capture_output=True, text=True).stdout
    return {canonicalize_name(package["name"]): package["version"]
            for package in json.loads(listed)}


def snapshot(root: Path, target: Path) -> None:
    """Copy the working tree, without what git ignores, into a new repository of one commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)
    identity = ["-c", "user.name=snapshot", "-c", "user.email=snapshot@localhost", "-c",
                "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all", "--force"],
                    [*identity, "commit", "--quiet", "--message=snapshot"],
                    ["tag", notebooks.tag()]):  # which the set-up cell installs
        subprocess.run(["git", *command], cwd=target, check=True)


def learner(python: Path) -> dict[str, str]:
    """Return the environment variables of somebody who uses another Python and has no settings of
    the course.
    """
    settings = ("COURSE_", "PYTHON", "VIRTUAL_ENV", "JUPYTER_", "XDG_")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return mine | KERNEL | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


def surroundings(repository: Path) -> dict[str, str]:
    """Return environment variables under which git fetches the course's address from a local
    repository.
    """
    count = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    return learner(PYTHON) | {
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{repository.as_uri()}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": f"https://github.com/{notebooks.repository()}",
    }


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what the set-up cell did that it should not have done, in words."""
    project = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"]
    pins = map(Requirement, project["optional-dependencies"]["colab"])
    expected = ({canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in pins}
                | {project["name"]: project["version"]})
    changed = [name for name, version in before.items() if after.get(name) != version]
    added = {name: version for name, version in after.items() if name not in before}
    wrong = [f"{name} {before[name]} became {after.get(name, 'nothing')}" for name in changed]
    return wrong if added == expected else [*wrong, f"added: {added}, expected: {expected}"]


def run_setup_cell(env: dict[str, str], folder: Path) -> None:
    """Run the set-up cell in a kernel of .venv-colab.

    Raises:
        RuntimeError: if it adds anything but the course and what Colab lacks, or changes a package.
    """
    before = installed()
    run_cell = [PYTHON, "-c", RUN_CELL]
    done = subprocess.run(run_cell, cwd=folder, env=env, input=notebooks.setup_cell(),
                          capture_output=True, text=True)
    if wrong := changes(before, installed()):
        raise RuntimeError(
            "\n".join(["The set-up cell did not do what it should:", done.stdout, done.stderr,
                       *wrong]))
    print(f"The set-up cell left all {len(before)} packages as they were.", flush=True)


def panel_tests() -> list[Path]:
    """Return the unit tests of what opens as a panel, and what all tests need."""
    tests = notebooks.ROOT / "tests"
    return [tests / "conftest.py", *sorted(tests.glob("panels/test_*.py")),
            tests / "listening" / "test_panel.py"]


def nbval(paths: list[Path], folder: Path) -> list[str]:
    """Copy notebooks and tests into another folder; return the arguments with which Python runs
    them there under nbval.
    """
    names = [str(path.relative_to(notebooks.ROOT)) for path in paths]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(notebooks.ROOT / name, folder / name)
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p",
               "no:cacheprovider", "--disable-warnings"]
    return ["-m", "pytest", *options, *names]


def main() -> int:
    """Build, set up, check and run; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    told = "all of them and the tests of the widgets, if none is named"
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help=told)
    named = [path.resolve() for path in parser.parse_args().notebooks]
    paths = named or [*notebooks.all_notebooks(), *panel_tests()]
    with tempfile.TemporaryDirectory() as temporary:
        repository, elsewhere = Path(temporary) / "repository", Path(temporary) / "content"
        repository.mkdir()
        elsewhere.mkdir()
        try:
            build(find_python())
            snapshot(notebooks.ROOT, repository)
            run_setup_cell(surroundings(repository), elsewhere)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        return subprocess.run([PYTHON, *nbval(paths, elsewhere)], cwd=elsewhere,
                              env=surroundings(repository)).returncode


if __name__ == "__main__":
    sys.exit(main())
