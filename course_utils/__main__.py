"""The course's command line: `compose` writes four-part music, `score` and `evaluate` measure it,
`doctor` checks the set-up. What a command does stands in `course_utils.commands`.
"""
import argparse
import errno
import importlib
import sys

from course_utils import doctor, environment, machine

COMMANDS = ("compose", "finale", "score", "evaluate", "doctor")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if the doctor found a failure, or 2 after a message about what
    to change. Interrupted, it returns 130; 141 if nobody reads what it prints any more.
    """
    machine.tolerate_any_text()
    try:
        with machine.ending_cleanly():
            status = _run(arguments)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return machine.INTERRUPTED
    except BrokenPipeError:
        machine.drop_output()
        return machine.CLOSED


def _run(arguments: list[str] | None) -> int:
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
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"error: {environment.printable(error)}{_advice(error)}", file=sys.stderr)
        return 2


def _advice(error: Exception) -> str:
    full = [getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG")]
    if getattr(error, "errno", None) not in full or error.errno is None:
        return ""
    return ". Free some space on the disk, or write to another one."


if __name__ == "__main__":
    sys.exit(main())
