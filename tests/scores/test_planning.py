"""Keys, phrases and given voices."""
import numpy as np
import pytest

from course_utils.scores import REST, from_grid, planning


@pytest.mark.parametrize("key", range(24))
def test_every_key_has_a_name_that_names_it(key):
    assert planning.parse_key(planning.key_name(key)) == key


@pytest.mark.parametrize(("name", "key"),
                         [("C major", 0), ("a minor", 21), ("  Bb major ", 10), ("F# MINOR", 18),
                          ("gb major", 6)])
def test_parse_key(name, key):
    assert planning.parse_key(name) == key


@pytest.mark.parametrize("name", ["", "C", "H major", "C dur", "major", "C## major", "Cmajor", "7"])
def test_bad_keys(name):
    with pytest.raises(ValueError, match="F# minor"):
        planning.parse_key(name)


def test_plan_ends_every_phrase_with_a_fermata_on_the_third_beat():
    plan = planning.plan_chorale(3, key=2)
    assert len(plan) == 3 * planning.PHRASE and plan.key == 2 and (plan.pitches == REST).all()
    assert set(plan.beat[plan.fermata].tolist()) == {8, 9, 10, 11} and plan.fermata[-1]
    with pytest.raises(ValueError, match="at least one phrase"):
        planning.plan_chorale(0)


def test_plan_harmony_marks_the_end_and_leaves_room_below():
    melody = from_grid(np.array([60, 60, 62, 62, 64, 64, REST, REST])[:, None])
    plan = planning.plan_harmony(melody)
    assert plan.pitches.shape == (8, 4)
    assert (plan.pitches[:, 1:] == REST).all()
    assert (plan.pitches[:, 0] == melody.pitches[:, 0]).all()
    assert plan.fermata.tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize("pitch", [30, 48, 100])
def test_a_melody_out_of_reach_says_how_to_move_it(pitch):
    with pytest.raises(ValueError, match=r"Transpose it by [+-]\d+ semitones") as error:
        planning.plan_harmony(from_grid(np.full((4, 1), pitch)))
    octaves = int(str(error.value).split("Transpose it by ")[1].split()[0])
    planning.plan_harmony(from_grid(np.full((4, 1), pitch + octaves)))


def test_a_first_voice_that_is_no_melody_is_named():
    with pytest.raises(ValueError, match="The first of 2 voices"):
        planning.plan_harmony(from_grid(np.array([[48, 72]] * 4)))


def test_a_silent_melody():
    with pytest.raises(ValueError, match="no notes"):
        planning.plan_harmony(from_grid(np.full((4, 1), REST)))


@pytest.mark.parametrize(("chord", "key", "home"),
                         [([72, 67, 64, 48], 0, True), ([72, 67, 60, 52], 0, False),
                          ([72, 69, 65, 53], 0, False), ([72, 67, 63, 48], 12, True),
                          ([72, 67, 64, 48], 12, True), ([72, 67, 63, 48], 0, False),
                          ([REST] * 4, 0, False)])
def test_ends_on_tonic(chord, key, home):
    assert planning.ends_on_tonic(from_grid(np.array([[60, 60, 60, 60], chord]), key=key)) is home


def test_ends_on_tonic_needs_a_key():
    with pytest.raises(ValueError, match="no key"):
        planning.ends_on_tonic(from_grid(np.full((2, 4), 60)))
