"""The GAN of instruments: shapes, silence where the data cannot sound, the same seed gives the
same, resuming changes nothing.
"""
import json

import librosa
import numpy as np
import pytest

from course_utils import environment
from course_utils.gan import losses, tone_gan, wavetables
from course_utils.sound import tones


def invented_data(notes=24, seed=0):
    """Return training data drawn at random, so that no notes need to be rendered."""
    rng = np.random.default_rng(seed)
    family, pitch = rng.integers(0, 8, notes), rng.choice(tones.PITCHES, notes)
    heard = wavetables.audible(pitch)[:, None]
    levels = rng.uniform(-1, 1, (notes, 12, 80)).astype(np.float32)
    return {"levels": levels * heard + heard - 1, **tone_gan.conditions(family, pitch),
            "share": np.full(notes, 1 / notes)}


def train(folder=None, **how):
    return tone_gan.train(invented_data(), folder=folder,
                          **({"seed": 3, "steps": 6, "units": 16, "critic_steps": 2} | how))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_levels_of_any_number_of_notes(count):
    generator = tone_gan.tone_generator(8)
    pitch = np.linspace(48, 72, count).round()
    made = tone_gan.generate(generator, np.random.default_rng(0).standard_normal((count, 16)),
                             np.arange(count) % 8, pitch)
    assert made.shape == (count, 12, 80) and made.dtype == np.float32
    assert made.min() >= wavetables.FLOOR and made.max() <= 0
    silent = np.broadcast_to(wavetables.audible(pitch)[:, None] == 0, made.shape)
    assert (made[silent] == wavetables.FLOOR).all() and (made[~silent] > wavetables.FLOOR).all()


def test_scales_are_inverse():
    levels = np.array([-90.0, -45, 0])
    assert tone_gan.to_unit(levels).tolist() == [-1, 0, 1]
    assert np.allclose(tone_gan.from_unit(tone_gan.to_unit(levels)), levels)


def test_conditions_of_shares_and_pitches_beyond():
    told = tone_gan.conditions(np.array([2, 7]), np.array([30, 84]))
    assert told["family"].argmax(axis=1).tolist() == [2, 7]
    assert told["octave"].ravel().tolist() == [-1, 1]
    half = np.full((1, 8), 1 / 8)
    assert np.allclose(tone_gan.conditions(half, np.array([60]))["family"], half)


def test_an_instrument_is_one_noise_at_all_pitches():
    generator, z = tone_gan.tone_generator(8), np.random.default_rng(1).standard_normal(16)
    made = tone_gan.instrument(generator, z, 4)
    assert made.shape == (25, 12, 80)
    assert np.allclose(made[12], tone_gan.generate(generator, z[None], np.array([4]),
                                                   np.array([60]))[0], atol=1e-4)
    assert not np.allclose(made[0], tone_gan.instrument(generator, z, 5)[0])


def test_training_data_of_real_notes():
    found = tones.Tones(*[np.array([]) for _ in range(7)])
    t = np.arange(16000) / 16000
    notes = np.stack([np.sin(2 * np.pi * librosa.midi_to_hz(p) * t)
                      for p in (48, 60, 72)]).astype(np.float32)
    found = tones.Tones(notes, np.array([1, 1, 2]), np.array(["a", "a", "b"]), np.array([0, 0, 5]),
                        np.zeros(3, int), np.array([48, 60, 72]), np.full(3, 80))
    data = tone_gan.training_data(found)
    assert {name: array.shape for name, array in data.items()} == {
        "levels": (3, 12, 80), "family": (3, 8), "octave": (3, 1), "share": (3,)}
    assert data["levels"].max() == pytest.approx(1) and data["levels"].min() == -1
    assert np.allclose(data["share"], [0.25, 0.25, 0.5]), "families count the same"


def test_the_same_seed_gives_the_same_and_another_one_does_not():
    first, again, other = train(), train(), train(seed=4)
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights()))
    assert not np.allclose(first.get_weights()[0], other.get_weights()[0])


def test_training_changes_the_average_slowly():
    start, few, many = (train(steps=steps).get_weights()[0] for steps in (1, 3, 9))
    assert 0 < np.abs(few - start).max() < np.abs(many - start).max() < 0.1


