"""The composing panel shows a piece at once, follows its controls, and says the same as the plain
function.
"""
import base64
import re

import keras
import numpy as np
import pytest

from course_utils.lstm import chorale_lstm, generation
from course_utils.measuring import counterpoint
from course_utils.panels import composer
from course_utils.scores import from_grid, planning


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return chorale_lstm.ChoraleLSTM(units=16, embedding=8)


@pytest.fixture
def quick(monkeypatch):
    """Leave out engraving and rendering, which other tests hear and see."""
    monkeypatch.setattr(composer, "_picture",
                        lambda score: f"<img alt='{score.pitches.tobytes().hex()}'>")
    monkeypatch.setattr(composer.synth, "render", lambda score, programs,
                        **_: np.full(2000, 0.001 * sum(programs)))


def test_the_first_state_is_shown_without_a_click(model):
    panel = composer.composer(model)
    assert panel.children[-1].value == composer.composition(model).data
    assert "data:image/svg+xml" in panel.children[-1].value and "<audio" in panel.children[-1].value


def control(panel, description):
    return next(child for child in panel.children[:-1] if child.description == description)


@pytest.mark.parametrize("description,value,argument",
                         [("temperature", 0.5, "temperature"), ("top-p", 0.5, "top_p"),
                          ("seed", 7, "seed"), ("key", "E minor", "key"), ("phrases", 1, "phrases"),
                          ("instruments", "piano", "instruments")])
def test_each_control_does_what_its_argument_does(model, quick, description, value, argument):
    panel = composer.composer(model)
    before = panel.children[-1].value
    control(panel, description).value = value
    assert panel.children[-1].value == composer.composition(model,
                                                            **{argument: value}).data != before


def test_it_composes_what_generation_composes(model):
    page = composer.composition(model, "A minor", phrases=1, seed=5, temperature=1.2,
                                top_p=0.8).data
    plan = planning.plan_chorale(1, planning.parse_key("A minor"))
    score = generation.compose(model, plan, seed=5, temperature=1.2, top_p=0.8, candidates=8)
    assert composer.describe(score) in page
    assert "<svg" in base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", page)[1]).decode()


def test_what_cannot_be_composed_is_explained_in_place_of_the_music(model, quick):
    panel = composer.composer(model)
    control(panel, "seed").max = 2**40
    control(panel, "seed").value = 2**40
    assert "seed is" in panel.children[-1].value and "<audio" not in panel.children[-1].value


@pytest.mark.parametrize("how,told", [
    ({"instruments": "kazoo"}, "wind quartet"), ({"phrases": 0}, "1 to 8"), ({"key": "H"}, "a key"),
    ({"temperature": 0}, "temperature"), ({"phrases": 1.5}, "1 to 8")])
def test_bad_settings(model, how, told):
    with pytest.raises(ValueError, match=told):
        composer.composition(model, **how)


def test_the_description_counts():
    score = from_grid(np.repeat([[72, 67, 60, 48], [74, 69, 62, 50]], 8, axis=0))
    parallel = sum(len(counterpoint.parallels(score, size))
                   for size in (counterpoint.FIFTH, counterpoint.OCTAVE))
    assert composer.describe(score).startswith(f"{parallel} parallel fifths and octaves, 0% of the "
                                               "steps dissonant")
    assert "no cadence" in composer.describe(score)


def test_instruments_are_four_general_midi_programs_each():
    for programs in composer.INSTRUMENTS.values():
        assert len(programs) == 4 and all(0 <= program <= 127 for program in programs)
        # test_synth names these as out of tune
        assert not {9, 14, 16, 17, 18, 19, 22, 31, 47, 55, 78, 86} & set(programs)
