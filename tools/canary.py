"""Find out early what the next releases will break: `python -m tools.canary [--here | --newest] [TEST ...]`.

Here: every name of Keras, TensorFlow, librosa and music21 that the course uses is collected from its source, looked up with
warnings as errors, and counted while the unit tests run; a deprecation that the course's own code causes is a failure.
Newest: the same in a throw-away environment, .venv-canary, with the newest release of every package, whatever the pins say.
"""
import argparse
import ast
import contextlib
import importlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import imports, notebooks, uv

LIBRARIES = ("keras", "tensorflow", "librosa", "music21")
GONE_ON_PURPOSE = {"librosa.output.write_wav"}  # 07 shows what became of it
DEPRECATED = re.compile(r"deprecat|will be (?:removed|changed)|no longer be supported", re.IGNORECASE)
VENV = notebooks.ROOT / ".venv-canary"
RESULT = "COURSE_CANARY_RESULT"


def collect() -> dict[str, set[tuple[str, int]]]:
    """Return every name that the course uses (the longest ones only), with the files and lines that use it."""
    trees = {str(path.relative_to(notebooks.ROOT)): ast.parse(path.read_text(encoding="utf-8"))
             for path in sorted((notebooks.ROOT / "course_utils").rglob("*.py"))}
    for path in notebooks.all_notebooks():
        cells = notebooks.code_cells(notebooks.read(path))
        body = [statement for cell in cells for statement in notebooks.syntax_tree(cell).body]
        trees[str(path.relative_to(notebooks.ROOT))] = ast.Module(body, [])
    found: dict[str, set[tuple[str, int]]] = {}
    for file, tree in trees.items():
        for name, line in imports.names_used(tree):
            if name.split(".")[0] in LIBRARIES:
                found.setdefault(name, set()).add((file, line))
    return {name: places for name, places in sorted(found.items())
            if not any(other.startswith(f"{name}.") for other in found) and name not in GONE_ON_PURPOSE}


def look_up(name: str):
    """Return what a full dotted name stands for.

    Raises:
        ImportError: if its first module is not there.
        AttributeError: if it is not there.
    """
    first, *others = name.split(".")
    found, path = importlib.import_module(first), first
    for part in others:
        path = f"{path}.{part}"
        if not hasattr(found, part):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(path)
        found = getattr(found, part)
    return found


def missing(names: list[str]) -> dict[str, str]:
    """Return which names are gone or announced to go, with the reason."""
    for library in {name.split(".")[0] for name in names}:
        importlib.import_module(library)
    wrong = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in names:
            try:
                look_up(name)
            except (ImportError, AttributeError, Warning) as error:
                wrong[name] = f"{type(error).__name__}: {error}"
    return wrong


class Recorder:
    """A pytest plugin that keeps what is said to be deprecated, by whom, and in which test first."""

    def __init__(self):
        self.warned: dict[tuple[str, str], str] = {}

    def pytest_sessionstart(self) -> None:
        handler = logging.Handler()
        handler.emit = lambda record: self.keep("its log", record.getMessage(), record.pathname)
        logging.getLogger("tensorflow").addHandler(handler)

    def pytest_warning_recorded(self, warning_message, nodeid: str) -> None:
        kind = warning_message.category
        announced = issubclass(kind, DeprecationWarning | PendingDeprecationWarning | FutureWarning)
        self.keep(nodeid, f"{kind.__name__}: {warning_message.message}", warning_message.filename, announced)

    def keep(self, where: str, text: str, file: str, announced: bool = False) -> None:
        if announced or DEPRECATED.search(text):
            self.warned.setdefault((source_of(file), text.split("\n")[0][:200]), where)

    def pytest_sessionfinish(self) -> None:
        warned = [{"library": library, "said": said, "where": where} for (library, said), where in self.warned.items()]
        Path(os.environ[RESULT]).write_text(json.dumps(warned), encoding="utf-8")


def source_of(file: str) -> str:
    """Return which library a file belongs to; the course itself is `"course"`."""
    parts = Path(file).parts
    for folder in ("site-packages", "dist-packages"):
        if folder in parts:
            return parts[parts.index(folder) + 1].removesuffix(".py")
    return "course" if notebooks.ROOT in Path(file).resolve().parents else Path(file).stem


def pytest_configure(config) -> None:
    """Make this module a pytest plugin: `pytest -p tools.canary`."""
    config.pluginmanager.register(Recorder())


