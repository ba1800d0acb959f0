import builtins
import io
import sys
import types

import mido
import numpy as np
import pytest

from course_utils import datasets, scores, synth
from course_utils.outside import fonts
from course_utils.scores import score_files

# Programs whose own samples do not sound A4 as a steady tone of 440 Hz, and why.
OTHERWISE_PITCHED = {9: "glockenspiel, 10 cents sharp",
                     14: "tubular bells, whose note is none of their partials",
                     16: "drawbar organ, adds the octave below", 17: "percussive organ, likewise",
                     18: "rock organ, likewise", 19: "church organ, likewise",
                     22: "harmonica, 29 cents flat", 31: "guitar harmonics, an octave or two above",
                     47: "timpani", 55: "orchestra hit",
                     78: "whistle, sampled for lower notes only",
                     86: "fifths lead, adds the fifth below"}


def partial(y, sr, frequency):
    """Return how many cents the partial nearest to a frequency lies off, and how far lower partials
    lie under it, in dB.
    """
    size = 2**18
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)), size)) ** 2
    at = np.fft.rfftfreq(size, 1 / sr)
    near = np.abs(np.log2(np.maximum(at, 1) / frequency)) < 1 / 24
    below = (at > 40) & (at < frequency * 0.94)
    centre = (power[near] * at[near]).sum() / power[near].sum()
    return 1200 * np.log2(centre / frequency), 10 * np.log10(power[near].max() / power[below].max())


def in_tune(y, sr, frequency=440):
    cents, above_lower = partial(y[round(0.05 * sr) :], sr, frequency)
    return abs(cents) < 9 and above_lower > 15


def melody(*pitches, length=4, **options):
    grid = np.repeat(pitches, length)[:, None]
    return scores.from_grid(grid,
                            (np.arange(len(grid)) % length == 0)[:, None] & (grid != scores.REST),
                            **options)


@pytest.fixture(scope="module")
def chorale():
    return scores.excerpt(datasets.chorales("test")[0], 0, 48)


def test_every_melodic_program_sounds_a4_in_tune():
    rows = synth.render_notes([(program, 69, 100, 1) for program in range(112)])
    differ = {program for program, row in enumerate(rows) if not in_tune(row, 16000)}
    assert differ == set(OTHERWISE_PITCHED)


@pytest.mark.parametrize("sr", [8000, 22050, 44100, 48000, 192000])
def test_pitch_and_duration_do_not_depend_on_the_sample_rate(sr):
    y = synth.render(melody(69, length=16), sr=sr, programs=71)
    assert y.dtype == np.float32 and len(y) / sr == pytest.approx(3 + synth.TAIL, abs=0.01)
    assert in_tune(y[: 3 * sr], sr)
    assert np.abs(y).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)


def test_notes_sound_when_they_are_written():
    y = synth.render(melody(69, -1, 72, 60), sr=16000, quarter_bpm=60, programs=71)
    loudness = np.abs(y[:64000].reshape(4, 16000))[:, 8000:].max(axis=1)
    assert loudness[[0, 2, 3]].min() > 30 * loudness[1]
    assert in_tune(y[:16000], 16000) and in_tune(y[32000:48000], 16000, 440 * 2 ** (3 / 12))
    assert in_tune(y[48000:64000], 16000, 440 * 2 ** (-9 / 12))


def test_each_voice_has_its_program():
    two = scores.from_grid(np.full((8, 2), [60, 72]))
    same = [synth.render(two, programs=p, sr=16000) for p in (0, (0, 0))]
    np.testing.assert_array_equal(*same)
    assert all(np.abs(same[0] - synth.render(two, programs=p, sr=16000)).max() > 0.1
               for p in ((0, 40), (40, 0), 40))


def test_two_renderings_are_the_same(chorale):
    np.testing.assert_array_equal(synth.render(chorale), synth.render(chorale))


@pytest.mark.parametrize("program", [0, 19, 48, 73, 97])
@pytest.mark.parametrize("stereo", [False, True])
def test_there_is_no_click_at_either_end(chorale, program, stereo):
    y = synth.render(chorale, programs=program, velocity=127, stereo=stereo)
    assert y.ndim == 1 + stereo
    assert np.abs(y[:10]).max() < 0.01 and np.abs(y[-10:]).max() < 1e-5
    assert np.abs(np.diff(y[-22050:], axis=0)).max() < 0.05
    assert np.abs(y).max() == pytest.approx(synth.PEAK, abs=1e-4)


def test_loud_chords_do_not_overload(chorale):
    loud, soft = (synth.render(chorale, programs=60, velocity=v) for v in (127, 30))
    assert np.isfinite(loud).all() and np.abs(loud).max() < 1 and np.abs(soft).max() > 0.5


