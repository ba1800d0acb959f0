"""Progress is kept on the learner's computer, survives damage, and is never touched by tests or
stored notebooks.
"""
import json
import os
import stat

import pytest

from course_utils import exercises
from course_utils.exercises import record


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return the file of a learner at work (nothing is being stored)."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "data" / "progress.json"))
    monkeypatch.delenv("COURSE_QUIET", raising=False)
    return tmp_path / "data" / "progress.json"


def shown(capsys):
    capsys.readouterr()
    exercises.progress()
    return capsys.readouterr().out


def test_only_right_answers_count(file, capsys):
    exercises.check("00.1", 161)
    exercises.check("00.2", ...)
    assert not file.exists()
    exercises.check("00.1", 160)
    assert list(json.loads(file.read_text())["passed"]) == ["00.1"]
    table = shown(capsys).splitlines()
    assert table[0].split() == ["00_welcome", "✓", "·", "·"] and "✓" not in "".join(table[1:])
    assert table[-1].startswith("1 of ")
    assert table[-1].endswith("Next: exercise 00.2 in 00_welcome.")


def test_every_exercise_belongs_to_a_notebook():
    chapters = exercises._chapters()
    assert [n for numbers in chapters.values() for n in numbers] == exercises.known()
    assert all(name[:2] == number[:2] for name, numbers in chapters.items() for number in numbers)


def test_a_later_check_keeps_what_was_solved_before_and_its_day(file):
    file.parent.mkdir()
    file.write_text('{"passed": {"00.2": "2001-02-03", "99.9": "2001-02-03"}}')
    exercises.check("00.1", 160)
    exercises.check("00.2", [72, 67, 64, 48])
    days = json.loads(file.read_text())["passed"]
    assert list(days) == ["00.1", "00.2", "99.9"] and days["00.2"] == "2001-02-03"


def test_exercises_of_a_newer_course_are_not_counted(file, capsys):
    file.parent.mkdir()
    file.write_text('{"passed": {"99.9": "2001-02-03"}}')
    assert shown(capsys).splitlines()[-1].startswith("0 of ")


def test_all_done(file, capsys):
    file.parent.mkdir()
    file.write_text(json.dumps({"passed": dict.fromkeys(exercises.known(), "2001-02-03")}))
    table = shown(capsys)
    assert "·" not in table and "whole course" in table


@pytest.mark.parametrize("content",
                         [b"", b"{", b"[]", b"3", b'{"passed": ["00.1"]}',
                          b'{"passed": {"00.1": 3}}', b'{"x": {}}',
                          b'{"passed": {"first": "2001-02-03"}}', b"\xff\xfe\x00", b"[" * 100000])
def test_a_damaged_record_is_put_aside_and_a_new_one_begins(file, capsys, content):
    file.parent.mkdir()
    for attempt in (1, 2):
        file.write_bytes(content)
        exercises.check("00.1", 160)
        told = capsys.readouterr().out
        aside = file.with_name(f"progress-damaged-{attempt}.json")
        assert "00.1 PASS" in told and "damaged" in told and str(aside) in told
        assert aside.read_bytes() == content
        assert list(json.loads(file.read_text())["passed"]) == ["00.1"]


def test_where_nothing_can_be_saved_the_check_still_answers(file, capsys):
    file.parent.write_text("a file where the folder should be")
    exercises.check("00.1", 160)
    told = capsys.readouterr().out
    assert told.startswith("00.1 PASS\n") and "could not be saved" in told
    assert "COURSE_PROGRESS" in told


def test_a_record_that_cannot_be_read_says_what_to_do(file):
    file.mkdir(parents=True)
    with pytest.raises(OSError, match="Set COURSE_PROGRESS"):
        exercises.progress()


def test_a_full_disk_leaves_the_record_as_it_was(file, capsys, monkeypatch):
    exercises.check("00.1", 160)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    exercises.check("00.2", [72, 67, 64, 48])
    assert "No space left" in capsys.readouterr().out and file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_stored_outputs_are_the_same_for_everybody(file, capsys, monkeypatch):
    exercises.check("00.1", 160)
    before = file.stat()
    monkeypatch.setenv("COURSE_QUIET", "1")
    exercises.check("00.2", [72, 67, 64, 48])
    table = shown(capsys)
    assert "✓" not in table and file.stat() == before
    file.write_text("damaged")
    assert shown(capsys) == table and file.read_text() == "damaged"


def test_by_default_it_lies_in_the_users_own_folder(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    place = record.progress_file()
    assert place.is_absolute() and place.name == "progress.json"
    assert "deep-learning-with-music" in place.parts


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0,
                    reason="needs a user whom permissions stop")
def test_a_read_only_folder_is_told(file, capsys):
    file.parent.mkdir()
    file.parent.chmod(stat.S_IREAD | stat.S_IEXEC)
    exercises.check("00.1", 160)
    assert "could not be saved" in capsys.readouterr().out
