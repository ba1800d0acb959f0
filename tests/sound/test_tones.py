"""Rendered tones: labels that fit the sound, splits that share nothing, a cache that never lies."""
import hashlib
import importlib.resources
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from course_utils import datasets, environment, synth
from course_utils.sound import tones

FONT = Path(str(importlib.resources.files("pretty_midi") / "TimGM6mb.sf2"))
FEW = tuple(row for row in tones.PROGRAMS if row[0] in (4, 8, 9, 40, 73, 72))
COLUMNS = ("waveform", "program", "instrument", "family", "fold", "pitch", "velocity")
SOUND_LOWER_TOO = (14, 16, 17, 18, 19)  # the hum of a bell, organ stops of 16 feet


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return datasets.tones(per_program=3)


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Six programs instead of 80, an empty cache folder, and a count of what is rendered."""
    rendered = []

    def counting(notes, **options):
        rendered.extend(notes)
        return render_notes(notes, **options)

    render_notes = synth.render_notes
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tones, "PROGRAMS", FEW)
    monkeypatch.setattr(synth, "render_notes", counting)
    return rendered


def cached():
    (path,) = environment.cache_folder().glob("tones-*.npz")
    return path


def same(a, b):
    return (all(np.array_equal(getattr(a, name), getattr(b, name)) for name in COLUMNS)
            and a.skipped == b.skipped)


def recordings(font, lowest, highest):
    """Return, for every melodic program of a sound font, the samples that sound in a range of
    pitches.
    """
    def table(name, *fields):
        at = font.index(name, font.rindex(b"pdtaphdr")) + 4
        size = int.from_bytes(font[at : at + 4], "little")
        return np.frombuffer(font[at + 4 : at + 4 + size], np.dtype(list(fields)))

    bag, generator = [("gen", "<u2"), ("mod", "<u2")], [("what", "<u2"), ("amount", "<u2")]
    presets = table(b"phdr", ("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"),
                    ("rest", "V12"))
    preset_zones = presets["bag"], table(b"pbag", *bag)["gen"], table(b"pgen", *generator)
    instruments = table(b"inst", ("name", "S20"), ("bag", "<u2"))["bag"]
    instrument_zones = instruments, table(b"ibag", *bag)["gen"], table(b"igen", *generator)

    def targets(number, zones, wanted):
        first, bags, generators = zones
        for zone in range(first[number], first[number + 1]):
            amounts = {int(g["what"]): int(g["amount"])
                       for g in generators[bags[zone] : bags[zone + 1]]}
            low, high = amounts.get(43, 127 << 8) & 255, amounts.get(43, 127 << 8) >> 8
            if wanted in amounts and low <= highest and high >= lowest:
                yield amounts[wanted]

    return {int(preset["program"]): {sample for instrument in targets(number, preset_zones, 41)
                                     for sample in targets(instrument, instrument_zones, 53)}
            for number, preset in enumerate(presets[:-1]) if preset["bank"] == 0}


def test_every_family_is_in_every_fold():
    programs = [program for program, *_ in tones.PROGRAMS]
    assert len(set(programs)) == len(programs) and len(tones.FAMILIES) == 8
    assert {(family, fold) for _, family, fold in tones.PROGRAMS} == {(f, k) for f in range(8)
                                                                      for k in range(4)}
    assert set(tones.FOLDS) == set(tones.SPLITS) == set(datasets.SPLITS)


def test_no_two_folds_are_made_from_the_same_recordings():
    used = recordings(FONT.read_bytes(), min(tones.PITCHES), max(tones.PITCHES))
    assert used[0] & used[2] and len(set().union(*used.values())) > 300, ("the sound font was not "
                                                                          "understood")
    folds = [set().union(*(used[program] for program, _, fold in tones.PROGRAMS if fold == k))
             for k in range(4)]
    assert all(folds) and not any(folds[i] & folds[j] for i in range(4) for j in range(i))


@pytest.mark.slow
def test_a_fold_belongs_to_one_split(everything):
    for split in tones.SPLITS:
        wanted = {fold for fold, name in enumerate(tones.FOLDS) if name == split}
        assert {fold for _, _, fold in tones.PROGRAMS if tones.FOLDS[fold] == split} == wanted
    assert dict(zip(everything.program.tolist(), everything.fold.tolist())) == {p: fold
        for p, _, fold in tones.PROGRAMS}


def test_shapes_types_and_ranges(everything):
    n = 3 * len(tones.PROGRAMS)
    assert len(everything) == n and everything.waveform.shape == (n, 16000)
    assert everything.waveform.dtype == np.float32
    assert everything.sr == 16000 and everything.skipped == ()
    assert len(everything.families) == everything.family.max() + 1
    assert all(getattr(everything, name).shape == (n,) for name in COLUMNS[1:])
    assert all(getattr(everything, name).dtype.kind == "i"
               for name in ("program", "family", "fold", "pitch", "velocity"))
    peaks = np.abs(everything.waveform).max(axis=1)
    assert peaks.min() > 0.005 and peaks.max() < 0.5


def test_names_fit_the_programs(everything):
    rows = {str(name): everything.families[family]
            for name, family in zip(everything.instrument, everything.family)}
    assert rows["Violin"] == "bowed" and rows["Acoustic Grand Piano"] == "plucked"
    assert rows["Tenor Sax"] == "reeds"
    assert len(rows) == len(tones.PROGRAMS)


def test_every_tone_sounds_at_its_pitch(everything):
    size = 2**17
    at = np.fft.rfftfreq(size, 1 / 16000)
    for y, pitch, program in zip(everything.waveform, everything.pitch, everything.program):
        power = np.abs(np.fft.rfft(y[800:] * np.hanning(len(y) - 800), size)) ** 2
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        near = np.abs(np.log2(np.maximum(at, 1) / frequency)) < 1 / 24
        cents = 1200 * np.log2((power[near] * at[near]).sum() / power[near].sum() / frequency)
        lower = power[(at > 25) & (at < frequency * 0.94)].max()
        assert abs(cents) < 25 and (program in SOUND_LOWER_TOO or power[near].max() > 30
                                    * lower), ((program, pitch, cents))


def test_tones_begin_at_once_and_are_let_go_before_the_end(everything):
    loud = np.sqrt((everything.waveform.reshape(len(everything), 20, 800) ** 2).mean(axis=2))
    assert (loud[:, :6].max(axis=1) > 0.5 * loud.max(axis=1)).mean() > 0.9
    assert loud[:, :4].max(axis=1).min() > 0.002
    held = np.isin(everything.instrument, ["Trumpet", "Clarinet", "Flute", "Violin", "Ocarina"])
    assert (loud[held, 19] < 0.35 * loud[held, 14]).all()
    assert (loud[held, 15] > 0.7 * loud[held, 14]).all()
    assert np.abs(everything.waveform[:, -1]).max() < 1e-3


def test_pitch_and_velocity_say_nothing_about_the_program(everything):
    notes = {program: list(zip(everything.pitch[rows], everything.velocity[rows]))
             for program in np.unique(everything.program)
             for rows in [everything.program == program]}
    assert len({tuple(played) for played in notes.values()}) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 25, 40, 100, 500])
def test_notes_cover_the_ranges_without_a_pattern(count):
    pitch, velocity = np.array(tones._notes(count)).T
    assert len(pitch) == count and pitch.min() >= 48 and pitch.max() <= 72 and velocity.min() >= 40
    assert velocity.max() <= 127
    if count >= 25:
        assert set(pitch) == set(tones.PITCHES) and np.ptp(velocity) > 75
        assert len(set(velocity)) > 20
        assert np.ptp(np.unique(pitch, return_counts=True)[1]) <= 1
        assert abs(np.corrcoef(pitch, velocity)[0, 1]) < 0.2


def test_a_row_is_what_the_synthesizer_plays(few):
    all_tones = datasets.tones(per_program=2)
    for row in (0, 5, 11):
        note = tuple(int(getattr(all_tones, name)[row])
                     for name in ("program", "pitch", "velocity"))
        y = synth.render_notes([(*note, 0.8)], length=1.0)[0]
        assert np.abs(all_tones.waveform[row] - y).max() <= 0.5 / 32768 + 1e-7


def test_splits_are_parts_of_the_whole(few):
    parts = {split: datasets.tones(split, per_program=2) for split in datasets.SPLITS}
    whole = datasets.tones(per_program=2)
    assert [sorted(set(parts[split].program.tolist()))
            for split in datasets.SPLITS] == [[4, 8, 40, 72], [73], [9]]
    for name in COLUMNS:
        for part in parts.values():
            chosen = np.isin(whole.program, part.program)
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[chosen])


@pytest.mark.slow
def test_rendered_again_from_the_cache_and_in_another_process_it_is_the_same(few, tmp_path,
    monkeypatch):
    first = datasets.tones(per_program=2)
    assert len(few) == 12 and same(first, datasets.tones(per_program=2)) and len(few) == 12
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "other"))
    assert same(first, datasets.tones(per_program=2)) and len(few) == 24
    code = f"""