def test_silence_stays_silent():
    y = synth.render(scores.from_grid(np.full((16, 4), -1)), sr=8000)
    assert len(y) == pytest.approx(8000 * (3 + synth.TAIL), abs=100) and not y.any()


def test_rests_at_the_end_last():
    assert len(synth.render(melody(69, -1, -1, -1), sr=8000)) == pytest.approx(8000
        * (3 + synth.TAIL), abs=100)


def test_midi_sounds_the_same_from_a_path_and_from_its_content(tmp_path):
    score_files.to_midi(melody(69, 71), tmp_path / "a.mid")
    y = synth.render_midi(tmp_path / "a.mid", sr=16000)
    np.testing.assert_array_equal(y, synth.render_midi((tmp_path / "a.mid").read_bytes(), sr=16000))
    np.testing.assert_array_equal(y, synth.render(melody(69, 71), sr=16000))


def test_the_tail_is_as_long_at_any_tempo():
    for quarter_bpm in (30, 80, 300):
        y = synth.render(melody(69), sr=8000, quarter_bpm=quarter_bpm)
        assert len(y) == pytest.approx(8000 * (60 / quarter_bpm + synth.TAIL), abs=100)


NOTES = [(0, 60, 127, 0.8), (40, 76, 40, 0.5), (73, 69, 100, 1.0), (52, 48, 127, 1.0),
         (0, 60, 60, 0.8), (48, 55, 100, 1.0), (14, 72, 127, 1.0)]


def test_every_note_stands_in_its_row():
    rows = synth.render_notes([(71, pitch, 100, 1) for pitch in range(50, 80, 3)], sr=16000)
    assert rows.shape == (10, 16000) and rows.dtype == np.float32
    assert all(in_tune(row, 16000, 440 * 2 ** ((pitch - 69) / 12))
               for row, pitch in zip(rows, range(50, 80, 3)))


def test_a_note_sounds_the_same_wherever_it_stands_in_the_list():
    together, backwards = synth.render_notes(NOTES), synth.render_notes(NOTES[::-1])[::-1]
    for row, other, note in zip(together, backwards, NOTES):
        alone = synth.render_notes([note], length=1.0)[0]
        step = 2 / 2**15  # the renderer rounds to 16 bits
        assert np.abs(row - alone).max() < step and np.abs(other - alone).max() < step


def test_nothing_is_left_of_the_note_before():
    quiet = (0, 84, 20, 1.0)
    alone = synth.render_notes([quiet])[0]
    for program in (14, 44, 48, 52, 92, 97):
        after = synth.render_notes([(program, 36, 127, 1.0), quiet])[1]
        assert np.abs(after - alone).max() < 2 / 2**15
        after = synth.render_notes([(program, 36, 127, 2.4), quiet])[1]
        assert np.abs(after[:16000] - alone)[:15000].max() < 2 / 2**15


def test_many_notes_are_rendered_in_parts(monkeypatch):
    whole = synth.render_notes(NOTES)
    monkeypatch.setattr(synth, "CHUNK", 3)
    np.testing.assert_allclose(synth.render_notes(NOTES), whole, atol=2 / 2**15)


def test_velocity_is_heard_and_a_released_note_dies_away():
    soft, loud = np.abs(synth.render_notes([(71, 60, 50, 1.0), (71, 60, 110, 1.0)])).max(axis=1)
    assert loud > 2 * soft
    short, long = synth.render_notes([(71, 60, 100, 0.3), (71, 60, 100, 1.0)])
    assert np.abs(short[12000:]).max() < 0.01 * np.abs(long[12000:15000]).max()
    assert long[-1] == 0
    assert np.abs(np.diff(long[-100:])).max() <= np.abs(np.diff(long[:-100])).max()


def test_rows_are_as_long_as_asked():
    assert synth.render_notes(NOTES[:2]).shape == (2, 12800)
    assert synth.render_notes(NOTES[:2], length=0.25, sr=44100).shape == (2, 11025)


BAD_NOTES = [[], [(128, 60, 100, 1)], [(-1, 60, 100, 1)], [(0, 128, 100, 1)], [(0, -1, 100, 1)],
             [(0, 60, 0, 1)], [(0, 60, 128, 1)], [(0, 60, 100, 0)], [(0, 60, 100, 61)],
             [(0, 60, 100, float("nan"))], [(0, 60.5, 100, 1)], [(0.0, 60, 100, 1)]]


@pytest.mark.parametrize("notes", BAD_NOTES)
def test_notes_out_of_range_are_refused(notes):
    with pytest.raises(ValueError, match="program"):
        synth.render_notes(notes)


def test_a_note_without_a_sample_is_named_rather_than_silent():
    with pytest.raises(ValueError, match="program 67 at pitch 84"):
        synth.render_notes([(0, 60, 100, 1), (67, 84, 100, 1)])


