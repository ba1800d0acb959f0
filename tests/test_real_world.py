"""Files and machines as they are: each kind, where the idea comes from, and what the learner gets.

Sounds are never shorter than what is in the file without a word; nothing of the learner's is
overwritten; and where something cannot be done, one sentence says what to do.
"""
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import audio, machine, scores
from course_utils.__main__ import main
from course_utils.commands import compose, targets
from course_utils.measuring import judging_files
from course_utils.scores import score_files
from tests import real_sounds as real
from tests.real_sounds import ff, sf

resource = pytest.importorskip("resource")  # limits of Unix stand for a full disk
ROOT = Path(__file__).parents[1]
LONG = real.SECONDS

# kind, where the idea comes from, how it is made, seconds that the learner gets
WHOLE = [
    ("a.m4a", "phone", ff("a.m4a", "aac"), LONG),
    ("faststart.m4a", "phone", ff("b.m4a", "aac", movflags="faststart"), LONG),
    ("fragments.m4a", "browser", ff("c.m4a", "aac", movflags="frag_keyframe+empty_moov"), LONG),
    ("lossless.m4a", "phone", ff("d.m4a", "alac"), LONG),
    ("stereo.m4a", "phone", ff("e.m4a", "aac", layout="stereo"), LONG),
    ("surround.m4a", "film", ff("e.m4a", "aac", layout="7.1"), LONG),
    ("surround.mkv", "film", ff("e.mkv", "pcm_s16le", layout="7.1"), LONG),
    ("a.3gp", "phone", ff("f.3gp", "aac"), LONG),
    ("film.mp4", "phone", ff("g.mp4", "aac", film=True), LONG),
    ("film.avi", "camera", ff("h.avi", "mp2", film=True), LONG),
    ("a.mov", "phone", ff("i.mov", "pcm_s16le"), LONG),
    ("a.webm", "browser", ff("j.webm", "libopus", rate=48000), LONG),
    ("live.webm", "browser", ff("k.webm", "libopus", rate=48000, live="1"), LONG),
    ("a.mkv", "film", ff("l.mkv", "flac"), LONG),
    ("a.aac", "radio", ff("m.aac", "aac", fmt="adts"), LONG),
    ("a.ac3", "film", ff("n.ac3", "ac3"), LONG),
    ("a.wma", "Windows", ff("o.wma", "wmav2"), LONG),
    ("wrong.wav", "renamed", ff("p.m4a", "aac"), LONG),
    ("wrong.mp3", "renamed", sf("q.flac"), LONG),
    ("vbr.mp3", "recorder", real.vbr_mp3, 3 * LONG),
    ("joined.mp3", "cat", real.twice(sf("r.mp3")), 2 * LONG),
    ("tagged.mp3", "cat", real.twice(lambda f: real.ID3 + real.written(f, "s.mp3")), 2 * LONG),
    ("cover.mp3", "shop", lambda f: real.COVER + real.written(f, "t.mp3"), LONG),
    ("constant.mp3", "shop", sf("u.mp3", bitrate_mode="CONSTANT"), LONG),
    ("plain.mp3", "today", sf("u.mp3", bitrate_mode="VARIABLE"), LONG),
    ("plain.ogg", "today", sf("u.ogg"), LONG),
    ("plain.opus", "phone", sf("u.ogg", sr=16000, format="OGG", subtype="OPUS"),
     len(real.TONE) / 16000),
    ("chained.ogg", "radio", real.twice(sf("v.ogg")), 2 * LONG),
    ("chained.opus", "radio", real.twice(sf("w.ogg", sr=48000, format="OGG", subtype="OPUS")),
     2 * len(real.TONE) / 48000),
    ("pipe.flac", "pipe", real.endless_flac, LONG),
    ("joined.flac", "cat", real.twice(sf("x.flac")), 2 * LONG),
    ("id3.flac", "tagger", lambda f: real.ID3 + real.written(f, "y.flac"), LONG),
    ("data0.wav", "crash", lambda _: real.patched_wav(0), LONG),
    ("both0.wav", "crash", lambda _: real.patched_wav(0, 0), LONG),
    ("riff0.wav", "crash", lambda _: real.patched_wav(None, 0), LONG),
    ("pipe.wav", "pipe", lambda _: real.patched_wav(0xFFFFFFFF, 0xFFFFFFFF), LONG),
    ("joined.wav", "cat", lambda _: real.patched_wav(None) * 3, 3 * LONG),
    ("list.wav", "editor", lambda _: real.patched_wav(
        None, after=b"LIST" + struct.pack("<I", 9996) + b"INFO" + b"x" * 9992), LONG),
    *[(f"{subtype.lower()}.wav", "today", sf("z.wav", subtype=subtype), LONG)
      for subtype in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW",
                      "IMA_ADPCM", "MS_ADPCM")],
    *[(f"{fmt.lower()}.x", "today", sf("z.x", format=fmt), LONG)
      for fmt in ("WAVEX", "RF64", "W64", "CAF", "AIFF", "AU", "FLAC")],
    ("rifx.wav", "today", sf("z.wav", endian="BIG", subtype="PCM_16"), LONG),
    *[(f"{sr}.wav", "today", sf("z.wav", sr=sr), len(real.TONE) / sr) for sr in (8000, 192000)],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name,source,make,seconds", WHOLE, ids=[row[0] for row in WHOLE])
