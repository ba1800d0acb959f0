"""The ring of Gaussians is what it says, its measures judge right; toy GANs train, repeat
themselves, stop when they diverge.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import environment
from course_utils.by_hand import ring
from course_utils.gan import toy_gan


def test_draws_are_eight_equal_gaussians():
    points = ring.draw_ring(40_000, np.random.default_rng(0))
    mode, _ = ring.nearest_mode(points)
    assert points.dtype == np.float32 and points.shape == (40_000, 2)
    assert np.abs(np.bincount(mode) / 5000 - 1).max() < 0.1
    off = points - ring.centers()[mode]
    assert np.allclose(np.cov(off.T), ring.SPREAD**2 * np.eye(2), atol=1e-4)


def test_density_integrates_to_one_and_fits_the_draws():
    line, step = np.linspace(-2.5, 2.5, 501, retstep=True)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    density = ring.density(grid)
    assert density.sum() * step**2 == pytest.approx(1, abs=1e-3)
    right = grid[..., 0] > 1.9
    share = (ring.draw_ring(40_000, np.random.default_rng(1))[:, 0] > 1.9).mean()
    assert density[right].sum() * step**2 == pytest.approx(share, abs=0.01)


def test_measures_of_real_points():
    points = ring.draw_ring(20_000, np.random.default_rng(2))
    assert ring.modes_covered(points) == 8
    assert ring.good_share(points) == pytest.approx(1 - np.exp(-4.5), abs=0.003)


@settings(max_examples=20, deadline=None)
@given(kept=st.sets(st.integers(0, 7), min_size=1), bad=st.floats(0, 0.5))
def test_measures_see_lost_modes_and_bad_points(kept, bad):
    points = np.repeat(ring.centers()[sorted(kept)], 100, axis=0)
    points[: int(bad * len(points))] = 0
    covered = {k for k, middle in enumerate(ring.centers())
               if (points == middle).all(axis=1).sum() >= len(points) / 32}
    assert ring.modes_covered(points) == len(covered)
    assert ring.good_share(points) == pytest.approx(1 - int(bad * len(points)) / len(points))


def test_a_mode_that_gets_crumbs_is_not_covered():
    crumbs = ring.centers()[[0] * 970 + [1] * 30]
    assert ring.modes_covered(crumbs) == 1
    assert ring.modes_covered(ring.centers()[[0] * 968 + [1] * 32]) == 2


def test_points_that_are_no_numbers_are_neither_good_nor_cover():
    points = np.full((100, 2), np.nan)
    assert ring.modes_covered(points) == 0 and ring.good_share(points) == 0


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros(2), np.zeros((5, 3)), 3.0])
def test_what_is_no_list_of_points_is_refused(points):
    for measure in (ring.modes_covered, ring.good_share):
        with pytest.raises(ValueError, match="[Pp]oint"):
            measure(points)


def pitch_of(y, sr):
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 2**17))
    return 69 + 12 * np.log2(spectrum.argmax() * sr / 2**17 / 440)


def test_the_modes_are_heard_as_the_major_scale():
    y, sr = ring.melody(ring.centers(), 22050, seconds=0.5), 22050
    notes = y.reshape(8, -1)
    assert np.allclose([pitch_of(note, sr) for note in notes], ring.SCALE, atol=0.1)
    assert 0.05 < np.abs(y).max() <= 1 and y.dtype == np.float32
    assert np.abs(notes[:, [0, -1]]).max() < 1e-3, "notes begin and end at zero, without clicks"


def test_points_between_modes_are_out_of_tune_and_inner_points_soft():
    angle = np.pi / 8
    between = 2 * np.array([[np.cos(angle), np.sin(angle)]])
    assert pitch_of(ring.melody(between, 22050, 0.5), 22050) == pytest.approx(61, abs=0.15)
    loud, soft = (np.abs(ring.melody(radius * between / 2)).max() for radius in (2.0, 0.5))
    assert soft == pytest.approx(loud / 4, rel=1e-3)
    assert np.abs(ring.melody(1000 * between)).max() <= 1


@pytest.mark.parametrize("points,sr,told",
                         [([[np.nan, 1]], 22050, "NaN"), ([[1, 1]], 100, "sr"),
                          ([1, 1], 22050, "Points")])
def test_melody_refuses_what_it_cannot_play(points, sr, told):
    with pytest.raises(ValueError, match=told):
        ring.melody(np.array(points, float), sr)


@pytest.mark.parametrize("game", toy_gan.GAMES)
def test_training_moves_the_points_and_repeats_itself(game):
    seen, critic = toy_gan.train_toy(game, seed=3, steps=6, critic_steps=2, pictures=3)
    again, _ = toy_gan.train_toy(game, seed=3, steps=6, critic_steps=2, pictures=3)
    other, another = toy_gan.train_toy(game, seed=4, steps=6, critic_steps=2, pictures=3)
    assert seen.shape == (4, 2000, 2) and critic(seen[-1]).shape == (2000, 1)
    assert np.array_equal(seen, again) and not np.allclose(seen, other)
    # Six steps change a weight by some hundredths at most: what differs by more differed before.
    assert np.abs(critic.get_weights()[0] - another.get_weights()[0]).max() > 0.1
    assert all(np.abs(after - before).max() > 1e-4 for before, after in zip(seen, seen[1:]))


def test_looks_are_as_many_as_asked_for_when_steps_do_not_divide():
    seen, _ = toy_gan.train_toy("non-saturating", seed=0, steps=7, critic_steps=1, pictures=4)
    assert len(seen) == 5


@pytest.mark.parametrize("wrong,told",
                         [({"game": "WGAN"}, "non-saturating, WGAN-GP"),
                          ({"critic_steps": 0}, "critic_steps"),
                          ({"steps": 3}, "as many as pictures"), ({"pictures": 0}, "pictures")])
def test_trainings_that_cannot_be_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        toy_gan.train_toy(**({"game": "WGAN-GP", "seed": 0, "steps": 8, "pictures": 4} | wrong))


@pytest.mark.parametrize("count", [0, -1, 2.5])
def test_a_number_of_draws_is_whole(count):
    with pytest.raises(ValueError, match="count"):
        ring.draw_ring(count, np.random.default_rng(0))


def test_a_diverged_training_stops_with_advice(monkeypatch):
    poisoned = np.full((toy_gan.BATCH, 2), np.nan, np.float32)
    monkeypatch.setattr(toy_gan, "draw_ring", lambda count, rng: poisoned)
    with pytest.raises(FloatingPointError, match=r"after 2 steps.*critic.*lower learning rate"):
        toy_gan.train_toy("WGAN-GP", seed=0, steps=4, critic_steps=1, pictures=2)


def test_the_shipped_table_is_complete_and_reaches_its_target():
    runs = environment.stored("gan_toy.json")["runs"]
    main = [run for run in runs if run["setting"] == "5 steps"]
    assert {(run["game"], run["seed"]) for run in main} == {(game, seed) for game in toy_gan.GAMES
                                                            for seed in (0, 1, 2)}
    ours = [run for run in main if run["game"] == "WGAN-GP"]
    assert all(run["modes"] == 8 and run["good"] >= 0.9 for run in ours)
    assert any(run["modes"] < 8 for run in main if run["game"] == "non-saturating")
    assert (environment.data_folder() / toy_gan.TABLE).exists()
