"""A check-up of the set-up: `python -m course_utils doctor`.

It has to run where things are missing, so only the standard library is imported at the top; each
check imports what it examines, and a check that breaks is a finding.
"""
import contextlib
import errno
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from course_utils import environment, machine

NAME = "deep-learning-with-music"
INSTALL = ("Run `make lab` in the course's folder, and use the Python in .venv. If you do "
            "already, delete .venv first. In Colab, run the set-up cell again.")
PYTHONS = (3, 11), (3, 14)  # as in pyproject.toml, which a Python that is too old cannot read
MEMORY, DISK = 3.0, 1.0  # GB that a notebook may take, and that the cache may grow to
TUNE = 440.0
ADDRESS, PATIENCE = "https://github.com", 3.0  # seconds


class Finding(NamedTuple):
    """What a check found: `advice` is empty where all is well; what is not `needed` does not count
    as a failure.
    """

    said: str
    advice: str = ""
    needed: bool = True


def examine() -> bool:
    """Run all checks and print what they find, with advice for each failure.

    Notebook: 00_welcome

    Returns:
        True if nothing that the course needs has failed.
    """
    begin, failed, given = time.perf_counter(), 0, {""}
    for name, check in CHECKS.items():
        finding = _finding(check)
        failed += bool(finding.advice) and finding.needed
        state = "ok  " if not finding.advice else "FAIL" if finding.needed else "note"
        print(f"{state}  {name:12} {finding.said}", flush=True)
        if finding.advice not in given:
            print(f"{'':18} -> {finding.advice}", flush=True)
        given.add(finding.advice)
    seconds = time.perf_counter() - begin
    told = ("All is well: open notebooks/00_welcome.ipynb." if not failed
            else f"{failed} of {len(CHECKS)} checks failed.")
    print(f"{told} ({seconds:.0f} s)")
    return not failed


