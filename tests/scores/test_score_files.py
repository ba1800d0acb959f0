import io
import zipfile
from dataclasses import replace

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings

from course_utils import datasets, scores
from course_utils.scores import score_files
from tests.scores.test_scores import grids, same

# split bars, changes of bar, rests, 3/4
PIECES = ["BWV 171.6", "BWV 27.6", "BWV 276", "BWV 269", "BWV 304"]


@pytest.fixture(scope="module")
def chorales():
    return {piece.title: piece for split in datasets.SPLITS for piece in datasets.chorales(split)}


def hymn(**options):
    pitches = np.array([[67, 62, 59, 55]] * 4 + [[69, 62, 60, 54]] * 4 + [[71, 62, 62, 55]] * 8
                       + [[-1] * 4] * 4)
    return scores.from_grid(pitches, **{"key": 7, "pickup": 4, "title": "A hymn"} | options)


@given(grids())
@settings(max_examples=50)
def test_midi_holds_pitches_onsets_bars_and_key(tmp_path_factory, score):
    path = tmp_path_factory.mktemp("midi") / "score.mid"
    score_files.to_midi(score, path)
    sounding = (score.pitches != scores.REST).any(axis=0)
    if not sounding.any():
        with pytest.raises(ValueError, match="no notes"):
            score_files.read(path)
        return
    again = score_files.read(path)
    kept = replace(score, pitches=score.pitches[:, sounding], onsets=score.onsets[:, sounding])
    same(again, kept, "pitches", "onsets", "beat", "bar")
    assert again.key == score.key


@given(grids())
@settings(max_examples=25)
def test_musicxml_holds_everything(tmp_path_factory, score):
    path = tmp_path_factory.mktemp("musicxml") / "score.musicxml"
    score_files.to_musicxml(replace(score, title="Tïtle & <more>"), path)
    if (score.pitches == scores.REST).all():
        with pytest.raises(ValueError, match="no notes"):
            score_files.read(path)
        return
    again = score_files.read(path)
    same(again, score)
    assert again.key == score.key and again.title == "Tïtle & <more>"


@pytest.mark.slow
@pytest.mark.parametrize("title", PIECES)
def test_chorales_come_back_from_both_kinds_of_file(chorales, tmp_path, title):
    score_files.to_musicxml(chorales[title], tmp_path / "score.xml")
    again = score_files.read(tmp_path / "score.xml")
    same(again, chorales[title])
    assert (again.key, again.title) == (chorales[title].key, title)
    score_files.to_midi(chorales[title], tmp_path / "score.midi")
    same(score_files.read(tmp_path / "score.midi"), chorales[title], "pitches", "onsets")


def test_the_lowest_and_highest_notes_of_midi_survive(tmp_path):
    score = scores.from_grid(np.repeat([*range(13), *range(116, 128)], 4)[:, None], key=3)
    score_files.to_musicxml(score, tmp_path / "a.xml")
    same(score_files.read(tmp_path / "a.xml"), score)


def test_the_reader_agrees_with_the_table_of_chorales(chorales):
    from music21 import corpus

    again = score_files.read(corpus.getWork("bach/bwv66.6"))
    same(again, chorales["BWV 66.6"], "pitches", "onsets", "beat", "bar", "fermata")


def test_midi_has_one_track_a_voice_with_its_program_velocity_and_tempo():
    midi = score_files.to_midi(hymn(), quarter_bpm=100, programs=(1, 2, 3, 4), velocity=99,
                               comment="generated, seed 1")
    assert [i.program for i in midi.instruments] == [1, 2, 3, 4]
    assert [i.name for i in midi.instruments] == list(scores.VOICES)
    assert {note.velocity for i in midi.instruments for note in i.notes} == {99}
    assert midi.get_tempo_changes()[1] == pytest.approx([100])
    assert midi.get_end_time() == pytest.approx(20 / 4 * 60 / 100)
    assert midi.key_signature_changes[0].key_number == 7
    assert [(t.numerator, t.denominator) for t in midi.time_signature_changes] == [(1, 4), (4, 4)]
    assert {"A hymn", "generated, seed 1"} <= {text.text for text in midi.text_events}


