"""Helpers of the course "Deep learning with music". Import the module you need: `from course_utils
import scores`.
"""
import os
import sys

# An older Python would stumble over the first modern line, and not say why.
if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError(f"The course takes Python 3.11, 3.12 or 3.13, and {sys.executable} is an "
                      "older one. Run `make lab` in the course's folder, and use the Python in "
                      ".venv.")

# TensorFlow reads this once, when it is first imported: or notebooks would store its greetings.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from course_utils import machine  # noqa: E402  (an older Python could not read it)

machine.settle()
