"""A training that is killed at once, as by a power cut, ends with the weights of an unbroken
one.
"""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
BEGIN = """
import os, signal, sys
from pathlib import Path
import keras, numpy as np, tensorflow as tf
from course_utils import training
from course_utils.gan import bar_gan, bar_training, tone_gan

def fall(step, deadly):
    if deadly and step == 5:
        os.kill(os.getpid(), signal.SIGKILL)

def fit(folder, deadly):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.3),
              keras.layers.Dense(1)]
    model, x = keras.Sequential(layers), np.random.default_rng(0).normal(size=(40, 3))

    def batches(number):
        fall(number + 1, deadly)
        return {"x": x[np.random.default_rng(number).choice(40, 8)].astype("float32")}

    def loss(model, batch):
        return tf.reduce_mean((model(batch["x"], training=True) - 1) ** 2)

    training.train(model, loss, batches, 7, folder, learning_rate=0.03, every=2,
                   evaluate=lambda: float(np.mean((model(x) - 1) ** 2)))
    return model

def bars(folder, deadly):
    windows = np.random.default_rng(0).integers(0, 48, (70, 24, 4)).astype(np.int8)
    return bar_training.train_bars(windows, 7, seed=1, folder=folder, every=2, critic_steps=1,
                                   watch=lambda step, **_: fall(step, deadly))[0]

def tones(folder, deadly):
    rng = np.random.default_rng(0)
    data = {"levels": rng.normal(size=(40, 12, 80)).astype("float32"),
            "family": np.eye(8, dtype="float32")[rng.integers(0, 8, 40)],
            "octave": rng.random((40, 1)).astype("float32"), "share": np.full(40, 1 / 40)}
    return tone_gan.train(data, seed=1, steps=7, units=8, critic_steps=1, folder=folder, every=2,
                          watch=lambda step, **_: fall(step, deadly))

train, folder, deadly = globals()[sys.argv[1]], Path(sys.argv[2]), sys.argv[3] == "deadly"
folder.mkdir(exist_ok=True)
"""
END = """
train(folder, True) if deadly else None
broken, whole = train(folder, False), train(folder / "whole", False)
assert all(np.array_equal(a, b) for a, b in zip(broken.get_weights(), whole.get_weights()))
print("the same")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no kill -9")
@pytest.mark.parametrize("training", ["fit", "bars", "tones"])
def test_kill_nine_resumes_to_the_same_weights(training, tmp_path):
    def run(how):
        return subprocess.run([sys.executable, "-c", BEGIN + END, training, tmp_path / "run", how],
                              cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "0"}, text=True,
                              capture_output=True)

    killed = run("deadly")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "run" / "state.npz").exists()
    assert list((tmp_path / "run").glob(".*")) == [], "nothing half-written is left"
    resumed = run("")
    assert resumed.stdout.strip().endswith("the same"), resumed.stderr[-2000:]
