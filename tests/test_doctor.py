"""The doctor finds what is wrong, says what to do about it, and runs where things are missing."""
import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import course_utils
from course_utils import doctor
from course_utils.__main__ import main

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(doctor, "ADDRESS", "http://127.0.0.1:9")  # refused at once


def only(monkeypatch, *names):
    monkeypatch.setattr(doctor, "CHECKS", {name: doctor.CHECKS[name] for name in names})


@pytest.mark.slow
def test_a_working_set_up_passes_every_check(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "MEMORY", 0.1)
    assert main(["doctor"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert last.startswith("All is well") and not [row for row in rows if row.startswith("FAIL")]
    assert {row[6:18].strip() for row in rows if row[:4].strip()} == set(doctor.CHECKS)


def test_one_failure_is_counted_and_advised(capsys, monkeypatch):
    only(monkeypatch, "memory", "network")
    monkeypatch.setattr(doctor, "MEMORY", 1e6)
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "FAIL  memory" in told and "Close other programs" in told
    assert "1 of 2 checks failed" in told


def test_without_network_there_is_a_note_and_no_failure(capsys, monkeypatch):
    only(monkeypatch, "network")
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("note  network")


def test_network_is_seen_where_it_is(monkeypatch):
    import requests

    monkeypatch.setattr(requests, "head", lambda address, timeout: types.SimpleNamespace())
    assert doctor.network() == ("there", "", True)


@pytest.mark.parametrize("line,needed,said",
                         [("numpy>=99; python_version > '3'", True, r"numpy \d.* \(wanted: >=99\)"),
                          ("no-such-thing>=1", True, "thing is missing"),
                          ("numpy~=1.0.0", False, r"numpy \d"), ("numpy==1.*", False, r"numpy \d"),
                          ("gone>=1; sys_platform == 'x'", None, "all in"),
                          ("other>=1; extra == 'lab'", None, "all in"),
                          ("other>=1; extra == 'tensorflow'", True, "other is missing")])
def test_versions_are_compared_with_ranges(monkeypatch, line, needed, said):
    monkeypatch.setattr(doctor, "_requirements", lambda: ["scipy>=1", line])
    found = doctor.packages()
    assert re.search(said, found.said) and (found.needed if found.advice else None) is needed
    assert "scipy" not in found.said


def test_too_old_and_too_new_together_fail(monkeypatch):
    monkeypatch.setattr(doctor, "_requirements", lambda: ["numpy==1.*", "scipy>=99"])
    assert doctor.packages().needed and doctor.packages().advice


def test_either_build_of_tensorflow_will_do(monkeypatch):
    def version(name):
        if name == "tensorflow":
            return "2.20.0"
        raise doctor.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "_requirements", lambda: ["tensorflow-cpu~=2.20.0"])
    assert doctor.packages().advice == ""


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_python_outside_of_the_range(monkeypatch, version):
    assert doctor.python().advice == ""
    monkeypatch.setattr(doctor.sys, "version_info", version)
    assert doctor.python().advice.startswith("The course takes Python 3.11 to 3.13.")


def test_the_range_of_pythons_is_that_of_the_project():
    (_, oldest), (_, above) = doctor.PYTHONS
    assert f'requires-python = ">=3.{oldest},<3.{above}"' in (ROOT
                                                              / "pyproject.toml").read_text(
        encoding="utf-8")


def test_an_old_python_is_told_before_anything_breaks(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    with pytest.raises(ImportError, match="3.11, 3.12 or 3.13"):
        importlib.reload(course_utils)


def test_ranges_come_with_the_installed_package_too(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "course_utils" / "doctor.py"))
    installed = doctor._requirements()
    assert len(installed) > 20 and any(line.startswith("tensorflow") for line in installed)
    assert doctor.packages().advice == "" or not doctor.packages().needed


def test_a_note_out_of_tune_fails(monkeypatch):
    import numpy as np

    from course_utils import synth

    t = np.arange(16000) / 16000
    monkeypatch.setattr(synth, "render_notes", lambda *_,
                        **__: np.sin(2 * np.pi * 452 * t)[None].astype(np.float32))
    found = doctor.sound()
    assert "452" in found.said and "440" in found.advice


def test_damaged_data_is_named(monkeypatch):
    real = doctor.environment.shipped

    def shipped(name):
        if name == "chorales.npz":
            raise OSError("damaged")
        return real(name)

    monkeypatch.setattr(doctor.environment, "shipped", shipped)
    found = doctor.data()
    assert found.said == "damaged or missing: chorales.npz" and "git checkout" in found.advice


def test_folders_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    real = doctor.tempfile.TemporaryFile

    def refusing(dir):
        if dir == tmp_path / "cache":
            raise PermissionError(13, "Permission denied")
        return real(dir=dir)

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refusing)
    advice = doctor.folders().advice
    assert "cache" in advice and "Permission denied" in advice and "Set COURSE_CACHE" in advice
    assert "TMPDIR" not in advice


def test_a_full_disk_is_no_matter_of_rights(monkeypatch):
    def refusing(dir):
        raise OSError(doctor.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refusing)
    assert doctor.folders().advice.count("Free some space there.") == 3
    assert "of your own" not in doctor.folders().advice


def test_a_cache_that_cannot_be_made_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    only(monkeypatch, "disk", "folders")
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "2 of 2" in told and "Set COURSE_CACHE" in told


def test_too_little_disk(monkeypatch):
    monkeypatch.setattr(doctor, "DISK", 1e9)
    assert "COURSE_CACHE" in doctor.disk().advice


def test_a_missing_jupyterlab(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "jupyterlab" else "1.0")
    assert doctor.lab().said == "jupyterlab missing" and doctor.lab().advice


def test_a_check_that_breaks_is_a_finding(monkeypatch, capsys):
    def broken():
        raise RuntimeError("no luck")

    monkeypatch.setattr(doctor, "CHECKS", {"one": broken, "two": lambda: doctor.Finding("fine")})
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "FAIL  one" in told and "RuntimeError: no luck" in told and "ok    two" in told


@pytest.mark.slow
def test_training_that_learns_nothing_fails(monkeypatch):
    import keras

    monkeypatch.setattr(keras.optimizers, "Adam", lambda rate: keras.optimizers.SGD(0.0))
    assert doctor.training().advice


def without(*modules, arguments=("doctor",)):
    """Run the command line in a Python that has no such modules."""
    code = (f"import sys, runpy; sys.modules.update(dict.fromkeys({modules!r})); sys.argv[1:] = "
             f"{list(arguments)!r};runpy.run_module('course_utils', run_name='__main__')")
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          timeout=100)


@pytest.mark.slow
def test_without_tensorflow_the_doctor_says_so():
    done = without("tensorflow", "keras")
    assert done.returncode == 1 and "TensorFlow is not installed" in done.stdout
    assert "make lab" in done.stdout
    assert "ok    sound" in done.stdout and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["doctor", "compose"])
def test_in_the_wrong_python_the_doctor_answers(command):
    done = without("numpy", "packaging", "psutil", "requests", "pooch", "keras", "tqdm",
                   arguments=[command])
    assert done.returncode == 1 and "Traceback" not in done.stderr and "numpy" in done.stderr
    assert done.stdout.count("make lab") == 1 and "checks failed" in done.stdout
