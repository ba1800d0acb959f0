"""The command `evaluate`: judge a folder of scores and sounds."""
import argparse
import sys
from pathlib import Path

HELP = "judge a folder of scores against Bach's chorales, and of sound files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be asked for."""
    parser.add_argument("folder", type=Path, help="MIDI or MusicXML files in four voices, or sound "
                        "files of any kind, also in folders below")


def run(options: argparse.Namespace) -> int:
    """Print what the measures of notebook 12 say of each file, and of all together; return 2 if no
    file could be judged.
    """
    from course_utils.measuring import judging_files

    judged, refused = judging_files.judge_folder(options.folder)
    print(*judged, sep="\n", end="\n" if judged else "")
    print(*refused, sep="\n", end="\n" if refused else "", file=sys.stderr)
    if not judged:
        print(f"error: There is nothing to judge in '{options.folder}'. Put scores or sound files "
              "into it.", file=sys.stderr)
    return 0 if judged else 2
