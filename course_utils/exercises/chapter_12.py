"""Checks of 12_measuring_music."""
import functools

import numpy as np

from course_utils.exercises import Hint, call, exercise, number, show


@exercise("12.1")
def shared_ranks(answer) -> str | None:
    """A, B, C, D with overlapping intervals: 1, 1, 3, 1."""
    if not isinstance(answer, list | tuple | np.ndarray) or len(answer) != 4:
        return "A list of four ranks is asked for, of A, B, C and D."
    ranks = [number(rank) for rank in answer]
    slips = {(1, 2, 4, 3):
             "That is the order of the values. Whoever overlaps is not surely behind.",
             (1, 1, 4, 1): "D's interval reaches to 0.79 and overlaps C's. Only two models are "
             "surely before C.", (1, 1, 2, 1): "A model's rank is 1 plus the number of models "
             "surely before it. Two are before C.",
             (1, 1, 1, 1): "Most overlap, but C begins at 0.74, after A and B have ended.",
             (1, 1, 3, 2): "Is anybody surely before D? Its interval begins at 0.64.",
             (1, 1, 3, 3): "Is anybody surely before D? Its interval begins at 0.64.",
             (1, 1, 4, 3): "Is anybody surely before D? Its interval begins at 0.64, and it "
             "reaches into C's."}
    if ranks == [1, 1, 3, 1]:
        return None
    return slips.get(tuple(ranks), "For each model, count the others whose interval ends before "
                     "its own begins, and add 1.")


@exercise("12.2")
def at_infinity(answer) -> str | None:
    """7.4 at 50, 5.0 at 200: over 1/n, the line reaches 4.2 at 0."""
    limit = number(answer)
    slips = {160: "That is the slope. What is left when 1/n is 0?",
             5.0: "That is the value with 200 pieces, which still holds some of the bias.",
             4.2 + 1.6: "The bias with 200 pieces is to be subtracted, not added.",
             8.2: "That is the line over the number of pieces, at 0 pieces. Draw it over 1 / "
             "pieces.", 2.6: "Twice the step from 50 to 200 is not the step to infinity. Fit a "
             "line over 1 / pieces.", 6.2: "That is the mean of the two.",
             0: "The bias goes to 0. Does the distance?"}
    if abs(limit - 4.2) < 0.01:
        return None
    near = (told for wrong, told in slips.items() if abs(limit - wrong) < 0.01)
    return next(near, "Write d(n) = d + b / n for both, subtract to find b, then d.")


@functools.cache
def _chorales() -> list[np.ndarray]:
    from course_utils import datasets
    from course_utils.measuring import measures

    return [piece.pitches.astype(int) for piece in measures.excerpts(datasets.chorales("valid"))
            if (piece.pitches >= 0).all()][:40]


@exercise("12.3")
def design_a_test(answer) -> str | None:
    """A function of pitches, unmoved by transposition, that tells chorales from shuffled ones in 9
    cases of 10.
    """
    rng, larger = np.random.default_rng(0), []
    for piece in _chorales():
        given = piece.copy()
        value = number(call(answer, given))
        if not np.array_equal(given, piece):
            return "It changed its input. Work on a copy."
        moved = number(call(answer, piece + 3))
        if not np.isclose(value, moved, rtol=1e-6, atol=1e-9):
            return (f"A chorale has {show(value)}, and three semitones higher {show(moved)}. "
                    "Measure differences between pitches.")
        shuffled = piece.reshape(-1, 4, 4)[rng.permutation(len(piece) // 4)].reshape(-1, 4)
        again = number(call(answer, shuffled))
        larger.append(np.sign(again - value) if not np.isclose(again, value, rtol=1e-9, atol=1e-12)
                      else 0)
    if not any(larger):
        return ("Shuffling never changes it. Look at what follows what, not at which notes there "
                "are.")
    share = max(larger.count(1), larger.count(-1)) / len(larger)
    if share < 0.9:
        return (f"It moves in one direction in {share:.0%} of the cases; 90 % are asked for. Look "
                "at what one voice does next.")
    return None


@exercise("12.4")
def find_the_cheat(answer) -> str | None:
    """A table (128, 4) that keeps all rules and repeats one bar."""
    from course_utils import scores
    from course_utils.measuring import counterpoint, measures, musical_statistics

    grid = np.asarray(answer)
    if (grid.shape != (measures.STEPS, 4) or grid.dtype.kind not in "iuf"
            or not (grid == np.round(grid)).all()):
        raise Hint(f"A table of whole numbers, shape ({measures.STEPS}, 4), is asked for; this has "
                   f"{grid.shape}, {grid.dtype}.")
    if grid.min() < 0 or grid.max() > 127:
        return "Pitches are MIDI numbers from 0 to 127, without rests."
    score = scores.from_grid(grid.astype(int))
    outside, dissonant = counterpoint.out_of_range_rate(score), counterpoint.dissonance_rate(score)
    inside, moves = (musical_statistics.scale_consistency(score),
                     counterpoint.moves_per_quarter(score))
    parallel = sum(len(counterpoint.parallels(score, size))
                   for size in (counterpoint.FIFTH, counterpoint.OCTAVE))
    kept = {"Voices cross: soprano, alto, tenor, bass, from high to low.":
            counterpoint.crossing_rate(score) == 0,
            f"{outside:.0%} of the notes are out of a voice's range (`counterpoint.RANGES`).":
            outside == 0, f"Only {inside:.0%} of the notes lie in one scale.": inside > 0.999,
            f"{dissonant:.0%} of the steps are dissonant. Use triads.": dissonant == 0,
            f"There are {parallel} parallel fifths or octaves. Let bass and upper voices move "
            "against each other.": parallel == 0,
            f"The voices make {moves:.2f} moves a quarter; Bach's make 0.6 to 1.6.": 0.6 <= moves
            <= 1.6,
            "It should repeat its first bar of 16 steps from beginning to end.":
            bool((grid.reshape(-1, 16, 4) == grid[:16]).all())}
    return next((hint for hint, true in kept.items() if not true), None)
