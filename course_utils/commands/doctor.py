"""The command `doctor`: check the set-up, with advice for each failure."""
import argparse

from course_utils import doctor

HELP = "check the set-up, in less than a minute"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: there is nothing to ask for."""


def run(options: argparse.Namespace) -> int:
    """Examine; return 0, or 1 if something that the course needs has failed."""
    return doctor.main()
