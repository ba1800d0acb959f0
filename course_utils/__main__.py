"""The course's command line: `compose` writes four-part music, `score` and `evaluate` measure it,
`doctor` checks the set-up. What a command does stands in `course_utils.commands`.
"""
import argparse
import importlib
import sys

from course_utils import doctor, environment

COMMANDS = ("compose", "finale", "score", "evaluate", "doctor")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if the doctor found a failure, or 2 after a message about what
    to change.
    """
    try:
        modules = {name: importlib.import_module(f"course_utils.commands.{name}")
                   for name in COMMANDS}
    except ModuleNotFoundError as missing:  # the wrong Python, or a set-up cut short
        print(f"error: {missing}. This is what the doctor finds:", file=sys.stderr)
        return doctor.main()
    told = "Deep learning with music: make some, measure some."
    parser = argparse.ArgumentParser(prog="python -m course_utils", description=told)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP))
    options = parser.parse_args(arguments)
    try:
        return modules[options.command].run(options) or 0
    except (ValueError, OSError) as error:
        print(f"error: {environment.printable(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
