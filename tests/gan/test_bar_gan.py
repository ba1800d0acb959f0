"""The bar GAN: what its grids hold, what its critic hears, that chance and gradient come through,
and that it resumes.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, environment, training
from course_utils.gan import bar_gan, bar_training
from course_utils.gan.bar_gan import BEFORE, NOISE, PITCHES, STEPS, UNKNOWN, one_hot
from course_utils.gan.losses import critic_loss, wasserstein_loss
from course_utils.scores import Score, from_grid, transpose

GRIDS = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).integers(6, PITCHES - 6, (BEFORE + STEPS, 4)))


@pytest.fixture(scope="module")
def windows():
    return bar_gan.bar_windows(datasets.chorales("valid")[:20])


@pytest.fixture
def eagerly():
    """Compiling takes longer than the few steps of a test."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def song(bars: int, key: int = 0, pickup: int = 0, bar: int = 16) -> Score:
    """Return a score whose every eighth note can be told from the others."""
    steps = pickup + bars * bar
    pitches = np.stack([66 - 5 * voice + (np.arange(steps) // 2 * (voice + 1)) % 7
                        for voice in range(4)], axis=1)
    return from_grid(pitches, bar=bar, pickup=pickup, key=key)


# --- grids


@given(st.integers(0, 23))
def test_music_goes_home_to_c_major_or_a_minor(key):
    semitones = bar_gan.semitones_home(key)
    assert -6 <= semitones <= 5
    assert (key + semitones) % 12 == (0 if key < 12 else 9)


@given(st.integers(0, 11), st.integers(-6, 5))
@settings(max_examples=20)
def test_windows_are_the_same_in_every_key(key, semitones):
    piece = song(4, key)
    assert np.array_equal(bar_gan.bar_windows([piece]) % 12,
                          bar_gan.bar_windows([transpose(piece, semitones)]) % 12)


@pytest.mark.parametrize("pickup", [0, 4, 7])
def test_windows_hold_two_bars_and_the_bar_before(pickup):
    piece = song(4, pickup=pickup)
    windows = bar_gan.bar_windows([piece])
    bars = (piece.pitches[pickup::2] - bar_gan.C2).reshape(4, 8, 4)
    assert windows.shape == (3, 24, 4) and windows.dtype == np.int8
    assert (windows[0, :BEFORE] == UNKNOWN).all()
    for number, window in enumerate(windows):
        assert np.array_equal(window[BEFORE:].reshape(2, 8, 4), bars[number : number + 2])
        assert number == 0 or np.array_equal(window[:BEFORE], bars[number - 1])


def test_rests_and_other_metres_are_left_out():
    pitches = song(5).pitches.copy()
    pitches[64:80, 1] = -1
    with_rest = bar_gan.bar_windows([from_grid(pitches, key=0)])
    assert len(with_rest) == 3 and (with_rest[:, BEFORE:] >= 0).all()
    for piece in (song(4, bar=12), song(1), from_grid(song(3).pitches - 40, key=0)):
        with pytest.raises(ValueError, match="two whole 4/4 bars"):
            bar_gan.bar_windows([piece])


def test_all_windows_of_the_chorales_are_in_range(windows):
    assert windows.min() == UNKNOWN and windows.max() < PITCHES
    assert (windows[:, BEFORE:] >= 0).all()
    # C major is the white keys
    assert np.isin(windows[:, BEFORE:] % 12, (0, 2, 4, 5, 7, 9, 11)).mean() > 0.9


def test_one_hot_has_a_one_at_each_pitch_and_none_where_nothing_is_known():
    grid = np.array([[0, 47, 5, UNKNOWN]])
    hot = one_hot(grid).numpy()
    assert hot.shape == (1, 4, 48) and hot.dtype == np.float32
    assert hot.sum(axis=-1).tolist() == [[1, 1, 1, 0]]
    assert hot.argmax(axis=-1).tolist() == [[0, 47, 5, 0]]


def test_score_and_window_are_two_ways_to_write_the_same(windows):
    for window in windows[:5]:
        assert np.array_equal(bar_gan.bar_windows([bar_gan.to_score(window[BEFORE:])])[0, BEFORE:],
                              window[BEFORE:])


def test_score_is_moved_with_its_key(windows):
    score = bar_gan.to_score(windows[0, BEFORE:], -5, "Two bars")
    assert score.key == 7 and score.title == "Two bars" and len(score) == 32
    assert np.array_equal(score.pitches[::2], windows[0, BEFORE:] + 36 - 5)


@pytest.mark.parametrize("grid", [np.zeros((2, 16, 4), int), np.full((16, 4), -1),
                                  np.full((16, 4), 48), np.zeros((0, 4), int)])
def test_what_is_no_grid_is_refused(grid):
    with pytest.raises(ValueError, match="Give a grid"):
        bar_gan.to_score(grid)


# --- choices


@given(st.integers(0, 2**31), st.sampled_from([0.3, 1.0, 4.0]))
@settings(max_examples=20)
def test_straight_through_plays_the_argmax_and_learns_by_the_softmax(seed, temperature):
    rng = np.random.default_rng(seed)
    logits, wish = (tf.constant(rng.standard_normal((3, 5)), tf.float32) for _ in range(2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        chosen = bar_gan.straight_through(logits, temperature)
        score, softly = (tf.reduce_sum(wish * x)
                         for x in (chosen, tf.nn.softmax(logits / temperature)))
    assert np.allclose(chosen, np.eye(5)[np.argmax(logits, axis=1)], atol=1e-6)
    assert np.allclose(tape.gradient(score, logits), tape.gradient(softly, logits), atol=1e-6)


def test_gumbel_noise_makes_the_argmax_a_draw_from_the_softmax():
    keras.utils.set_random_seed(0)
    logits = tf.constant([0.0, 1.0, -2.0, 0.5])
    drawn = np.argmax(bar_gan.gumbel(tf.tile(logits[None], (20000, 1))), axis=1)
    assert np.allclose(np.bincount(drawn, minlength=4) / 20000, tf.nn.softmax(logits), atol=0.015)


# --- what the critic hears


@given(GRIDS, st.integers(-6, 6))
@settings(max_examples=15)
def test_intervals_are_the_same_in_every_key(grid, semitones):
    here, there = (bar_gan.intervals(one_hot(x[None])) for x in (grid, grid + semitones))
    assert np.allclose(here, there, atol=1e-4)


@given(GRIDS, st.integers(0, BEFORE + STEPS - 1), st.integers(0, 3),
       st.sampled_from([-24, -12, -1, 1, 12, 24]))
@settings(max_examples=30)
def test_one_wrong_note_is_heard_where_it_sounds_and_where_it_is_left(grid, step, voice, by):
    wrong = grid.copy()
    wrong[step, voice] += by if 0 <= wrong[step, voice] + by < PITCHES else -by
    if not 0 <= wrong[step, voice] < PITCHES:
        return
    apart = np.abs(bar_gan.intervals(one_hot(grid[None]))
                   - bar_gan.intervals(one_hot(wrong[None])))[0].max(axis=-1)
    assert np.flatnonzero(apart > 0.01).tolist() == [s for s in (step, step + 1) if s < BEFORE
                                                     + STEPS]


def test_critic_without_intervals_is_smaller():
    with_them, without = bar_gan.bar_critic(16), bar_gan.bar_critic(16, hears_intervals=False)
    assert with_them.count_params() - without.count_params() == 16 * 4 * 28 * 2.5


# --- generator


def test_generator_is_small_and_its_shapes_fit(windows):
    generator, critic = bar_gan.bar_generator(), bar_gan.bar_critic()
    assert generator.count_params() < 1_000_000
    made = bar_gan.generate(generator, np.ones((3, NOISE)), windows[:3, :BEFORE])
    assert made.shape == (3, STEPS, 4) and made.dtype == np.int8 and made.min() >= 0
    assert made.max() < PITCHES
    assert critic(one_hot(np.concatenate([windows[:3, :BEFORE], made], axis=1))).shape == (3, 1)


@pytest.mark.parametrize("noise,before",
                         [((3, NOISE + 1), None), ((3, NOISE), (2, BEFORE, 4)),
                          ((3, NOISE), (3, BEFORE, 3)), ((NOISE,), None)])
def test_generate_refuses_other_shapes(noise, before):
    with pytest.raises(ValueError, match="Give noise of shape"):
        bar_gan.generate(bar_gan.bar_generator(8), np.ones(noise),
                         None if before is None else np.zeros(before, int))


def test_chain_hands_on_the_last_bar():
    keras.utils.set_random_seed(0)
    generator = bar_gan.bar_generator(8)
    pieces = bar_gan.chain(generator, 2, 3, seed=5)
    noise = np.random.default_rng(5).standard_normal((3, 2, NOISE))
    assert pieces.shape == (2, 48, 4)
    assert np.array_equal(pieces, bar_gan.chain(generator, 2, 3, seed=5))
    assert np.array_equal(pieces[:, :16], bar_gan.generate(generator, noise[0]))
    assert np.array_equal(pieces[:, 16:32], bar_gan.generate(generator, noise[1], pieces[:, 8:16]))
    assert not np.array_equal(pieces[:, 16:32], bar_gan.generate(generator, noise[1]))
    with pytest.raises(ValueError, match="pairs"):
        bar_gan.chain(generator, 1, 0, seed=0)


def test_shipped_generator_beats_chance_by_far(windows):
    from course_utils.gan import bar_measures

    made = bar_gan.generate(bar_gan.load(),
                            np.random.default_rng(0).standard_normal((200, NOISE)))
    real = windows[:, BEFORE:]
    chance = bar_measures.measure(bar_measures.random_bars(200, real, np.random.default_rng(0)),
                                  real)
    ours = bar_measures.measure(made, real)
    assert ours["chord types"] < chance["chord types"] / 2
    assert ours["dissonance"] < chance["dissonance"] / 1.5
    assert ours["voices crossed"] < 0.1 and ours["diversity"] > 0.8


def test_the_shipped_table_reaches_its_targets():
    from course_utils.gan import bar_measures

    stored = environment.stored("gan_bars.json")
    bach, markov, random = (stored["models"][name] for name in ("Bach", "Markov", "random"))
    for found in (stored["models"]["GAN"], *stored["trainings"].values()):
        assert len(bar_measures.nearer(found, random, bach)) == 9
        assert {"chord types", "dissonance",
                "voices crossed"} <= set(bar_measures.nearer(found, markov, bach))
        assert all(found[f"copied, {quarters} quarters"] <= bach[f"copied, {quarters} quarters"]
                   for quarters in (4, 8))


# --- training


def test_batches_depend_on_seed_and_number_alone_and_leave_the_windows_alone(windows):
    before = windows.copy()
    first, again, other = (bar_training.draw_batch(windows, number, 3, 2) for number in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[1], other[1])
    assert [x.shape for x in first] == [(2, 64, 24, 4), (2, 64, 64), (2, 64)]
    assert np.array_equal(windows, before)
    many = bar_training.draw_batch(windows[windows[:, 0, 0] >= 0], 1, 3, 40)[0]
    assert 0.35 < (many.numpy()[..., 0, 0] == UNKNOWN).mean() < 0.45


def linear_critic():
    critic = keras.Sequential([keras.Input((BEFORE + STEPS, 4, PITCHES)), keras.layers.Flatten(),
                               keras.layers.Dense(1)])
    critic.set_weights([np.full((24 * 4 * 48, 1), 0.5), np.zeros(1)])
    return critic


def test_a_step_changes_its_own_network_only_and_the_slope_is_that_of_the_critic(eagerly, windows):
    networks = bar_gan.bar_generator(8), linear_critic()
    optimizers = bar_training.make_bar_optimizers(networks, 10, bar_training.SETTINGS)
    (real, *_), noise, mix = bar_training.draw_batch(windows, 1, 0, 1)
    game = (critic_loss, wasserstein_loss, 10.0)

    def trainable(which):
        return np.concatenate([w.numpy().ravel() for w in networks[which].trainable_variables])

    before = trainable(0), trainable(1)
    loss, slope = bar_training.make_generator_step(networks, game, optimizers[0])(real, noise[0])
    # the bar before is not the generator's
    assert np.isclose(slope, np.sqrt(16 * 4 * 48 * 0.25), rtol=1e-4)
    assert not np.array_equal(trainable(0), before[0]) and np.array_equal(trainable(1), before[1])
    between = trainable(0)
    loss, gap = bar_training.make_critic_step(networks, game, optimizers[1])(real, noise[0], mix[0])
    # All pairs hold as many ones, so a critic that weighs all alike sees no gap: the loss is the
    # penalty.
    assert np.isclose(gap, 0, atol=1e-3)
    assert np.isclose(loss, 10 * (np.sqrt(16 * 4 * 48 * 0.25) - 1) ** 2, rtol=1e-4)
    assert np.array_equal(trainable(0), between) and not np.array_equal(trainable(1), before[1])


def test_average_follows_by_a_share():
    new, average = bar_gan.bar_generator(4), bar_gan.bar_generator(4)
    old = [w.numpy() for w in average.variables]
    training.follow(average, new, tf.constant(0.25))
    for was, now, aim in zip(old, average.variables, new.variables):
        assert np.allclose(now, 0.75 * was + 0.25 * aim.numpy(), atol=1e-6)


def test_resumed_training_gives_the_weights_of_an_uninterrupted_one(eagerly, windows, tmp_path):
    def stop(generators, step, **values):
        if step == 3:
            raise KeyboardInterrupt

    straight, critic, rows = bar_training.train_bars(windows, 4, seed=2)
    with pytest.raises(KeyboardInterrupt):
        bar_training.train_bars(windows, 4, seed=2, folder=tmp_path / "run", every=2, watch=stop)
    resumed, other_critic, rest = bar_training.train_bars(windows, 4, seed=2,
                                                          folder=tmp_path / "run", every=2)
    assert [row["step"] for row in rest] == [3, 4] and rest == rows[2:]
    for a, b in zip(straight.get_weights() + critic.get_weights(),
                    resumed.get_weights() + other_critic.get_weights()):
        assert np.array_equal(a, b)
    assert bar_training.train_bars(windows, 4, seed=2, folder=tmp_path / "run")[2] == []
    for other in ({"hears_intervals": False}, {"seed": 3}, {"steps": 5}):
        with pytest.raises(ValueError, match="other settings"):
            bar_training.train_bars(windows, **{"steps": 4, "seed": 2} | other,
                                    folder=tmp_path / "run")
    with pytest.raises(ValueError, match="other data"):
        bar_training.train_bars(windows[1:], 4, seed=2, folder=tmp_path / "run")


def test_diverged_training_is_stopped_with_advice(eagerly, windows):
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        bar_training.train_bars(windows, 5, seed=0, critic_rate=1e30)


@pytest.mark.parametrize("change,told",
                         [({"game": "chess"}, "no game"), ({"rates": 1}, "no setting rates"),
                          ({"critic_steps": 0}, "critic_steps"),
                          ({"generator_steps": 1.5}, "generator_steps"),
                          ({"choice": "dice"}, "no choice"), ({"steps": 0}, "steps")])
def test_settings_that_do_not_work_are_explained(windows, change, told):
    with pytest.raises(ValueError, match=told):
        bar_training.train_bars(windows, **{"steps": 1, "seed": 0} | change)
