"""The canary finds every name that the course uses, and notices what is gone, announced to go, or fails."""
import ast
import importlib.util
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest

from tools import canary, imports


@pytest.mark.parametrize("source,expected", [
    ("import tensorflow as tf\ntf.nn.relu(tf.zeros(3))", {"tensorflow.nn.relu", "tensorflow.zeros"}),
    ("import keras\nclass Net(keras.Model): pass", {"keras.Model"}),
    ("from keras import layers, ops as o\nlayers.Dense(3)\no.sum(x)", {"keras.layers.Dense", "keras.ops.sum"}),
    ("from music21 import note\ndef f(): return note.Note()", {"music21.note.Note"}),
    ("import librosa.feature\nlibrosa.feature.mfcc(y=y)", {"librosa.feature.mfcc"}),
    ("def f():\n    import librosa\n    return lambda y: librosa.mel(y)", {"librosa.mel"}),
    ("def f():\n    if x:\n        import keras\n    keras.Input()", {"keras.Input"}),
    ("def f():\n    from music21 import note\n\ndef g(note):\n    return note.start", set()),
    ("import numpy as np\nnp.zeros(3)", {"numpy.zeros"}), ("from . import keras\nkeras.Model", set())])
def test_names_are_followed_through_imports_and_scopes(source, expected):
    found = {name for name, _ in imports.names_used(ast.parse(source))}
    assert {name for name in found if not any(other.startswith(f"{name}.") for other in found)} - {"keras", "librosa"} == expected


def test_a_name_belongs_to_the_line_where_its_statement_begins():
    source = "import keras\n\nx = f(\n    1,\n    keras.Input(3))\ndef g(y=keras.ops):\n    return (y,\n            keras.Model)"
    assert {name: line for name, line in imports.names_used(ast.parse(source)) if "." in name} == {
        "keras.Input": 3, "keras.ops": 6, "keras.Model": 7}


def test_the_course_uses_what_it_is_known_to_use():
    found = canary.collect()
    assert {"keras.layers.LSTM", "librosa.griffinlim", "music21.converter.parse", "tensorflow.GradientTape"} <= set(found)
    assert "keras.layers" not in found and not canary.GONE_ON_PURPOSE & set(found)
    assert {name.split(".")[0] for name in found} == set(canary.LIBRARIES)
    assert any(file.startswith("notebooks") for places in found.values() for file, _ in places)


@pytest.fixture
def library(monkeypatch):
    """Return a library one of whose functions is announced to go."""
    module = types.ModuleType("lib")
    module.kept = 1

    def __getattr__(name):
        if name == "going":
            warnings.warn("going is deprecated", DeprecationWarning, stacklevel=2)
            return 1
        raise AttributeError(name)

    module.__getattr__ = __getattr__
    monkeypatch.setitem(sys.modules, "lib", module)


def test_what_is_gone_or_announced_to_go_is_missing(library):
    wrong = canary.missing(["lib.kept", "lib.going", "lib.gone", "lib.kept.deeper"])
    assert set(wrong) == {"lib.going", "lib.gone", "lib.kept.deeper"} and "deprecated" in wrong["lib.going"]


def test_a_submodule_is_imported_where_it_must_be():
    assert canary.look_up("xml.etree.ElementTree.parse").__name__ == "parse"


TESTS = '''
import logging, warnings
import pytest
from course_utils import intervals
def test_announced(): warnings.warn("old() will be gone", FutureWarning)
def test_again(): warnings.warn("old() will be gone", FutureWarning)
def test_in_other_words(): warnings.warn("Argument `x` is deprecated. Use `y`")
def test_another_matter(): warnings.warn("few data")
def test_log(): logging.getLogger("tensorflow").warning("f (from g) is deprecated and will be removed")
def test_broken(): assert False
'''


def test_warnings_failures_and_lines_are_recorded(tmp_path):
    (tmp_path / "test_small.py").write_text(TESTS)
    warned, failed, ran = canary.run_tests([str(tmp_path / "test_small.py")])
    assert sorted(found["said"] for found in warned) == [
        "FutureWarning: old() will be gone", "UserWarning: Argument `x` is deprecated. Use `y`",
        "f (from g) is deprecated and will be removed"]
    assert {found["library"] for found in warned} == {"test_small"}
    assert len(failed) == 1 and "test_broken" in failed[0]
    assert ran["course_utils/intervals.py"] and not ran["course_utils/synth.py"]


