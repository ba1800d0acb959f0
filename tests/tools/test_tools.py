import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import colab, execute, lock, notebooks, set_repository, uv


def of_cells(*sources):
    """Return a notebook of code cells, after the set-up cell."""
    return new_notebook(cells=[new_code_cell(source)
                               for source in (notebooks.setup_cell(), *sources)])


def run_setup_cell():
    """Run the set-up cell and return what it passed to magics."""
    calls = []
    shell = SimpleNamespace(run_line_magic=lambda *arguments: calls.append(arguments))
    exec(TransformerManager().transform_cell(notebooks.setup_cell("ada/music")),
         {"get_ipython": lambda: shell})
    return calls


def test_setup_cell_does_nothing_outside_of_colab():
    assert run_setup_cell() == []


def test_setup_cell_installs_the_package_in_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert run_setup_cell() == [("pip", 'install -q "deep-learning-with-music[colab] @ '
                                 f'git+https://github.com/ada/music@{notebooks.tag()}"')]


def test_badge_points_at_the_notebook():
    assert notebooks.badge("solutions/00_welcome.ipynb", "ada/music", "v1").endswith(
        "(https://colab.research.google.com/github/ada/music/blob/v1/notebooks/solutions/00_welcome.ipynb)")


def test_checked_exercises_are_found_beside_magics():
    cell = new_code_cell("%timeit 1\nexercises.check('05.2', x)\nexercises.check(number, "
                         "x)\nother.check('05.3', x)")
    assert list(notebooks.checked_exercises(cell)) == ["05.2"]


@pytest.mark.parametrize("source,files", [
    ("from course_utils import datasets, gan", {"datasets.py", "gan/__init__.py"}),
    ("from course_utils.gan import losses", {"gan/__init__.py", "gan/losses.py"}),
    ("def f():\n    from course_utils.gan.losses import mean", {"gan/losses.py"}),
    ("import course_utils.scores", {"scores/__init__.py"}), ("import course_utils, numpy", set())])
def test_imported_files(source, files):
    found = notebooks.imported_files(notebooks.syntax_tree(new_code_cell(source)))
    assert {path.relative_to(notebooks.ROOT / "course_utils").as_posix() for path in found} == files


def test_helper_files_follow_imports_but_load_one_chapter():
    notebook = of_cells("from course_utils import datasets, exercises")
    files = {path.name for path in notebooks.helper_files(notebook, "00")}
    assert {"datasets.py", "environment.py", "chapter_00.py"} <= files
    assert "networks.py" not in files
    assert {path.name
            for path in notebooks.helper_files(notebook, "99")} == files - {"chapter_00.py"}
    assert notebooks.helper_files(of_cells("import numpy")) == set()


def test_code_hash_depends_on_code_alone():
    notebook = of_cells("x = 1")
    before = notebooks.code_hash(notebook)
    notebook.cells.insert(0, new_markdown_cell("prose"))
    notebook.cells.append(new_code_cell("  "))
    notebook.cells[1].source = notebooks.setup_cell("ada/music")
    assert notebooks.code_hash(notebook) == before
    notebook.cells[2].source = "x = 2"
    assert notebooks.code_hash(notebook) != before


@pytest.fixture
def notebook_file(tmp_path):
    """Return a function that writes a notebook of code cells and returns its path."""

    def write(*sources):
        path = tmp_path / "00_small.ipynb"
        nbformat.write(of_cells(*sources), path)
        return path

    return write