def test_one_program_serves_all_voices_and_any_number_of_voices_has_a_default():
    assert [i.program for i in score_files.to_midi(hymn(), programs=19).instruments] == [19] * 4
    melody = scores.from_grid(np.full((4, 1), 60))
    assert len(score_files.to_midi(melody).instruments) == 1
    assert len(score_files.to_midi(scores.from_grid(np.full((4, 6), 60))).instruments) == 6


@pytest.mark.parametrize("options",
                         [{"programs": (1, 2, 3)}, {"programs": 128}, {"programs": -1},
                          {"programs": (0, 0, 0, 1.5)}, {"velocity": 0}, {"velocity": 128},
                          {"quarter_bpm": 0}, {"quarter_bpm": float("nan")}])
def test_midi_refuses_arguments_out_of_range_and_writes_nothing(tmp_path, options):
    with pytest.raises(ValueError):
        score_files.to_midi(hymn(), tmp_path / "score.mid", **options)
    assert not list(tmp_path.iterdir())


def test_comments_and_titles_of_any_alphabet_are_kept(tmp_path):
    comment = "generated, seed 1, model 3f2a, “Übung” ♪"
    score_files.to_midi(hymn(title="Ich ruf’ zu dir ♫"), tmp_path / "a.mid", comment=comment)
    texts = [event.text for event in pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"),
                                                            charset="utf-8").text_events]
    assert comment in texts and "Ich ruf’ zu dir ♫" in texts
    score_files.to_musicxml(hymn(), tmp_path / "a.musicxml", comment=comment)
    text = (tmp_path / "a.musicxml").read_text(encoding="utf-8")
    assert f'<miscellaneous-field name="comment">{comment}</miscellaneous-field>' in text
    assert "Music21</creator>" not in text


def test_a_second_export_is_the_same(tmp_path):
    for name in "ab":
        score_files.to_musicxml(hymn(), tmp_path / f"{name}.xml")
        score_files.to_midi(hymn(), tmp_path / f"{name}.mid")
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_musicxml_has_a_staff_a_voice(tmp_path):
    from music21 import converter

    score_files.to_musicxml(hymn(), tmp_path / "a.musicxml")
    music = converter.parse(tmp_path / "a.musicxml")
    assert [part.partName for part in music.parts] == list(scores.VOICES)
    clefs = [part.recurse().getElementsByClass("Clef").first().name for part in music.parts]
    assert clefs == ["treble", "treble", "treble8vb", "bass"]
    measures = list(music.parts[0].getElementsByClass("Measure"))
    assert [measure.number for measure in measures] == [0, 1]
    assert measures[0].duration.quarterLength == 1
    assert measures[0].keySignature.sharps == 1 and measures[0].timeSignature.ratioString == "4/4"