def unit_tests() -> dict[str, set[str]]:
    """Return the test files of the package, each with the modules of course_utils that it imports; those of tools/ stay out."""
    found = {}
    for path in sorted((notebooks.ROOT / "tests").glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = any(isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tools" for node in ast.walk(tree))
        if not own and (modules := notebooks.imported_helpers(tree)):
            found[str(path)] = modules
    return found


def run_tests(tests: list[str]) -> tuple[list[dict], list[str], dict[str, set[int]]]:
    """Run unit tests under the recorder.

    Returns:
        what was announced, the lines that tell of failures, and the lines of course_utils that ran, by file.
    """
    with tempfile.TemporaryDirectory() as folder:
        result, data, lines = (Path(folder) / name for name in ("result.json", "coverage", "lines.json"))
        env = os.environ | {RESULT: str(result), "COVERAGE_FILE": str(data), "COURSE_QUIET": "1", "PYTHONHASHSEED": "0"}
        run = [sys.executable, "-m", "coverage", "run", "--source=course_utils", "-m", "pytest"]
        options = ["-q", "-rfE", "--tb=no", "-p", "tools.canary", "-p", "no:cacheprovider"]
        done = subprocess.run([*run, *options, *tests], cwd=notebooks.ROOT, env=env, capture_output=True, text=True)
        if not result.exists():
            return [], [f"pytest did not run: {(done.stdout + done.stderr)[-1000:]}"], {}
        write = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(lines)]
        subprocess.run(write, cwd=notebooks.ROOT, env=env, check=True, capture_output=True)
        ran = {file: set(found["executed_lines"]) for file, found in json.loads(lines.read_text())["files"].items()}
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return json.loads(result.read_text(encoding="utf-8")), failed, ran


def check_here(tests: list[str]) -> int:
    """Look up and call what the course uses; print what is or will be broken, and return how many things that are."""
    names = collect()
    gone = missing(list(names))
    warned, failed, ran = run_tests(tests)
    ours = [found for found in warned if found["library"] == "course"]
    own = {name: here for name, places in names.items() if (here := [p for p in places if p[0].startswith("course_utils")])}
    idle = [name for name, places in own.items() if not any(line in ran.get(file, ()) for file, line in places)]
    print(f"{len(names)} names used, {len(gone)} gone or going; {len(own)} of them in course_utils, and unit tests ran the lines "
          f"of {len(own) - len(idle)} (what TensorFlow compiles is not counted).")
    for name, reason in gone.items():
        print(f"  GONE {name} (used in {', '.join(sorted({file for file, _ in names[name]}))}): {reason}")
    for name in idle:
        print(f"  not seen to run: {name} ({', '.join(f'{file}:{line}' for file, line in own[name])})")
    for found in sorted(warned, key=lambda found: (found["library"] != "course", found["library"])):
        kind = "DEPRECATED:" if found["library"] == "course" else f"inside {found['library']}:"
        print(f"  {kind} {found['said']} (first in {found['where']})")
    for line in failed:
        print(f"  {line}")
    print(f"{len(gone) + len(ours) + len(failed)} things to mend", flush=True)
    return len(gone) + len(ours) + len(failed)


def without_upper_bounds(requirement: str) -> str:
    """Return a requirement that any newer release meets."""
    wanted = Requirement(requirement)
    lowest = ",".join(f">={spec.version}" for spec in wanted.specifier if spec.operator in (">=", "~=", "=="))
    return f"{wanted.name}{lowest}" + (f"; {wanted.marker}" if wanted.marker else "")


def check_newest(tests: list[str]) -> None:
    """Install the newest release of everything into .venv-canary, print what differs from the pins, and look and call there.

    Raises:
        RuntimeError: if something would break, or it cannot be installed, as without a network.
    """
    project = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [without_upper_bounds(r) for r in [*project["dependencies"], *extras["tensorflow"], *extras["lab"], *extras["dev"]]]
    python = uv.python_in(VENV)
    try:
        uv.run("venv", "--quiet", "--clear", "--python", sys.executable, str(VENV))
        uv.run("pip", "install", "--quiet", "--python", str(python), "--upgrade", *wanted)
        uv.run("pip", "install", "--quiet", "--python", str(python), "--no-deps", "--editable", str(notebooks.ROOT))
        listed = uv.run("pip", "list", "--quiet", "--python", str(python), "--format=json", capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        raise RuntimeError("The newest releases cannot be installed (see above). Is there a network?") from error
    others = [package for package in json.loads(listed) if canonicalize_name(package["name"]) != project["name"]]
    for line in differences((notebooks.ROOT / "requirements.txt").read_text(encoding="utf-8"), others):
        print(f"  {line}")
    command = [str(python), "-m", "tools.canary", "--here", *tests]
    if subprocess.run(command, cwd=notebooks.ROOT, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}).returncode:
        raise RuntimeError("The newest releases would break something (see above).")


def differences(pins: str, installed: list[dict[str, str]]) -> list[str]:
    """Return in words which installed packages are other versions than pinned, or not pinned."""
    pinned: dict[str, str] = {}
    for pin in map(Requirement, pins.splitlines()):
        if pin.marker is None or pin.marker.evaluate():
            pinned[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    found = {canonicalize_name(package["name"]): package["version"] for package in installed}
    changed = [f"{name} {pinned[name]} -> {version}" for name, version in found.items() if pinned.get(name, version) != version]
    return changed + [f"{name} {version} (new)" for name, version in found.items() if name not in pinned]


def main(arguments: list[str] | None = None) -> int:
    """Look at the installed versions, the newest ones, or both; return 1 if something is or will be broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--here", action="store_true", help="the installed versions only")
    which.add_argument("--newest", action="store_true", help="the newest releases only")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="test files; those of all modules, if none is named")
    options = parser.parse_args(arguments)
    broken = 0 if options.newest else check_here(options.tests or list(unit_tests()))
    if not options.here:
        print("The newest releases, where they differ from the pins:", flush=True)
        try:
            check_newest(options.tests)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            broken += 1
        finally:
            shutil.rmtree(VENV, ignore_errors=True)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
