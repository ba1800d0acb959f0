"""Answers reach the disk one by one and whole, survive crashes and spreadsheets, and no line of a
room's files is lost.
"""
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.listening import answer_files, answer_log
from course_utils.listening.answer_log import Answer

ROOT = Path(__file__).parents[2]


def answer(trial=1, code="QXB42", value="A", **changed):
    sounds = ("Bach/1", "LSTM/0") if value in "AB" else ("Bach/1", "")
    kind = "pick" if value in "AB" else "rate"
    return Answer("room", "x0123abcd", code, trial, 9, kind, "test", *sounds, value, 2,
                  17_000)._replace(**changed)


def write(path, *answers):
    for a in answers:
        answer_log.append(path, a)
    return path


def test_what_is_appended_is_read_back(tmp_path):
    answers = [answer(1), answer(2, value="4"),
               answer(0, kind="consent", role="consent", first="", second="", answer="yes"),
               answer(3, first='Bach, "J; S"/1', second="Mähler|x/2")]
    assert answer_log.read(write(tmp_path / "a.csv", *answers)) == (answers, [])


def test_each_answer_is_on_the_disk_before_the_call_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync",
                        lambda handle: synced.append((tmp_path / "a.csv").read_text().count("\n")))
    write(tmp_path / "a.csv", answer(1), answer(2))
    assert synced == [2, 3]


def test_nothing_that_stands_in_the_file_is_changed(tmp_path):
    path = write(tmp_path / "a.csv", answer(1))
    for trial in range(2, 6):
        before = path.read_bytes()
        answer_log.append(path, answer(trial))
        assert path.read_bytes().startswith(before)


@pytest.mark.parametrize("kept", range(1, 300, 7))
def test_a_file_cut_anywhere_keeps_all_whole_lines_and_goes_on(tmp_path, kept):
    path = write(tmp_path / "a.csv", *map(answer, range(1, 4)))
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    complete = [answer(k) for k, end in enumerate(ends(whole)[1:], 1) if end - 1 <= kept]
    assert answer_log.read(path)[0] == complete
    answer_log.append(path, answer(4))
    answers, problems = answer_log.read(path)
    assert answers == [*complete, answer(4)] and len(problems) <= 1


def ends(data):
    return [k + 1 for k, byte in enumerate(data) if byte == 10]


def test_a_half_written_line_is_no_answer_even_if_it_looks_like_one(tmp_path):
    path = write(tmp_path / "a.csv", answer(1, milliseconds=12345))
    path.write_bytes(path.read_bytes().replace(b"12345", b"1234"))
    answers, problems = answer_log.read(path)
    assert not answers and "changed since it was saved" in problems[0].reason