def test_all_of_a_sound_is_loaded(folder, name, source, make, seconds):
    content = make(folder)
    (folder / name).write_bytes(content)
    y, sr = audio.load(folder / name)
    assert y.dtype == np.float32 and y.ndim == 1
    assert -0.01 < len(y) / sr - seconds < 0.15, len(y) / sr
    np.testing.assert_array_equal(audio.load(io.BytesIO(content))[0], y)  # an upload
    begin = min(1, seconds / 4)
    part, _ = audio.load(folder / name, offset=begin, duration=0.2)
    assert len(part) == round(0.2 * sr)
    np.testing.assert_allclose(part, y[round(begin * sr):][:len(part)], atol=0.05)


# kind, where the idea comes from, how it is made, the error, and words of the advice
REFUSED = [
    ("cut.m4a", "download", real.cut(ff("a.m4a", "aac")), OSError, "damaged, cut off"),
    ("cut-fast.m4a", "download", real.cut(ff("b.m4a", "aac", movflags="faststart")), OSError,
     "is cut off"),
    ("cut.webm", "download", real.cut(ff("c.webm", "libopus", rate=48000)), OSError, "is cut off"),
    ("cut.aac", "download", real.cut(ff("d.aac", "aac", fmt="adts"), 0.601), OSError, "duration="),
    ("cut.ogg", "download", real.cut(real.noisy_ogg), OSError, "is cut off"),
    ("stump.ogg", "download", real.cut(real.noisy_ogg, 0.1), OSError, "cut off"),
    ("cut-chain.ogg", "download", real.cut(real.twice(real.noisy_ogg), 0.8), OSError, "is cut off"),
    ("cut.opus", "download", real.cut(sf("e.ogg", sr=48000, format="OGG", subtype="OPUS")),
     OSError, "cut off"),
    ("cut.mp3", "download", real.cut(sf("f.mp3")), OSError, "is cut off"),
    ("cut-pipe.flac", "download", real.cut(real.endless_flac), OSError, "duration="),
    ("locked.m4p", "shop", lambda f: real.encoded(f, "g.m4a", "aac").replace(b"mp4a", b"drms"),
     ValueError, "is protected"),
    ("changing.ogg", "radio", lambda f: real.written(f, "h.ogg") + real.written(
        f, "h.ogg", real.TONE, 22050), ValueError, "Convert it first"),
    ("mute.mp4", "film", lambda f: _mute(f), ValueError, "holds no sound"),
    ("list.m3u8", "radio", lambda f: b"#EXTM3U\n#EXTINF:9,\nfile.ts\n#EXT-X-ENDLIST\n",
     ValueError, "convert it to wav"),
    ("cat.jpg", "phone", lambda f: b"\xff\xd8\xff\xe0" + bytes(3000), ValueError,
     "convert it to wav"),
    ("song.mp3", "download", lambda f: b"<html><body>404 Not found</body></html>" * 30, ValueError,
     "convert it to wav"),
    ("words.srt", "film", lambda f: b"1\n00:00:01,000 --> 00:00:02,000\nhello\n", ValueError,
     "convert it to wav"),
    ("empty.wav", "editor", lambda f: real.patched_wav(0)[:44] + b"LIST\x04\0\0\0INFO", ValueError,
     "only a header"),
]


