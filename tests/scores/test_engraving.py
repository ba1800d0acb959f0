import time
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, scores
from course_utils.scores import engraving
from tests.scores.test_scores import grids

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def chorale():
    return scores.excerpt(next(piece for piece in datasets.chorales("test") if len(piece) >= 160),
                          0, 160)


@pytest.mark.parametrize("key,signature",
                         [(0, 0), (7, 1), (2, 2), (9, 3), (4, 4), (11, 5), (6, 6), (5, -1),
                          (10, -2), (3, -3), (8, -4), (1, -5), (21, 0), (16, 1), (14, -1), (19, -2),
                          (12, -3), (13, 4)])
def test_key_signatures(key, signature):
    assert engraving.sharps(scores.from_grid(np.full((1, 1), 60), key=key)) == signature


@pytest.mark.parametrize("key", range(12))
def test_without_a_key_the_signature_suits_the_notes(key):
    scale = scores.from_grid(60 + (key + np.array([[0], [2], [4], [5], [7], [9], [11]])) % 12,
                             key=key)
    assert engraving.sharps(replace(scale, key=None)) == engraving.sharps(scale)


@pytest.mark.parametrize("signature,names", [
    (0, {60: "C4", 61: "C#4", 63: "D#4", 66: "F#4", 68: "G#4", 70: "B-4", 71: "B4", 59: "B3"}),
    (-3, {63: "E-4", 66: "F#4", 68: "A-4", 70: "B-4", 71: "B4", 61: "D-4", 60: "C4"}),
    (6, {65: "E#4", 59: "B3", 60: "B#3", 67: "F##4"}),
    (-5, {60: "C4", 66: "G-4", 71: "C-5", 67: "G4"})])
def test_spelling_follows_the_key(signature, names):
    assert {pitch: "{}{}".format(*engraving.spell(pitch, signature)) for pitch in names} == names


@given(st.integers(0, 127), st.integers(-5, 6))
def test_a_spelled_note_is_still_that_note(pitch, signature):
    from music21.pitch import Pitch

    name, octave = engraving.spell(pitch, signature)
    assert Pitch(name, octave=octave).ps == pitch


@pytest.mark.parametrize("beat,steps,written",
                         [(0, 16, [16]), (4, 8, [8]), (0, 5, [4, 1]), (3, 5, [1, 4]), (2, 4, [4]),
                          (1, 4, [3, 1]), (2, 10, [2, 8]), (0, 7, [6, 1]), (3, 2, [1, 1]),
                          (0, 24, [24]), (4, 12, [12])])
def test_spans_are_written_as_notes_that_show_the_beat(beat, steps, written):
    assert engraving.lengths(beat, steps) == written


@given(grids(longest=40))
@settings(max_examples=60)
def test_written_notes_keep_to_bars_and_to_lengths_that_exist(score):
    inside = {step: bar for bar, span in enumerate(scores.bars(score)) for step in range(*span)}
    under = np.zeros(len(score), bool)
    for voice, written in enumerate(engraving.heads(score)):
        assert [head.start for head in written] == np.cumsum([0,
                                                              *(head.length
                                                                for head in written[:-1])]).tolist()
        assert all(head.length in (1, 2, 3, 4, 6, 8, 12, 16, 24) for head in written)
        assert all(inside[head.start] == inside[head.start + head.length - 1] for head in written)
        begun = [head for head in written if head.pitch != scores.REST
                 and head.tie in ("", "start")]
        assert [head.start for head in begun] == np.flatnonzero(score.onsets[:, voice]).tolist()
        for head in written:
            under[head.start : head.start + head.length] |= head.fermata
    np.testing.assert_array_equal(under, score.fermata)


def test_a_fermata_stands_on_the_voices_that_have_one_note_under_it():
    grid = np.array([[67, 62, 59, 55]] * 4 + [[67, 64, 60, 48]] * 2 + [[67, 64, 59, 48]] * 2)
    score = replace(scores.from_grid(grid), fermata=np.arange(8) >= 4)
    signed = [[head.start for head in voice if head.fermata] for voice in engraving.heads(score)]
    assert signed == [[], [4], [], [4]]


def test_a_fermata_that_no_note_fits_is_tied_into_the_voice_that_moves_least():
    grid = np.array([[67, 59]] * 4 + [[67, 60]] * 2 + [[67, 59]] * 2)
    score = replace(scores.from_grid(grid), fermata=np.arange(8) >= 4)
    assert [(h.start, h.tie, h.fermata) for h in engraving.heads(score)[0]] == [(0, "start", False),
        (4, "stop", True)]
    assert not any(head.fermata for head in engraving.heads(score)[1])


def shown_accidentals(score):
    accidentals = [note.pitch.accidental
                   for note in engraving.notate(score, [(0,)]).recurse().notes]
    return [sign.name if sign is not None and sign.displayStatus else "" for sign in accidentals]


def test_accidentals_are_shown_once_a_bar_and_cancelled():
    grid = np.repeat([66, 65, 65, 66, 78, 65, 66, 65], 4)[:, None]
    score = scores.from_grid(grid, np.arange(32)[:, None] % 4 == 0, key=7)
    assert shown_accidentals(score) == ["", "natural", "", "sharp", "", "natural", "sharp",
                                        "natural"]