def _finding(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except ImportError as error:
        return Finding(f"cannot be tried: {error}", INSTALL)
    except OSError as error:
        return Finding(str(error), "Mend what it names, then run the doctor again.")
    # whatever breaks here would break in a notebook, where it is harder to understand
    except Exception as error:
        return Finding(f"{type(error).__name__}: {error}",
                       "Install the packages afresh: delete .venv, then `make lab`.")


def _requirements() -> list[str]:
    """Return the requirements with their ranges, from the checkout or else the installed
    package.
    """
    import tomllib

    file = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if file.exists():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return [*project["dependencies"], *project["optional-dependencies"]["tensorflow"]]
    return importlib.metadata.metadata(NAME).get_all("Requires-Dist")


def python() -> Finding:
    """Compare this Python with those that the course takes."""
    advice = (f"The course takes Python 3.{PYTHONS[0][1]} to 3.{PYTHONS[1][1] - 1}. Install one of "
              f"those. {INSTALL}")
    fits = PYTHONS[0] <= sys.version_info < PYTHONS[1]
    return Finding(f"{platform.python_version()} ({sys.executable})", "" if fits else advice)


def packages() -> Finding:
    """Compare the installed versions with the ranges in pyproject.toml; newer ones may work, and
    are told.
    """
    from packaging.requirements import Requirement

    wanted = [r for r in map(Requirement, _requirements()) if r.marker is None
              or r.marker.evaluate({"extra": "tensorflow"})]
    versions = {r: _version(r.name) for r in wanted}
    wrong = {r: v for r, v in versions.items() if v is None
             or not r.specifier.contains(v, prereleases=True)}
    said = "; ".join(f"{r.name} {v or 'is missing'} (wanted: {r.specifier})"
                     for r, v in wrong.items())
    if not wrong:
        return Finding(f"{len(versions)}, all in their ranges")
    if all(v is not None and _newer(r, v) for r, v in wrong.items()):
        return Finding(said, "Newer than what the course was tried with. If a notebook fails, that "
                       "may be why.", needed=False)
    return Finding(said, INSTALL)


def _newer(requirement, version: str) -> bool:
    """Tell whether a version outside of the range lies above its lower bound."""
    from packaging.version import Version

    return all(Version(version) > Version(spec.version.removesuffix(".*"))
               for spec in requirement.specifier if spec.operator in (">=", "~=", "=="))


def _version(name: str) -> str | None:
    """Return the version of a package; TensorFlow's CPU build and the plain one stand for each
    other.
    """
    for candidate in (name, name.removesuffix("-cpu"), f"{name}-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(candidate)
    return None


def lab() -> Finding:
    """Look for JupyterLab and the part of ipywidgets that draws controls in it."""
    if environment.in_colab():
        return Finding("not needed in Colab")
    found = {name: _version(name) for name in ("jupyterlab", "jupyterlab_widgets", "ipykernel")}
    missing = [name for name, version in found.items() if version is None]
    return (Finding(f"{' and '.join(missing)} missing", INSTALL) if missing
            else Finding(f"JupyterLab {found['jupyterlab']}"))


def settings() -> Finding:
    """Tell which settings of this machine the course has left aside or gone round."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    odd = [] if encoding.startswith("utf") else [
        f"output is {sys.stdout.encoding}, where other letters are written as \\u..."]
    return Finding("; ".join(machine.put_right + odd) or "as the course needs them")


def memory() -> Finding:
    """Compare the free memory with what the largest notebook takes."""
    import psutil

    found = psutil.virtual_memory()
    advice = (f"A notebook takes up to {MEMORY:.0f} GB. Close other programs, or kernels that are "
              "no longer used (menu Kernel).")
    enough = found.available >= MEMORY * 1e9
    return Finding(f"{found.available / 1e9:.1f} GB free of {found.total / 1e9:.1f}",
                   "" if enough else advice)


def disk() -> Finding:
    """Compare the free disk space with what the cache may grow to."""
    import psutil

    free = psutil.disk_usage(str(environment.cache_folder())).free / 1e9
    advice = f"Free {DISK:.0f} GB, or set COURSE_CACHE to a folder on another disk."
    return Finding(f"{free:.1f} GB free", "" if free >= DISK else advice)


def folders() -> Finding:
    """Write into the folders that the notebooks write into."""
    places = {Path.cwd(): "Copy the course to a folder of your own.",
              environment.cache_folder(): "Set COURSE_CACHE to a folder of your own.",
              Path(tempfile.gettempdir()): "Set TMPDIR to a folder of your own."}
    advice = []
    for folder, help_ in places.items():
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
        except OSError as error:
            help_ = "Free some space there." if error.errno == errno.ENOSPC else help_
            advice.append(f"Cannot write into '{folder}' ({error.strerror}). {help_}")
    return Finding("; ".join(map(str, places)), " ".join(advice))


def data() -> Finding:
    """Compare every shipped file with its checksum."""
    listed = json.loads((environment.data_folder()
                         / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
    wrong = []
    for name in listed:
        try:
            environment.shipped(name)
        except OSError:
            wrong.append(name)
    advice = "Restore them: `git checkout data`, or install the package again."
    return (Finding(f"damaged or missing: {', '.join(wrong)}", advice) if wrong
            else Finding(f"{len(listed)} files, undamaged"))


def sound() -> Finding:
    """Render one note, measure its pitch, make a player of it, and look for what decodes m4a."""
    import av
    import numpy as np

    from course_utils import audio, synth

    sr = 16000
    y = synth.render_notes([(73, 69, 100, 1.0)], sr=sr)[0]
    player = audio.play(y, sr, "A").data
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 8 * len(y)))
    pitch = float(spectrum.argmax() * sr / (8 * len(y)))
    av.codec.Codec("aac", "r")  # says so if it is not there
    advice = ("" if abs(pitch - TUNE) < 3 and "<audio" in player else f"It should be {TUNE:.0f} "
              f"Hz. {INSTALL}")
    return Finding(f"a flute plays A at {pitch:.1f} Hz (loudspeakers: hear any player in notebook "
                   "00)", advice)


def training() -> Finding:
    """Train a tiny LSTM for a few steps, which has to lower its loss."""
    try:
        begin = time.perf_counter()
        import keras
        import numpy as np
    except ImportError as error:
        return Finding(f"TensorFlow is not installed, so nothing can be trained ({error})", INSTALL)
    keras.utils.set_random_seed(0)
    x = np.sin(np.arange(64)[:, None] / 3 + np.arange(17)).astype("float32")[..., None]
    model = keras.Sequential([keras.layers.Input((16, 1)), keras.layers.LSTM(8),
                              keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.03), loss="mse")
    losses = model.fit(x[:, :-1], x[:, -1], epochs=8, verbose=0).history["loss"]
    said = (f"Keras {keras.__version__}, a small LSTM learnt a sine in "
            f"{time.perf_counter() - begin:.0f} s")
    return Finding(f"{said} (loss {losses[0]:.2f} to {losses[-1]:.2f})",
                   "" if losses[-1] < 0.8 * losses[0] else INSTALL)


def networks() -> Finding:
    """Let a shipped network listen to a note, with Keras as the course needs it."""
    import keras
    import numpy as np

    from course_utils import synth
    from course_utils.cnn import timbre

    found = {"backend": keras.config.backend(), "floatx": keras.config.floatx(),
             "image_data_format": keras.config.image_data_format()}
    if found != machine.KERAS:
        return Finding(f"Keras is set to {', '.join(found.values())}", "Take KERAS_BACKEND out of "
                       "your environment, and the file .keras/keras.json out of your home folder.")
    heard = timbre.classify(synth.render_notes([(73, 69, 100, 1.0)])[0], 16000)
    best, sure = next(iter(heard.items()))
    right = bool(np.isclose(sum(heard.values()), 1, atol=1e-3))
    return Finding(f"the timbre network listens, and says {best} ({sure:.0%})",
                   "" if right else INSTALL)


def network() -> Finding:
    """Tell whether the network is there, which no notebook needs."""
    import requests

    with contextlib.suppress(requests.RequestException):
        requests.head(ADDRESS, timeout=PATIENCE)
        return Finding("there")
    return Finding("none", "Not needed: every notebook has what it needs, only the optional real "
                   "recordings are downloaded.", needed=False)


CHECKS: dict[str, Callable[[], Finding]] = {"Python": python, "packages": packages,
                                            "JupyterLab": lab, "settings": settings,
                                            "memory": memory, "disk": disk,
                                            "folders": folders, "shipped data": data,
                                            "sound": sound, "training": training,
                                            "networks": networks,
                                            "network": network}


def main() -> int:
    """Examine the set-up; return the exit status, 0 or 1."""
    # the tiny training shall not grab a GPU that a notebook is using
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    return 0 if examine() else 1
