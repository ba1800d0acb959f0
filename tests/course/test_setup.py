"""Set-up: pyproject.toml, requirements.txt, environment.yml and Colab's list agree, and what is
imported is declared.
"""
import ast
import importlib.metadata
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import lock, notebooks

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = lock.pins_of((ROOT / "requirements.txt").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
COLAB = {canonicalize_name(line.partition("==")[0]): re.split(r"==| ;", line)[1]
         for name in ("constraints.txt", "pins.txt")
         for line in (ROOT / "tests" / "colab" / name).read_text(encoding="utf-8").splitlines()
         if not line.startswith("#")}
PYTHONS = ("3.11.7", "3.12.4", "3.13.1")
SYSTEMS = {"linux": ("linux", "x86_64"), "arm": ("linux", "aarch64"), "mac": ("darwin", "arm64"),
           "windows": ("win32", "AMD64")}


def marker_environment(python: str, system: str) -> dict[str, str]:
    """Return the values that environment markers see on a Python version and system."""
    platform, machine = SYSTEMS[system]
    return {"python_version": python.rpartition(".")[0], "python_full_version": python,
            "sys_platform": platform, "platform_machine": machine,
            "os_name": "nt" if platform == "win32" else "posix", "implementation_name": "cpython",
            "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
            "platform_python_implementation": "CPython", "extra": ""}


def wanted(requirement: Requirement, where: dict[str, str]) -> bool:
    """Tell whether a requirement counts in an environment."""
    return requirement.marker is None or requirement.marker.evaluate(where)


COLAB_PYTHON = marker_environment("3.13.1", "linux")
# which nobody needs, and nobody gets unasked
PINNED = (lines for name, lines in EXTRAS.items() if name != "listening")
DEPENDENCIES = [Requirement(line) for line in itertools.chain(PROJECT["dependencies"], *PINNED)]


@pytest.mark.parametrize("python,system", [*itertools.product(PYTHONS, SYSTEMS)])
def test_every_dependency_has_one_pin_that_fits(python, system):
    where = marker_environment(python, system)
    pins: dict[str, list[str]] = {}
    for pin in PINS:
        if wanted(pin, where):
            pins.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier)[2:])
    assert not [name for name, versions in pins.items() if len(versions) > 1]
    for dependency in DEPENDENCIES:
        if wanted(dependency, where):
            assert dependency.specifier.contains(
                pins[canonicalize_name(dependency.name)][0]), (dependency)


def test_pins_are_exact_have_checksums_and_name_no_place():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = text.replace("\\\n", "").splitlines()
    assert len(pins) == len(PINS)
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^:@]+?)?( +--hash=sha256:[0-9a-f]{64})+",
                            pin), pin


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_gets_the_tensorflow_that_suits_it(system):
    name = "tensorflow-cpu" if system in ("linux", "windows") else "tensorflow"
    where = marker_environment("3.12.4", system)
    assert [pin.name for pin in PINS if pin.name in ("tensorflow", "tensorflow-cpu")
            and wanted(pin, where)] == [name]


def test_conda_environment_is_made_of_the_pins():
    specs = [item for item in CONDA["dependencies"] if isinstance(item, str)]
    pip = next(item["pip"] for item in CONDA["dependencies"] if isinstance(item, dict))
    assert CONDA["name"] == PROJECT["name"] and CONDA["channels"][0] == "conda-forge"
    assert pip == ["-r requirements.txt"]  # with checksums; a folder has none
    assert "pip" in {re.split(r"[=<>! ]", spec)[0] for spec in specs}
    assert all(
        re.fullmatch(r"[a-z0-9_.-]+((==|>=|<=|=|<|>|!=)[\w.*]+(,(==|>=|<=|<|>|!=)[\w.*]+)*)?", spec)
        for spec in specs)