from course_utils.sound import tones
tones.PROGRAMS = {FEW!r}
import hashlib; print(hashlib.sha256(tones.tones(per_program=2).waveform.tobytes()).hexdigest())"""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "third"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(first.waveform.tobytes()).hexdigest()
    assert done.stderr == ""


def test_another_count_or_font_has_its_own_cache(few, tmp_path):
    font = tmp_path / "other.sf2"
    font.write_bytes(FONT.read_bytes() + b"\0\0")
    assert len(datasets.tones(per_program=1)) == 6
    assert len(datasets.tones(per_program=2)) == 12
    datasets.tones(per_program=1, soundfont=font)
    assert len(few) == 6 + 12 + 6 and len(list(environment.cache_folder().iterdir())) == 3
    datasets.tones("test", str(font), 1)
    assert len(few) == 24


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-5000])


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[5000] ^= 4
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def replace_by_text(path):
    path.write_text("tones")


def drop_a_column(path):
    with zipfile.ZipFile(path) as file:
        content = file.read("waveform.npy")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("waveform.npy", content)


def lose_rows(path):
    with np.load(path) as table:
        columns = dict(table)
    np.savez(path, **columns | {"waveform": columns["waveform"][:-1]})


def replace_by_noise(path):
    with np.load(path) as table:
        columns = dict(table)
    noise = np.random.default_rng(0).integers(-99, 99, columns["waveform"].shape, np.int16)
    np.savez(path, **columns | {"waveform": noise})


def claim_terabytes(path):
    header = ("{'descr': '<i2', 'fortran_order': False, 'shape': (100000000, 16000), }"
              .ljust(117) + "\n").encode()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("waveform.npy", b"\x93NUMPY\1\0" + bytes([118, 0]) + header)


def hold_objects(path):
    np.savez(path, waveform=np.array([{}], dtype=object), program=[1], skipped=[])


@pytest.mark.slow
@pytest.mark.parametrize("damage", [cut_short, flip_a_byte, empty, replace_by_text, drop_a_column,
                                    lose_rows, hold_objects, replace_by_noise, claim_terabytes])
def test_a_damaged_cache_is_made_again(few, damage):
    first = datasets.tones(per_program=1)
    damage(cached())
    assert same(first, datasets.tones(per_program=1)) and len(few) == 12
    assert same(first, datasets.tones(per_program=1)) and len(few) == 12


def test_a_full_disk_costs_the_cache_only(few, monkeypatch):
    def full(*args, **columns):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="rendered anew next time.*COURSE_CACHE"):
        assert len(datasets.tones(per_program=1)) == 6
    assert list(environment.cache_folder().iterdir()) == []


def test_each_call_gives_its_own_arrays(few):
    datasets.tones(per_program=1).waveform[:] = 0
    assert datasets.tones(per_program=1).waveform.any()


def without(font, *programs):
    """Move programs of a sound font to a bank that is not played."""
    content, at = bytearray(font), font.rindex(b"pdtaphdr") + 12
    for first in range(at, at + int.from_bytes(font[at - 4 : at], "little") - 38, 38):
        if int.from_bytes(font[first + 20 : first + 22],
                          "little") in programs and font[first + 22] == 0:
            content[first + 22] = 9
    return bytes(content)


def test_programs_that_a_font_lacks_are_skipped_and_named(few, tmp_path):
    (tmp_path / "small.sf2").write_bytes(without(FONT.read_bytes(), 40, 9))
    some = datasets.tones(soundfont=tmp_path / "small.sf2", per_program=2)
    assert set(some.program.tolist()) == {4, 8, 72, 73}
    assert len(some.skipped) == 2 and "Glockenspiel (9)" in some.skipped[0]
    assert "Violin (40)" in some.skipped[1]
    others = np.isin(datasets.tones(per_program=2).program, [4, 8, 72, 73])
    np.testing.assert_array_equal(some.waveform, datasets.tones(per_program=2).waveform[others])
    with pytest.raises(ValueError, match="none of the instruments of 'test'"):
        datasets.tones("test", soundfont=tmp_path / "small.sf2", per_program=2)


def test_programs_that_stay_silent_are_skipped_and_named(few, monkeypatch):
    monkeypatch.setattr(tones, "PROGRAMS", (*FEW, (65, 4, 3)))
    # where the default font has no sample of the alto saxophone
    monkeypatch.setattr(tones, "PITCHES", range(64, 65))
    some = datasets.tones(per_program=1)
    assert 65 not in some.program and "Alto Sax (65): Nothing is heard" in some.skipped[0]
    assert len(some) == 6


def test_a_font_without_any_of_the_programs(few, tmp_path):
    (tmp_path / "drums.sf2").write_bytes(without(FONT.read_bytes(), *range(128)))
    with pytest.raises(ValueError, match="can play none of the instruments.*lacks it"):
        datasets.tones(soundfont=tmp_path / "drums.sf2", per_program=1)
    assert list(environment.cache_folder().iterdir()) == []


@pytest.mark.parametrize("content,error,words",
                         [(None, FileNotFoundError, "no file"),
                          ("folder", IsADirectoryError, "folder"), (b"", ValueError, "empty"),
                          (b"RIFF....WAVEfmt ", ValueError, "not a sound font"),
                          (b"sound font", ValueError, "not a sound font"),
                          ("half", ValueError, "not a sound font"),
                          ("end only", ValueError, "not a sound font"),
                          ("header", ValueError, "not a sound font"),
                          ("long", ValueError, "not a sound font")])
def test_no_sound_font(few, tmp_path, content, error, words):
    path, font = tmp_path / "my font é.sf2", FONT.read_bytes()
    end = font.rindex(b"pdtaphdr")
    special = {"half": font[: len(font) // 2], "end only": font[end:],
               "header": font[:12] + font[end - 8 :],
               "long": font[: end + 8] + b"\xff\xff\xff\x7f" + font[end + 12 :]}
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(special.get(content, content))
    with pytest.raises(error, match=words):
        datasets.tones(soundfont=path, per_program=1)
    assert not list(environment.cache_folder().iterdir())


@pytest.mark.parametrize("options,words",
                         [({"split": "validation"}, "train, valid, test"),
                          ({"split": ""}, "train, valid, test"), ({"split": 3}, "train"),
                          ({"per_program": 0}, "1 to 500"), ({"per_program": -1}, "1 to 500"),
                          ({"per_program": 501}, "1 to 500"),
                          ({"per_program": 2.5}, "whole number"),
                          ({"per_program": "40"}, "whole number"),
                          ({"per_program": None}, "whole number")])
def test_bad_arguments(few, options, words):
    with pytest.raises(ValueError, match=words):
        datasets.tones(**options)


def test_progress_is_shown_unless_outputs_are_stored(few, monkeypatch, capsys):
    datasets.tones(per_program=1)
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("COURSE_QUIET")
    datasets.tones(per_program=2)
    assert "Rendering tones" in capsys.readouterr().err
