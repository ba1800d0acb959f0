"""Helpers of the course "Deep learning with music". Import the module you need: `from course_utils import scores`."""
import os

# TensorFlow reads this once, when it is first imported: or notebooks would store its greetings.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