def _mute(folder: Path) -> bytes:
    import av

    with av.open(str(folder / "_mute.mp4"), "w") as out:
        pictures = out.add_stream("mpeg4", rate=25)
        pictures.width = pictures.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
    return (folder / "_mute.mp4").read_bytes()


@pytest.mark.parametrize("name,source,make,error,advice", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_missing_or_cannot_be_decoded_is_told(folder, name, source, make, error, advice):
    (folder / name).write_bytes(make(folder))
    with pytest.raises(error, match=advice) as caught:
        audio.load(folder / name)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["cut-fast.m4a", "cut.ogg", "cut.mp3", "cut.webm"])
def test_what_is_left_of_a_cut_file_can_be_loaded(folder, name):
    make = next(row[2] for row in REFUSED if row[0] == name)
    (folder / name).write_bytes(make(folder))
    y, sr = audio.load(folder / name, duration=100)
    assert 0.4 < len(y) / sr / LONG < 0.9


@pytest.mark.parametrize("name,make,seconds", [
    ("open.ogg", lambda f: (ogg := real.noisy_ogg(f))[:real.last_page(ogg)], 1.5),
    ("more.wav", lambda f: real.patched_wav(2 * real.SR, 2 * real.SR + 36), 1.0)])
def test_a_sound_that_may_go_on_is_loaded_with_a_warning(folder, name, make, seconds):
    (folder / name).write_bytes(make(folder))
    with pytest.warns(UserWarning, match=name):
        y, sr = audio.load(folder / name)
    assert seconds - 0.01 <= len(y) / sr <= LONG


@pytest.mark.parametrize("name", ["café.wav", "a b\nc.wav", os.fsdecode(b"caf\xe9.wav"),
                                  "http:__x.wav", "-o.wav"])
def test_names_are_only_names(folder, name, capsys):
    (folder / name).write_bytes(real.patched_wav(None))
    assert len(audio.load(folder / name)[0]) == len(real.TONE)


def test_opened_files_of_every_kind(folder):
    class Pipe(io.RawIOBase):
        content = io.BytesIO(real.encoded(folder, "pipe.m4a", "aac"))

        def readable(self):
            return True

        def read(self, size=-1):
            return self.content.read(size)

    assert len(audio.load(Pipe())[0]) == len(real.TONE)
    (folder / "text.wav").write_text("words")
    with open(folder / "text.wav", encoding="utf-8") as file, pytest.raises(ValueError, match="rb"):
        audio.load(file)


GOOD = {"wav": sf("p.wav"), "mp3": sf("p.mp3"), "ogg": sf("p.ogg"), "flac": sf("p.flac"),
        "m4a": ff("p.m4a", "aac"), "webm": ff("p.webm", "libopus", rate=48000)}


@pytest.fixture(scope="module")
def good(folder):
    return {kind: make(folder)[:30000] if kind == "wav" else make(folder)
            for kind, make in GOOD.items()}


def loads_or_says_why(content: bytes) -> None:
    """Load bytes: a finite waveform, or one error that people can read."""
    try:
        with warnings.catch_warnings(action="ignore"):
            y, sr = audio.load(io.BytesIO(content))
    except (ValueError, OSError) as error:
        assert type(error).__module__ in ("builtins",) and str(error).endswith((".", ")", "wav"))
    else:
        assert np.isfinite(y).all() and len(y) and sr >= 100


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_load_or_say_why(good, data):
    if data.draw(st.booleans(), label="mutated"):
        content = bytearray(good[data.draw(st.sampled_from(sorted(good)))])
        for _ in range(data.draw(st.integers(1, 8))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place] = data.draw(st.integers(0, 255))
        loads_or_says_why(bytes(content[:data.draw(st.integers(1, len(content)))]))
    else:
        start = data.draw(st.sampled_from([b"", b"OggS", b"RIFF\x24\0\0\0WAVE", b"fLaC", b"ID3\3",
                                           b"\xff\xfb\x90", b"\0\0\0\x18ftypM4A ",
                                           b"\x1aE\xdf\xa3"]))
        loads_or_says_why(start + data.draw(st.binary(max_size=400)))


