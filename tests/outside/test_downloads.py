"""Downloads from a small server of our own that breaks off, lies and attacks; and the two
collections in their layout.
"""
import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from course_utils import audio, datasets, environment, scores
from course_utils.outside import downloads
from course_utils.scores import score_files

ROOT = Path(__file__).parents[1]
CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


class Handler(BaseHTTPRequestHandler):
    """Serve `server.files`; the first part of the path says how badly."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, how, name = self.path.split("/")
        self.server.asked.append((how, self.headers.get("Range")))
        body = self.server.files.get(name)
        if how == "stall":
            time.sleep(1)
        code = {"gone": 404, "forbidden": 403, "busy": 503}.get(how, 200)
        if how == "busytwice" and len(self.server.asked) < 3:
            code = 503
        if code != 200 or body is None:
            return self.answer(404 if code == 200 else code, b"no")
        if how == "login":
            return self.answer(200, b"<html>Please log in</html>")
        if how == "corrupt":
            body = body[:1000] + bytes([body[1000] ^ 1]) + body[1001:]
        if how == "endless":
            return self.endless()
        if how in ("trickle", "slowhead"):
            return self.trickle(how)
        begin = 0
        if self.headers.get("Range") and how not in ("norange", "dropnorange", "half"):
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if begin >= len(body):
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        extra = {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if begin else {}
        part = body[begin:]
        cut = {"half": len(body) // 2, "drop": 100_000, "dropnorange": 100_000,
               "dropsoon": 0}.get(how)
        if how == "droponce" and len(self.server.asked) == 1:
            cut = 120_000
        self.answer(206 if begin else 200, part, extra, cut)

    def answer(self, code, body, extra=(), cut=None):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **dict(extra)}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked may hang up
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def trickle(self, how):
        """Send a byte at a time, of the body or already of the first lines."""
        if how == "trickle":
            self.send_response(200)
            self.send_header("Content-Length", str(SIZE))
            self.end_headers()
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK" + bytes(200):
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        self.close_connection = True

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                self.wfile.write(block)
                self.server.sent += 0x10000

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0)
    monkeypatch.setattr(downloads, "TIMEOUT", (5, 0.3))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.files, web.asked, web.sent = {"file.bin": CONTENT}, [], 0
    web.url = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=functools.partial(web.serve_forever, poll_interval=0.02),
                              daemon=True)
    thread.start()
    yield web
    web.shutdown()
    web.server_close()


def get(server, how, target, checksum=SHA256, size=SIZE):
    return downloads.fetch(f"{server.url}/{how}/file.bin", target, checksum=checksum, size=size)


def ranges(server):
    return [asked for _, asked in server.asked]


@pytest.mark.parametrize("how", ["good", "norange", "droponce", "drop", "busytwice"])
def test_the_file_arrives_whole(server, tmp_path, how):
    target = get(server, how, tmp_path / "a file é.bin")
    assert target.read_bytes() == CONTENT and os.listdir(tmp_path) == ["a file é.bin"]


def test_md5_is_understood_too(server, tmp_path):
    get(server, "good", tmp_path / "x", checksum="md5:" + hashlib.md5(CONTENT).hexdigest())
    with pytest.raises(OSError, match="checksum"):
        get(server, "good", tmp_path / "y", checksum="md5:" + "0" * 32)


def test_a_complete_file_is_not_downloaded_again(server, tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    get(server, "good", tmp_path / "x")
    assert server.asked == []


@pytest.mark.parametrize("there", [CONTENT[:50], CONTENT[:-1] + b"x", b""])
def test_a_wrong_target_is_replaced(server, tmp_path, there):
    (tmp_path / "x").write_bytes(there)
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT


def test_an_interrupted_download_goes_on_where_it_stopped(server, tmp_path):
    with pytest.raises(OSError, match="stopped at 0 MB of 0 MB.*goes on from there"):
        get(server, "dropnorange", tmp_path / "x")
    kept = (tmp_path / "x.part").stat().st_size
    assert 0 < kept <= 100_000 and not (tmp_path / "x").exists()
    server.asked.clear()
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT
    assert ranges(server) == [f"bytes={kept}-"] and os.listdir(tmp_path) == ["x"]


def test_a_killed_download_goes_on_where_it_stopped(server, tmp_path, monkeypatch):
    (tmp_path / "x.part").write_bytes(CONTENT[:123_456])
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT
    assert ranges(server) == ["bytes=123456-"]


def test_a_part_that_was_complete_already_needs_no_server(server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT)
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT and server.asked == []


def test_a_part_is_not_appended_to_by_a_server_without_ranges(server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT[:200_000])
    assert get(server, "norange", tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"another file" * 1000, bytes(SIZE), bytes(SIZE + 7),
                                  CONTENT[:9] + b"x" + CONTENT[10:200]])
def test_a_damaged_part_is_thrown_away(server, tmp_path, part):
    (tmp_path / "x.part").write_bytes(part)
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["x"]


def test_a_slowly_dropping_server_is_asked_as_long_as_it_brings_something(server, tmp_path,
                                                                          monkeypatch):
    monkeypatch.setattr(downloads, "ATTEMPTS", 1)
    get(server, "drop", tmp_path / "x")
    assert 3 <= len(server.asked) <= 5


@pytest.mark.parametrize("how,words,requests",
                         [("gone", "answers 404", 1), ("forbidden", "answers 403", 1),
                          ("login", "log in", 1), ("corrupt", "checksum differs", 1),
                          ("endless", "not the expected file of 300000 bytes", 1),
                          ("busy", r"stopped at 0 MB.*\(503\)", 4),
                          ("stall", r"stopped at 0 MB.*Timeout", 4),
                          ("dropsoon", r"stopped at 0 MB.*\(\w+Error\)", 4)])
def test_what_cannot_be_downloaded(server, tmp_path, how, words, requests):
    with pytest.raises(OSError, match=words) as caught:
        get(server, how, tmp_path / "x")
    assert type(caught.value) is OSError and server.url in str(caught.value)
    assert not (tmp_path / "x").exists() and len(server.asked) == requests
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


@pytest.mark.parametrize("how", ["trickle", "slowhead"])
def test_a_server_that_sends_a_byte_at_a_time_is_given_up(server, tmp_path, monkeypatch, how):
    monkeypatch.setattr(downloads, "PATIENCE", 0.5)
    begin = time.monotonic()
    with pytest.raises(OSError, match="sends next to nothing"):
        get(server, how, tmp_path / "x")
    assert time.monotonic() - begin < 3 and not (tmp_path / ".x.lock").exists()


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_part_that_is_a_link_is_not_followed(server, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "x.part").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError):
        get(server, "good", tmp_path / "x")
    assert (tmp_path / "mine").read_bytes() == b"mine" and not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"host": "?", "process": 1}', b"[]"])
def test_a_lock_that_a_killed_run_left_is_taken(server, tmp_path, content):
    (tmp_path / ".x.lock").write_bytes(content)
    os.utime(tmp_path / ".x.lock", (0, 0))
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["x"]


def test_the_lock_of_a_process_that_has_ended_is_taken_at_once(server, tmp_path):
    code = ("from course_utils.outside import archives\nfrom pathlib import Path\nimport os, sys\n"
            "with archives.locked(Path(sys.argv[1])):\n    os._exit(0)")
    subprocess.run([sys.executable, "-c", code, tmp_path / ".x.lock"], cwd=ROOT, check=True)
    assert (tmp_path / ".x.lock").exists()
    assert get(server, "good", tmp_path / "x").read_bytes() == CONTENT


def test_endless_data_is_cut_off(server, tmp_path):
    with pytest.raises(OSError):
        get(server, "endless", tmp_path / "x")
    assert server.sent < 50e6


@pytest.mark.parametrize("content", [CONTENT[:1000], CONTENT + b"more"])
@pytest.mark.parametrize("kept", [0, 500, 2000])
def test_another_file_at_the_address_is_noticed_before_it_is_downloaded(server, tmp_path, content,
                                                                        kept):
    server.files["file.bin"] = content
    (tmp_path / "x.part").write_bytes(CONTENT[:kept])
    with pytest.raises(OSError, match="not the expected file"):
        get(server, "good", tmp_path / "x")
    assert (tmp_path / "x.part").read_bytes() == CONTENT[:kept]


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0)
    with pytest.raises(OSError, match="Check the network"):
        downloads.fetch("http://127.0.0.1:9/x", tmp_path / "x", checksum=SHA256, size=SIZE)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"),
                    reason="a device that is always full is known to Linux only")
def test_a_full_disk_while_downloading(server, tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "private",
                        lambda path, flags: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(OSError,
                       match="could not be written.*No space left.*what has arrived is kept"):
        get(server, "good", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_missing_folder(server, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder.*choose another folder"):
        get(server, "good", tmp_path / "no" / "x")


def test_progress_is_shown_unless_outputs_are_stored(server, tmp_path, monkeypatch, capsys):
    get(server, "good", tmp_path / "x")
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("COURSE_QUIET")
    (tmp_path / "y.part").write_bytes(CONTENT[:150_000])
    get(server, "good", tmp_path / "y")
    assert "y: 100%" in capsys.readouterr().err


# Archives

def tar_of(path, *entries):
    """Write a .tar.gz of (name, content) and ready-made TarInfo entries."""
    with tarfile.open(path, "w:gz") as file:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                file.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                file.addfile(info, io.BytesIO(entry[1]))
    return path


def zip_of(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(name, mode=0o120777):
    info = zipfile.ZipInfo(name)
    info.external_attr, info.create_system = mode << 16, 3
    return info


GOOD = [("top/a.txt", b"A" * 1000), ("top/deep/er/é b.txt", b"B"), ("top/empty", b"")]
MAKERS = {".tar.gz": tar_of, ".zip": zip_of}


@pytest.fixture(params=MAKERS)
def pack(request, tmp_path):
    """Pack entries into an archive of either kind."""
    return lambda *entries: MAKERS[request.param](tmp_path / f"archive{request.param}", *entries)


def unpack(archive, max_bytes=10**6):
    return downloads.unpack(archive, archive.parent, "top", max_bytes=max_bytes)


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


def test_a_good_archive(pack, tmp_path):
    top = unpack(pack(*GOOD, ("elsewhere/c", b"not asked for")))
    assert top == tmp_path / "top"
    assert tree(top) == {name.removeprefix("top/"): content for name, content in GOOD}
    assert len(os.listdir(tmp_path)) == 2


def test_folders_and_dots_in_an_archive(tmp_path):
    folder = special("./top", tarfile.DIRTYPE)
    assert tree(unpack(tar_of(tmp_path / "a.tar.gz", folder, ("./top/a", b"1")))) == {"a": b"1"}
    shutil.rmtree(tmp_path / "top")
    assert tree(unpack(zip_of(tmp_path / "a.zip", ("top/", b""), ("top/a", b"1")))) == {"a": b"1"}


HOSTILE_NAMES = ["../evil", "top/../../evil", "{outside}/evil", "top/..", "..", "C:/evil", "C:evil",
                 "top\\..\\..\\evil", "//server/evil"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_outside_of_the_folder(pack, tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    archive = pack(*GOOD, (name.format(outside=tmp_path), b"evil"))
    with pytest.raises(OSError, match="outside of.*not safe"):
        downloads.unpack(archive, folder, "top", max_bytes=10**6)
    assert os.listdir(folder) == [] and set(tmp_path.iterdir()) == {archive, folder}


@given(
    st.lists(
    st.sampled_from(["..", ".", "a", "/", "//", "\\", "c:", "~", "\0", " ", "é",
                     "..."])).map("".join) | st.text())
def test_a_name_lies_inside_or_is_refused(name):
    folder = Path("/some/folder")
    try:
        path = downloads.inside(folder, name)
    except OSError:
        return
    assert Path(os.path.normpath(path)).is_relative_to(folder)
    assert os.path.normpath(path) != str(folder)


@pytest.mark.parametrize("entry", [special("top/link", tarfile.SYMTYPE, "/etc/passwd"),
                                   special("top/link", tarfile.SYMTYPE, "a.txt"),
                                   special("top/link", tarfile.LNKTYPE, "top/a.txt"),
                                   special("top/device", tarfile.CHRTYPE),
                                   special("top/d", tarfile.BLKTYPE),
                                   special("top/pipe", tarfile.FIFOTYPE)],
                         ids=lambda info: f"{info.type.decode()} {info.linkname}")
def test_links_and_devices_in_a_tar(tmp_path, entry):
    with pytest.raises(OSError, match="link or device"):
        unpack(tar_of(tmp_path / "a.tar.gz", *GOOD, entry, ("top/link/x", b"through the link")))
    assert os.listdir(tmp_path) == ["a.tar.gz"]


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010666], ids=["link", "device", "pipe"])
def test_links_and_devices_in_a_zip(tmp_path, mode):
    with pytest.raises(OSError, match="link or device"):
        unpack(zip_of(tmp_path / "a.zip", *GOOD, (zip_link("top/link", mode), b"/etc/passwd")))
    assert os.listdir(tmp_path) == ["a.zip"]


def test_an_archive_that_is_larger_than_announced(pack, tmp_path):
    archive = pack(*GOOD, ("top/bomb", bytes(5 * 10**6)))
    assert archive.stat().st_size < 20_000
    with pytest.raises(OSError, match="more than its publisher says"):
        unpack(archive)
    assert os.listdir(tmp_path) == [archive.name]


def test_an_archive_of_too_many_files(pack, tmp_path):
    with pytest.raises(OSError, match="more than its publisher says"):
        unpack(pack(*((f"top/{i}", b"") for i in range(300))), max_bytes=100_000)


def test_a_tar_with_an_enormous_header(tmp_path):
    info = tarfile.TarInfo("top/a")
    info.pax_headers = {"comment": "x" * (3 * downloads.BLOCK)}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as file:
        file.addfile(info)
    with pytest.raises(OSError, match="header of"):
        unpack(tmp_path / "a.tar.gz", max_bytes=10**9)


def test_a_name_twice(pack, tmp_path):
    archive = pack(*GOOD, ("./top/a.txt", b"again"))
    with pytest.raises(OSError, match="could not be unpacked.*File exists"):
        unpack(archive)
    assert os.listdir(tmp_path) == [archive.name]


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2],
                                    lambda content: b"",
                                    lambda content: b"<html>log in</html>" * 100,
                                    lambda content: content[:60] + bytes(40) + content[100:]],
                         ids=["truncated", "empty", "html", "zeros"])
def test_a_damaged_archive(pack, tmp_path, damage):
    archive = pack(("top/a", np.random.default_rng(1).bytes(3000)), *GOOD)
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(OSError, match="Delete it, then download it again") as caught:
        unpack(archive)
    assert type(caught.value) is OSError and os.listdir(tmp_path) == [archive.name]


def test_an_archive_of_something_else(pack):
    with pytest.raises(OSError, match="holds no folder 'top'"):
        unpack(pack(("other/a", b"1")))


def test_an_encrypted_zip(tmp_path):
    content = bytearray(zip_of(tmp_path / "a.zip", *GOOD).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(OSError, match="damaged.*encrypted"):
        unpack(tmp_path / "a.zip")


def test_a_full_disk_while_unpacking(pack, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    archive = pack(*GOOD)
    monkeypatch.setattr(downloads, "open", full, raising=False)
    with pytest.raises(OSError, match="No space left on device.*Make room"):
        unpack(archive)
    assert os.listdir(tmp_path) == [archive.name]


def test_what_a_killed_run_left_is_cleared_away(pack, tmp_path):
    left = tmp_path / ".top.abc.unpacking"
    (left / "top").mkdir(parents=True)
    (left / "top" / "half").write_bytes(b"half a file")
    os.utime(left, (0, 0))
    assert "half" not in tree(unpack(pack(*GOOD))) and len(os.listdir(tmp_path)) == 2


RACE = """
import sys
from pathlib import Path
from course_utils.outside import downloads
url, checksum, size, folder = sys.argv[1:]
source = downloads.Source("top", url, checksum, int(size), 10**7)
print("ready", flush=True)
sys.stdin.readline()
print(len(list(downloads.collection(source, Path(folder)).iterdir())))
"""


def race(server, tmp_path, count):
    """Let processes ask for a collection at the same moment; return what each has found."""
    archive = zip_of(tmp_path / "a.zip", *((f"top/{n}", b"%d" % n * 50) for n in range(300)))
    content = server.files["a.zip"] = archive.read_bytes()
    archive.unlink()
    checksum = "sha256:" + hashlib.sha256(content).hexdigest()
    command = [sys.executable, "-c", RACE, f"{server.url}/good/a.zip", checksum, str(len(content)),
               str(tmp_path)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    started = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(count)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60) for process in started]


@pytest.mark.slow
@pytest.mark.parametrize("count,number", [(2 + number % 2, number) for number in range(20)])
def test_processes_that_ask_at_once_all_get_the_whole_collection(server, tmp_path, count, number):
    if number % 4 == 3:  # one that was killed has left its lock, and half of a file
        (tmp_path / ".top.lock").write_text("")
        os.utime(tmp_path / ".top.lock", (0, 0))
        (tmp_path / "a.zip.part").write_bytes(b"PK\3\4 something else")
    found = race(server, tmp_path, count)
    assert [out for out, _ in found] == ["300\n"] * count, found
    assert os.listdir(tmp_path) == ["top"] and len(tree(tmp_path / "top")) == 300


def test_threads_that_unpack_without_a_lock_do_not_harm_each_other(pack, tmp_path):
    archive = pack(*((f"top/{n}", b"%d" % n * 50) for n in range(200)))
    with ThreadPoolExecutor(4) as pool:
        tops = list(pool.map(lambda _: unpack(archive), range(4)))
    assert len(set(tops)) == 1 and len(tree(tops[0])) == 200
    assert set(os.listdir(tmp_path)) == {archive.name, "top"}


# NSynth and MAESTRO, in their published layout

def tone(seconds=0.1, sr=16000):
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(round(seconds * sr)) / 5), sr, format="WAV",
                    subtype="PCM_16")
    return file.getvalue()


NOTES = {f"{instrument}-{pitch:03d}-{velocity:03d}":
         {"note": 201034 + pitch, "note_str": f"{instrument}-{pitch:03d}-{velocity:03d}",
          "pitch": pitch, "velocity": velocity, "instrument": 417, "instrument_str": instrument,
          "instrument_family": 0, "instrument_family_str": instrument.split("_")[0],
          "instrument_source": 2, "instrument_source_str": "synthetic", "sample_rate": 16000,
          "qualities": [0, 1] + [0] * 8, "qualities_str": ["dark"]}
         for instrument in ("bass_synthetic_033", "flute_acoustic_002")
         for pitch, velocity in ((60, 25), (61, 127))}
COLUMNS = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
PIECES = [
    'Alban Berg,Sonata Op. 1,train,2018,2018/MIDI-Unprocessed_1--1.midi,'
    '2018/MIDI-Unprocessed_1--1.wav,698.661160312',
    'Frédéric Chopin,"Étude, Op. 10",validation,2008,2008/R1--2.midi,2008/R1--2.wav,101.5',
    'Claude Debussy,Images,test,2004,2004/R2--3.midi,2004/R2--3.wav,99.25']


def nsynth_files(index=None, skip=()):
    files = [("nsynth-test/examples.json", json.dumps(NOTES).encode() if index is None else index)]
    return files + [(f"nsynth-test/audio/{name}.wav", tone()) for name in NOTES if name not in skip]


def maestro_files(audio=False, rows=PIECES, columns=COLUMNS):
    midi, tune = io.BytesIO(), scores.from_grid(np.array([[60], [60], [62], [64]]))
    score_files.to_midi(tune).write(midi)
    index = "\n".join([columns, *rows]).encode()
    files = [("maestro-v3.0.0/maestro-v3.0.0.csv", index),
             ("maestro-v3.0.0/LICENSE", b"CC BY-NC-SA")]
    for row in PIECES:
        name = row.split(",")[-3].removesuffix(".midi")
        files += ([(f"maestro-v3.0.0/{name}.midi", midi.getvalue())]
                  + [(f"maestro-v3.0.0/{name}.wav", tone())] * audio)
    return files


@pytest.fixture
def publish(server, monkeypatch, tmp_path):
    """Offer an archive on the server and let a loader know its address, checksum and size."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))

    def published(table, key, entries, how="good", **changes):
        source = getattr(datasets, table)[key]
        archive = source.url.rpartition("/")[2]
        make = zip_of if archive.endswith(".zip") else tar_of
        content = make(tmp_path / archive, *entries).read_bytes()
        (tmp_path / archive).unlink()
        server.files[archive] = content
        source = replace(source, url=f"{server.url}/{how}/{archive}", size=len(content),
                         unpacked=10**6, checksum="sha256:" + hashlib.sha256(content).hexdigest(),
                         **changes)
        monkeypatch.setitem(getattr(datasets, table), key, source)
        return content

    return published