def test_a_tied_note_shows_its_accidental_only_at_its_beginning_and_the_next_one_again():
    grid = np.array([67] * 12 + [66] * 8 + [66] * 4 + [67] * 8)[:, None]
    onsets = np.isin(np.arange(32), [0, 12, 20, 24])[:, None]
    assert shown_accidentals(scores.from_grid(grid, onsets, key=0)) == ["", "sharp", "", "sharp",
                                                                        ""]


def test_eighths_are_beamed_by_the_beat():
    notes = list(engraving.notate(scores.from_grid(np.repeat([60, 62, 64, 65], 2)[:, None]),
                                  [(0,)]).recurse().notes)
    assert [note.beams.getTypes() for note in notes] == [["start"], ["stop"]] * 2


def text_of(svg):
    return [t.strip() for t in ET.fromstring(svg).itertext() if t.strip()]


def test_a_chorale_becomes_a_compact_page_with_a_name(chorale):
    svg = engraving.engrave(chorale)
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img" and root.get("width") == "1000"
    assert root[0].tag == f"{SVG}title" and chorale.title in root[0].text
    assert "4 voices" in root[0].text
    assert root.get("aria-label") == root[0].text
    assert root[1].tag == f"{SVG}rect" and "white" in root[1].get("style")
    assert {chorale.title, "S. A.", "T. B."} <= set(text_of(svg))
    assert len(svg) < 120_000


def heads_drawn(svg):
    """Count black and white note heads by their names in the music font."""
    uses = [use.get("href") for use in ET.fromstring(svg).iter(f"{SVG}use")]
    return sum(use.startswith(("#E0A2", "#E0A3", "#E0A4")) for use in uses)


def test_every_written_note_is_drawn(chorale):
    def written(score):
        return sum(head.pitch != scores.REST for voice in engraving.heads(score) for head in voice)

    assert heads_drawn(engraving.engrave(chorale)) == written(chorale)
    first = scores.excerpt(chorale, 0, scores.bars(chorale)[2][1])
    assert heads_drawn(engraving.engrave(chorale, first_bars=3)) == written(first)


def test_each_fermata_is_drawn_above_the_upper_and_below_the_lower_staff(chorale):
    uses = [use.get("href")[:5]
            for use in ET.fromstring(engraving.engrave(chorale)).iter(f"{SVG}use")]
    fermatas = np.diff(np.append(0, chorale.fermata.astype(int))).clip(0).sum()
    assert fermatas > 1 and uses.count("#E4C0") == uses.count("#E4C1") == fermatas


def test_pictures_of_two_scores_share_no_names(chorale):
    names = [{e.get("id") for e in ET.fromstring(engraving.engrave(score)).iter() if e.get("id")}
             for score in (chorale, scores.transpose(chorale, 2))]
    assert names[0] and not names[0] & names[1]


def test_a_second_picture_is_the_same(chorale):
    assert engraving.engrave(chorale) == engraving.engrave(chorale)


def test_all_bars_stand_on_one_page_and_the_first_ones_on_request():
    score = scores.from_grid(np.repeat(np.arange(60, 72), 80)[:, None]
                             + np.array([[0, -5, -9, -17]]), title="Long")
    tall, short = (ET.fromstring(engraving.engrave(score)),
                   ET.fromstring(engraving.engrave(score, first_bars=2)))
    assert float(tall.get("height")) > 2 * float(short.get("height"))
    assert "60 bars" in tall[0].text and "2 bars" in short[0].text


@pytest.mark.parametrize("title", ["", 'Quotes " & <tags>', "Übung ♪ ’"])
@pytest.mark.parametrize("voices", [1, 2, 4])
def test_any_title_and_number_of_voices_is_drawn(title, voices):
    svg = engraving.engrave(scores.from_grid(np.full((20, voices), 60), pickup=4, title=title),
                            width=400)
    assert title in " ".join(text_of(svg)) and ET.fromstring(svg).get("width") == "400"
    assert heads_drawn(svg) == voices * 2  # a tie over the bar line


def test_rests_alone_can_be_drawn():
    assert heads_drawn(engraving.engrave(scores.from_grid(np.full((32, 4), -1)))) == 0


def test_engraving_writes_what_it_returns_and_is_fast(tmp_path, chorale):
    engraving.engrave(chorale)
    begin = time.perf_counter()
    svg = engraving.engrave(chorale, tmp_path / "score.svg")
    assert time.perf_counter() - begin < 3
    assert (tmp_path / "score.svg").read_text(encoding="utf-8") == svg


@pytest.mark.parametrize("options",
                         [{"width": 100}, {"width": 10000}, {"first_bars": 0},
                          {"path": "score.png"}])
def test_engraving_refuses_what_it_cannot_draw(chorale, options):
    with pytest.raises(ValueError):
        engraving.engrave(chorale, **options)


def test_show_gives_a_picture_that_notebooks_keep(chorale):
    shown = engraving.show(chorale, first_bars=2)
    assert shown._repr_svg_().startswith("<svg") and "<title>" in shown._repr_svg_()