# What the learner has is never overwritten.

def nothing_composes(monkeypatch):
    def composed(*_, **__):
        raise AssertionError("composed, though a target was the learner's")

    monkeypatch.setattr(compose.environment, "writing", composed)


def tune(path: Path) -> Path:
    melody = scores.from_grid(np.repeat([67, 69, 71, 72], 8)[:, None], key=7)
    (score_files.to_midi if path.suffix == ".mid" else score_files.to_musicxml)(melody, path)
    return path


@pytest.mark.parametrize("melody,output,others", [
    ("tune.mid", "tune.wav", []), ("tune.musicxml", "tune.mp3", []), ("tune.mid", "./tune.ogg", []),
    ("tune.mid", "other.wav", ["link"]), ("tune.mid", "other.flac", ["hard link"]),
    ("tune.mid", "tune.wav", ["overwrite"])])
def test_no_target_is_an_input(tmp_path, monkeypatch, capsys, melody, output, others):
    given = tune(tmp_path / melody)
    before = given.read_bytes()
    if "link" in others:
        (tmp_path / "other.mid").symlink_to(given)
    if "hard link" in others:
        os.link(given, tmp_path / "other.mid")
    nothing_composes(monkeypatch)
    monkeypatch.chdir(tmp_path)
    more = ["--overwrite"] if "overwrite" in others else []
    assert main(["compose", "--melody", melody, "-o", output, *more]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert given.read_bytes() == before


@pytest.mark.parametrize("command", ["compose", "finale"])
@pytest.mark.parametrize("there,more,message", [
    ("piece.mid", [], "was not written by this command"),
    ("piece.mid", ["--overwrite"], "or move it"), ("piece.wav", [], "say --overwrite")])
def test_files_of_others_stay(tmp_path, monkeypatch, capsys, command, there, more, message):
    (tmp_path / there).write_bytes(b"mine")
    nothing_composes(monkeypatch)
    assert main([command, "-o", str(tmp_path / "piece.wav"), *more]) == 2
    assert message in capsys.readouterr().err and (tmp_path / there).read_bytes() == b"mine"


def test_our_own_files_may_be_replaced_unless_they_were_edited(tmp_path):
    comment = f"{targets.MARK}, seed 1"
    score = scores.from_grid(np.full((16, 4), 60))
    paths = targets.targets_of(tmp_path / "piece.mp3")
    audio.save(paths[0], real.TONE, real.SR, comment=comment)
    score_files.to_midi(score, paths[1], comment=comment)
    score_files.to_musicxml(score, paths[2], comment=comment)
    paths[3].write_text(targets.marked_svg('<svg width="1"><title>x</title></svg>', comment))
    for ending in (".wav", ".flac", ".ogg"):
        paths.append(audio.save(tmp_path / f"piece{ending}", real.TONE, real.SR, comment=comment))
    assert all(map(targets.is_ours, paths))
    targets.check(paths, [], overwrite=False)
    text = paths[2].read_text()
    paths[2].write_text(text.replace("<software>", "<software>MuseScore 4</software><software>", 1))
    with pytest.raises(FileExistsError, match="musicxml"):
        targets.check(paths, [], overwrite=True)


def test_the_picture_in_the_documentation_may_be_made_again():
    assert targets.is_ours(ROOT / "docs" / "generated_music.svg")
    assert targets.is_ours(ROOT / "docs" / "generated_music.mp3")


def test_a_melody_that_cannot_be_rendered_is_told_before_composing(tmp_path, monkeypatch, capsys):
    long = scores.from_grid(np.tile(np.repeat([67, 69], 4), 850)[:, None])
    score_files.to_midi(long, tmp_path / "long.mid")
    nothing_composes(monkeypatch)
    assert main(["compose", "--melody", str(tmp_path / "long.mid"), "-o",
                 str(tmp_path / "x.wav")]) == 2
    said = capsys.readouterr().err
    assert "long.mid" in said and "21.2 minutes" in said and "Cut it" in said


def test_rests_of_zero_are_explained(tmp_path, capsys):
    grid = np.tile([67, 64, 60, 48], (16, 1))
    grid[4:8, 1] = 0
    np.savez(tmp_path / "p.npz", tune=grid)
    assert main(["score", str(tmp_path / "p.npz")]) == 2
    said = capsys.readouterr().err
    assert "A rest is -1" in said and "p.npz" in said and "'tune'" in said


# evaluate judges what can be read, and names the rest.

def test_a_folder_is_judged_by_content_and_the_rest_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judging_files, "judge_sound", lambda y, sr: ["    heard"])
    monkeypatch.setattr(judging_files, "judge_score", lambda score: ["    read"])
    tones = {"a.aiff": sf("a.aiff"), "a.opus": sf("a.ogg", sr=48000, format="OGG", subtype="OPUS"),
             "a.m4a": ff("a.m4a", "aac"), "nameless": sf("b.flac"), "wrong.mid": sf("c.wav"),
             "open.ogg": lambda f: (ogg := real.noisy_ogg(f))[:real.last_page(ogg)]}
    for name, make in tones.items():
        (tmp_path / name).write_bytes(make(tmp_path))
    bach = scores.from_grid(np.tile([67, 64, 60, 48], (32, 1)))
    score_files.to_midi(bach, tmp_path / "b.mid")
    for name in ("song.kar", "score"):
        (tmp_path / name).write_bytes((tmp_path / "b.mid").read_bytes())
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.wav").touch()
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("words")
    assert main(["evaluate", str(tmp_path)]) == 0
    told, refused = capsys.readouterr()
    assert all(f"{tmp_path / name}\n    heard" in told for name in tones)
    assert all(f"{tmp_path / name}\n    read" in told for name in ("b.mid", "song.kar", "score"))
    assert "note: " in told and "open.ogg" in told
    lines = refused.splitlines()
    assert len(lines) == 5 and all(line.startswith("not judged: '") for line in lines)
    for name in ("notes.txt", ".hidden", "gone.wav", "pipe.wav", ".txt"):
        assert any(name in line for line in lines)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(),
                                   ValueError("no")])