def test_nsynth(publish, server, tmp_path):
    publish("NSYNTH", "test", nsynth_files())
    notes = datasets.nsynth("test")
    assert [note["note_str"] for note in notes] == list(NOTES)
    assert all(note == NOTES[note["note_str"]] | {"path": note["path"]} for note in notes)
    y, sr = audio.load(notes[0]["path"])
    assert sr == 16000 and len(y) == 1600 and environment.cache_folder() in notes[0]["path"].parents
    assert datasets.nsynth("test") == notes and len(server.asked) == 1
    assert os.listdir(environment.cache_folder() / "nsynth") == ["nsynth-test"]


def test_nsynth_in_a_folder_of_ones_own(publish, server, tmp_path):
    for name, content in nsynth_files():
        path = tmp_path / "my data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    notes = datasets.nsynth("test", folder=str(tmp_path / "my data"))
    assert len(notes) == 4 and notes[3]["path"].is_file() and server.asked == []


def test_an_archive_put_there_by_hand_is_used(publish, server, tmp_path):
    content = publish("NSYNTH", "test", nsynth_files())
    (tmp_path / "nsynth-test.jsonwav.tar.gz").write_bytes(content)
    assert len(datasets.nsynth("test", tmp_path)) == 4 and server.asked == []


@pytest.mark.parametrize("with_audio", [False, True])
def test_maestro(publish, server, with_audio):
    publish("MAESTRO", "audio" if with_audio else "midi", maestro_files(with_audio))
    expected = {"train": ("Alban Berg", "Sonata Op. 1", 2018, 698.661160312),
                "valid": ("Frédéric Chopin", "Étude, Op. 10", 2008, 101.5),
                "test": ("Claude Debussy", "Images", 2004, 99.25)}
    for split, row in expected.items():
        (piece,) = datasets.maestro(split, with_audio=with_audio)
        assert (piece["canonical_composer"], piece["canonical_title"], piece["year"],
                piece["duration"]) == row
        assert score_files.read(piece["midi_path"]).pitches.max() == 64
        assert ("audio_path" in piece) == with_audio
        assert (not with_audio or audio.load(piece["audio_path"])[1] == 16000)
    assert len(server.asked) == 1


