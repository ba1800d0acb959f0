"""The course's command line: `compose` writes four-part music, `score` and `evaluate` measure it,
`doctor` the set-up.
"""
import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path

from course_utils import doctor, environment

try:
    import numpy as np
    from tqdm import tqdm

    from course_utils import audio, datasets
    from course_utils.scores import STEPS_PER_QUARTER, Score, planning, score_files
# the wrong Python, or a set-up cut short: say what to do about it
except ModuleNotFoundError as missing:
    print(f"error: {missing}. This is what the doctor finds:", file=sys.stderr)
    sys.exit(doctor.main())

SHORTEST, LONGEST = 4.0, 600.0
RATE, TEMPO = 44100, 80.0
WEIGHTS = "weights/chorale_lstm.weights.h5"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if the doctor found a failure, or 2 after a message about what
    to change.
    """
    description = "Deep learning with music: make some, measure some."
    parser = argparse.ArgumentParser(prog="python -m course_utils", description=description)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_compose(commands)
    _add_finale(commands)
    _add_score(commands)
    _add_evaluate(commands)
    commands.add_parser("doctor",
                        help="check the set-up, in less than a minute").set_defaults(
        run=lambda _: doctor.main())
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _add_compose(commands) -> None:
    parser = commands.add_parser("compose",
                                 help="compose four-part music with the shipped chorale LSTM")
    parser.set_defaults(run=compose)
    parser.add_argument("-o", "--output", type=Path, default=Path("generated_music.wav"),
                        help="sound file (.wav, .flac, .ogg, .mp3); .mid, .musicxml and .svg go "
                        "beside it")
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


def _add_finale(commands) -> None:
    parser = commands.add_parser("finale", help="let the LSTM compose, the GAN's instruments play, "
                                 "and the CNN listen")
    parser.set_defaults(run=finale, melody=None, temperature=0.9, top_p=0.95)
    parser.add_argument("-o", "--output", type=Path, default=Path("generated_music.wav"),
                        help="sound file (.wav, .flac, .ogg, .mp3); .mid goes beside it")
    parser.add_argument("--seconds", type=float,
                        help=f"{SHORTEST:.0f} to {LONGEST:.0f} (default 30)")
    parser.add_argument("--seed", type=int, default=1,
                        help="another seed, other music and instruments (default 1)")
    parser.add_argument("--key", help="such as 'G major' or 'F# minor' (default: one of Bach's, "
                        "drawn by the seed)")
    parser.add_argument("--families", metavar="F,F,F,F", help="of the instruments, from soprano to "
                        "bass, such as flutes,reeds,brass,bowed (default: drawn by the seed)")


def _add_score(commands) -> None:
    parser = commands.add_parser("score", help="measure how well the shipped chorale LSTM predicts "
                                 "four-part music")
    parser.set_defaults(run=score)
    parser.add_argument("file", type=Path, help="NumPy archive (.npz) of one or more pieces: "
                        "integers (steps, 4) on sixteenths, MIDI pitches from soprano to bass, -1 "
                        "for a rest")


def score(options: argparse.Namespace) -> None:
    """Print nats per note of each piece in an archive, and of all notes together in the last
    line.
    """
    pieces = score_files.read_grids(options.file)
    from course_utils.lstm import evaluation

    total = 0.0
    for name, grid in tqdm(pieces.items(), unit="piece", disable=environment.quiet()):
        try:
            nll = evaluation.chorale_nll(grid)
        except ValueError as error:
            raise ValueError(f"'{options.file}', piece '{name}': {error}") from error
        total += nll * grid.size
        tqdm.write(f"{name} {len(grid)} steps {nll:.4f}")
    print(f"nats_per_note {total / sum(grid.size for grid in pieces.values()):.4f}")


def _add_evaluate(commands) -> None:
    parser = commands.add_parser("evaluate", help="judge a folder of scores against Bach's "
                                 "chorales, and of sound files")
    parser.set_defaults(run=evaluate)
    parser.add_argument("folder", type=Path, help="MIDI or MusicXML files in four voices, or sound "
                        "files, also in folders below")


def evaluate(options: argparse.Namespace) -> int:
    """Print what the measures of notebook 12 say of each file, and of all together; return 2 if no
    file could be judged.
    """
    from course_utils.measuring import judging_files

    judged, refused = judging_files.judge_folder(options.folder)
    print(*judged, sep="\n", end="\n" if judged else "")
    print(*refused, sep="\n", end="\n" if refused else "", file=sys.stderr)
    return 0 if judged else 2


def _programs(text: str) -> int | list[int]:
    numbers = [int(number) if number.strip().isdecimal() else -1 for number in text.split(",")]
    if len(numbers) not in (1, 4) or not all(0 <= number <= 127 for number in numbers):
        message = (f"'{text}' is not one or four General MIDI programs, 0 to 127, such as 19 or "
                   "40,41,42,43")
        raise argparse.ArgumentTypeError(message)
    return numbers[0] if len(numbers) == 1 else numbers


def compose(options: argparse.Namespace) -> None:
    """Compose, render, engrave and write; what is wrong with the options shows before the slow
    part.

    The temporary files of all four targets are opened first and moved into place last: all appear,
    or none.
    """
    plan, given, tempo = _plan(options)
    targets = _targets(options.output)
    with contextlib.ExitStack() as stack:
        files = {path.suffix: stack.enter_context(environment.writing(path)) for path in targets}
        bar = stack.enter_context(tqdm(total=4, disable=environment.quiet(),
                                       bar_format="{bar:20} {desc} [{elapsed}]"))
        bar.set_description_str("loading the network")
        from course_utils import synth
        from course_utils.lstm import chorale_lstm, generation
        from course_utils.scores import engraving

        model = chorale_lstm.load()
        _advance(bar, "composing")
        score = generation.compose(model, plan, given, seed=options.seed,
                                   temperature=options.temperature, top_p=options.top_p,
                                   candidates=generation.CANDIDATES)
        _advance(bar, "rendering")
        sound = {"quarter_bpm": tempo, "programs": options.programs}
        y = synth.render(score, sr=RATE, soundfont=options.soundfont, **sound)
        _advance(bar, "engraving and writing")
        comment = (f"generated by chorale_lstm, seed {options.seed}, weights "
                   f"{environment.sha256(environment.shipped(WEIGHTS))}")
        engraving.engrave(score, files[".svg"])
        score_files.to_midi(score, files[".mid"], comment=comment, **sound)
        score_files.to_musicxml(score, files[".musicxml"], comment=comment)
        audio.save(files[options.output.suffix], y, RATE, comment=comment)
        _advance(bar, "done")
    print(*targets, sep="\n")


def finale(options: argparse.Namespace) -> None:
    """Compose, invent four instruments, perform, write, and print what the listener and the
    measures say.
    """
    plan, _, tempo = _plan(options)
    targets = _targets(options.output)[:2]
    with contextlib.ExitStack() as stack:
        files = {path.suffix: stack.enter_context(environment.writing(path)) for path in targets}
        bar = stack.enter_context(tqdm(total=4, disable=environment.quiet(),
                                       bar_format="{bar:20} {desc} [{elapsed}]"))
        bar.set_description_str("composing")
        from course_utils import finale
        from course_utils.gan import instruments, tone_gan
        from course_utils.lstm import chorale_lstm, generation

        families = (finale.draw_families(options.seed) if options.families is None
                    else finale.checked(options.families))
        score = generation.compose(chorale_lstm.load(), plan, seed=options.seed,
                                   temperature=options.temperature, top_p=options.top_p,
                                   candidates=generation.CANDIDATES)
        _advance(bar, "inventing instruments")
        generator = tone_gan.load()
        invented = [finale.audition(generator, family, options.seed) for family in families]
        _advance(bar, "performing")
        voices = instruments.perform(score, invented, sr=RATE, quarter_bpm=tempo)
        _advance(bar, "listening and writing")
        made_by = [environment.sha256(environment.shipped(name))
                   for name in (WEIGHTS, tone_gan.WEIGHTS)]
        comment = (f"generated by chorale_lstm and gan_tones, seed {options.seed}, weights "
                   f"{' and '.join(made_by)}")
        report = finale.report(score, families, invented, voices, RATE)
        score_files.to_midi(score, files[".mid"], comment=comment, quarter_bpm=tempo)
        audio.save(files[options.output.suffix], instruments.mix(voices, stereo=True), RATE,
                   comment=comment)
        _advance(bar, "done")
    print(*(f"{what}: {figure}" for what, figure in report), sep="\n")
    print(*targets, sep="\n")


def _advance(bar: tqdm, what: str) -> None:
    bar.set_description_str(what, refresh=False)
    bar.update()


def _plan(options: argparse.Namespace) -> tuple[Score, tuple[int, ...], float]:
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


def _targets(output: Path) -> list[Path]:
    if output.suffix.lower() not in audio.FORMATS:
        raise ValueError(f"'{output}' is not a sound file. Let it end in one of "
                         f"{', '.join(audio.FORMATS)}.")
    return [output, *(output.with_suffix(ending) for ending in (".mid", ".musicxml", ".svg"))]


if __name__ == "__main__":
    sys.exit(main())