def test_whatever_one_file_raises_costs_no_other(tmp_path, monkeypatch, error):
    def judged(y, sr):
        if len(y) == 10000:
            raise error
        return ["    heard"]

    monkeypatch.setattr(judging_files, "judge_sound", judged)
    audio.save(tmp_path / "bad.wav", np.zeros(10000), 16000)
    audio.save(tmp_path / "good.wav", np.zeros(20000), 16000)
    lines, refused = judging_files.judge_folder(tmp_path)
    assert lines[0].endswith("good.wav") and len(refused) == 1 and "bad.wav" in refused[0]


# Machines that misbehave.

RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which the background ignores
from course_utils.commands import score
def run(options):
    {body}
score.run = run
from course_utils import __main__
sys.exit(__main__.main(["score", "x.npz"]))
"""


def started(body: str, folder: Path | None = None, **how) -> subprocess.Popen:
    """Start the command line with a command that does something else."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | how.pop("env", {})
    return subprocess.Popen([sys.executable, "-c", RUN.format(body=body)], cwd=folder or ROOT,
                            env=environment, **how)


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error():
    process = started("for i in range(10**6): print('a line', i)")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == machine.CLOSED and process.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.parametrize("number,status,said", [
    (signal.SIGINT, machine.INTERRUPTED, b"interrupted\n"), (signal.SIGTERM, machine.ENDED, b"")])
def test_an_interrupted_command_leaves_nothing_behind(tmp_path, number, status, said):
    process = started("from course_utils.environment import writing; import time\n"
                      "    with writing('x.wav') as path: print(path, flush=True); time.sleep(60)",
                      tmp_path)
    process.stdout.readline()
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(number)
    assert process.wait(30) == status and process.stderr.read() == said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_output_that_cannot_hold_a_name_is_escaped(encoding):
    process = started("print('caf\\u00e9 \\u4f60 \\udcff'); print('fin')",
                      env={"PYTHONIOENCODING": encoding})
    told, wrong = process.communicate(timeout=30)
    assert process.returncode == 0 and rb"\u4f60 \udcff" in told and told.endswith(b"fin\n")
    assert wrong == b""


