"""An ear that this course did not train: the transcription network of Spotify's basic-pitch, run by
onnxruntime.

Optional. Its package asks for an old TensorFlow, of which only the network's file is needed, so
install it without that: `pip install onnxruntime` and `pip install --no-deps basic-pitch==0.4.0`.
"""
import functools
import importlib
import importlib.util
from pathlib import Path

import numpy as np

from course_utils import audio
from course_utils.checks import check_rate, to_mono, waveform

# Hz, and samples that the network reads at once: two seconds, 172 frames
RATE, WINDOW = 22050, 43844
FRAMES = 172
BANDS = 8


def missing() -> str:
    """Say what has to be installed before `hear` works, or return "" if nothing.

    Notebook: 12_measuring_music
    """
    wanted = {"onnxruntime": "pip install onnxruntime",
              "basic_pitch": "pip install --no-deps basic-pitch==0.4.0"}
    return " and ".join(f"`{how}`" for name, how in wanted.items()
                        if importlib.util.find_spec(name) is None)


@functools.cache
def _network():
    if wanting := missing():
        raise ModuleNotFoundError(f"The transcription network is an extra. Run {wanting} to listen "
                                  "with it.")
    # by name: it is no dependency of the course
    onnxruntime = importlib.import_module("onnxruntime")
    folder = Path(importlib.util.find_spec("basic_pitch").origin).parent
    return onnxruntime.InferenceSession(folder / "saved_models/icassp_2022/nmp.onnx",
                                        providers=["CPUExecutionProvider"])


def hear(y: np.ndarray, sr: int) -> dict[str, np.ndarray]:
    """Transcribe sound: how sure the network is of each pitch in each frame of 11.6 ms.

    Notebook: 12_measuring_music

    Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription"
    (2022).

    Args:
        y: (samples,) or (samples, channels).
        sr: its sample rate in Hz.

    Returns:
        "notes" and "onsets", float32 (frames, 88) from 0 to 1, A0 to C8, and "contours" (frames,
        264), three bins a semitone.

    Raises:
        ModuleNotFoundError: if the extra is not installed; the message says how to.
        ValueError: if it is no sound.
    """
    network = _network()
    y = audio.resample(to_mono(waveform(y)), check_rate(sr), RATE)
    windows = np.pad(y, (0, -len(y) % WINDOW)).reshape(-1, WINDOW, 1)  # (windows, samples, 1)
    outputs = network.run(None, {network.get_inputs()[0].name: windows.astype(np.float32)})
    names = {"StatefulPartitionedCall:1": "notes", "StatefulPartitionedCall:2": "onsets",
             "StatefulPartitionedCall:0": "contours"}
    frames = -(-len(y) * FRAMES // WINDOW)
    return {names[output.name]: values.reshape(-1, values.shape[-1])[:frames]
            for output, values in zip(network.get_outputs(), outputs, strict=True)}


def embed(y: np.ndarray, sr: int) -> np.ndarray:
    """Describe sound by what a transcriber makes of it: 48 numbers.

    Notebook: 12_measuring_music

    Mean and spread over time of notes, onsets and contours in eight bands of eleven semitones.

    Args: as `hear`.

    Returns:
        float32 (48,).
    """
    # each (frames, 8)
    heard = [values.reshape(len(values), BANDS, -1).sum(axis=2) for values in hear(y, sr).values()]
    return np.concatenate([part for values in heard
                           for part in (values.mean(axis=0), values.std(axis=0))])