def test_resuming_gives_the_weights_of_an_uninterrupted_run(tmp_path):
    class Stop(Exception):
        pass

    def stop(step, **_):
        if step == 5:
            raise Stop

    whole = train()
    with pytest.raises(Stop):
        train(tmp_path, every=2, watch=stop)
    seen = []
    resumed = train(tmp_path, every=2, watch=lambda step, **_: seen.append(step))
    assert seen == [5, 6], "it went on after the state kept at step 4"
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), resumed.get_weights()))
    done = train(tmp_path, every=2, watch=lambda *_, **__: pytest.fail("nothing is left to do"))
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), done.get_weights()))


def test_a_state_of_something_else_is_refused(tmp_path):
    train(tmp_path)
    for how in ({"seed": 5}, {"steps": 7}, {"units": 8}, {"critic_steps": 1}):
        with pytest.raises(ValueError, match="another folder"):
            train(tmp_path, **how)
    with pytest.raises(ValueError, match="other data"):
        tone_gan.train(invented_data(seed=1), seed=3, steps=6, units=16, critic_steps=2,
                       folder=tmp_path)
    (tmp_path / "state.npz").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="damaged"):
        train(tmp_path)


def test_the_penalty_is_computed_on_notes_once_for_each_step_of_the_critic(monkeypatch):
    seen = []

    def spy(critic, real, fake, mix):
        seen.append(real.shape)
        return losses.gradient_penalty(critic, real, fake, mix)

    monkeypatch.setattr(tone_gan, "gradient_penalty", spy)
    train(steps=1)
    assert seen == [(tone_gan.BATCH, 12, 80)] * 2


def test_a_diverged_training_stops_with_advice():
    data = invented_data()
    data["levels"][:] = np.nan
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        tone_gan.train(data, seed=0, steps=2, units=8, every=1)


def test_minutes_of_shipped_weights_are_all_parts_of_the_training(tmp_path, monkeypatch):
    from benchmarks import weights

    clock = iter([10.0, 70.0, 100.0, 220.0, 300.0, 330.0])
    monkeypatch.setattr(weights.time, "perf_counter", lambda: next(clock))
    with pytest.raises(KeyboardInterrupt), weights.stopwatch(tmp_path / "new"):
        raise KeyboardInterrupt
    with weights.stopwatch(tmp_path / "new"):
        pass
    assert float((tmp_path / "new" / weights.SECONDS).read_text()) == 60 + 120
    with weights.stopwatch(tmp_path / "new", resumes=False):
        pass
    assert float((tmp_path / "new" / weights.SECONDS).read_text()) == 30


@pytest.mark.parametrize("name", ["steps", "units", "critic_steps", "every"])
@pytest.mark.parametrize("value", [0, 1.5])
def test_numbers_are_whole(name, value):
    with pytest.raises(ValueError, match=name):
        train(**{name: value})


@pytest.mark.parametrize("z,family,pitch",
                         [(np.zeros((2, 15)), [0, 1], [60, 60]), (np.zeros(16), [0], [60]),
                          (np.zeros((2, 16)), [0], [60, 60]), (np.zeros((1, 16)), [8], [60]),
                          (np.zeros((1, 16)), [0.5], [60]), (np.zeros((1, 16)), [[1, 0]], [60]),
                          (np.zeros((0, 16)), np.zeros(0, int), [])])
def test_what_the_generator_cannot_read_is_refused(z, family, pitch):
    with pytest.raises(ValueError, match="families 0 to 7"):
        tone_gan.generate(tone_gan.tone_generator(8), z, np.array(family), np.array(pitch))


def test_selected_notes_keep_their_labels():
    rows = np.array([2, 0])
    found = tones.Tones(np.arange(6.0).reshape(3, 2), *(np.arange(3) + 10 * k for k in range(6)))
    part = tone_gan.select(found, rows)
    assert part.waveform.tolist() == [[4, 5], [0, 1]]
    assert part.pitch.tolist() == found.pitch[rows].tolist()
    assert len(tone_gan.select(found, np.array([True, False, True]))) == 2


def test_the_shipped_table_reaches_its_targets():
    rows = json.loads(environment.shipped("gan_tones.json").read_text(encoding="utf-8"))["rows"]
    for seed in range(3):
        row, untrained = rows[f"generator, seed {seed}"], rows[f"untrained generator, seed {seed}"]
        assert row["in_tune"] >= 0.95 and row["peak"] <= 1 and row["worst_click"] < -50
        assert row["frechet"] <= min(untrained["frechet"], rows["noise"]["frechet"]) / 3