def test_conda_python_is_one_that_the_project_takes():
    (python,) = (spec.partition("=")[2] for spec in CONDA["dependencies"] if isinstance(spec, str)
                 and spec.startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.1")


def test_the_release_that_notebooks_install_is_this_version():
    # Otherwise set-up cells and badges, which hygiene compares, would lead to another release.
    assert notebooks.tag() == f"v{PROJECT['version']}"
    assert notebooks.badge("00_welcome.ipynb") in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("python", PYTHONS)
def test_project_takes_every_python_that_is_promised(python):
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)


@pytest.mark.parametrize("requirement", [Requirement(line) for line in PROJECT["dependencies"]],
                         ids=str)
def test_ranges_admit_what_colab_has(requirement):
    version = COLAB.get(canonicalize_name(requirement.name))
    assert version is None or requirement.specifier.contains(version), (f"Colab has {version}; "
                                                                        "installing there would "
                                                                        "replace it")


def lacking_in_colab(names: set[str]) -> set[str]:
    """Return which packages pip would add in Colab, following the requirements of those that it
    adds.
    """
    missing, waiting = set(), {canonicalize_name(name) for name in names}
    while waiting:
        name = waiting.pop()
        if name in COLAB or name in missing:
            continue
        missing.add(name)
        further = map(Requirement, importlib.metadata.requires(name) or [])
        waiting |= {canonicalize_name(r.name) for r in further if wanted(r, COLAB_PYTHON)}
    return missing


def test_colab_extra_pins_exactly_what_colab_lacks():
    pinned = {canonicalize_name(r.name): str(r.specifier)
              for r in map(Requirement, EXTRAS["colab"])}
    needed = {r.name for r in map(Requirement, PROJECT["dependencies"]) if wanted(r, COLAB_PYTHON)}
    assert set(pinned) == lacking_in_colab(needed)
    assert pinned == {pin.name: str(pin.specifier) for pin in PINS if pin.name in pinned
                      and wanted(pin, COLAB_PYTHON)}


def test_packages_added_in_colab_accept_what_is_there():
    for name in (Requirement(line).name for line in EXTRAS["colab"]):
        for further in map(Requirement, importlib.metadata.requires(name) or []):
            if wanted(further, COLAB_PYTHON) and canonicalize_name(further.name) in COLAB:
                assert further.specifier.contains(COLAB[canonicalize_name(further.name)]), (
                    f"{name} needs {further}")


def imported(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, anywhere in it."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return ({alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            | {node.module for node in nodes if isinstance(node, ast.ImportFrom)})


def third_party(folders: list[str]) -> set[str]:
    """Return the distributions whose modules are imported below some folders."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    own = ({"course_utils", "tools", "benchmarks", "google"} | {"tests"}
           | sys.stdlib_module_names)
    modules = {name.split(".")[0] for path in files for name in imported(path)} - own
    owners = importlib.metadata.packages_distributions()
    return {canonicalize_name(owners[module][0]) for module in modules}


@pytest.mark.parametrize("folders,extras",
                         [(["course_utils"], ["tensorflow"]),
                          (["tools", "tests", "benchmarks"], EXTRAS)])
def test_what_is_imported_is_declared(folders, extras):
    declared = [Requirement(line) for line in itertools.chain(PROJECT["dependencies"],
                                                              *(EXTRAS[name] for name in extras))]
    assert third_party(folders) <= {canonicalize_name(requirement.name)
                                    for requirement in declared} | {"tensorflow-cpu"}


def test_what_is_declared_is_imported():
    code = [ast.Module([node for cell in notebooks.code_cells(notebooks.read(path))
                        for node in notebooks.syntax_tree(cell).body], [])
            for path in notebooks.all_notebooks()]
    code += [ast.parse(path.read_text("utf-8")) for path in (ROOT / "course_utils").rglob("*.py")]
    modules = {name.split(".")[0] for tree in code for node in ast.walk(tree)
               for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                            else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])}
    owners = importlib.metadata.packages_distributions()
    used = {canonicalize_name(owner) for name in modules for owner in owners.get(name, [])}
    declared = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert declared - used == {"pyfluidsynth"}, "which pretty_midi loads where midirenderer lacks"