def test_midi_alone_does_not_pass_for_the_recordings(publish, server):
    publish("MAESTRO", "midi", maestro_files())
    publish("MAESTRO", "audio", maestro_files(True))
    datasets.maestro("test")
    assert datasets.maestro("test", with_audio=True)[0]["audio_path"].is_file()
    assert len(server.asked) == 2
    with pytest.raises(OSError, match="incomplete: 1 of 2 files are missing, such as 'R2--3.wav'"):
        datasets.maestro("test", environment.cache_folder() / "maestro-midi", with_audio=True)


def test_an_interrupted_collection_is_resumed(publish, server, monkeypatch):
    # Noise makes it large enough to arrive in several blocks.
    noise = ("nsynth-test/noise", np.random.default_rng(2).bytes(300_000))
    content = publish("NSYNTH", "test", [*nsynth_files(), noise], how="half")
    source = datasets.NSYNTH["test"]
    with pytest.raises(OSError, match="goes on from there"):
        datasets.nsynth("test")
    kept = (environment.cache_folder() / "nsynth"
            / "nsynth-test.jsonwav.tar.gz.part").stat().st_size
    assert 0 < kept < len(content)
    server.asked.clear()
    monkeypatch.setitem(datasets.NSYNTH, "test",
                        replace(source, url=source.url.replace("/half/", "/good/")))
    assert len(datasets.nsynth("test")) == 4 and ranges(server) == [f"bytes={kept}-"]