def _small_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3", "x.mid", "x.svg"])
def test_a_disk_that_fills_leaves_nothing_behind(tmp_path, name):
    (tmp_path / "old").write_text("old")
    write = {".mid": "score_files.to_midi(scores.from_grid(np.tile([[67], [69]], (30000, 1))), N)",
             ".svg": "open(path, 'w').write('x' * 99999)"}.get(
                 name[1:], "audio.save(path, np.random.default_rng(0).normal(size=999999), 44100)")
    body = ("import numpy as np; from course_utils import audio, environment, scores\n"
            "    from course_utils.scores import score_files\n"
            f"    with environment.writing('{name}') as path: {write.replace('N', 'path')}")
    process = started(body, tmp_path, preexec_fn=_small_disk)
    _, wrong = process.communicate(timeout=60)
    assert process.returncode == 2 and b"disk" in wrong and b"Traceback" not in wrong
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("file,wrong", [
    ({"floatx": "float16"}, "says floatx float16"), ("not json", "cannot be read"), ([], "cannot"),
    ({"image_data_format": "channels_first"}, "channels_first"), ({"backend": "jax"}, ""),
    ({"floatx": "float32", "backend": "tensorflow"}, ""), (None, "")])
def test_settings_of_keras_are_looked_through(tmp_path, file, wrong):
    path = tmp_path / "keras.json"
    if file is not None:
        path.write_text(file if isinstance(file, str) else json.dumps(file))
    said = machine._keras_file(path)
    assert wrong in said and bool(said) == bool(wrong)


def test_our_settings_of_keras_are_what_the_course_needs():
    told = json.loads((machine.OWN_KERAS / "keras.json").read_text())
    assert machine.KERAS.items() <= told.items()


@pytest.mark.slow
@pytest.mark.parametrize("backend,first", [("torch", "course_utils"), ("tensorflow", "keras")])
def test_keras_is_as_the_course_needs_it(tmp_path, backend, first):
    home = tmp_path / ".keras"
    home.mkdir()
    (home / "keras.json").write_text(json.dumps({"floatx": "float16", "epsilon": 1e-7, "backend":
                                                 "torch", "image_data_format": "channels_first"}))
    code = (f"import {first}, course_utils, keras; from course_utils.cnn import networks\n"
            "print(keras.backend.backend(), networks.frame_cnn().weights[0].dtype, "
            "keras.config.image_data_format())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
                          cwd=ROOT, env=os.environ | {"KERAS_BACKEND": backend,
                                                      "HOME": str(tmp_path)})
    assert done.stdout.split() == ["tensorflow", "float32", "channels_last"], done.stderr


def test_keras_on_another_backend_is_one_clear_error(monkeypatch):
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ImportError, match="restart the kernel"):
        machine.settle()


def test_compiled_code_has_a_place_where_nothing_can_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_writable", lambda folder: False)
    monkeypatch.setattr(machine, "put_right", [])
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("COURSE_CACHE", raising=False)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    machine.settle()
    assert Path(os.environ["NUMBA_CACHE_DIR"]).parent == tmp_path
    assert "compiled code" in machine.put_right[0]


def test_folders_that_are_not_there_yet_may_be_made(tmp_path, monkeypatch):
    assert machine._writable(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    assert not machine._writable(tmp_path / "file" / "b")
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    assert not machine._writable(tmp_path / "a" / "b")


def test_signals_are_handed_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stop, machine.ending_cleanly():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert stop.value.code == machine.ENDED and signal.getsignal(signal.SIGTERM) is before


def test_a_kind_that_is_no_four_letters_is_a_damage_like_others(tmp_path):
    made = ff("a.m4a", "aac")(tmp_path)
    for place in range(made.count(b"mp4a")):
        parts = made.split(b"mp4a")
        path = tmp_path / "odd.m4a"
        path.write_bytes(b"mp4a".join(parts[:place + 1]) + b"\xffp4a"
                         + b"mp4a".join(parts[place + 1:]))
        try:
            assert np.isfinite(audio.load(path)[0]).all()
        except (ValueError, OSError) as error:
            assert "odd.m4a" in str(error)
