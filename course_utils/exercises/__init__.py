"""Check the answers to the notebooks' exercises: `exercises.check("00.1", answer)`.

The checks of one notebook stand in `chapter_NN.py` beside this file, one small function an
exercise, and are loaded when the first of them is asked for. A check returns None if the answer is
right, else a hint that says what is wrong. `exercises.progress()` shows what is solved and what is
next.
"""
import importlib
import pkgutil
import re
import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises import record

_CHECKS: dict[str, Callable[[Any], str | None]] = {}
_SHORT = reprlib.Repr()
_SHORT.maxlist, _SHORT.maxstring, _SHORT.maxother = 8, 60, 80


class Hint(Exception):
    """Raised by the helpers below: what to tell a learner whose answer is not right."""


def exercise(number: str):
    """Register the function below as the check of an exercise, such as `"00.1"`."""

    def register(check_answer: Callable[[Any], str | None]):
        _CHECKS[number] = check_answer
        return check_answer

    return register


def check(number: str, answer: Any) -> None:
    """Print PASS if the answer to an exercise is right, or else what is wrong with it.

    Notebook: 00_welcome

    Args:
        number: the exercise's number, such as `"00.1"`.
        answer: a number, an array, a function, ...: whatever the exercise asks for; None or `...`
            if not yet answered.

    Raises:
        ValueError: if there is no such exercise.
    """
    check_answer = _find(number)
    if _unanswered(answer):
        print(f"{number} is still open. Put your answer in place of the dots and run this cell "
              "again.")
        return
    try:
        hint = check_answer(answer)
    except Hint as found:
        hint = str(found)
    except Exception as error:
        hint = (f"That could not be checked ({type(error).__name__}: {error}). Is it what the "
                "exercise asks for?")
    print(f"{number} PASS" if hint is None
          else f"{number} NOT YET. You gave {show(answer)}. {hint}")
    if hint is None:
        record.note(number)


def progress() -> None:
    """Print which exercises are solved, and which is next.

    Notebook: 00_welcome

    `check` keeps the record on this computer, in the user's data folder or in the file that
    `COURSE_PROGRESS` names.

    Raises:
        OSError: if the record is there and cannot be read.
    """
    days, chapters = record.passed(), _chapters()
    for name, numbers in chapters.items():
        print(f"{name:28} {' '.join('✓' if number in days else '·' for number in numbers)}")
    left = [(number, name) for name, numbers in chapters.items() for number in numbers
            if number not in days]
    total = sum(map(len, chapters.values()))
    told = ("Next: exercise {} in {}.".format(*left[0]) if left else "That is the whole course. "
            "Well done!")
    print(f"{total - len(left)} of {total} exercises solved. {told}")


def _chapters() -> dict[str, list[str]]:
    """Return the numbers of the exercises of each notebook."""
    chapters: dict[str, list[str]] = {}
    for number in known():
        module = importlib.import_module(f"{__name__}.chapter_{number[:2]}")
        chapters.setdefault((module.__doc__ or "").removeprefix("Checks of ").rstrip("."),
                            []).append(number)
    return chapters


def known() -> list[str]:
    """Return the numbers of all exercises, in order."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_CHECKS)


def _find(number: str) -> Callable[[Any], str | None]:
    chapter = re.fullmatch(r"(\d\d)\.\d", str(number))
    if chapter and importlib.util.find_spec(f"{__name__}.chapter_{chapter[1]}"):
        importlib.import_module(f"{__name__}.chapter_{chapter[1]}")
    if number not in _CHECKS:
        raise ValueError(f"There is no exercise {number!r}. There are {', '.join(known())}.")
    return _CHECKS[number]


def _unanswered(answer: Any) -> bool:
    """Tell whether dots still stand where the answer should, also inside a list or as a function's
    whole body.
    """
    if isinstance(answer, list | tuple):
        return any(item is ... for item in answer)
    code = getattr(answer, "__code__", None)
    blank = (code is not None and code.co_code in (_dots.__code__.co_code,
                                                   _dots_with_text.__code__.co_code))
    return (answer is None or answer is ...
            or (blank and set(code.co_consts) <= {None, answer.__doc__}))


def _dots(): ...


def _dots_with_text():
    """Stand for a function that says what it should do, and does nothing yet."""


def show(value: Any, values: bool = True) -> str:
    """Return a value in one short line, for a hint; of a large array only the shape, unless some of
    its values are wanted.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        shown = " ".join(np.array2string(value, threshold=12, edgeitems=2, precision=4).split())
        return (shown if value.size <= 12 else f"an array of shape {value.shape}" + values
                * f": {shown}")
    return (f"the function {value.__name__}" if hasattr(value, "__code__")
            else " ".join(_SHORT.repr(value).split()))


def number(answer: Any) -> float:
    """Return an answer as a float.

    Raises:
        Hint: if it is not one finite number.
    """
    array = np.asarray(answer)
    if array.ndim or array.dtype.kind not in "iuf" or not np.isfinite(array):
        raise Hint(f"One number is asked for, not {show(answer)}.")
    return float(array)


def call(function: Callable, *arguments: Any) -> Any:
    """Return what a learner's function returns.

    Raises:
        Hint: if it is not a function, raises an error, or returns nothing.
    """
    shown = ", ".join(show(argument, values=False) for argument in arguments)
    if not callable(function):
        raise Hint("A function is asked for: its name alone, without parentheses.")
    try:
        result = function(*arguments)
    except Exception as error:
        raise Hint(f"Called with {shown}, it raised {type(error).__name__}: {error}") from error
    if result is None:
        raise Hint(f"Called with {shown}, it returned None. Is a `return` missing?")
    return result