def test_tests_that_cannot_start_are_a_failure(tmp_path):
    (tmp_path / "test_x.py").write_text("import nothing_of_that_name")
    _, failed, _ = canary.run_tests([str(tmp_path / "test_x.py")])
    assert len(failed) == 1 and "ERROR" in failed[0]


@pytest.mark.parametrize("found,told,count", [
    (([], [], {}), "not seen to run", 0),
    (([{"library": "course", "said": "FutureWarning: soon", "where": "test_a"}], [], {}), "DEPRECATED: FutureWarning: soon", 1),
    (([{"library": "librosa", "said": "FutureWarning: soon", "where": "test_a"}], [], {}), "inside librosa: FutureWarning", 0),
    (([], ["FAILED tests/test_a.py"], {}), "FAILED tests/test_a.py", 1)])
def test_only_what_the_course_does_counts(monkeypatch, capsys, found, told, count):
    monkeypatch.setattr(canary, "run_tests", lambda tests: found)
    monkeypatch.setattr(canary, "missing", lambda names: {})
    assert canary.main(["--here"]) == bool(count)
    shown = capsys.readouterr().out
    assert told in shown and f"{count} things to mend" in shown


@pytest.mark.parametrize("module,library", [
    ("librosa.core.audio", "librosa"), ("keras.layers", "keras"), ("six", "six"), ("ast", "ast"),
    ("course_utils.audio", "course")])
def test_a_warning_belongs_to_the_library_that_gave_it(module, library):
    assert canary.source_of(importlib.util.find_spec(module).origin) == library


def test_a_distribution_keeps_its_packages_elsewhere():
    assert canary.source_of(str(Path("dist-packages") / "librosa" / "filters.py")) == "librosa"


@pytest.mark.parametrize("pinned,free", [
    ("tensorflow~=2.20.0; sys_platform == 'win32'", 'tensorflow>=2.20.0; sys_platform == "win32"'), ("numpy>=2.1", "numpy>=2.1"),
    ("x>=1,<3", "x>=1"), ("x", "x"), ("x==1.5", "x>=1.5")])
def test_upper_bounds_go(pinned, free):
    assert canary.without_upper_bounds(pinned) == free


def test_differences_to_the_pins_are_told():
    pins = "numpy==2.4.6 ; python_full_version >= '3'\nnumpy==1 ; python_full_version < '3'\nscipy==1.0\npretty-midi==3"
    installed = [{"name": "numpy", "version": "3.0"}, {"name": "scipy", "version": "1.0"}, {"name": "six", "version": "2"},
                 {"name": "pretty_midi", "version": "3"}]
    assert canary.differences(pins, installed) == ["numpy 2.4.6 -> 3.0", "six 2 (new)"]


def test_without_a_network_the_newest_cannot_be_had(monkeypatch, capsys, tmp_path):
    def refuse(*arguments, **_):
        raise subprocess.CalledProcessError(1, arguments)

    monkeypatch.setattr(canary.uv, "run", refuse)
    monkeypatch.setattr(canary, "VENV", tmp_path / "venv")
    assert canary.main(["--newest"]) == 1
    assert "cannot be installed" in capsys.readouterr().err


def test_every_module_with_the_four_libraries_has_unit_tests():
    tested = set().union(*canary.unit_tests().values())
    users = {file.rpartition("/")[2].removesuffix(".py") for places in canary.collect().values()
             for file, _ in places if file.startswith("course_utils/")}
    assert users <= tested, "the canary sings only over what unit tests import"


def test_only_tests_of_the_package_are_run():
    names = {path.rpartition("/")[2] for path in canary.unit_tests()}
    assert {"test_features.py", "test_main.py", "test_exercises.py"} <= names
    assert not {"test_setup.py", "test_tools.py", "test_canary.py", "test_notebooks.py", "test_browser.py"} & names
