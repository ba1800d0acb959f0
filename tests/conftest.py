"""The same surroundings for every test: quiet libraries, the quick budget, no learner's settings,
repeatable hypothesis.
"""
import os

from hypothesis import settings

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg", "COURSE_QUIET": "1"}
os.environ.pop("COURSE_BUDGET", None)

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")