@pytest.mark.parametrize("name", ["score.mid", "score.mxl", "score", "score.svg"])
def test_musicxml_is_not_written_under_another_ending(tmp_path, name):
    with pytest.raises(ValueError, match=".musicxml"):
        score_files.to_musicxml(hymn(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write,name",
                         [(score_files.to_midi, "a.mid"), (score_files.to_musicxml, "a.musicxml")])
def test_files_go_into_folders_that_exist(tmp_path, write, name):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write(hymn(), tmp_path / "nowhere" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError):
        write(hymn(), tmp_path / name)


def melody_file(path, notes, ticks=480, tracks=None, **events):
    """Write tracks of (pitch, first tick, last tick) as MIDI."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    for channel, track in enumerate(tracks or [notes]):
        timed = [(time, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel))
                 for pitch, begin, end in track for time, velocity in ((begin, 80), (end, 0))]
        timed += [(0, mido.MetaMessage(kind, **values)) for kind, values in events.items()]
        timed.sort(key=lambda pair: (pair[0], getattr(pair[1], "velocity", 0)))
        before = [0, *(time for time, _ in timed)]
        file.tracks.append(mido.MidiTrack(event.copy(time=time - last)
                                          for (time, event), last in zip(timed, before)))
    file.save(path)
    return path


def test_played_notes_go_to_the_nearest_sixteenth_whatever_the_tempo(tmp_path):
    # late, early, overlapping (legato)
    notes = [(60, 7, 470), (62, 490, 965), (64, 950, 1425), (65, 1500, 1900)]
    slow = score_files.read(melody_file(tmp_path / "a.mid", notes, set_tempo={"tempo": 1500000}))
    fast = score_files.read(melody_file(tmp_path / "b.mid", notes))
    same(slow, fast)
    assert scores.to_notes(slow) == [(0, 60, 0, 4), (0, 62, 4, 8), (0, 64, 8, 12), (0, 65, 12, 16)]
    assert slow.title == "a" and slow.key is None and slow.bar[0] == 16


def test_an_ornament_shorter_than_the_grid_gives_way_to_its_note(tmp_path):
    notes = [(62, 0, 40), (60, 40, 480), (64, 480, 600), (65, 500, 530)]
    assert scores.to_notes(score_files.read(melody_file(tmp_path / "a.mid", notes))) == [
        (0, 60, 0, 4), (0, 64, 4, 5)]


def test_tracks_become_voices_and_drums_are_left_out(tmp_path):
    midi = pretty_midi.PrettyMIDI()
    for pitch, drum in ((60, False), (36, True), (48, False)):
        midi.instruments.append(pretty_midi.Instrument(0, is_drum=drum))
        midi.instruments[-1].notes.append(pretty_midi.Note(80, pitch, 0, 1))
    midi.write(str(tmp_path / "a.mid"))
    assert score_files.read(tmp_path / "a.mid").pitches[0].tolist() == [60, 48]
    midi.instruments = midi.instruments[1:2]
    midi.write(str(tmp_path / "drums.mid"))
    with pytest.raises(ValueError, match="no notes"):
        score_files.read(tmp_path / "drums.mid")


MUSICXML = """<?xml version="1.0"?><score-partwise version="4.0"><part-list><score-part id="P1">
<part-name>Flute</part-name>
</score-part></part-list><part id="P1">{}</part></score-partwise>"""
FIRST = """<attributes><divisions>4</divisions><key><fifths>{fifths}</fifths>{mode}</key>
<time><beats>3</beats><beat-type>4</beat-type></time>{transpose}</attributes>"""
NOTE = ("<note>{chord}<pitch><step>{step}</step><octave>4</octave></pitch>"
        "<duration>{duration}</duration></note>")


def a_note(step="A", duration=4, chord=""):
    return NOTE.format(step=step, duration=duration, chord=chord)


def flute(tmp_path, *measures, fifths=0, mode="", transpose="", name="a.musicxml"):
    first = FIRST.format(fifths=fifths, mode=mode, transpose=transpose)
    text = "".join(f'<measure number="{n}">{first if n == 1 else ""}{m}</measure>'
                   for n, m in enumerate(measures, 1))
    (tmp_path / name).write_text(MUSICXML.format(text))
    return tmp_path / name


def test_a_melody_from_a_notation_program(tmp_path):
    path = flute(tmp_path, a_note("G"), a_note() + a_note() + a_note("B"), fifths=-1,
                 mode="<mode>minor</mode>")
    score = score_files.read(path)
    assert score.pitches[:, 0].tolist() == [67] * 4 + [69] * 8 + [71] * 4
    assert score.onsets[:, 0].sum() == 4
    assert score.beat.tolist() == [*range(8, 12), *range(12)] and score.key == 12 + 2
    assert set(score.bar) == {12}
    assert score_files.read(flute(tmp_path, a_note(duration=12))).key is None


def test_transposing_instruments_are_read_as_they_sound(tmp_path):
    transpose = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    score = score_files.read(flute(tmp_path, a_note(duration=12), transpose=transpose))
    assert set(score.pitches[:, 0]) == {67}


def test_chord_symbols_over_a_melody_are_no_notes(tmp_path):
    symbol = "<harmony><root><root-step>F</root-step></root><kind>major</kind></harmony>"
    score = score_files.read(flute(tmp_path, symbol + a_note(duration=12)))
    assert score.pitches[:, 0].tolist() == [69] * 12


def test_repeats_are_written_out(tmp_path):
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    score = score_files.read(flute(tmp_path, a_note("G", 12) + repeat, a_note("A", 12)))
    assert score.pitches[::12, 0].tolist() == [67, 67, 69]


def test_compressed_musicxml_is_read(tmp_path):
    source = flute(tmp_path, a_note(duration=12))
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        content = '<container><rootfiles><rootfile full-path="a.musicxml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", content)
        archive.write(source, "a.musicxml")
    same(score_files.read(tmp_path / "a.mxl"), score_files.read(source))


def midi_bytes():
    file = io.BytesIO()
    score_files.to_midi(hymn()).write(file)
    return file.getvalue()


BAD_FILES = [("missing.mid", None, FileNotFoundError, "no file"),
             ("missing.musicxml", None, FileNotFoundError, "no file"),
             ("empty.mid", b"", ValueError, "empty"), ("empty.xml", b"", ValueError, "empty"),
             ("text.mid", b"This is a shopping list.", ValueError, "not a MIDI file"),
             ("text.musicxml", b"This is a shopping list.", ValueError, "not a MusicXML file"),
             ("page.xml", b"<html><body><p>Music</p></body></html>", ValueError,
              "MusicXML file|no notes"), ("text.mxl", b"This is a shopping list.", ValueError,
                                          "not a MusicXML file"),
             ("half.mid", lambda: midi_bytes()[:200], ValueError, "damaged"),
             ("head.mid", lambda: midi_bytes()[:10], ValueError, "damaged"),
             ("film.mid", lambda: midi_bytes()[:12] + b"\xe7\x28" + midi_bytes()[14:], ValueError,
              "MIDI|notes"), ("half.musicxml", MUSICXML.format("<measure>").encode()[:150],
                              ValueError, "damaged"), ("silent.musicxml",
                                                       MUSICXML.format("").encode(), ValueError,
                                                       "no notes"),
             ("song.mp3", b"ID3", ValueError, ".midi"), ("song", b"la la", ValueError, ".musicxml")]


@pytest.mark.parametrize("name,content,error,message", BAD_FILES,
                         ids=[case[0] for case in BAD_FILES])
def test_what_cannot_be_read_is_explained(tmp_path, name, content, error, message):
    if content is not None:
        (tmp_path / name).write_bytes(content() if callable(content) else content)
    with pytest.raises(error, match=message) as caught:
        score_files.read(tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["folder.mid", "folder.xml"])
def test_a_folder_is_not_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match="folder"):
        score_files.read(tmp_path / name)


def test_two_notes_at_once_are_refused_rather_than_dropped(tmp_path):
    for notes in ([(60, 0, 480), (64, 0, 480)], [(48, 0, 1920), (60, 480, 960)],
                  [(60, 0, 480), (64, 20, 480)]):
        with pytest.raises(ValueError, match="two notes at once in track 1"):
            score_files.read(melody_file(tmp_path / "a.mid", notes))
    with pytest.raises(ValueError, match="two notes at once in part 1, bar 1"):
        score_files.read(flute(tmp_path, a_note(duration=12) + a_note("C", 12, chord="<chord/>")))