@pytest.mark.parametrize("index", [b"", b"{", b"[]", b"null", b'{"x": 3}', b"\xff\xfe", b"{}"])
def test_a_damaged_index_of_nsynth(publish, index):
    publish("NSYNTH", "test", nsynth_files(index))
    with pytest.raises(OSError, match="(damaged|incomplete).*Delete the folder '.*nsynth-test'"):
        datasets.nsynth("test")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "/etc/passwd", "..", "c:x", "a\\b"])
def test_an_index_of_nsynth_does_not_lead_elsewhere(publish, tmp_path, name):
    publish("NSYNTH", "test", nsynth_files(json.dumps({name: {"pitch": 60}}).encode()))
    with pytest.raises(OSError, match="damaged|incomplete"):
        datasets.nsynth("test")


def test_missing_files_of_nsynth(publish):
    publish("NSYNTH", "test", nsynth_files(skip=[list(NOTES)[2]]))
    with pytest.raises(OSError, match="incomplete: 1 of 4 files are missing, such as "
                       "'flute_acoustic_002-060-025.wav'"):
        datasets.nsynth("test")


@pytest.mark.parametrize("rows,columns",
                         [(["a,b,test,2004"], COLUMNS), (PIECES, "composer,title"), ([], COLUMNS),
                          (PIECES[:1], COLUMNS), ([], ""),
                          (["C,T,test,MMIV,2004/R2--3.midi,2004/R2--3.wav,1"], COLUMNS),
                          (["C,T,test,2004,2004/R2--3.midi,2004/R2--3.wav,long"], COLUMNS),
                          (["C,T,test,2004,2004/other.midi,2004/other.wav,1"], COLUMNS),
                          (["C,T,test,2004,../../../secret.midi,x.wav,1"], COLUMNS)])
