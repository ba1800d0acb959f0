import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import holds, notebooks

TRY = """
import json, pathlib, socket, sys
def outcome(do):
    try:
        return do() and "done"
    except OSError as error:
        return type(error).__name__ if error.errno != 30 else "read-only"
with socket.create_server(("127.0.0.1", 0)) as server:
    print(json.dumps([
        outcome(lambda: pathlib.Path(sys.argv[1], "new").write_text("x")),
        outcome(lambda: pathlib.Path(sys.argv[1], "old").write_text("x")),
        outcome(lambda: pathlib.Path(sys.argv[1]).with_name("beside").write_text("x")),
        outcome(lambda: socket.create_connection(("192.0.2.1", 80), 3)),
        outcome(lambda: socket.create_connection(server.getsockname(), 3))]))
"""


UNSHARE = ["unshare", "--map-root-user", "--net", "--mount", "true"]


@pytest.mark.skipif(not shutil.which("unshare")
                    or subprocess.run(UNSHARE, capture_output=True).returncode != 0,
                    reason="no unshare")
def test_nothing_can_be_written_into_the_copy_and_only_this_machine_is_reached(tmp_path):
    copy = tmp_path / "read only"
    copy.mkdir()
    (copy / "old").write_text("old")
    done = subprocess.run([*holds.cut_off(copy), sys.executable, "-c", TRY, str(copy)],
                          capture_output=True, text=True)
    assert json.loads(done.stdout) == ["read-only", "read-only", "done", "OSError",
                                       "done"], (done.stderr)
    assert (copy / "old").read_text() == "old" and not (copy / "new").exists()


def test_without_unshare_it_says_what_is_not_tried(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert holds.cut_off(tmp_path) == []
    told = capsys.readouterr().out
    assert "NOT TRIED" in told and "without a network" in told and "unshare" in told


def test_what_was_written_into_the_copy_is_told(tmp_path):
    (tmp_path / ".gitignore").write_text(".venv*/\n__pycache__/\ngenerated_music.*\n")
    (tmp_path / "old").write_text("old")
    for command in (["init", "-q"], ["add", "."],
                    ["-c", "user.name=a", "-c", "user.email=a", "commit", "-q", "-m", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    for name in (".venv/lib/x.py", "course_utils/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert holds.written(tmp_path) == []
    (tmp_path / "old").write_text("new")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "generated_music.wav").touch()
    (tmp_path / "new").touch()
    assert sorted(line[3:] for line in holds.written(tmp_path)) == ["new", "old",
                                                                    "output/generated_music.wav"]


SOURCE = """# NBVAL_CHECK_OUTPUT
import os, pathlib
pathlib.Path('made').touch()
pathlib.Path(os.environ['HOME'], 'kept').touch()
print(1)"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Return a folder of notebooks: one that writes beside itself and holds, one whose stored
    output is another.
    """
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    for name, printed in (("00_well.ipynb", "1"), ("solutions/00_not.ipynb", "2")):
        cell = new_code_cell(SOURCE, execution_count=1,
                             outputs=[new_output("stream", name="stdout", text=f"{printed}\n")])
        path = tmp_path / "notebooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=[cell]), path)
    return tmp_path


def test_a_notebook_runs_elsewhere_and_fails_when_an_output_differs(course, capsys):
    (course / "home").mkdir()
    failed = holds.try_all(notebooks.all_notebooks(), [], Path(sys.executable), course / "home",
                           course / "wörk ing")
    told = capsys.readouterr().out
    assert "00_well.ipynb: holds" in told and "solutions/00_not.ipynb: FAILS" in told, told
    assert failed == 1 and "2 notebooks, 1 fail" in told
    assert "mismatch 'stdout'" in told and "\x1b" not in told
    assert {path.parent.relative_to(course) for path in course.rglob("made")} == {
        Path("wörk ing/notebooks"), Path("wörk ing/notebooks/solutions")}
    assert (course / "home" / "kept").exists()


def test_all_run_twice_shuffled_with_one_home_and_two_folders(course, monkeypatch, capsys):
    paths = [course / "notebooks" / f"{number:02}_x.ipynb" for number in range(12)]
    monkeypatch.setattr(holds, "set_up", lambda copy, version: copy / version)
    monkeypatch.setattr(holds, "cut_off", lambda copy: ["unshare"])
    monkeypatch.setattr(holds, "written", lambda copy: ["?? output"])
    calls = []
    monkeypatch.setattr(holds, "try_out",
                        lambda *call: calls.append(call)
                        or ("wrong" * call[0].name.startswith("03"), 1.0))
    names = list(map(str, paths))
    # 03 twice, and what was written
    assert holds.main(["--python", "3.12", "--seed", "4", *names]) == 3
    told, first, second = capsys.readouterr().out, calls[:12], calls[12:]
    assert "written into the copy: ?? output" in told and "Python 3.12" in told
    assert told.count("03_x.ipynb: FAILS, 1 s\nwrong") == 2
    assert sorted(call[0] for call in first) == sorted(call[0] for call in second) == paths
    orders = [[call[0] for call in calls] for calls in (first, second)]
    assert orders[0] != orders[1] and paths not in orders
    assert len({call[4] for call in first}) == len({call[4] for call in second}) == 1
    assert first[0][4] != second[0][4]
    assert len({call[3] for call in calls}) == 1 and {call[2].name for call in calls} == {"3.12"}
    assert {call[1] == ["unshare"] for call in calls} == {True}
    calls.clear()
    holds.main(["--python", "3.12", "--seed", "4", *names])
    assert [[call[0] for call in calls[:12]], [call[0] for call in calls[12:]]] == orders


def test_a_python_that_cannot_be_had_is_told(course, monkeypatch, capsys):
    def fail(*arguments, **options):
        raise subprocess.CalledProcessError(2, "uv")

    monkeypatch.setattr(holds.uv, "run", fail)
    monkeypatch.setattr(holds.colab, "snapshot", lambda *_: None)
    assert holds.main(["--python", "3.99"]) == 1
    assert "under Python 3.99" in capsys.readouterr().err