@pytest.mark.parametrize("options",
                         [{"sr": 7999}, {"sr": 200000}, {"sr": 0}, {"sr": -44100}, {"sr": 44100.5},
                          {"sr": "44100"}, {"sr": float("nan")}, {"programs": 128},
                          {"programs": (0, 0)}, {"velocity": 0}, {"quarter_bpm": 1000}])
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(ValueError):
        synth.render(melody(69), **options)


def a_font():
    return fonts.path().read_bytes()


BAD_FONTS = [("missing.sf2", None, FileNotFoundError), ("empty.sf2", b"", ValueError),
             ("text.sf2", b"a shopping list", ValueError),
             ("wave.sf2", b"RIFF\0\0\0\0WAVEfmt ", ValueError),
             ("half.sf2", lambda: a_font()[:100_000], ValueError),
             ("scrambled.sf2", lambda: a_font()[:-60_000] + b"\x81" * 60_000, ValueError)]


@pytest.mark.parametrize("name,content,error", BAD_FONTS, ids=[case[0] for case in BAD_FONTS])
def test_a_sound_font_that_cannot_be_used_is_named(tmp_path, name, content, error):
    if content is not None:
        (tmp_path / name).write_bytes(content() if callable(content) else content)
    for play, music in ((synth.render, melody(69)), (synth.render_notes, NOTES[:1])):
        with pytest.raises(error, match=name):
            play(music, soundfont=tmp_path / name)


def test_a_folder_is_no_sound_font(tmp_path):
    with pytest.raises(IsADirectoryError, match="folder"):
        synth.render(melody(69), soundfont=tmp_path)


def test_another_sound_font_is_used_from_any_path(tmp_path):
    path = tmp_path / "ein Übungs font.sf2"
    path.write_bytes(a_font())
    np.testing.assert_array_equal(synth.render(melody(69), soundfont=path),
                                  synth.render(melody(69)))


def a_long_midi():
    file = io.BytesIO()
    track = mido.MidiTrack([mido.Message("note_on", note=60),
                            mido.Message("note_off", note=60, time=480 * 2 * 3600)])
    mido.MidiFile(tracks=[track]).save(file=file)
    return file.getvalue()


@pytest.mark.parametrize("midi,error,message",
                         [(b"", ValueError, "not MIDI"), (b"a shopping list", ValueError,
                                                          "not MIDI"),
                          ("missing.mid", FileNotFoundError, "missing.mid"),
                          (a_long_midi(), ValueError, "lasts 36.. s")])
def test_midi_that_cannot_be_played_is_explained(midi, error, message):
    with pytest.raises(error, match=message):
        synth.render_midi(midi)


@pytest.fixture
def without_midirenderer(monkeypatch):
    real = builtins.__import__

    def importing(name, *rest, **others):
        if name == "midirenderer":
            raise ImportError(name)
        return real(name, *rest, **others)

    monkeypatch.delitem(sys.modules, "midirenderer", raising=False)
    monkeypatch.setattr(builtins, "__import__", importing)


def test_without_any_synthesizer_the_error_says_what_to_install(without_midirenderer, monkeypatch):
    import pretty_midi

    monkeypatch.setattr(pretty_midi.fluidsynth, "_HAS_FLUIDSYNTH", False)
    with pytest.raises(ImportError, match="pip install midirenderer"):
        synth.render(melody(69))


class SynthOfSines:
    """Stands in for fluidsynth.Synth: every key that is down sounds as a sine, every instrument by
    itself.
    """

    def __init__(self, samplerate):
        self.rate, self.down, self.time = samplerate, set(), 0

    def get_setting(self, name):
        return self.rate

    def noteon(self, channel, key, velocity):
        self.down.add(key)

    def noteoff(self, channel, key):
        self.down.discard(key)

    def get_samples(self, count):
        at = (self.time + np.arange(count)) / self.rate
        self.time += count
        y = sum((3000 * np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * at) for key in self.down),
                np.zeros(count))
        return np.repeat(y.astype(np.int16), 2)

    def __getattr__(self, name):
        return lambda *values: 0


def test_fluidsynth_stands_in_where_midirenderer_has_no_wheel(without_midirenderer, monkeypatch):
    import pretty_midi

    monkeypatch.setattr(pretty_midi.fluidsynth, "_HAS_FLUIDSYNTH", True)
    module = types.SimpleNamespace(Synth=SynthOfSines)
    monkeypatch.setattr(pretty_midi.fluidsynth, "fluidsynth", module, raising=False)
    monkeypatch.setattr(pretty_midi.instrument, "fluidsynth", module, raising=False)
    y = synth.render(melody(69, length=8), sr=16000)
    assert in_tune(y[:16000], 16000)
    assert len(y) == pytest.approx(16000 * (1.5 + synth.TAIL), abs=100)
