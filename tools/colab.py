"""Run the notebooks as Google Colab would: `python -m tools.colab [NOTEBOOK ...]`.

Colab's published packages (tests/colab) are installed into .venv-colab, with a stand-in for
`google.colab`. There the set-up cell runs as every notebook has it; git finds the repository's
address in a snapshot of this working tree. It may add what the `colab` extra names, and must not
change a package that Colab has. Then the notebooks run under nbval, from a folder outside of the
repository, on the installed package; and so do the unit tests of the widgets, since Colab's
ipywidgets are of the generation before JupyterLab's. `python -m tools.colab --changes` runs
nothing: it says how Colab's list, as published today, differs from the one in tests/colab.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import notebooks, uv
from tools.execute import KERNEL

VENV = notebooks.ROOT / ".venv-colab"
PYTHON = uv.python_in(VENV)
LISTS = notebooks.ROOT / "tests" / "colab"
COLAB_VERSION = (3, 13)
FOR_TESTS = ("pip", "nbval", "hypothesis")
PUBLISHED = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
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
    """Install Colab's packages into .venv-colab, with an empty `google.colab` among them that is
    imported at start, as in Colab's own kernel; once there, only take away what was added.

    Raises:
        RuntimeError: if they cannot be installed.
    """
    uv.prepare(VENV, python, ["--requirement", str(LISTS / "pins.txt"), "--constraint",
                              str(LISTS / "constraints.txt"), *FOR_TESTS])
    base = VENV / "base.txt"
    if not base.exists():
        packages = next(VENV.glob("lib/*/site-packages"))
        (packages / "google" / "colab").mkdir(parents=True, exist_ok=True)
        (packages / "google" / "colab" / "__init__.py").touch()
        (packages / "google_colab.pth").write_text("import google.colab\n")
        base.write_text(uv_pip("freeze"))
    uv_pip("sync", str(base))


def uv_pip(command: str, *arguments: str) -> str:
    """Run one of uv's pip commands on .venv-colab; return what it prints."""
    return uv.run("pip", command, "--quiet", "--python", str(PYTHON), *arguments,
                  stdout=subprocess.PIPE, text=True).stdout


def installed() -> dict[str, str]:
    """Return the versions of all packages in .venv-colab."""
    return {canonicalize_name(package["name"]): package["version"]
            for package in json.loads(uv_pip("list", "--format=json"))}


def snapshot(root: Path, target: Path) -> None:
    """Copy the working tree, without what git ignores, into a new repository of one commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)
    identity = ["-c", "user.name=snapshot", "-c", "user.email=snapshot@localhost"]
    for command in (["init", "--quiet"], ["add", "--all", "--force"],
                    [*identity, "commit", "--quiet", "--no-gpg-sign", "--message=snapshot"],
                    ["tag", notebooks.tag()]):  # which the set-up cell installs
        subprocess.run(["git", *command], cwd=target, check=True)


def learner(python: Path) -> dict[str, str]:
    """Return the environment variables of somebody with another Python and no settings."""
    settings = ("COURSE_", "PYTHON", "VIRTUAL_ENV", "JUPYTER_", "XDG_")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return mine | KERNEL | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


def surroundings(repository: Path) -> dict[str, str]:
    """Return environment variables by which git finds the course's address in a repository here."""
    count = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    return learner(PYTHON) | {
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{repository.as_uri()}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": f"https://github.com/{notebooks.repository()}",
    }


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what the set-up cell did that it should not have done, in words."""
    text = (notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
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
    done = subprocess.run([PYTHON, "-c", RUN_CELL], cwd=folder, env=env,
                          input=notebooks.setup_cell(), capture_output=True, text=True)
    if wrong := changes(before, installed()):
        raise RuntimeError("\n".join(["The set-up cell did not do what it should:", done.stdout,
                                      done.stderr, *wrong]))
    print(f"The set-up cell left all {len(before)} packages as they were.", flush=True)


def panel_tests() -> list[Path]:
    """Return the unit tests of what opens as a panel, and what all tests need."""
    tests = notebooks.ROOT / "tests"
    return [tests / "conftest.py", *sorted(tests.glob("panels/test_*.py")),
            tests / "listening" / "test_panel.py"]


def nbval(paths: list[Path], folder: Path) -> list[str]:
    """Copy notebooks and tests to a folder; return what makes Python run them there under nbval."""
    names = [str(path.relative_to(notebooks.ROOT)) for path in paths]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(notebooks.ROOT / name, folder / name)
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p",
               "no:cacheprovider", "--disable-warnings"]
    return ["-m", "pytest", *options, *names]


def versions(text: str) -> dict[str, str]:
    """Return the versions in a list of `name==version` lines; others, such as addresses, are
    left.
    """
    rows = (line.partition(" ;")[0].split("==") for line in text.splitlines() if "==" in line)
    return {canonicalize_name(name): version.strip() for name, version in rows if name[0] != "#"}


def published_changes(address: str = PUBLISHED) -> int:
    """Print how a published list of Colab's packages differs from the one in tests/colab; return 1
    if a package that the course uses has changed.

    Raises:
        OSError: if the list cannot be read.
    """
    with urllib.request.urlopen(address, timeout=60) as answer:
        now = versions(answer.read(10**7).decode())
    used, rest = (versions((LISTS / name).read_text(encoding="utf-8"))
                  for name in ("pins.txt", "constraints.txt"))
    before = rest | used
    changed = sorted(name for name in before.keys() | now.keys()
                     if before.get(name) != now.get(name))
    for name in changed:
        told = f"{name}: {before.get(name, 'not there')} -> {now.get(name, 'gone')}"
        print(f"{told} (used by the course)" if name in used else told)
    print(f"{len(changed)} of Colab's {len(now)} packages differ from tests/colab.")
    return int(bool(used.keys() & set(changed)))


def main(arguments: list[str] | None = None) -> int:
    """Build, set up, check and run; return an exit code."""
    every = [*notebooks.all_notebooks(), *panel_tests()]
    parser = notebooks.parser(__doc__, every)
    parser.add_argument("--changes", nargs="?", const=PUBLISHED, metavar="ADDRESS",
                        help="compare Colab's published list with the one in tests/colab")
    options = parser.parse_args(arguments)
    paths = options.notebooks
    if options.changes:
        return published_changes(options.changes)
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