def test_a_damaged_index_of_maestro(publish, tmp_path, rows, columns):
    (tmp_path / "secret.midi").write_bytes(b"secret")
    publish("MAESTRO", "midi", maestro_files(rows=rows, columns=columns))
    with pytest.raises(OSError, match="(damaged|incomplete).*Delete the folder '.*maestro-v3.0.0'"):
        datasets.maestro("test")


def test_too_little_room_is_noticed_before_the_download(publish, server, monkeypatch):
    publish("NSYNTH", "test", nsynth_files())
    free = Counter(free=1_000_100)
    monkeypatch.setattr(downloads.shutil, "disk_usage",
                        lambda folder: type("Usage", (), {"free": free["free"]}))
    with pytest.raises(OSError, match="nsynth-test needs 1 MB in .* 1 MB are free. Make room"):
        datasets.nsynth("test")
    assert server.asked == []
    free["free"] = 1_100_000
    assert len(datasets.nsynth("test")) == 4


def test_a_collection_that_is_not_there_any_more(publish, server):
    publish("MAESTRO", "midi", maestro_files(), how="gone")
    with pytest.raises(OSError, match="answers 404"):
        datasets.maestro("train")
    assert list((environment.cache_folder() / "maestro-midi").iterdir()) == []


def test_a_hostile_collection_leaves_nothing_behind(publish, tmp_path):
    publish("NSYNTH", "test", [*nsynth_files(), ("nsynth-test/../../../../evil.wav", b"evil")])
    with pytest.raises(OSError, match="not safe"):
        datasets.nsynth("test")
    assert [path.name for path in tmp_path.rglob("*")
            if path.is_file()] == ["nsynth-test.jsonwav.tar.gz"]


