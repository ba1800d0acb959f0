"""Checks of 07_lstm_continues_audio."""
import numpy as np

from course_utils.exercises import call, exercise, number, show

FAULTS = {"sample rate": "(a) Tempo and pitch change together when samples are played faster than "
          "they were meant to be.", "return_sequences": "(b) A layer that wants three axes got "
          "two: the time axis was dropped by the layer before it.",
          "softmax": "(c) Which activation makes outputs that are positive and add up to 1?",
          "batch axis": "(d) The rows of one window were taken for 64 separate examples."}

SLIPS_OF_SKILL = {  # by what the first case returns
    0.25: "The 1 - is missing: that is the share of the error that is left.",
    0.5: "Compare squared errors, not their roots.",
    0.6667: "Compare squared errors, not absolute values.",
    -3: "The fraction stands on its head: the network's error goes on top.",
    0.5897: "Average all squared errors first, and divide then.",
    0.7949: "Average all squared errors first, and divide then.",
    0.7593: "Average all squared errors first, and divide then.",
    0.375: "Measure what the network says against the target, not against the last frame.",
}


@exercise("07.1")
def windows_of_a_thousand_frames(answer) -> str | None:
    """1000 frames, windows of 64 and a target one later, hop 16: starts 0, 16, ..., 928, so 59."""
    slips = {58: "The window that starts at frame 0 counts, too.", 58.5: "A number of windows is "
             "whole. Which is the last start that leaves 64 frames and one target more?",
             60: "That is one too many: the last window needs a target for its last frame.",
             62: "A window that starts too late has no 64 frames left. Which is the last start "
             "that has?", 63: "A window that starts too late has no 64 frames left. Which is the "
             "last start that has?", 15: "That is the number of windows side by side. The next one "
             "begins after a hop of 16.", 16: "That is the number of windows side by side. The "
             "next one begins after a hop of 16.",
             936: "That is a window at every frame. The hop is 16."}
    count = number(answer)
    return (None if count == 59 else slips.get(count, "Count the starts 0, 16, 32, ... up to the "
                                               "last that leaves 65 frames."))


@exercise("07.2")
def best_constant(answer) -> str | None:
    """-10 dB with probability 0.8, 30 dB with 0.2: the mean is -2, its squared error 256."""
    if not isinstance(answer, list | tuple | np.ndarray) or len(answer) != 2:
        return "Two numbers are asked for: [what the network says, its mean squared error]."
    said, error = number(answer[0]), number(answer[1])
    slips = {-10: "That is the likeliest value, which squared error does not ask for.",
             10: "Weigh the two values by their probabilities.", 2: "Check the sign.",
             22: "-10 is the likelier one.",
             256: "The other way round: first what the network says, then its error."}
    if abs(said + 2) > 0.01:
        return slips.get(said, "The best number is the mean: each value times its probability, "
                         "added up.")
    if abs(error - 16) < 0.01:
        return "That is the root of it. The *squared* error is asked for."
    if abs(error - 256) > 0.1:
        return ("The number said is right, its error is not: average (value - said) ** 2 with the "
                "same probabilities.")
    return None


@exercise("07.3")
def skill(answer) -> str | None:
    """A function (said, last, target): 1 - MSE / MSE of repeating the last frame."""
    last, target = np.array([[0.0, 4, 7], [1, 0, 1]]), np.array([[1.0, 2, 8], [2, 3, 5]])
    cases = (("two of six numbers wrong", np.array([[1.0, 4, 8], [2, 1, 5]]), 0.75),
             ("what comes next", target, 1.0), ("the last frame", last, 0.0),
             ("a frame twice as far off", 2 * last - target, -3.0))
    for name, said, right in cases:
        given = said.copy(), last.copy(), target.copy()
        value = np.asarray(call(answer, *given))
        if not all(map(np.array_equal, given, (said, last, target))):
            return "It changed its input. Work on a copy."
        told = f"If the network says {name}, it returned "
        if value.ndim or value.dtype.kind not in "iuf":
            return f"{told}{show(value)}. One number is asked for."
        if not abs(value - right) < 1e-6:
            rounded = round(float(value), 4)
            return (f"{told}{show(rounded)}. It should be {right:g}. "
                    f"{SLIPS_OF_SKILL.get(rounded, '')}".rstrip())
    return None


@exercise("07.4")
def fault_for_each_symptom(answer) -> str | None:
    """The fault behind each of four symptoms."""
    chosen = list(map(str, answer)) if isinstance(answer, list | tuple | np.ndarray) else []
    if sorted(chosen) != sorted(FAULTS):
        return f"A list of four names is asked for, each once: {', '.join(sorted(FAULTS))}."
    return next((hint for mine, (name, hint) in zip(chosen, FAULTS.items()) if mine != name), None)
