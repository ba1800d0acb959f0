import hashlib
import json
import os
import stat
import sys

import pytest

from course_utils import environment


def test_in_colab_only_where_colab_is_loaded(monkeypatch):
    assert not environment.in_colab()
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert environment.in_colab()


@pytest.mark.parametrize("value,quiet",
                         [("1", True), ("yes", True), ("0", False), ("", False), (None, False)])
def test_quiet_follows_the_environment(monkeypatch, value, quiet):
    monkeypatch.setenv("COURSE_QUIET",
                       value) if value is not None else monkeypatch.delenv("COURSE_QUIET")
    assert environment.quiet() is quiet


def test_budget_is_quick_until_it_is_chosen(monkeypatch):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    assert environment.budget() == "quick" and environment.by_budget(1, 2) == 1
    monkeypatch.setenv("COURSE_BUDGET", "")
    assert environment.budget() == "quick"
    environment.use_budget("full")
    assert environment.budget() == "full" and environment.by_budget(1, 2) == 2


@pytest.mark.parametrize("name", ["Full", "slow", "", None])
def test_an_unknown_budget_is_refused_and_changes_nothing(monkeypatch, name):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    with pytest.raises(ValueError, match="quick, full"):
        environment.use_budget(name)
    assert environment.budget() == "full"


def test_a_mistyped_variable_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "ful")
    with pytest.raises(ValueError, match="COURSE_BUDGET is 'ful'"):
        environment.by_budget(1, 2)


def test_seeds_repeat_all_random_numbers():
    import random

    import numpy as np
    import tensorflow as tf

    def draw(seed):
        environment.seed_everything(seed)
        return random.random(), np.random.rand(), float(tf.random.uniform(()))

    first = draw(3)
    assert draw(3) == first and all(a != b for a, b in zip(draw(4), first))


def test_sha256_is_the_published_digest(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert environment.sha256(tmp_path / "abc") == known


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Return a data folder with one listed file."""
    (tmp_path / "tones.npz").write_bytes(b"tones")
    entry = {"sha256": hashlib.sha256(b"tones").hexdigest()}
    (tmp_path
     / "MANIFEST.json").write_text(json.dumps({"files": {"tones.npz": entry, "lost.npz": entry}}))
    monkeypatch.setattr(environment, "data_folder", lambda: tmp_path)
    return tmp_path


def test_a_whole_file_is_given(shipped):
    assert environment.shipped("tones.npz") == shipped / "tones.npz"


@pytest.mark.parametrize("damage", [b"", b"tone", b"Tones", b"tones\n"])
def test_a_damaged_file_is_refused(shipped, damage):
    (shipped / "tones.npz").write_bytes(damage)
    with pytest.raises(OSError, match="damaged.*install the package again"):
        environment.shipped("tones.npz")


@pytest.mark.parametrize("name", ["lost.npz", "unlisted.npz", "MANIFEST.json", "../secret", ""])
def test_an_unlisted_or_missing_file_is_named(shipped, name):
    with pytest.raises(FileNotFoundError, match="not among the course's data files"):
        environment.shipped(name)


def test_every_shipped_file_is_whole():
    listed = json.loads((environment.data_folder()
                         / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
    assert "chorales.npz" in listed
    for name in listed:
        assert environment.shipped(name).is_file()


def test_cache_folder_is_made_where_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a" / "b"))
    assert environment.cache_folder() == tmp_path / "a" / "b" and (tmp_path / "a" / "b").is_dir()


def test_an_impossible_cache_folder_says_what_to_set(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("COURSE_CACHE", str(folder))
        with pytest.raises(OSError, match="Set COURSE_CACHE"):
            environment.cache_folder()


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_writing_moves_the_whole_file_into_place(tmp_path):
    target = tmp_path / "mäßig laut.wav"
    target.write_text("old")
    with environment.writing(target) as temporary:
        assert temporary.suffix == ".wav" and temporary.parent == tmp_path
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and not leftovers(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_written_file_has_the_usual_mode(tmp_path):
    with environment.writing(tmp_path / "a") as temporary:
        temporary.touch()
    (tmp_path / "b").touch()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "b").stat().st_mode)


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(),
                                   OSError(28, "No space left on device")])
def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "music.wav"
    target.write_text("old")
    with pytest.raises(type(error)), environment.writing(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and not leftovers(tmp_path)


def test_a_failure_in_the_middle_leaves_nothing_new(tmp_path):
    with pytest.raises(RuntimeError), environment.writing(tmp_path / "music.wav") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_full_disk_at_the_last_move_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "music.wav"
    target.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"), environment.writing(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "old" and not leftovers(tmp_path)


@pytest.mark.parametrize("code,kind", [(13, PermissionError), (30, OSError), (28, OSError)])
def test_a_folder_that_takes_no_file_is_named(tmp_path, monkeypatch, code, kind):
    def refuse(**_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(environment.tempfile, "mkstemp", refuse)
    message = f"Cannot write into.*{os.strerror(code)}.*another place"
    with pytest.raises(kind, match=message), environment.writing(tmp_path / "a.wav"):
        pytest.fail("the block must not run")


def test_a_write_protected_file_stays(tmp_path, monkeypatch):
    target = tmp_path / "master.wav"
    target.write_text("precious")
    monkeypatch.setattr(os, "access", lambda path, mode: not (path == target and mode == os.W_OK))
    with pytest.raises(PermissionError, match="write-protected"), environment.writing(target):
        pytest.fail("the block must not run")
    assert target.read_text() == "precious"


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no such device")
def test_a_device_is_not_replaced_by_a_file():
    with pytest.raises(PermissionError,
                       match="not an ordinary file"), environment.writing("/dev/null"):
        pytest.fail("the block must not run")


def test_targets_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    for target, kind in [(tmp_path, IsADirectoryError),
                         (tmp_path / "no" / "a.wav", FileNotFoundError),
                         (tmp_path / "file" / "a.wav", FileNotFoundError),
                         (tmp_path / ("x" * 300), OSError)]:
        with pytest.raises(kind), environment.writing(target) as temporary:
            temporary.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_report_holds_what_a_bug_report_needs(monkeypatch):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    facts = environment.report()
    assert facts["Python"] == sys.version.split()[0] and facts["Budget"] == "quick"
    assert facts["tensorflow"][0].isdigit() and facts["Memory"].endswith(" GB")
    assert int(facts["CPU cores"]) >= 1
    assert not any(sep in value for value in facts.values() for sep in ("/", "\\"))


def test_show_report_is_one_table_without_markup_from_outside(monkeypatch):
    monkeypatch.setattr(environment, "report", lambda: {"GPU": "<script>"})
    page = environment.show_report().data
    assert page == "<table><tr><th>GPU</th><td>&lt;script&gt;</td></tr></table>"