def test_sources_are_named_as_published():
    for source in (*datasets.NSYNTH.values(), *datasets.MAESTRO.values()):
        algorithm, _, digest = source.checksum.partition(":")
        assert source.url.startswith("https://")
        assert len(digest) == {"md5": 32, "sha256": 64}[algorithm]
        assert source.folder in source.url and source.size < source.unpacked


@pytest.mark.parametrize("load", [datasets.nsynth, datasets.maestro])
@pytest.mark.parametrize("split", ["validation", "", None, 3])
def test_unknown_splits(load, split):
    with pytest.raises(ValueError, match="train, valid, test"):
        load(split)


@pytest.mark.parametrize("load", [datasets.nsynth, datasets.maestro])
def test_impossible_folders(load, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    for folder in (tmp_path / "file", tmp_path / "no" / "where"):
        with pytest.raises(OSError, match="cannot be used as a folder.*Choose another place"):
            load("test", folder=folder)


# Recordings

@pytest.fixture
def librosa_example(monkeypatch, tmp_path):
    """Let librosa's examples come, or not."""
    import librosa

    def use(function):
        monkeypatch.setattr(librosa, "example", function)

    return use


def unreachable(name):
    raise ConnectionError("HTTPSConnectionPool(host='librosa.org', port=443)")


def test_a_recording_that_librosa_has(librosa_example, tmp_path):
    (tmp_path / "x.wav").write_bytes(tone(2, 22050))
    librosa_example(lambda name: str(tmp_path / "x.wav"))
    y, sr, text = datasets.recording("trumpet")
    np.testing.assert_array_equal(y, audio.load(tmp_path / "x.wav")[0])
    assert sr == 22050 and "Mihai Sorohan" in text and "recording" in text
    assert "stand-in" not in text.lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", datasets.RECORDINGS)
def test_without_a_network_something_else_is_played_and_named(librosa_example, name):
    librosa_example(unreachable)
    y, sr, text = datasets.recording(name)
    credit, seconds, programs = datasets.RECORDINGS[name]
    assert sr == 22050 and y.dtype == np.float32 and y.shape == (round(seconds * sr),)
    assert text.startswith("A stand-in") and "BWV" in text and credit in text
    assert "ConnectionError" in text
    assert "/" not in text
    assert 0.3 < np.abs(y).max() < 1 and np.abs(y[-5:]).max() < 0.01
    loud = np.sqrt((y[: len(y) // sr * sr].reshape(-1, sr) ** 2).mean(axis=1))
    assert (loud > 0.01).mean() > 0.85


def test_a_stand_in_is_the_same_every_time(librosa_example):
    librosa_example(unreachable)
    np.testing.assert_array_equal(datasets.recording("choice")[0], datasets.recording("choice")[0])


def test_a_network_that_hangs_is_not_waited_for(librosa_example, monkeypatch):
    done = threading.Event()
    librosa_example(lambda name: done.wait(30))
    monkeypatch.setattr(datasets, "PATIENCE", 0.2)
    begin = time.perf_counter()
    text = datasets.recording("trumpet")[2]
    assert time.perf_counter() - begin < 10 and "no answer within 0.2 s" in text
    done.set()


def test_recordings_come_quietly(librosa_example, caplog, capsys):
    import pooch

    def noisy(name):
        pooch.get_logger().info("Downloading to somebody's home folder")
        raise ValueError("another checksum")

    librosa_example(noisy)
    logger = pooch.get_logger()
    level = logger.level
    logger.addHandler(caplog.handler)
    datasets.recording("trumpet")
    logger.removeHandler(caplog.handler)
    assert caplog.records == [] and capsys.readouterr() == ("", "") and logger.level == level


@pytest.mark.parametrize("name", ["tuba", "", None, 3, ["trumpet"], "libri1"])
def test_unknown_recordings(name):
    with pytest.raises(ValueError, match="one of trumpet, brahms"):
        datasets.recording(name)