FULL = """
import resource, signal, sys
from course_utils.listening import answer_log
from tests.listening.test_answers import answer
path = sys.argv[1]
answer_log.append(path, answer(1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = len(open(path, "rb").read())
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
try:
    answer_log.append(path, answer(2))
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
answer_log.append(path, answer(2))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX matter")
def test_a_full_disk_loses_nothing_and_says_so(tmp_path):
    path = tmp_path / "a.csv"
    done = subprocess.run([sys.executable, "-c", FULL, path], cwd=ROOT, capture_output=True,
                          text=True, timeout=60, check=True)
    assert all(told in done.stdout for told in ("could not be saved", "earlier ones are safe",
                                                "then give the answer again"))
    assert answer_log.read(path) == ([answer(1), answer(2)], [])


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_the_file_as_it_was(tmp_path,
    monkeypatch):
    path = write(tmp_path / "a.csv", answer(1))
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device.*Free some"):
        answer_log.append(path, answer(2))
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="could not be saved"):
        answer_log.append(tmp_path / "gone" / "a.csv", answer())


@pytest.mark.parametrize("code", ["Ada Lovelace", "7AB", "A", "", "ABCDEFGHIJKLM", "ÄBC", "A-B"])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="Do not use your name"):
        answer_log.check_code(code)


def test_codes_are_kept_in_capitals():
    assert answer_log.check_code(" qxb42 ") == "QXB42"


SAVED_BY = {"semicolons": lambda text: text.replace(",", ";").encode(),
            "tabs, utf-16": lambda text: text.replace(",", "\t").encode("utf-16"),
            "utf-16 be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
            "byte-order mark": lambda text: text.encode("utf-8-sig"),
            "windows": lambda text: text.replace("\n", "\r\n").encode("cp1252"),
            "old mac": lambda text: text.replace("\n", "\r").encode(),
            "quotes": lambda text: "\n".join(",".join(f'"{f}"' for f in line.split(","))
                                             for line in text.splitlines()).encode(),
            "empty columns": lambda text: text.replace("\n", ",,,\n").encode(),
            "empty lines": lambda text: text.replace("\n", "\n\n , \n").encode(),
            "spaces": lambda text: text.replace(",", " , ").encode(),
            "no header": lambda text: text.partition("\n")[2].encode(),
            "glued together": lambda text: (text + text.partition("\n")[0] + "\n").encode(),
            "no last line end": lambda text: text.rstrip("\n").encode()}


@pytest.mark.parametrize("how", SAVED_BY)
def test_other_programs_files_are_read(tmp_path, how):
    answers = [answer(1, first="Mähler/0"), answer(2, value="3")]
    path = write(tmp_path / "a.csv", *answers)
    path.write_bytes(SAVED_BY[how](path.read_text(encoding="utf-8")))
    assert answer_log.read(path) == (answers, [])


def test_columns_may_stand_in_another_order(tmp_path):
    path = write(tmp_path / "a.csv", answer(1))
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(["note", *row[::-1]]) for row in rows))
    assert answer_log.read(path) == ([answer(1)], [])


@pytest.mark.parametrize("change,told", [
    (lambda line: line[:20], "cut off"), (lambda line: line.replace("QXB42", "QXB43"), "changed"),
    (lambda line: line + ",more", "14 fields"), (lambda line: '"' + line, "cut off"),
    (lambda line: line.replace(",A,", ",B,"), "changed"),
    (lambda line: "\0\0\0", "cut off"), (lambda line: "thank you!", "cut off")])
def test_a_malformed_line_is_put_aside_with_its_text(tmp_path, change, told):
    path = write(tmp_path / "a.csv", answer(1), answer(2), answer(3))
    lines = path.read_text().split("\n")
    lines[2] = change(lines[2])
    path.write_text("\n".join(lines))
    answers, (problem,) = answer_log.read(path)
    assert answers == [answer(1), answer(3)] and problem.line == 3 and problem.text == lines[2]
    assert told in problem.reason


@pytest.mark.parametrize("bad", [{"kind": "guess"}, {"answer": "C"}, {"role": "boss"},
                                 {"participant": "ada lovelace"}, {"plays": "x"}])
def test_a_sound_checksum_does_not_make_nonsense_an_answer(tmp_path, bad):
    path = write(tmp_path / "a.csv", answer(1, **bad))
    assert not answer_log.read(path)[0] and len(answer_log.read(path)[1]) == 1


def test_thirty_files_are_merged_and_every_fault_is_told(tmp_path):
    codes = [f"P{n:02}" for n in range(30)]
    for code in codes:
        write(tmp_path / f"{code}.csv", *(answer(t, code) for t in range(1, 10)))
    (tmp_path / "P01 (1).csv").write_bytes((tmp_path / "P01.csv").read_bytes())
    (tmp_path / "P02.csv").write_bytes((tmp_path / "P02.csv").read_bytes()[:400])
    (tmp_path / "P03.csv").write_bytes(b"")
    write(tmp_path / "other.csv", answer(1, "P04", study="another"))
    write(tmp_path / "P05 again.csv", answer(1, "P05", "B"))
    merged = answer_files.merge(tmp_path, "room")
    told = "\n".join(answer_files.report(merged))
    assert "33 files" in told and "from 28 listeners" in told and "unfinished: P02, 4 of 9" in told
    for fault in ("put aside 9: a duplicate of", "put aside 1: one code, two answers",
                  "put aside 9: its code has two stories: files contradict each other",
                  "put aside 1: the file is empty", "of the study 'another'", "cut off"):
        assert fault in told
    assert len(merged.answers) == 27 * 9 + 4
    assert not [a for a in merged.answers if a.participant == "P05"]
    saved = answer_files.save_problems(tmp_path / answer_files.QUARANTINE, merged.problems)
    assert saved.read_text().count("\n") == 1 + len(merged.problems)
    assert answer_files.merge(tmp_path, "room") == merged


@settings(max_examples=60)
@given(st.data())
def test_no_line_is_lost_whatever_happens_to_the_files(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("room")
    lines = [",".join(answer_log.COLUMNS)]
    lines += [answer_log.to_line(answer(t, code)).decode().strip() for code in ("PAA", "PBB")
              for t in (1, 2, 3)]
    written = []
    for number in range(data.draw(st.integers(1, 3))):
        theirs = lines[:4] if data.draw(st.booleans()) else [lines[0], *lines[4:]]
        chosen = data.draw(st.lists(st.sampled_from(theirs), max_size=8))
        cut = [line[:data.draw(st.integers(0, len(line)))] if data.draw(st.booleans()) else line
               for line in chosen]
        written += cut
        (folder / f"{number}.csv").write_text("\n".join(cut))
    merged = answer_files.merge(folder, "room")
    kept = [answer_log.to_line(a).decode().strip() for a in merged.answers]
    aside = [problem.text for problem in merged.problems if problem.line]
    assert sorted(kept + aside) == sorted(line for line in written if line != lines[0]
                                          and line.strip(","))
    assert len(set(kept)) == len(kept) and set(kept) == set(written) & set(lines[1:])


def test_only_the_study_that_is_asked_for_is_kept(tmp_path):
    write(tmp_path / "a.csv", answer(1, "PAA", study="another"), answer(1, "PAA"),
          answer(2, "PAA", study="another"))
    merged = answer_files.merge(tmp_path, "room")
    assert merged.answers == [answer(1, "PAA")]
    assert [p.reason for p in merged.problems] == ["of the study 'another'"] * 2


def test_rooms_that_heard_other_sounds_are_noticed(tmp_path):
    write(tmp_path / "a.csv", answer(1, "PAA"))
    write(tmp_path / "b.csv", answer(1, "PBB", sounds="xffffffff"))
    assert any("2 different sets of sounds" in line
               for line in answer_files.report(answer_files.merge(tmp_path, "room")))


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no CSV files"):
        answer_files.merge(tmp_path / "gone", "room")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    write(tmp_path / "a.csv", answer(1))
    write(tmp_path / "b.csv", answer(2)).chmod(0)
    assert any("cannot be read" in problem.reason
               for problem in answer_files.merge(tmp_path, "room").problems)


def test_a_listeners_data_are_deleted_everywhere_and_only_theirs(tmp_path):
    write(tmp_path / "a.csv", answer(1, "PAA"), answer(2, "PAA"))
    write(tmp_path / "both.csv", answer(1, "PAA"), answer(1, "PBB"))
    with open(tmp_path / "both.csv", "a") as file:
        file.write("room,x0123abcd,PAA,7")
    write(tmp_path / "b.csv", answer(2, "PBB"))
    removed, problems = answer_files.delete(tmp_path, "paa")
    assert removed == 3 and not (tmp_path / "a.csv").exists()
    # Half an answer is nobody's: it is told, and stays.
    assert [(p.file, p.text) for p in problems] == [("both.csv", "room,x0123abcd,PAA,7")]
    assert answer_files.merge(tmp_path, "room").answers == [answer(2, "PBB"), answer(1, "PBB")]
    assert answer_files.delete(tmp_path, "PAA").removed == 0


def test_a_code_that_is_also_a_systems_name_deletes_nobody_elses(tmp_path):
    write(tmp_path / "a.csv", answer(1, "LSTM"))
    write(tmp_path / "b.csv", *(answer(t, "PBB") for t in (1, 2, 3)))  # who all heard "LSTM/0"
    before = (tmp_path / "b.csv").read_bytes()
    assert answer_files.delete(tmp_path, "lstm") == (1, [])
    assert (tmp_path / "b.csv").read_bytes() == before and not (tmp_path / "a.csv").exists()


def test_deletion_goes_on_past_what_cannot_be_read_and_tells_it(tmp_path):
    (tmp_path / "a folder.csv").mkdir()
    (tmp_path / "b link.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.csv").write_bytes(bytes(answer_log.LARGEST + 1))
    write(tmp_path / "z.csv", answer(1, "PAA"))
    removed, problems = answer_files.delete(tmp_path, "PAA")
    assert removed == 1 and not (tmp_path / "z.csv").exists()
    assert [p.file for p in problems] == ["a folder.csv", "b link.csv", "c.csv"]


def test_copies_in_the_quarantine_are_deleted_too(tmp_path):
    write(tmp_path / "a.csv", answer(1, "PAA"), answer(1, "PAA", value="B"))
    write(tmp_path / "b.csv", answer(1, "PBB"), answer(1, "PBB", value="B"))
    place = tmp_path / answer_files.QUARANTINE
    answer_files.save_problems(place, answer_files.merge(tmp_path, "room").problems)
    assert answer_files.delete(tmp_path, "PAA").removed == 3
    assert "PAA" not in place.read_text() and "PBB" in place.read_text()


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_answers_are_their_owners_and_follow_no_link(tmp_path):
    assert write(tmp_path / "a.csv", answer(1)).stat().st_mode & 0o777 == 0o600
    (tmp_path / "b.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="could not be saved"):
        answer_log.append(tmp_path / "b.csv", answer(1))
    assert not (tmp_path / "elsewhere").exists()
