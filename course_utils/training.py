"""What all trainings share: a loop over steps 1..n that resumes, a check that stops one which has
diverged, optimizers, and a fit that keeps the best weights.
"""
import csv
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from course_utils import environment
from course_utils.outside import archives

STATE = "state.npz"


def resumable(folder: Path | None, variables: list, steps: int, every: int,
              show: bool = True) -> Iterator[int]:
    """Yield the numbers of the steps that are still to do, 1 to `steps`, and keep the state.

    The loop under every training of the course. Where an interrupted run kept its state, it is
    restored first. After every so many steps, and after the last, the state is saved: a step is
    done when the loop asks for the next one.

    Notebook: 10_gan_composes_bars

    Args:
        folder: where the state is kept, which has to exist; None keeps nothing.
        variables: Keras variables of networks and optimizers, always in the same order.
        steps: in all, those done earlier included.
        every: steps from one saving to the next.
        show: a progress bar, with the time that is left.

    Raises:
        ValueError: if the state is damaged, or that of other networks.
    """
    done = restore_state(folder / STATE, variables) if folder else 0
    with tqdm(total=steps, initial=done, unit="step",
              disable=environment.quiet() or not show) as bar:
        for step in range(done + 1, steps + 1):
            yield step
            bar.update()
            if folder and (step % every == 0 or step == steps):
                save_state(folder / STATE, variables, step)


def train(model, loss: Callable, batches: Callable[[int], dict], steps: int, folder: Path, *,
          learning_rate: float, evaluate: Callable[[], float], every: int) -> list[dict]:
    """Train, keep the weights that are best by `evaluate`, and resume where an interrupted run
    stopped.

    Args:
        model: a built Keras model; ends with its best weights.
        loss: function of (model, batch) to a scalar tensor.
        batches: function of a batch's number, from 0 on, to a dict of arrays of constant shape.
        steps: optimizer steps in all.
        folder: where checkpoints, `history.csv` and the best weights go.
        learning_rate: peak of a schedule with warm-up and cosine decay.
        evaluate: validation figure, lower is better.
        every: steps between two evaluations (and checkpoints).

    Returns:
        One row (step, loss, validation) an evaluation.

    Raises:
        FloatingPointError: if the training diverges.
    """
    folder.mkdir(parents=True, exist_ok=True)
    warmup = min(100, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - warmup, alpha=0.01,
                                                      warmup_target=learning_rate,
                                                      warmup_steps=warmup)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    log, best = folder / "history.csv", folder / "best.weights.h5"

    @tf.function
    def update(batch):
        with tf.GradientTape() as tape:
            value = loss(model, batch)
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables),
                                      model.trainable_variables))
        return value

    history, losses = _read(log), []
    for step in resumable(folder, [*model.variables, *optimizer.variables], steps, every):
        history = [row for row in history if row["step"] < step]  # what was lost is done again
        losses.append(float(update({k: tf.constant(v) for k, v in batches(step - 1).items()})))
        stop_if_diverged(step, model=losses[-1])
        if step % every and step < steps:
            continue
        validation = evaluate()
        if validation < min((row["validation"] for row in history), default=np.inf):
            model.save_weights(best)
        history.append({"step": step, "loss": float(np.mean(losses)), "validation": validation})
        losses.clear()
        _write(log, history)
    archives.read_weights(model, best)
    return history


def stop_if_diverged(step: int, **losses: float) -> None:
    """Stop a training whose losses are no numbers any more.

    Notebook: 09_gan_from_scratch

    Args:
        step: number of steps done.
        losses: named values.

    Raises:
        FloatingPointError: if one of them is NaN or infinite, with advice.
    """
    wrong = [name for name, value in losses.items() if not np.isfinite(value)]
    if wrong:
        raise FloatingPointError(f"The training diverged: after {step} steps the loss of the "
                                 f"{' and the '.join(wrong)} is not finite. Begin anew with a "
                                 "lower learning rate; check that the data hold no NaN, and that "
                                 "logits go into the losses, not probabilities.")


