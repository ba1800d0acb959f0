"""The command `finale`: the LSTM composes, the GAN's instruments play, the CNN listens."""
import argparse
import contextlib
from pathlib import Path

from tqdm import tqdm

from course_utils import audio, environment
from course_utils.commands import targets
from course_utils.commands.compose import LONGEST, RATE, SHORTEST, WEIGHTS, advance, plan_of
from course_utils.scores import score_files

HELP = "let the LSTM compose, the GAN's instruments play, and the CNN listen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be asked for."""
    parser.set_defaults(melody=None, temperature=0.9, top_p=0.95)
    parser.add_argument("-o", "--output", type=Path, default=Path("generated_music.wav"),
                        help="sound file (.wav, .flac, .ogg, .mp3); .mid goes beside it")
    parser.add_argument("--overwrite", action="store_true",
                        help="replace the sound file, even if this command did not write it")
    parser.add_argument("--seconds", type=float,
                        help=f"{SHORTEST:.0f} to {LONGEST:.0f} (default 30)")
    parser.add_argument("--seed", type=int, default=1,
                        help="another seed, other music and instruments (default 1)")
    parser.add_argument("--key", help="such as 'G major' or 'F# minor' (default: one of Bach's, "
                        "drawn by the seed)")
    parser.add_argument("--families", metavar="F,F,F,F", help="of the instruments, from soprano to "
                        "bass, such as flutes,reeds,brass,bowed (default: drawn by the seed)")


def run(options: argparse.Namespace) -> None:
    """Compose, invent four instruments, perform, write, and print what the listener and the
    measures say.
    """
    plan, _, tempo = plan_of(options)
    paths = targets.targets_of(options.output)[:2]
    targets.check(paths, [], options.overwrite)
    with contextlib.ExitStack() as stack:
        files = {path.suffix: stack.enter_context(environment.writing(path)) for path in paths}
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
        advance(bar, "inventing instruments")
        generator = tone_gan.load()
        invented = [finale.audition(generator, family, options.seed) for family in families]
        advance(bar, "performing")
        voices = instruments.perform(score, invented, sr=RATE, quarter_bpm=tempo)
        advance(bar, "listening and writing")
        made_by = [environment.sha256(environment.shipped(name))
                   for name in (WEIGHTS, tone_gan.WEIGHTS)]
        comment = (f"{targets.MARK} and gan_tones, seed {options.seed}, weights "
                   f"{' and '.join(made_by)}")
        report = finale.report(score, families, invented, voices, RATE)
        score_files.to_midi(score, files[".mid"], comment=comment, quarter_bpm=tempo)
        audio.save(files[options.output.suffix], instruments.mix(voices, stereo=True), RATE,
                   comment=comment)
        advance(bar, "done")
    print(*(f"{what}: {figure}" for what, figure in report), sep="\n")
    print(*paths, sep="\n")
