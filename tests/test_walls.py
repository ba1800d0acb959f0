"""Hostile inputs, made here: every reader answers with what is there, or with one clear error."""
import io
import os
import struct
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import audio, environment, plots, scores, synth, training
from course_utils.listening import analysis, answer_files, answer_log, design
from course_utils.listening.answer_log import Answer
from course_utils.outside import archives, fonts
from course_utils.scores import engraving, score_files

ROOT = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes, links and modes of POSIX")
CLEAR = (ValueError, OSError)


def mutated(good: bytes):
    """Return a strategy of a good file with some bytes changed, cut out or put in."""
    change = st.tuples(st.integers(0, len(good)), st.integers(0, 8), st.binary(max_size=8))

    def apply(changes):
        content = good
        for at, gone, new in changes:
            content = content[:at] + new + content[at + gone :]
        return content

    return st.lists(change, min_size=1, max_size=4).map(apply)


# Titles, names and labels

TITLES = [r"\042 onload=\042alert(1)\042 a=\042", r"AC\DC", r"\g<1>\1\0",
          '"><script>alert(1)</script>', "<![CDATA[", "&lt;", "a\0b\x1b[31mred", "\ud800",
          "\ufffe\uffff", "]]>", "-->",
          "' onload='alert(1)", "\u202egnp.exe", "x" * 5000, "\n\n", "é音🎵"]


@pytest.mark.parametrize("title", TITLES, ids=ascii)
def test_titles_are_text_in_every_format(title, tmp_path):
    score = scores.from_grid(np.array([[60], [62], [64], [65]]), title=title)
    assert len(score.title) <= 200
    root = ElementTree.fromstring(engraving.engrave(score))
    for element in root.iter():
        assert not element.tag.endswith("script")
        assert not [name for name in element.attrib if name.lower().startswith("on")]
    assert root.attrib["aria-label"].startswith(score.title or "Score")
    score_files.to_midi(score, tmp_path / "a.mid")
    score_files.to_musicxml(score, tmp_path / "a.musicxml")
    assert score_files.read(tmp_path / "a.musicxml").pitches.tolist() == score.pitches.tolist()


@given(st.text(st.characters(), max_size=50))
def test_what_is_printed_is_one_harmless_line(text):
    line = environment.printable(text)
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cs", "Zl", "Zp"}
    line.encode()  # whatever it is
    assert "\x1b" not in line and "\n" not in line and "\u202e" not in line
    assert environment.printable(line) == line


@given(st.text(st.characters()) | st.sampled_from(["con", "NUL.txt", "../../etc/passwd", "a/b",
                                                   "..", "", "-rf", "a\\b", "~", "COM1", "x:y"]))
def test_a_safe_name_is_one_of_a_file_anywhere(text):
    name = environment.safe_name(text)
    assert name and Path(name).name == name and not name.startswith((".", "-"))
    assert not set('/\\:*?"<>|\0\n') & set(name) and len(name.encode()) <= 101
    assert name.partition(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1")


@pytest.mark.parametrize("name", [r"$\frac{1}$", "$", "$$", r"$\undefined$", "a\0b", "\x1b[2J"])
def test_names_of_systems_stand_in_figures_as_they_are(name):
    from course_utils.listening import figures

    axes = figures.estimates({name: (0.5, 0.4, 0.6), "Bach": (0.6, 0.5, 0.7)}, "share")
    assert "data:image/png" in plots.picture(axes.figure, name)
    assert audio.play(np.zeros(1600), 16000, name).data.isascii()


# NumPy archives

def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(header: str, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    text = header.encode("latin-1") + b"\n"
    wide = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(text).to_bytes(wide, "little") + text + data


def packed(content: bytes, name: str = "a.npy", how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def described(shape="(1,)", descr="'<i2'", more="") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}{more}}}"


def at(content: bytes, mark: bytes, place: int, new: bytes) -> bytes:
    """Return a zip file with bytes changed at a place of the record that a mark begins."""
    begin = content.index(mark) + place
    return content[:begin] + new + content[begin + len(new) :]


GOOD = npz(a=np.arange(6, dtype=np.int16).reshape(2, 3), b=np.array(["x", "é"]),
           c=np.array([True, False]))


def twice() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("a.npy", npy(described(), b"\0\0"))
    return file.getvalue()