def save_state(path: Path, variables: list, done: int) -> None:
    """Write the state of a training to a file: all variables, and the number of steps done.

    Args:
        path: of the .npz file.
        variables: Keras variables of networks, optimizers and random generators, always in the same
            order.
        done: number of steps done.

    Example:
        >>> import pathlib, tempfile
        >>> from course_utils import training
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     training.save_state(path := pathlib.Path(folder, "state.npz"), [], done=7)
        ...     training.restore_state(path, [])
        7
    """
    with environment.writing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, np.array(done), *(v.value.numpy() for v in variables))


def restore_state(path: Path, variables: list) -> int:
    """Read what `save_state` wrote, if there is something, and return the number of steps done.

    Raises:
        ValueError: if the file is damaged, or holds variables of other shapes.

    Example:
        >>> from pathlib import Path
        >>> from course_utils import training
        >>> training.restore_state(Path("nothing was saved here.npz"), [])
        0
    """
    if not path.exists():
        return 0
    largest = 2**26 + 2 * sum(v.value.numpy().nbytes for v in variables)
    try:
        done, *values = archives.read_npz(path, "arr_0", largest=largest).values()
    except (ValueError, OSError) as error:
        raise ValueError(
            f"'{path}' is damaged ({error}). Delete its folder to train anew.") from error
    whole = done.shape == () and done.dtype.kind in "iu" and 0 <= done < 2**40
    if not whole or [v.shape for v in values] != [tuple(v.shape) for v in variables]:
        raise ValueError(f"'{path}' belongs to another network. Delete its folder to train anew, "
                         "or name another folder.")
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError(f"'{path}' holds NaN or infinity: the training had diverged. Delete its "
                         "folder to train anew.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return int(done)


def check_same_training(folder: Path, recipe: dict, data: np.ndarray) -> None:
    """Check that a folder is new or belongs to the same training, and note there which one it is.

    Args:
        folder: where the state of the training is kept; it is made.
        recipe: settings by name, as JSON can hold them.
        data: what is learned from; its checksum is noted.

    Raises:
        ValueError: if the folder holds another training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note, text = (folder / "recipe.json",
                  json.dumps(recipe | {"data": zlib.crc32(np.ascontiguousarray(data))}))
    if not note.exists():
        with environment.writing(note) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if note.read_text(encoding="utf-8") != text:
        raise ValueError(f"'{folder}' holds a training with other settings or other data. Delete "
                         "it to train anew, or name another folder.")


def make_adams(networks: Sequence[keras.Model], rates: Sequence,
               betas: tuple[float, float] = (0.5, 0.9)) -> tuple:
    """Return an Adam for each network, ready to be saved; by default with the short memory that a
    GAN needs.

    Args:
        networks: built ones.
        rates: the learning rate of each, a number or a Keras schedule.
        betas: how slowly Adam forgets gradients, and their squares.
    """
    made = tuple(keras.optimizers.Adam(rate, *betas) for rate in rates)
    for optimizer, network in zip(made, networks, strict=True):
        optimizer.build(network.trainable_variables)
    return made


@tf.function
def follow(average: keras.Model, generator: keras.Model, share):
    """Move the averaged generator a share of the way towards the newest one.

    Notebook: 10_gan_composes_bars (written out)

    Source: Yazıcı et al., The unusual effectiveness of averaging in GAN training (2019).

    Args:
        average: the averaged generator, which changes.
        generator: the newest one.
        share: 0 to 1; a small one averages over a long time.
    """
    for mean, new in zip(average.variables, generator.variables):
        mean.assign(mean + share * (new - mean))


def _read(log: Path) -> list[dict]:
    if not log.exists():
        return []
    with open(log, newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [row | {"step": int(row["step"])} for row in rows]


def _write(log: Path, history: list[dict]) -> None:
    with environment.writing(log) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["step", "loss", "validation"])
        writer.writeheader()
        writer.writerows(history)
