"""The house: a hall and rooms, imports that run one way, faces that say what a room is for."""
import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "course_utils"
# The order of the house: a place imports places before it and itself, never one after it.
# Rooms are folders; the others are the hall's modules.
ORDER = ("machine", "environment", "checks", "outside", "audio", "scores", "synth", "sound",
         "plots", "datasets", "training", "by_hand", "cnn", "measuring", "lstm", "gan", "listening",
         "panels", "exercises", "finale", "doctor", "commands", "__main__")
ROOMS = ("outside", "scores", "sound", "by_hand", "cnn", "measuring", "lstm", "gan", "listening",
         "panels", "commands")
HEAVY = ("tensorflow", "keras", "librosa", "music21", "matplotlib", "verovio", "sklearn", "pandas")
FILES = sorted(PACKAGE.rglob("*.py"))
EVERYWHERE = sorted(path for folder in ("course_utils", "tools", "benchmarks", "tests")
                    for path in (ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    """Return a module's name below course_utils, such as `gan.losses`, or `gan` for its face."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path) -> set[str]:
    """Return the full names of what a file imports, anywhere in it: modules, and names in them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: import by full name, from course_utils"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


MODULES = {dotted(path): path for path in FILES if dotted(path)}
GRAPH = {name: {other.removeprefix("course_utils.") for other in imports(path)
                if other.removeprefix("course_utils.") in MODULES} - {name}
         for name, path in MODULES.items()}


def place(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module):
    assert place(module) in ORDER, f"Give '{place(module)}' a place in ORDER."
    rank = ORDER.index(place(module))
    assert [other for other in GRAPH[module] if ORDER.index(place(other)) > rank] == []


def test_no_module_imports_itself_by_way_of_others():
    # A room's face holds no code, but for `scores` and `exercises`: importing it is no circle.
    graph = {name: {other for other in others if other in ("scores", "exercises")
                    or "." in other or other not in ROOMS} for name, others in GRAPH.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_the_hall_is_small_and_the_rooms_are_there():
    assert len([*PACKAGE.glob("*.py")]) <= 16
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == {*ROOMS, "exercises"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_says_what_the_room_is_for_and_lists_its_modules(room):
    face = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
    assert len(face.splitlines()) <= 6
    for path in (PACKAGE / room).glob("*.py"):
        assert path.stem == "__init__" or path.stem in face


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path):
    if path.parts[len(ROOT.parts)] != "tests":
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("one,other", [("tools", "benchmarks"), ("benchmarks", "tools")])
def test_tools_and_benchmarks_leave_each_other_alone(one, other):
    assert [path.name for path in (ROOT / one).glob("*.py")
            if any(name.split(".")[0] == other for name in imports(path))] == []


@pytest.mark.parametrize("folder,most", [("tools", 2000), ("benchmarks", 1500)])
def test_what_surrounds_the_package_stays_small(folder, most):
    files = (ROOT / folder).glob("*.py")
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= most


def at_the_top(module: str) -> set[str]:
    """Return the libraries that a module loads as soon as it is imported, by way of others too."""
    waiting, seen, found = {module}, set(), set()
    while waiting:
        seen.add(name := waiting.pop())
        for node in ast.parse(MODULES[name].read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                found.add(node.module.split(".")[0])
                below = {other.removeprefix("course_utils.") for other in names}
                waiting |= below & set(MODULES) - seen
    return found


SLOW = {name for name in MODULES if {"keras", "tensorflow"} & at_the_top(name)}


def test_only_networks_load_tensorflow_at_once():
    assert {place(name) for name in SLOW} <= {"training", "cnn", "measuring", "lstm", "gan",
                                              "panels", "finale"}
    assert not SLOW & {"panels.composer", "panels.monitor", "lstm.ngrams", "measuring.measures"}


def test_light_modules_leave_heavy_libraries_alone():
    light = [name for name in MODULES if name not in SLOW | {"__main__"}]
    names = ", ".join(f"course_utils.{name}" for name in light)
    code = f"import sys, {names}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60, check=True)
    assert done.stdout.split() == []