NPZ = {
    "a terabyte of elements": lambda: packed(npy(described("(1000000000000,)"))),
    "a shape beyond numbers": lambda: packed(npy(described(f"({10**30}, {10**30})"))),
    "a negative shape": lambda: packed(npy(described("(-1,)"), b"\0\0")),
    "truth as a shape": lambda: packed(npy(described("(True,)"), b"\0\0")),
    "a hundred dimensions": lambda: packed(npy(described(f"({'1,' * 100})"), b"\0\0")),
    "python's objects": lambda: npz(a=np.array([{}], dtype=object)),
    "an object by its header": lambda: packed(npy(described(descr="'|O'"), b"cos\nsystem\n")),
    "a structure": lambda: npz(a=np.zeros(2, [("x", "i4"), ("y", "f8")])),
    "raw bytes": lambda: npz(a=np.array([b"abc"])),
    "dates": lambda: npz(a=np.array(["2020-01-01"], "M8[D]")),
    "an unknown type": lambda: packed(npy(described(descr="'<i3'"), b"\0\0\0")),
    "a type of a gigabyte": lambda: packed(npy(described(descr="'<U300000000'"))),
    "a formula for a header": lambda: packed(npy("__import__('os').system('false')")),
    "ten thousand brackets": lambda: packed(npy("(" * 9000)),
    "a header without an end": lambda: packed(b"\x93NUMPY\2\0\xff\xff\xff\xff"),
    "another version": lambda: packed(npy(described(), b"\0\0", b"\7\0")),
    "no array": lambda: packed(b"text", "a.txt"),
    "an array called otherwise": lambda: packed(npy(described(), b"\0\0"), "../../a"),
    "cut off data": lambda: packed(npy(described("(1000,)"), b"\0\0")),
    "data too many": lambda: packed(npy(described("(1,)"), b"\0" * 100)),
    "encrypted": lambda: at(at(GOOD, b"PK\3\4", 6, b"\1"), b"PK\1\2", 8, b"\1"),
    "an unknown method": lambda: at(at(GOOD, b"PK\3\4", 8, b"\x63"), b"PK\1\2", 10, b"\x63"),
    "packed by lzma": lambda: packed(npy(described(), b"\0\0"), how=zipfile.ZIP_LZMA),
    "packed by bzip2": lambda: packed(npy(described(), b"\0\0"), how=zipfile.ZIP_BZIP2),
    "a bomb": lambda: packed(npy(described("(50000000,)"), bytes(100_000_000))),
    "a claimed size": lambda: at(GOOD, b"PK\1\2", 24, b"\xff\xff\xff\x7f"),
    "a name twice": twice,
    "a wrong checksum": lambda: at(GOOD, b"PK\1\2", 16, b"\0\0\0\0"),
    "sixty thousand entries": lambda: at(GOOD, b"PK\5\6", 10, b"\x60\xea"),
    "a large zip": lambda: at(GOOD, b"PK\5\6", 10, b"\xff\xff"),
    "a directory elsewhere": lambda: at(GOOD, b"PK\5\6", 16, b"\xff\xff\xff\x7f"),
    "characters that there are not": lambda: packed(npy(described(descr="'<U1'"), b"\xff" * 4)),
    "an end without a beginning": lambda: GOOD[-22:],
    "half": lambda: GOOD[: len(GOOD) // 2],
    "nothing": lambda: b"",
    "a pickle": lambda: b"\x80\x04cposix\nsystem\n.",
}


@pytest.mark.parametrize("case", NPZ)
def test_a_hostile_archive_is_refused(case, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content := NPZ[case]())
    assert len(content) <= 100_000
    with pytest.raises(CLEAR, match="a.npz"):
        archives.read_npz(path, kinds="biufU", largest=10_000_000)
    with pytest.raises(CLEAR):
        score_files.read_grids(path)
    with pytest.raises(ValueError, match="Delete its folder"):
        training.restore_state(path, [])


def test_a_good_archive_is_read_as_numpy_reads_it(tmp_path):
    made = {"a": np.arange(6, dtype=">f4").reshape(2, 3), "b": np.asfortranarray(np.eye(3, 2)),
            "c": np.array(["x", "é音"]), "d": np.array(7), "e": np.zeros((0, 3), np.int8),
            "f": np.array([True, False]), "g": np.array("", dtype="<U0")}
    for name, save in (("s", np.savez), ("c", np.savez_compressed)):
        save(tmp_path / name, **made)
        found = archives.read_npz(tmp_path / f"{name}.npz", *made, kinds="biufU")
        assert list(found) == list(made)
        for key, array in made.items():
            np.testing.assert_array_equal(found[key], array)
            assert found[key].dtype == array.dtype and found[key].flags.writeable
    with pytest.raises(ValueError, match="lacks the arrays z"):
        archives.read_npz(tmp_path / "s.npz", "z", kinds="biufU")


def either(read, path: Path, content: bytes):
    """Write and read; what is no clear error fails the test."""
    path.write_bytes(content)
    try:
        return read(path)
    except CLEAR as error:
        assert str(error)
        return None


@given(st.binary(max_size=300))
def test_any_bytes_are_no_archive(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    assert either(archives.read_npz, path, content) is None


@settings(max_examples=300)
@given(mutated(GOOD) | mutated(packed(npy(described("(300,)"), bytes(600)))))
def test_a_mutated_archive_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    found = either(lambda p: archives.read_npz(p, kinds="biufU", largest=10**6), path, content)
    assert found is None or sum(array.nbytes for array in found.values()) <= 10**6


@POSIX
def test_only_ordinary_files_are_opened_and_nothing_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for path in (tmp_path / "pipe.npz", tmp_path / "folder.npz", "/dev/zero", tmp_path / "none"):
        with pytest.raises(OSError):
            archives.read_npz(path)
        with pytest.raises(OSError):
            fonts.read(path)


# Weights

def network():
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "good.weights.h5"
    network().save_weights(path)
    return path.read_bytes()


def kernel(file):
    """Return the group and the name of a network's kernel."""
    found = []
    file.visititems(lambda name,
                    entry: found.append(entry) if getattr(entry, "shape", None) == (3, 2) else None)
    return found[0].parent, found[0].name.rpartition("/")[2]


def with_kernel(change):
    def damage(path):
        with h5py.File(path, "r+") as file:
            group, name = kernel(file)
            values = group[name][()]
            del group[name]
            change(group, name, values, path)

    return damage


def virtual(group, name, values, path):
    layout = h5py.VirtualLayout((3, 2), "<f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (3, 2))
    group.create_virtual_dataset(name, layout)


def elsewhere(group, name, values, path):
    group.create_dataset(name, (3, 2), "<f4", external=[("/etc/hostname", 0, 24)])


def linked(group, name, values, path):
    group[name] = h5py.ExternalLink("/etc/hostname", "/x")


def soft(group, name, values, path):
    group["other"] = values
    group[name] = h5py.SoftLink(f"{group.name}/other")


def claimed(group, name, values, path):
    group.create_dataset(name, (10**6, 10**6), "<f4", chunks=(10, 10))


def zipped(group, name, values, path):
    group.create_dataset(name, data=values, compression="gzip")


def replaced(values):
    def change(group, name, old, path):
        group[name] = values

    return change


WEIGHTS = {"an external link": linked, "a soft link": soft, "a virtual array": virtual,
           "an array elsewhere": elsewhere, "terabytes": claimed, "packed": zipped,
           "text": replaced("text"), "NaN": replaced(np.full((3, 2), np.nan, np.float32)),
           "infinity": replaced(np.full((3, 2), np.inf, np.float32)),
           "another shape": replaced(np.zeros((3, 3), np.float32)),
           "nothing there": lambda group, name, values, path: None}


@pytest.mark.parametrize("case", WEIGHTS)
def test_hostile_weights_are_refused(case, weights, tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(weights)
    with_kernel(WEIGHTS[case])(path)
    assert path.stat().st_size <= 100_000
    with pytest.raises(ValueError, match="a.weights.h5"):
        archives.read_weights(network(), path)


@pytest.mark.parametrize("damage", [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"h5",
                                    lambda c: c[:8] + bytes(len(c) - 8)])
def test_damaged_weights_are_refused(damage, weights, tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(damage(weights))
    with pytest.raises(CLEAR):
        archives.read_weights(network(), path)
    path.write_bytes(weights)
    assert archives.read_weights(made := network(), path) is made


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data())
def test_mutated_weights_are_read_or_refused(weights, data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "mutated.weights.h5"
    path.write_bytes(data.draw(mutated(weights) | st.binary(max_size=300)))
    try:
        made = archives.read_weights(network(), path)
    except (ValueError, OSError) as error:
        assert "mutated.weights.h5" in str(error)
    else:
        assert all(np.isfinite(array).all() for array in made.get_weights())


# Sound fonts

def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def font(**changed) -> bytes:
    """Return a sound font of one sine, as small as can be; tables can be replaced."""
    sine = (8000 * np.sin(np.arange(4800) * 2 * np.pi * 440 / 48000)).astype("<i2")
    tables = {
        "smpl": sine.tobytes() + bytes(92),
        "phdr": b"".join(struct.pack("<20sHHHIII", name, 0, 0, bag, 0, 0, 0)
                         for name, bag in ((b"sine", 0), (b"EOP", 1))),
        "pbag": struct.pack("<4H", 0, 0, 1, 0), "pmod": bytes(10),
        "pgen": struct.pack("<4H", 41, 0, 0, 0),
        "inst": struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1),
        "ibag": struct.pack("<4H", 0, 0, 1, 0), "imod": bytes(10),
        "igen": struct.pack("<4H", 53, 0, 0, 0),
        "shdr": struct.pack("<20sIIIIIBbHH", b"sine", 0, 4800, 100, 4700, 48000, 69, 0, 0, 1)
        + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)} | changed
    smpl = chunk(b"LIST", b"sdta" + chunk(b"smpl", tables.pop("smpl")))
    pdta = chunk(b"LIST", b"pdta" + b"".join(chunk(name.encode(), content)
                                             for name, content in tables.items()))
    info = chunk(b"LIST", b"INFO" + chunk(b"ifil", b"\2\0\1\0"))
    return chunk(b"RIFF", b"sfbk" + info + smpl + pdta)


def sample(*numbers) -> bytes:
    last = struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    return struct.pack("<20sIIIIIBbHH", b"sine", *numbers, 69, 0, 0, 1) + last


FONTS = {"a sample beyond the end": font(shdr=sample(0, 2**31, 100, 4700, 48000)),
         "a sample that ends first": font(shdr=sample(4000, 100, 100, 4700, 48000)),
         "a loop beyond the end": font(shdr=sample(0, 4800, 100, 2**32 - 1, 48000)),
         "a rate of 0": font(shdr=sample(0, 4800, 100, 4700, 0)),
         "a rate of 4 GHz": font(shdr=sample(0, 4800, 100, 4700, 2**32 - 1)),
         "no sample": font(shdr=sample(0, 4800, 100, 4700, 48000)[46:]),
         "half a row": font(shdr=sample(0, 4800, 100, 4700, 48000)[:-1]),
         "a table called otherwise": font().replace(b"ibag", b"ibah"), "no presets": font(phdr=b""),
         "no samples": font(smpl=b""),
         "a preset without bags": font(phdr=struct.pack("<20sHHHIII", b"x", 0, 0, 9, 0, 0, 0) * 2),
         "bags that fall": font(pbag=struct.pack("<4H", 1, 0, 0, 0)),
         "a bag beyond": font(ibag=struct.pack("<4H", 0, 0, 65535, 0)),
         "an instrument that is not": font(pgen=struct.pack("<4H", 41, 77, 0, 0)),
         "a sample that is not": font(igen=struct.pack("<4H", 53, 77, 0, 0)),
         "cut off": font()[:-100], "claims more": font()[:4] + b"\xff\xff\xff\x7f" + font()[8:],
         "a wave": b"RIFF\4\0\0\0WAVE", "nothing in it": b"RIFF\4\0\0\0sfbk", "empty": b"",
         "a thousand parts": chunk(b"RIFF", b"sfbk" + chunk(b"junk", b"") * 2000)}


@pytest.mark.parametrize("case", FONTS)
def test_a_hostile_sound_font_is_refused(case, tmp_path):
    path = tmp_path / "a.sf2"
    path.write_bytes(FONTS[case])
    assert len(FONTS[case]) <= 100_000
    with pytest.raises(ValueError, match="a.sf2.*another .sf2 file"):
        synth.render(scores.from_grid(np.array([[69]] * 4)), soundfont=path, sr=16000)


def test_the_smallest_sound_font_is_heard(tmp_path):
    (tmp_path / "a.sf2").write_bytes(font())
    y = synth.render_notes([(0, 69, 100, 0.5)], soundfont=tmp_path / "a.sf2", sr=16000)
    assert np.abs(y).max() > 0.01 and fonts.programs(font()) == {0}


@settings(max_examples=60)
@given(mutated(font()))
def test_a_mutated_sound_font_is_played_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "mutated.sf2"
    music = scores.from_grid(np.array([[69]] * 2))
    either(lambda p: synth.render(music, soundfont=p, sr=16000), path, content)


def test_a_fault_of_the_renderer_is_an_error_like_others(monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(*args):
        raise PanicException("index out of bounds")

    monkeypatch.setattr(synth, "_render", panic)
    with pytest.raises(ValueError, match="index out of bounds.*leave soundfont out"):
        synth.render(scores.from_grid(np.array([[69]] * 4)))


# Answers of a listening test

def answer(**changed) -> Answer:
    return Answer("room", "x0123abcd", "QXB42", 1, 9, "pick", "test", "Bach/1", "LSTM/0", "A", 2,
                  17_000)._replace(**changed)


LINES = {"a far excerpt": {"first": "Bach/99999999999"}, "a float": {"first": "Bach/3e8"},
         "no number": {"first": "Bach/x"}, "an excerpt below 0": {"second": "LSTM/-1"},
         "no system": {"first": "/1"}, "no sound": {"first": ""}, "a third": {"second": ""},
         "a terminal's words": {"first": "\x1b[2J/1"}, "trial -7": {"trial": -7},
         "trial 0": {"trial": 0}, "beyond the last": {"trial": 10},
         "of -1": {"of": -1, "trial": -1},
         "of a million": {"of": 10**6}, "plays -10**30": {"plays": -(10**30)},
         "plays 10**30": {"plays": 10**30}, "many plays": {"plays": 10**9},
         "time backwards": {"milliseconds": -1}, "an age": {"milliseconds": 10**12},
         "consent to a test": {"kind": "consent", "answer": "yes"},
         "practice of consent": {"role": "consent"}, "a rating of two": {"kind": "rate",
                                                                        "answer": "5"},
         "a path as study": {"study": "../room"}, "a formula as study": {"study": "=1+1"},
         "a checksum that is none": {"sounds": "=cmd"}, "a name": {"participant": "Ada Lovelace"},
         "a long system": {"first": "x" * 500 + "/1"}, "digits of India": {"plays": "٣"},
         "a digit with a line": {"plays": "1_0"}}


@pytest.mark.parametrize("case", LINES)
def test_a_hostile_line_with_a_good_checksum_is_put_aside(case, tmp_path):
    answer_log.append(tmp_path / "a.csv", answer())
    answer_log.append(tmp_path / "a.csv", answer(**{"trial": 2} | LINES[case]))
    merged = answer_files.merge(tmp_path, "room")
    assert merged.answers == [answer()] and len(merged.problems) == 1 and merged.problems[0].reason
    assert len(answer_files.report(merged)) >= 2


def test_what_a_reader_did_not_check_is_refused_before_memory_is_taken():
    for sound in ("Bach/99999999999", "Bach/3e8", "Bach/x"):
        with pytest.raises(ValueError, match="such as Bach/2"):
            analysis.ratings([answer(kind="rate", first=sound, second="", answer="5")])


@POSIX
def test_pipes_links_folders_and_devices_are_put_aside(tmp_path):
    (tmp_path / "private").write_text("secret")
    (tmp_path / "a.csv").mkdir()
    os.mkfifo(tmp_path / "b.csv")
    (tmp_path / "c.csv").symlink_to(tmp_path / "private")
    (tmp_path / "d.csv").symlink_to("/dev/zero")
    (tmp_path / "e.csv").symlink_to(tmp_path / "e.csv")
    (tmp_path / "f.csv").write_bytes(b"\r" * (answer_log.LARGEST + 1))
    (tmp_path / "g.csv").write_bytes(b"\r" * answer_log.LARGEST)
    answer_log.append(tmp_path / "z.csv", answer())
    merged = answer_files.merge(tmp_path, "room")
    assert merged.answers == [answer()] and len(merged.problems) == 7
    assert all("cannot be read" in problem.reason for problem in merged.problems)
    saved = answer_files.save_problems(tmp_path / answer_files.QUARANTINE, merged.problems)
    assert "secret" not in saved.read_text() and saved.stat().st_mode & 0o777 == 0o600


def test_one_file_is_one_listeners(tmp_path):
    lines = b"".join(answer_log.to_line(answer(participant=f"P{n:04}")) for n in range(1000))
    (tmp_path / "a.csv").write_bytes(answer_log.joined(answer_log.COLUMNS) + lines)
    merged = answer_files.merge(tmp_path, "room")
    assert not merged.answers and len(merged.problems) == 1000
    assert "put aside 1000: 1000 codes in one file: it is not one listener's" in "\n".join(
        answer_files.report(merged))


def test_a_forged_file_does_not_win_by_its_name(tmp_path):
    for trial in (1, 2):
        answer_log.append(tmp_path / "honest.csv", answer(trial=trial))
    answer_log.append(tmp_path / "0.csv", answer(trial=1, answer="B"))
    answer_log.append(tmp_path / "other.csv", answer(participant="PBB"))
    merged = answer_files.merge(tmp_path, "room")
    assert merged.answers == [answer(participant="PBB")] and len(merged.problems) == 3
    assert all("contradict" in problem.reason for problem in merged.problems)


def test_answers_to_what_a_study_did_not_ask_are_put_aside(tmp_path):
    sounds = {name: [np.random.default_rng(n).normal(0, 0.1, 8000) for n in range(3)]
              for name in ("Bach", "LSTM", "noise")}
    study = design.Study("room", sounds, 16000, "Bach", "noise", repeats=1)
    trials = design.plan(study, "QXB42")
    good = [Answer("room", study.checksum, "QXB42", t.number, len(trials), *t[1:],
                   answer_log.CHOICES[t.kind][0], 2, 9000) for t in trials]
    for one in (*good[:-1], good[-1]._replace(first="Bach/7")):
        answer_log.append(tmp_path / "a.csv", one)
    merged = answer_files.merge(tmp_path, study)
    assert merged.answers == good[:-1]
    assert [p.reason for p in merged.problems] == ["a trial that this study did not ask"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1",
                                  "=HYPERLINK(\"http://x\")"])
def test_no_cell_is_a_formula(cell, tmp_path):
    saved = answer_files.save_problems(tmp_path / "q.csv",
                                       [answer_log.Problem(cell, 1, cell, cell)])
    assert saved.read_bytes().decode().count("'" + cell[:1]) == 3


GOOD_FILE = answer_log.joined(answer_log.COLUMNS) + b"".join(
    answer_log.to_line(answer(trial=t)) for t in range(1, 5))


@settings(max_examples=200)
@given(mutated(GOOD_FILE) | st.binary(max_size=300))
def test_any_file_of_answers_is_read_without_a_fault(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "answers"
    folder.mkdir(exist_ok=True)
    (folder / "a.csv").write_bytes(content)
    merged = answer_files.merge(folder, "room")
    assert set(merged.answers) <= {answer(trial=t) for t in range(1, 5)}
    answer_files.report(merged)
    answer_files.save_problems(folder / answer_files.QUARANTINE, merged.problems)
    answer_files.delete(folder, "QXB42")
    assert not list(folder.glob("a.csv")) or not answer_log.read(folder / "a.csv")[0]


# Folders and files of one's own

@POSIX
def test_a_cache_that_others_may_change_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    assert environment.cache_folder().stat().st_mode & 0o777 == 0o700
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(PermissionError, match="Others may write.*COURSE_CACHE"):
        environment.cache_folder()


@POSIX
def test_what_is_private_is_its_owners_and_follows_no_link(tmp_path):
    with environment.writing(tmp_path / "a", 0o600) as temporary:
        temporary.write_text("mine")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(OSError), open(tmp_path / "link", "wb", opener=environment.private):
        pass
    assert (tmp_path / "a").read_text() == "mine"


def test_the_umask_is_not_touched(tmp_path, monkeypatch):
    if not Path("/proc/self/status").exists():
        pytest.skip("Only Linux tells the umask without changing it.")
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was changed"))
    with environment.writing(tmp_path / "a") as temporary:
        temporary.write_text("x")


# Memory

BOUNDED = """
import resource, sys
from course_utils.outside import archives
from course_utils.listening import analysis, answer_files
from tests import test_walls
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
path = test_walls.Path(sys.argv[1])
for case in test_walls.NPZ:
    path.write_bytes(test_walls.NPZ[case]())
    try:
        archives.read_npz(path, kinds="biufU", largest=10**7)
    except (ValueError, OSError):
        pass
for line in test_walls.LINES.values():
    (path.parent / "a.csv").unlink(missing_ok=True)
    test_walls.answer_log.append(path.parent / "a.csv", test_walls.answer(**line))
    test_walls.answer_files.merge(path.parent, "room")
status = open("/proc/self/status").read()  # ru_maxrss would count the parent in
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are kept by Linux")
def test_hostile_files_take_little_memory(tmp_path):
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", BOUNDED, tmp_path / "a.npz"], cwd=ROOT, text=True,
                          capture_output=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 1000  # MB, what the libraries take included