@pytest.mark.slow
def test_execute_stores_clean_outputs_and_leaves_what_has_not_changed(notebook_file, capsys):
    code = ("import os, pathlib\nprint(os.environ['COURSE_QUIET'], os.environ['COURSE_BUDGET'], "
            "pathlib.Path().resolve().name)",
            "hash('text'), [print(i, flush=True) for i in range(3)]",
            "import ipywidgets\nipywidgets.IntSlider()")
    path = notebook_file(*code)
    assert execute.main([str(path)]) == 0
    assert " s, " in capsys.readouterr().out
    notebook = notebooks.read(path)
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4]
    assert notebook.cells[1].outputs[0].text == f"1 quick {path.parent.name}\n"
    assert [output.output_type for output in notebook.cells[2].outputs] == ["stream",
                                                                            "execute_result"]
    assert notebook.cells[3].outputs[0].data == {"text/plain": "(Run this cell to use the "
                                                 "controls.)"}
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert "version" not in notebook.metadata.language_info
    first = path.read_bytes()
    assert execute.main([str(path)]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert execute.main(["--all", str(path)]) == 0
    assert path.read_bytes() == first


@pytest.mark.slow
@pytest.mark.parametrize("source,told",
                         [("1 / 0", "ZeroDivisionError"),
                          ("import sys\nprint('oh', file=sys.stderr)",
                           "stores stderr output in code cell 2"),
                          ("import warnings\nwarnings.warn('soon gone')", "stderr"),
                          ("import os\nprint(os.getcwd())", "machine's path"),
                          ("x = )", "SyntaxError"), ("import os\nos._exit(1)", "Kernel died")],
                         ids=["error", "stderr", "warning", "path", "syntax", "dead kernel"])
def test_execute_leaves_the_file_when_an_output_should_not_be_stored(notebook_file, capsys, source,
                                                                     told):
    path = notebook_file(source)
    before = path.read_bytes()
    assert execute.main([str(path)]) == 1
    complaint = capsys.readouterr().err
    assert "NOT STORED" in complaint and told in complaint and "\x1b" not in complaint
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


def test_execute_goes_on_after_what_is_no_notebook(tmp_path, notebook_file, capsys, monkeypatch):
    (tmp_path / "text.ipynb").write_text("not JSON")
    monkeypatch.setattr(execute, "changed", lambda path: bool(notebooks.read(path)) and False)
    assert execute.main([str(tmp_path / "text.ipynb"), str(tmp_path / "none.ipynb"),
                         str(notebook_file())]) == 2
    assert "unchanged" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["code", "helpers", None])
def test_only_changes_of_code_helpers_or_data_count(notebook_file, monkeypatch, change):
    path = notebook_file("from course_utils import scores")
    notebook = notebooks.read(path)
    notebook.metadata["course"] = execute.stamp(notebook, path)
    nbformat.write(notebook, path)
    if change == "code":
        notebook.cells[1].source += ", audio"
        nbformat.write(notebook, path)
    elif change == "helpers":
        monkeypatch.setattr(notebooks, "helper_files", lambda *_: set())
    assert execute.changed(path) is bool(change)


def test_pictures_are_stored_with_few_colours_and_look_the_same():
    import base64
    import io

    import matplotlib.pyplot as plt
    from PIL import Image

    figure, ax = plt.subplots(figsize=(4, 2))
    ax.imshow(np.random.default_rng(0).random((20, 40)), cmap=plt.get_cmap("cividis", 20))
    ax.set_title("title")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    picture = base64.b64encode(buffer.getvalue()).decode()
    stored = execute.few_colors(picture)
    before, after = (np.asarray(Image.open(io.BytesIO(base64.b64decode(p))).convert("RGB"), int)
                     for p in (picture, stored))
    assert len(stored) < 0.7 * len(picture) and before.shape == after.shape
    assert np.abs(before - after).mean() < 2 and np.abs(before - after).max() < 60
    assert len(execute.few_colors(stored)) <= len(stored)


