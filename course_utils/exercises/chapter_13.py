"""Checks of 13_listening_test."""
import math

import numpy as np

from course_utils.exercises import call, exercise, number
from course_utils.listening import analysis

FLAWS = {"loudness": "(a) The two differ in something besides the music, which ears take for "
         "quality.", "order": "(b) Whoever leans towards the first sound finds Bach without "
         "listening. What should be drawn at random?",
         "blinding": "(c) The listener can read the answer. What should be hidden?",
         "independence": "(d) What was drawn at random: pairs, or persons?"}
SENTENCES = (
    (False, "(a) Is 0.6 inside the interval? Then it has not been shown that there is nothing."),
    (True, "(b) Look whether 0.5 lies inside."),
    (True, "(c) Compute the upper end, and look whether 0.65 lies below it."),
    (True, "(d) Compute the interval of 330 hits in 600 trials."),
)
ROWS = [("QXB42", 1, "A"), ("KTR77", 1, "B"), ("QXB42", 2, "4"), ("QXB42", 1, "A"),
        ("KTR77", 1, "A"), ("QXB42", 2, "5"), ("KTR77", 2, "4")]


@exercise("13.1")
def flaws_of_designs(answer) -> str | None:
    """A flaw for each of four designs."""
    if not isinstance(answer,
                      list | tuple | np.ndarray) or sorted(map(str, answer)) != sorted(FLAWS):
        return f"A list of four names is asked for, each once: {', '.join(sorted(FLAWS))}."
    return next((hint for chosen, (name, hint) in zip(answer, FLAWS.items()) if chosen != name),
                None)


@exercise("13.2")
def what_an_interval_says(answer) -> str | None:
    """33 of 60: 0.42 to 0.68; 330 of 600: 0.51 to 0.59."""
    judged = np.asarray(answer)
    if judged.shape != (4,) or judged.dtype != bool:
        return "A list of four values is asked for, each True or False."
    return next((hint for said, (right, hint) in zip(judged, SENTENCES) if said != right), None)


@exercise("13.3")
def listeners_needed(answer) -> str | None:
    """A function (p, each) that rounds the trials needed up to whole listeners."""
    for p, each in ((0.9, 5), (0.7, 6), (0.8, 7), (0.6, 20), (0.75, 1)):
        trials = analysis.trials_needed(p)
        said, right = number(call(answer, p, each)), math.ceil(trials / each)
        told = f"For p = {p} and {each} trials each it returned {said:g}."
        slips = {trials: "That is the number of trials. Divide by those of each listener.",
                 trials / each: "Nobody sends a part of a listener. Round.",
                 trials // each: "That many are a few trials short. Round up."}
        if said != right:
            first = next(n for n in range(1, trials + 1) if analysis.power(n, p) >= 0.8)
            if said == math.ceil(first / each):
                return (f"{told} With a few more trials the power dips below 0.8 again. Count "
                         "from where it stays above, as `analysis.trials_needed` does.")
            return (
                f"{told} {slips.get(said, 'Ask listening_analysis.trials_needed(p), and divide.')}")
    return None


@exercise("13.4")
def merge_without_loss(answer) -> str | None:
    """A function (rows) that returns the first row of each code and trial, and the others."""
    rows = list(ROWS)
    result = call(answer, rows)
    if rows != ROWS:
        return "It changed the list that came in. Work on new lists."
    if not isinstance(result, list | tuple) or len(result) != 2 or not all(
        isinstance(part, list | tuple) for part in result):
        return "Two lists are asked for: what is kept, and what is put aside."
    kept, aside = ([tuple(row) for row in part] for part in result)
    if sorted(kept + aside) != sorted(ROWS):
        return (f"{len(ROWS)} rows came in, and {len(kept) + len(aside)} came out, or others. Each "
                "row belongs to one list.")
    keys = [row[:2] for row in kept]
    if len(set(keys)) < len(keys):
        return ("A code answers a trial twice in what was kept. Only the first answer counts, even "
                "if a later one differs.")
    if len(keys) < 4:
        return "Too much was put aside: another code, or another trial, is another question."
    if kept != [ROWS[k] for k in (0, 1, 2, 6)]:
        return "Keep the first answer to each trial, not a later one, and keep the order."
    return (None if aside == [ROWS[k] for k in (3, 4, 5)] else "The rows put aside should stay in "
            "the order in which they came.")
