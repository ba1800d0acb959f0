"""A panel that composes: temperature, seed, key and instruments, and a plain function that does the
same without a browser.
"""
import base64
import functools
import html

from course_utils import audio, synth
from course_utils.checks import SR
from course_utils.measuring import counterpoint
from course_utils.panels.show import panel
from course_utils.scores import Score, engraving, planning

# Four General MIDI programs each, soprano to bass; all of them sound at the written pitch.
INSTRUMENTS = {"wind quartet": (73, 69, 71, 70), "strings": (40, 40, 41, 42),
               "brass": (56, 60, 57, 58), "choir": (52, 52, 52, 52), "piano": (0, 0, 0, 0),
               "harpsichord": (6, 6, 6, 6), "guitars": (24, 24, 25, 32),
               "saxophones": (64, 65, 66, 67)}
KEYS = tuple(planning.key_name(key) for key in range(24))


@functools.lru_cache(maxsize=32)
def _compose(model, key: str, phrases: int, seed: int, temperature: float, top_p: float) -> Score:
    from course_utils.lstm import generation

    plan = planning.plan_chorale(phrases, planning.parse_key(key))
    return generation.compose(model, plan, seed=seed, temperature=temperature, top_p=top_p,
                              candidates=8)


def composition(model, key: str = "D major", phrases: int = 2, seed: int = 1,
                temperature: float = 0.9, top_p: float = 0.95, instruments: str = "wind quartet"):
    """Compose, engrave, measure and play a piece.

    Notebook: 08_lstm_composes_chorales

    Args:
        model: the chorale LSTM.
        key: such as "G major" or "F# minor".
        phrases: number of phrases of two bars, 1 to 8.
        seed: another seed, another piece.
        temperature: above 0; small values play safe, large ones surprise.
        top_p: share of probability that choices are made from, in (0, 1].
        instruments: one of `INSTRUMENTS`.

    Returns:
        An `IPython.display.HTML` with score, measures and player.

    Raises:
        ValueError: if an argument is out of range.
    """
    from IPython.display import HTML

    if instruments not in INSTRUMENTS:
        raise ValueError(f"The instruments are one of {', '.join(INSTRUMENTS)}, not "
                         f"{instruments!r}.")
    if phrases not in range(1, 9):
        raise ValueError(f"The number of phrases is 1 to 8, not {phrases}.")
    score = _compose(model, key, phrases, seed, temperature, top_p)
    y = synth.render(score, sr=SR, quarter_bpm=100, programs=INSTRUMENTS[instruments])
    player = audio.play(y, SR,
                        f"{key}, seed {seed}, temperature {temperature:g}, {instruments}").data
    return HTML(f"{_picture(score)}<p>{html.escape(describe(score))}</p>{player}")


def describe(score: Score) -> str:
    """Say in a line how a four-part score fares by a few rules of `counterpoint.measure`."""
    measured = counterpoint.measure(score)
    parallel = (len(counterpoint.parallels(score, counterpoint.FIFTH))
                + len(counterpoint.parallels(score, counterpoint.OCTAVE)))
    return (f"{parallel} parallel fifths and octaves, {measured['dissonance']:.0%} of the steps "
             f"dissonant, {measured['repetition']:.0%} heard before, "
             f"{measured['moves a quarter']:.1f} moves a quarter in each voice, "
             f"{'a' if measured['cadence at the end'] else 'no'} cadence at the end.")


def _picture(score: Score) -> str:
    # As a data address: the engraver's marks have names, which two pictures on one page would
    # share.
    data = base64.b64encode(engraving.engrave(score, width=800).encode()).decode()
    return f'<img alt="The score" style="max-width: 100%" src="data:image/svg+xml;base64,{data}">'


def composer(model):
    """Offer controls for what `composition` takes, and show what it makes of them.

    Notebook: 08_lstm_composes_chorales

    Args:
        model: the chorale LSTM.

    Returns:
        An `ipywidgets.VBox`; settings that do not work are explained in place of the music.
    """
    import ipywidgets

    slow = {"continuous_update": False}
    controls = {"temperature": ipywidgets.FloatSlider(value=0.9, min=0.1, max=2, step=0.1,
                                                      description="temperature", **slow),
                "top_p": ipywidgets.FloatSlider(value=0.95, min=0.05, max=1, step=0.05,
                                                description="top-p", **slow),
                "seed": ipywidgets.BoundedIntText(value=1, min=0, max=2**31 - 1,
                                                  description="seed"),
                "key": ipywidgets.Dropdown(options=KEYS, value="D major", description="key"),
                "phrases": ipywidgets.IntSlider(value=2, min=1, max=8, description="phrases",
                                                **slow),
                "instruments": ipywidgets.Dropdown(options=list(INSTRUMENTS),
                                                   description="instruments")}
    return panel(controls, functools.partial(composition, model))