def test_tidy_keeps_ids_and_replaces_those_that_are_missing_or_taken():
    notebook = of_cells("1", "2", "3")
    notebook.cells[2].id = notebook.cells[1].id = "mine"
    del notebook.cells[3]["id"]
    notebook.cells[0].metadata["execution"] = {"iopub.status.busy": "2026"}
    notebook.cells[0].outputs = [new_output("display_data", {"text/plain": "kept"})]
    execute.tidy(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert ids[1] == "mine" and len(set(ids)) == 4 and notebook.cells[0].metadata == {}
    assert notebook.cells[0].outputs[0].data == {"text/plain": "kept"}


@pytest.fixture
def house(tmp_path):
    """Return a folder whose files name the repository `old/course`."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('name = "old/course"\n[tool.course]\nrepository = '
                                             '"old/course"\n')
    binder = "[b](https://mybinder.org/v2/gh/old/course/HEAD) old/course"
    (tmp_path / "README.md").write_text(notebooks.badge("a.ipynb", "old/course") + binder)
    (tmp_path / "OTHER.md").write_text("https://github.com/old/course-two, "
                                       "https://github.com/very-old/course")
    for name in ("a", "solutions/a"):
        badge = new_markdown_cell(notebooks.badge(f"{name}.ipynb", "old/course"))
        cells = [badge, new_code_cell(notebooks.setup_cell("old/course"))]
        nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path


def test_set_repository_moves_badges_links_and_setup_cells(house):
    changed = set_repository.move(house, "old/course", "ada/music.notes", notebooks.tag())
    assert [path.name for path in changed] == ["pyproject.toml", "README.md", "a.ipynb", "a.ipynb"]
    project = (house / "pyproject.toml").read_text()
    assert project == 'name = "old/course"\n[tool.course]\nrepository = "ada/music.notes"\n'
    binder = "[b](https://mybinder.org/v2/gh/ada/music.notes/HEAD) old/course"
    assert (house / "README.md").read_text() == notebooks.badge("a.ipynb",
                                                                "ada/music.notes") + binder
    for name in ("a", "solutions/a"):
        notebook = notebooks.read(house / "notebooks" / f"{name}.ipynb")
        assert notebook.cells[0].source == notebooks.badge(f"{name}.ipynb", "ada/music.notes")
        assert notebook.cells[1].source == notebooks.setup_cell("ada/music.notes")
    assert set_repository.move(house, "ada/music.notes", "old/course", notebooks.tag()) == changed


def test_set_repository_writes_the_tag_wherever_it_stands(house):
    (house / "pyproject.toml").write_text('[tool.course]\nrepository = "old/course"\n'
                                          'tag = "v1"\n\n[tool.other]\ntag = "v1"\n')
    set_repository.move(house, "old/course", "old/course", "v2.0-rc.1")
    assert (house / "pyproject.toml").read_text() == (
        '[tool.course]\nrepository = "old/course"\ntag = "v2.0-rc.1"\n\n[tool.other]\ntag = "v1"\n')
    for name in ("a", "solutions/a"):
        notebook = notebooks.read(house / "notebooks" / f"{name}.ipynb")
        assert notebook.cells[0].source == notebooks.badge(f"{name}.ipynb", "old/course",
                                                           "v2.0-rc.1")
        assert notebook.cells[1].source == notebooks.setup_cell("old/course", "v2.0-rc.1")
    assert "blob/v2.0-rc.1/" in (house / "README.md").read_text()


@pytest.mark.parametrize("tag", ["", "-x", "a b", 'v1"; evil', "v1/../main"])
def test_set_repository_refuses_what_is_no_tag(house, tag):
    with pytest.raises(ValueError, match="such as v1.0"):
        set_repository.move(house, "old/course", "ada/music", tag)


def test_set_repository_gives_cells_of_old_a_tag(house):
    path = house / "notebooks" / "a.ipynb"
    path.write_text(path.read_text().replace(f"@{notebooks.tag()}", ""))
    set_repository.move(house, "old/course", "old/course", "v3")
    assert notebooks.read(path).cells[1].source == notebooks.setup_cell("old/course", "v3")

@pytest.mark.parametrize("address",
                         ["course", "ada/", "/music", "https://github.com/ada/music", "ada/music/x",
                          "ada/mu sic", ""])
def test_set_repository_refuses_what_is_no_address(house, address):
    before = (house / "README.md").read_text()
    with pytest.raises(ValueError, match="OWNER/NAME"):
        set_repository.move(house, "old/course", address, "v1")
    assert (house / "README.md").read_text() == before


PROJECT = '''dev = [
    "pytest==1.0",
]
colab = [
    "mido==1.0",
    "pretty-midi==0.1.post1; platform_machine != 'aarch64'",
]
'''


def test_lock_writes_the_pins_into_the_colab_extra_only():
    pins = "mido==2.0\npretty_midi==0.2.11.post0 ; sys_platform == 'linux'\npytest==9.2.0\n"
    locked = lock.pin_colab(PROJECT, pins)
    assert locked == PROJECT.replace("mido==1.0", "mido==2.0").replace("0.1.post1", "0.2.11.post0")
    assert lock.pin_colab(locked, pins) == locked


@pytest.mark.parametrize("pins",
                         ["mido==2", "mido==2 ; os_name == 'nt'\nmido==3 ; os_name != "
                          "'nt'\npretty-midi==1"])
def test_lock_needs_one_pin_a_package(pins):
    with pytest.raises(ValueError, match="exactly one pin"):
        lock.pin_colab(PROJECT, pins)


@pytest.mark.slow
def test_uv_uses_the_index_of_pip(monkeypatch, tmp_path):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert uv.surroundings()["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert uv.surroundings()["UV_DEFAULT_INDEX"] == "https://other.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")
    assert uv.surroundings()["UV_DEFAULT_INDEX"] == "https://mine.example/simple"


def test_uv_is_told_nothing_where_pip_was_told_nothing(monkeypatch):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=""))
    assert "UV_DEFAULT_INDEX" not in uv.surroundings()


@pytest.fixture
def calls(monkeypatch):
    """Record what uv is told; it makes the folder of an environment."""
    calls = []

    def note(*arguments, **_):
        calls.append(arguments)
        if arguments[0] == "venv":
            Path(arguments[-1]).mkdir(exist_ok=True)

    monkeypatch.setattr(uv, "run", note)
    return calls


def test_an_environment_is_made_once_and_again_when_something_else_is_asked_for(calls, tmp_path):
    venv, pins = tmp_path / "venv", tmp_path / "pins.txt"
    pins.write_text("mido==1")
    wanted = ["3.12", ["--requirement", str(pins)], ["--no-deps", "nbval"]]
    assert uv.prepare(venv, *wanted) == uv.python_in(venv)
    assert [call[0] for call in calls] == ["venv", "pip", "pip"] and "3.12" in calls[0]
    assert calls[1][-2:] == ("--requirement", str(pins)) and calls[2][-2:] == ("--no-deps", "nbval")
    uv.prepare(venv, *wanted)
    assert len(calls) == 3
    pins.write_text("mido==2")
    uv.prepare(venv, *wanted)
    uv.prepare(venv, *wanted[:2])
    uv.prepare(venv, "3.13", wanted[1])
    assert len(calls) == 10


def test_an_environment_that_was_not_finished_is_made_anew(calls, monkeypatch, tmp_path):
    note = uv.run

    def fail(*arguments, **_):
        note(*arguments)
        if arguments[0] == "pip":
            raise subprocess.CalledProcessError(2, "uv")

    monkeypatch.setattr(uv, "run", fail)
    with pytest.raises(RuntimeError, match="under Python 3.12"):
        uv.prepare(tmp_path / "venv", "3.12", ["nbval"])
    monkeypatch.setattr(uv, "run", note)
    uv.prepare(tmp_path / "venv", "3.12", ["nbval"])
    assert [call[0] for call in calls] == ["venv", "pip", "venv", "pip"]


def git(*arguments, cwd, **options):
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True,
                          **options).stdout


@pytest.fixture
def work_tree(tmp_path):
    """Return a repository with a changed, a new, a deleted and an ignored file, and a name with a
    space.
    """
    tree = tmp_path / "tree"
    tree.mkdir()
    git("init", "--quiet", cwd=tree)
    for name in ("changed", "deleted"):
        (tree / name).write_text("old")
    git("add", "--all", cwd=tree)
    (tree / "deleted").unlink()
    (tree / "changed").write_text("new")
    (tree / "ü b").mkdir()
    (tree / "ü b" / "added").write_text("new")
    (tree / ".gitignore").write_text("ignored")
    (tree / "ignored").touch()
    return tree


def test_snapshot_is_the_working_tree_and_touches_nothing(work_tree, tmp_path):
    status = git("status", "--porcelain", cwd=work_tree)
    target = tmp_path / "snapshot"
    target.mkdir()
    colab.snapshot(work_tree, target)
    assert git("ls-files", "-z", cwd=target).split("\0") == [".gitignore", "changed", "ü b/added",
                                                             ""]
    assert git("show", "HEAD:changed", cwd=target) == "new"
    assert git("status", "--porcelain", cwd=work_tree) == status


def test_git_finds_the_address_in_the_snapshot(work_tree, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "kept")
    target = tmp_path / "snap shot"
    target.mkdir()
    colab.snapshot(work_tree, target)
    environment = colab.surroundings(target)
    found = git("ls-remote", f"https://github.com/{notebooks.repository()}", "HEAD", cwd=tmp_path,
                env=environment)
    assert found.split()[0] == git("rev-parse", "HEAD", cwd=target).strip()
    assert git("config", "user.name", cwd=tmp_path, env=environment).strip() == "kept"


def test_colab_environment_hides_this_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(notebooks.ROOT))
    monkeypatch.setenv("COURSE_BUDGET", "full")
    environment = colab.surroundings(tmp_path)
    assert "PYTHONPATH" not in environment and environment["COURSE_BUDGET"] == "quick"


def test_changes_names_what_the_setup_cell_should_not_have_done(tmp_path, monkeypatch):
    project = ('[project]\nname = "course"\nversion = "1"\n[project.optional-dependencies]\ncolab '
               '= ["mido==1.3"]')
    (tmp_path / "pyproject.toml").write_text(project)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    before, right = {"numpy": "2.1", "keras": "3.13"}, {"mido": "1.3", "course": "1"}
    assert colab.changes(before, before | right) == []
    assert colab.changes(before, before | right | {"numpy": "2.4"}) == ["numpy 2.1 became 2.4"]
    assert colab.changes(before, {"numpy": "2.1"} | right) == ["keras 3.13 became nothing"]
    for wrong in ({}, {"mido": "1.3"}, right | {"mido": "1.4"}, right | {"torch": "2"}):
        assert colab.changes(before, before | wrong)[0].startswith("added")


def test_colab_tries_the_widgets_with_its_older_ipywidgets():
    names = {path.relative_to(notebooks.ROOT / "tests").as_posix() for path in colab.panel_tests()}
    assert {"conftest.py", "panels/test_composer.py", "panels/test_sound_map.py",
            "listening/test_panel.py"} <= names
    assert not names & {"listening/test_sessions.py", "browser/test_panels.py"}


def fake_python(path, code):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)


def test_colab_takes_a_python_that_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(colab, "COLAB_VERSION", (3, 99))
    assert colab.find_python() == sys.executable
    assert "3.99 is not installed" in capsys.readouterr().out
    fake_python(tmp_path / "shims" / "python3.99", 127)
    assert colab.find_python() == sys.executable
    fake_python(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python3.99", 0)
    assert colab.find_python() == str(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin"
                                      / "python3.99")
    fake_python(tmp_path / "shims" / "python3.99", 0)
    assert colab.find_python() == str(tmp_path / "shims" / "python3.99")


def test_make_lists_its_commands():
    listed = subprocess.run(["make", "--no-print-directory"], cwd=notebooks.ROOT,
                            capture_output=True, text=True, check=True)
    named = {line.split()[1] for line in listed.stdout.splitlines()}
    assert named == {"help", "lab", "check", "test", "music", "notebooks", "weights", "bench",
                     "colab", "colab-changes", "holds", "browser", "book", "slides", "canary"}


def test_changes_of_colabs_published_list_are_told(tmp_path, capsys):
    lists = "".join((colab.LISTS / name).read_text("utf-8")
                    for name in ("pins.txt", "constraints.txt"))
    same = tmp_path / "same.txt"
    same.write_text(lists)
    assert colab.main(["--changes", same.as_uri()]) == 0
    assert "0 of Colab's" in capsys.readouterr().out
    for old, new, status in (("keras==3.13.2", "keras==3.14.0", 1), ("affine==3.0.0\n", "", 0),
                             ("affine==3.0.0", "affine==3.0.0\nbrand-new==1.0", 0)):
        (tmp_path / "new.txt").write_text(lists.replace(old, new))
        assert colab.main(["--changes", (tmp_path / "new.txt").as_uri()]) == status
        told = capsys.readouterr().out
        assert "1 of Colab's" in told and ("used by the course" in told) == bool(status)


def test_stored_notebooks_are_plain_json_with_sorted_keys():
    for path in notebooks.all_notebooks():
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), sort_keys=True, indent=1,
                                  ensure_ascii=False) + "\n", (path.name)
