"""The learner's machine, where it is set up otherwise than the course expects: other settings of
Keras, folders that cannot be written to, output that cannot be written, and being interrupted.

Only the standard library is imported: this runs before everything else.
"""
import contextlib
import importlib.util
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

KERAS = {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last"}
OWN_KERAS = Path(__file__).parent / "keras_home"  # holds a keras.json that says the same
CLOSED, INTERRUPTED, ENDED = 141, 130, 143  # exit statuses, as a shell gives them

# What was set otherwise, in sentences for the doctor.
put_right: list[str] = []


def settle() -> None:
    """Set what the course needs of Keras and Numba, in the environment, before they are imported.

    Raises:
        ImportError: if Keras was imported already, with another backend.
    """
    if "keras" in sys.modules:
        _settle_loaded_keras(sys.modules["keras"])
    else:
        _settle_keras()
    if not _numba_can_cache():
        folder = _own_folder()
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        put_right.append(f"compiled code goes to '{folder}', since neither the packages nor the "
                         "home folder can be written to")


def _settle_keras() -> None:
    wanted = os.environ.get("KERAS_BACKEND") or KERAS["backend"]
    if wanted != KERAS["backend"]:
        put_right.append(f"KERAS_BACKEND is {wanted}; the course runs Keras on TensorFlow")
    os.environ["KERAS_BACKEND"] = KERAS["backend"]
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    if wrong := _keras_file(home / "keras.json"):
        os.environ["KERAS_HOME"] = str(OWN_KERAS)
        put_right.append(f"'{home / 'keras.json'}' {wrong}; the course leaves it aside")


def _keras_file(path: Path) -> str:
    """Return what is wrong for the course with a file of Keras' settings, or nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        wrong = [f"{name} {found[name]}" for name, value in KERAS.items()
                 if found.get(name, value) != value and name != "backend"]
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError):
        return "cannot be read"
    return f"says {', '.join(wrong)}" if wrong else ""


def _settle_loaded_keras(keras) -> None:
    config = getattr(keras, "config", None)
    if config is None:  # it is being imported just now
        return
    if config.backend() != KERAS["backend"]:
        raise ImportError(f"Keras runs on {config.backend()} here, and the course needs TensorFlow."
                          " Take KERAS_BACKEND out of your environment, restart the kernel, and "
                          "import course_utils before keras.")
    config.set_floatx(KERAS["floatx"])
    config.set_image_data_format(KERAS["image_data_format"])


def _numba_can_cache() -> bool:
    """Tell whether one of the places can be written to where Numba keeps compiled code."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    places = [os.environ.get("NUMBA_CACHE_DIR"), cache]
    with contextlib.suppress(ImportError, ValueError):
        found = importlib.util.find_spec("librosa")  # which has Numba compile what it is made of
        if found is None:
            return True
        places += found.submodule_search_locations or []
    return any(_writable(Path(place)) for place in places if place)


def _own_folder() -> Path:
    """Return a folder for compiled code that nobody else writes into, since it is run."""
    cache = os.environ.get("COURSE_CACHE")
    if cache and _writable(Path(cache)):
        return Path(cache) / "numba"
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"deep-learning-with-music{user}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if user in ("", folder.lstat().st_uid):
            return folder
    return Path(tempfile.mkdtemp())


def _writable(folder: Path) -> bool:
    """Tell whether a folder can be written to, or made where it is not there."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def tolerate_any_text() -> None:
    """Let output escape the letters that it cannot hold, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def ending_cleanly() -> Iterator[None]:
    """Turn being told to end (SIGTERM, a terminal that is closed) into `SystemExit`, so that
    temporary files are taken away.
    """
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {}
    with contextlib.suppress(ValueError):  # only the main thread may
        before = {number: signal.signal(number, _end) for number in signals
                  if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _end(number: int, _) -> None:
    raise SystemExit(128 + number)


def drop_output() -> None:
    """Send what is still to be written nowhere: whoever read it has gone."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
