"""The command `compose`: four-part music, or a melody harmonised, written as four files."""
import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from course_utils import audio, datasets, environment, synth
from course_utils.commands import targets
from course_utils.scores import STEPS_PER_QUARTER, Score, planning, score_files

HELP = "compose four-part music with the shipped chorale LSTM"
SHORTEST, LONGEST = 4.0, 600.0
RATE, TEMPO = 44100, 80.0
WEIGHTS = "weights/chorale_lstm.weights.h5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be asked for."""
    parser.add_argument("-o", "--output", type=Path, default=Path("generated_music.wav"),
                        help="sound file (.wav, .flac, .ogg, .mp3); .mid, .musicxml and .svg go "
                        "beside it")
    parser.add_argument("--overwrite", action="store_true",
                        help="replace the sound file, even if this command did not write it")
    parser.add_argument("--seconds", type=float, help=f"{SHORTEST:.0f} to {LONGEST:.0f} (default "
                        "30; a melody sets its own)")
    parser.add_argument("--seed", type=int, default=1,
                        help="another seed, another piece (default 1)")
    parser.add_argument("--key", help="such as 'G major' or 'F# minor' (default: one of Bach's, "
                        "drawn by the seed)")
    parser.add_argument("--temperature", type=float, default=0.9,
                        help="below 1 plays safe, above 1 surprises (default 0.9)")
    parser.add_argument("--top-p", type=float, default=0.95,
                        help="share of probability to choose from (default 0.95)")
    parser.add_argument("--programs", type=_programs, metavar="P[,P,P,P]",
                        help="General MIDI programs, 0 to 127: one, or one for each voice")
    parser.add_argument("--melody", type=Path,
                        help="MIDI or MusicXML file whose first voice is harmonised")
    parser.add_argument("--soundfont", type=Path, help="another sound font (.sf2)")


def _programs(text: str) -> int | list[int]:
    numbers = [int(number) if number.strip().isdecimal() else -1 for number in text.split(",")]
    if len(numbers) not in (1, 4) or not all(0 <= number <= 127 for number in numbers):
        message = (f"'{text}' is not one or four General MIDI programs, 0 to 127, such as 19 or "
                   "40,41,42,43")
        raise argparse.ArgumentTypeError(message)
    return numbers[0] if len(numbers) == 1 else numbers


def run(options: argparse.Namespace) -> None:
    """Compose, render, engrave and write; what is wrong with the options shows before the slow
    part.

    The temporary files of all four targets are opened first and moved into place last: all appear,
    or none.
    """
    plan, given, tempo = plan_of(options)
    paths = targets.targets_of(options.output)
    targets.check(paths, [options.melody, options.soundfont], options.overwrite)
    with contextlib.ExitStack() as stack:
        files = {path.suffix: stack.enter_context(environment.writing(path)) for path in paths}
        bar = stack.enter_context(tqdm(total=4, disable=environment.quiet(),
                                       bar_format="{bar:20} {desc} [{elapsed}]"))
        bar.set_description_str("loading the network")
        from course_utils.lstm import chorale_lstm, generation
        from course_utils.scores import engraving

        model = chorale_lstm.load()
        advance(bar, "composing")
        score = generation.compose(model, plan, given, seed=options.seed,
                                   temperature=options.temperature, top_p=options.top_p,
                                   candidates=generation.CANDIDATES)
        advance(bar, "rendering")
        sound = {"quarter_bpm": tempo, "programs": options.programs}
        y = synth.render(score, sr=RATE, soundfont=options.soundfont, **sound)
        advance(bar, "engraving and writing")
        comment = (f"{targets.MARK}, seed {options.seed}, weights "
                   f"{environment.sha256(environment.shipped(WEIGHTS))}")
        files[".svg"].write_text(targets.marked_svg(engraving.engrave(score), comment), "utf-8")
        score_files.to_midi(score, files[".mid"], comment=comment, **sound)
        score_files.to_musicxml(score, files[".musicxml"], comment=comment)
        audio.save(files[options.output.suffix], y, RATE, comment=comment)
        advance(bar, "done")
    print(*paths, sep="\n")


def advance(bar: tqdm, what: str) -> None:
    """Say what is done next."""
    bar.set_description_str(what, refresh=False)
    bar.update()


def plan_of(options: argparse.Namespace) -> tuple[Score, tuple[int, ...], float]:
    """Return the score to fill, the voices that are given, and the tempo that makes whole phrases
    last as long as asked.
    """
    key = None if options.key is None else planning.parse_key(options.key)
    if not 0 <= options.seed < 2**31:
        raise ValueError(f"The seed is a whole number from 0 to 2147483647, not {options.seed}.")
    if not (0 < options.temperature <= 10 and 0 < options.top_p <= 1):
        raise ValueError(f"The temperature lies between 0 and 10 and top-p between 0 and 1, "
                         f"not {options.temperature} and {options.top_p}. Try 0.9 and 0.95.")
    if options.melody is not None:
        if options.seconds is not None:
            raise ValueError("A melody sets its own length: leave out --seconds or --melody.")
        plan, tempo, told = planning.read_melody(options.melody)
        print(*told, sep="\n", end="\n" if told else "", file=sys.stderr)
        return plan if key is None else replace(plan, key=key), (0,), tempo
    seconds = 30.0 if options.seconds is None else options.seconds
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"The length lies between {SHORTEST:.0f} and {LONGEST:.0f} seconds, not "
                         f"{seconds:g}.")
    if key is None:
        keys = [score.key for score in datasets.chorales("train")]
        key = keys[np.random.default_rng(options.seed).integers(len(keys))]
    plan = planning.plan_chorale(
        max(1, round(seconds * TEMPO / 60 * STEPS_PER_QUARTER / planning.PHRASE)), key)
    return plan, (), len(plan) / STEPS_PER_QUARTER * 60 / seconds
