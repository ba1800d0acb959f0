"""The walk through noise: its way, what it composes at both ends, and the panel with its function
beside it.
"""
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.gan import bar_gan
from course_utils.panels import latent_walk


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(1)
    return bar_gan.bar_generator(8)


@given(st.integers(0, 999), st.integers(1000, 1999), st.floats(0, 1))
@settings(max_examples=30)
def test_the_way_keeps_to_the_sphere_and_turns_evenly(first, last, share):
    a, b = (x / np.linalg.norm(x) for x in map(latent_walk.noise, (first, last)))
    place = latent_walk.between(a, b, share)
    assert np.isclose(np.linalg.norm(place), 1)
    assert np.isclose(np.arccos(np.clip(a @ place, -1, 1)), share * np.arccos(a @ b), atol=1e-6)


def test_the_way_from_a_place_to_itself_stays_there():
    a = latent_walk.noise(3)
    assert np.allclose(latent_walk.between(a, a, 0.3), a)


def test_many_places_at_once():
    a, b = latent_walk.noise(1), latent_walk.noise(2)
    shares = np.array([[0.0], [0.4], [1.0]])
    assert np.allclose(latent_walk.between(a, b, shares),
                       [latent_walk.between(a, b, s) for s in (0.0, 0.4, 1.0)])


def test_a_walk_begins_and_ends_at_its_seeds(generator):
    for seed, share in ((5, 0), (6, 1)):
        alone = bar_gan.generate(generator, latent_walk.noise(seed)[None])[0]
        assert np.array_equal(latent_walk.walk(generator, 5, 6, share), alone)


@pytest.mark.parametrize("first,last,share",
                         [(1, 2, 1.1), (1, 2, -0.1), (-1, 2, 0.5), (1, -2, 0.5)])
def test_walks_elsewhere_are_refused(generator, first, last, share):
    with pytest.raises(ValueError, match="share of the way"):
        latent_walk.walk(generator, first, last, share)


def test_page_holds_picture_and_player(generator):
    page = latent_walk.show_walk(generator, 1, 2, 0.25, semitones=2).data
    assert page.startswith('<img alt="Two bars for four voices, 25% of the way from 1 to 2"')
    assert "<audio controls" in page


def test_panel_shows_its_first_state_and_follows_its_sliders(generator):
    panel = latent_walk.explore_walk(generator)
    first, last, share, semitones, instruments, page = panel.children
    before = page.value
    assert "0% of the way from 1 to 2" in before
    share.value, last.value = 0.5, 9
    assert "50% of the way from 1 to 9" in page.value and page.value != before
    instruments.value = "brass"
    assert "<audio controls" in page.value
