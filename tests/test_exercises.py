"""Each check passes the worked answer, and rejects plausible wrong ones with a hint that names the
learner's value.
"""
import math

import numpy as np
import pytest
import scipy.fft
import scipy.special
import scipy.stats

from course_utils import exercises
from course_utils.by_hand.recurrence import sigmoid
from course_utils.listening import analysis
from course_utils.sound.features import dct_matrix


def shift(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches + semitones)


def shift_row_by_row(pitches, semitones):
    return [[p if p == -1 else p + semitones for p in row] for row in pitches]


def shift_that_moves_rests(pitches, semitones):
    return pitches + semitones


def shift_in_place(pitches, semitones):
    pitches[pitches >= 0] += semitones
    return pitches


def shift_downwards(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches - semitones)


def shift_that_flattens(pitches, semitones):
    return [int(p) + semitones for p in pitches.ravel() if p >= 0]


def shift_without_return(pitches, semitones):
    pitches = pitches + semitones


def alias(f, sr):
    return abs(f - sr * round(f / sr))


def alias_by_folding(f, sr):
    rest = f % sr
    return rest if rest <= sr / 2 else sr - rest


def two_tones(left=440, right=660, amplitude=0.5, seconds=1.0):
    t = np.arange(round(16000 * seconds)) / 16000
    return (amplitude * np.stack([np.sin(2 * np.pi * left * t), np.sin(2 * np.pi * right * t)],
                                 axis=1))


def to_peak(y, peak):
    return y * (peak / np.abs(y).max()) if y.any() else y


def to_peak_in_place(y, peak):
    y *= peak / max(np.abs(y).max(), 1e-9)
    return y


def to_peak_by_the_highest(y, peak):
    return y * (peak / max(y.max(), 1e-9))


def to_peak_of_silence(y, peak):
    with np.errstate(invalid="ignore"):
        return y * (peak / np.float64(np.abs(y).max())) if y.any() else y / 0.0


def leaks(groups, train, test):
    return set(groups[train].tolist()) & set(groups[test].tolist())


def leaks_of_indices(groups, train, test):
    return set(train.tolist()) & set(test.tolist())


def leaks_as_a_list(groups, train, test):
    return sorted(leaks(groups, train, test))


def leaks_that_join(groups, train, test):
    return set(groups[train].tolist()) | set(groups[test].tolist())


def smooth(log_mel, keep):
    rows = dct_matrix(log_mel.shape[1])[:keep]
    return log_mel @ rows.T @ rows


def smooth_with_scipy(log_mel, keep):
    coefficients = scipy.fft.dct(log_mel, norm="ortho")
    coefficients[:, keep:] = 0
    return scipy.fft.idct(coefficients, norm="ortho")


def smooth_to_coefficients(log_mel, keep):
    return log_mel @ dct_matrix(log_mel.shape[1])[:keep].T


def smooth_of_64_bands(log_mel, keep):
    rows = dct_matrix(64)[:keep]
    return log_mel @ rows.T @ rows


def smooth_with_the_last(log_mel, keep):
    rows = dct_matrix(log_mel.shape[1])[-keep:]
    return log_mel @ rows.T @ rows


def smooth_in_place(log_mel, keep):
    log_mel[:] = smooth(log_mel, keep)
    return log_mel


def smooth_along_time(log_mel, keep):
    return smooth(log_mel.T, keep).T


def smooth_without_scale(log_mel, keep):
    coefficients = scipy.fft.dct(log_mel)
    coefficients[:, keep:] = 0
    return scipy.fft.idct(coefficients, norm="ortho")


def gru_step(x, h, kernel, recurrent, order="zrg", gate=sigmoid, bend=np.tanh):
    x_part = dict(zip(order, np.split(x @ kernel, 3, axis=-1)))
    u = dict(zip(order, np.split(recurrent, 3, axis=-1)))
    z, r = (gate(x_part[name] + h @ u[name]) for name in "zr")
    return z * h + (1 - z) * bend(x_part["g"] + (r * h) @ u["g"])


def gru_with_z_upside_down(x, h, kernel, recurrent):
    z = sigmoid(np.split(x @ kernel, 3, axis=-1)[0] + h @ np.split(recurrent, 3, axis=-1)[0])
    candidate = (gru_step(x, h, kernel, recurrent) - z * h) / (1 - z)
    return (1 - z) * h + z * candidate


def gru_with_late_reset(x, h, kernel, recurrent):
    (x_z, x_r, x_g), (h_z, h_r,
                      h_g) = (np.split(a, 3, axis=-1) for a in (x @ kernel, h @ recurrent))
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * np.tanh(x_g + r * h_g)


def gru_without_reset(x, h, kernel, recurrent):
    z, _, g = np.split(x @ kernel + h @ recurrent, 3, axis=-1)
    return sigmoid(z) * h + (1 - sigmoid(z)) * np.tanh(g)


def gru_in_place(x, h, kernel, recurrent):
    h[:] = gru_step(x, h, kernel, recurrent)
    return h


def delay(kernel=((1, 0),), recurrent=((0, 1), (0, 0)), bias=(0, 0)):
    return [np.array(kernel, float), np.array(recurrent, float), np.array(bias, float)]


def skill(said, last, target):
    return 1 - np.mean((said - target) ** 2) / np.mean((last - target) ** 2)


def skill_of_absolute_errors(said, last, target):
    return 1 - np.mean(np.abs(said - target)) / np.mean(np.abs(last - target))


def skill_in_place(said, last, target):
    said -= target
    return 1 - np.mean(said**2) / np.mean((last - target) ** 2)


def top_k(p, k):
    kept = np.where(p >= np.sort(p)[-k], p, 0)
    return kept / kept.sum()


def top_k_in_place(p, k):
    p[np.argsort(p)[:-k]] = 0
    return p / p.sum()


def back_off(count, total, distinct, shorter):
    return shorter if total == 0 else (count + 3 * distinct * shorter) / (total + 3 * distinct)


def gumbel_pick(logits, temperature, noise):
    return int(np.argmax(logits if temperature == 0 else logits / temperature + noise))


def gumbel_pick_in_place(logits, temperature, noise):
    logits /= temperature or 1
    return np.argmax(logits + noise * (temperature > 0))


def mean_pool_backward(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1]] = np.repeat(dy, size, axis=1) / size
    return dx


def mean_pool_backward_by_loops(dy, x, size):
    dx = np.zeros_like(x)
    for t in range(dy.shape[1]):
        for k in range(size):
            dx[:, size * t + k] = dy[:, t] / size
    return dx


def mean_pool_backward_undivided(dy, x, size):
    return size * mean_pool_backward(dy, x, size)


def mean_pool_backward_without_rest(dy, x, size):
    return np.repeat(dy, size, axis=1) / size


def mean_pool_backward_with_rest(dy, x, size):
    return (np.pad(np.repeat(dy, size, axis=1),
                   ((0, 0), (0, x.shape[1] - size * dy.shape[1]), (0, 0)), mode="edge") / size)


def mean_pool_backward_tiled(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1]] = np.tile(dy, (1, size, 1)) / size
    return dx


def mean_pool_backward_to_the_first(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1] : size] = dy
    return dx


def mean_pool_backward_in_place(dy, x, size):
    x[:] = mean_pool_backward(dy, x, size)
    return x


def balanced(played, heard):
    return np.mean([(heard[played == k] == k).mean() for k in np.unique(played)])


def balanced_by_heard(played, heard):
    return np.mean([(played[heard == k] == k).mean() for k in np.unique(heard)])


def relative(level):
    return level - level.max(axis=(1, 2), keepdims=True)


def relative_in_place(level):
    level -= level.max(axis=(1, 2), keepdims=True)
    return level


def kl(p, q):
    return (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()


def jsd(p, q):
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def jsd_with_nan(p, q):
    with np.errstate(all="ignore"):
        return ((p * np.log(2 * p / (p + q))).sum() + (q * np.log(2 * q / (p + q))).sum()) / 2


def saturating_backward(logits):
    return -sigmoid(logits) / len(logits)


def sand(x, y):
    return np.abs(np.sort(x) - np.sort(y)).mean()


def sand_in_place(x, y):
    x.sort()
    y.sort()
    return np.abs(x - y).mean()


# Number: (worked answers, wrong answers, each with what the hint must say).
def listeners_needed(p, each):
    return math.ceil(analysis.trials_needed(p) / each)


def listeners_from_the_first_trial_that_suffices(p, each):
    return math.ceil(next(n for n in range(1, 10_000) if analysis.power(n, p) >= 0.8) / each)


def merged(rows):
    seen, kept, aside = set(), [], []
    for row in rows:
        (aside if row[:2] in seen else kept).append(row)
        seen.add(row[:2])
    return kept, aside


def merged_with_the_last(rows):
    last = {row[:2]: row for row in rows}
    kept = list(last.values())
    aside = list(rows)
    for row in kept:
        aside.remove(row)
    return kept, aside


def merged_by_value(rows):
    kept = list(dict.fromkeys(rows))
    aside = list(rows)
    for row in kept:
        aside.remove(row)
    return kept, aside


def merged_in_place(rows):
    kept, aside = merged(rows)
    rows[:] = kept
    return kept, aside


def merged_by_code(rows):
    first = {}
    for row in rows:
        first.setdefault(row[0], row)
    kept = list(first.values())
    return kept, [row for k, row in enumerate(rows) if row not in kept or rows.index(row) < k]


def mean_motion(pitches):
    return np.abs(np.diff(pitches, axis=0)).mean()


def mean_motion_in_place(pitches):
    pitches -= pitches.min()
    return mean_motion(pitches)


def chord_span(pitches):
    return float((pitches[:, 0] - pitches[:, 3]).mean())


def rule_keeping_bar(*chords, steps=4, bars=8):
    bar = np.repeat(np.array(chords), steps, axis=0)
    return np.resize(bar, (16 * bars, 4))


TONIC, FOURTH_UP = [72, 67, 64, 48], [69, 65, 60, 53]


def through(dy, logits):
    soft = np.exp(logits - logits.max())
    soft /= soft.sum()
    return soft * (dy - soft @ dy)


def differing(pairs):
    notes = pairs.reshape(len(pairs), -1)
    apart = (notes[:, None] != notes[None]).mean(axis=2)
    return apart.sum() / (len(pairs) * (len(pairs) - 1))


def nearest_bar(bar, known):
    return max(np.unique(bar - other, return_counts=True)[1].max() / bar.size for other in known)


def odd_only(frames):
    spectrum = np.fft.rfft(frames)
    spectrum[..., ::2] = 0
    return np.fft.irfft(spectrum)


def odd_only_in_place(frames):
    frames[...] = odd_only(frames)
    return frames


def keep_harmonics(kept):
    def keep(frames):
        spectrum = np.fft.rfft(frames)
        return np.fft.irfft(np.where(kept(np.arange(513)), spectrum, 0))

    return keep


def odd_along_the_first_axis(frames):
    spectrum = np.fft.rfft(frames)
    spectrum[::2] = 0
    return np.fft.irfft(spectrum)


def cross_fade(a, b, share):
    return 20 * np.log10((1 - share) * 10 ** (a / 20) + share * 10 ** (b / 20))


def cross_fade_to_nothing(a, b, share):
    mixed = cross_fade(a, b, share)
    return np.where(mixed < -89.9, -np.inf, mixed)


ANSWERS = {"00.1": ([160, 160.0, np.int64(160), np.array(160.0)],
                    [(40, "40"), (9600, "9600"), (2400, "2400"), (640, "640"), (161, "161"),
                     (True, "True"), ("160", "'160'"), (np.nan, "nan"), ([160, 1], "[160, 1]"),
                     (np.arange(50), "shape (50,)")]),
           "00.2":
           ([[72, 67, 64, 48], [76, 64, 55, 36], (76, 67, 60, 60), np.array([79, 64, 60, 48])],
            [([48, 64, 67, 72], "cross"), ([72, 67, 60, 48], "no E"), ([72, 67, 63, 48], "[63]"),
             ([72, 67, 60, 52], "bass sings E"), ([84, 67, 64, 48], "[84]"),
             ([72, 67, 64], "[72, 67, 64]"), ([72.5, 67, 64, 48], "72.5"), ("CEGC", "'CEGC'")]),
           "00.3": ([shift, shift_row_by_row],
                    [(shift_that_moves_rests, "moved the rests"),
                     (shift_in_place, "changed its input"), (shift_downwards, "[[70 65 62 46]"),
                     (shift_that_flattens, "shape"), (shift_without_return, "returned None"),
                     (lambda pitches: pitches, "TypeError"), (12, "You gave 12")]),
           "01.1": ([31_752_000, 31_752_000.0],
                    [(254_016_000, "Those are bits"), (15_876_000, "factor of 2 is missing"),
                     (7_938_000, "one channel"), (529_200, "180 seconds"), (176_400, "one second"),
                     (31.752, "megabytes"), (63_504_000, "too much"), (31_000_000, "Multiply"),
                     ("31 MB", "One number")]), "01.2": ([alias, alias_by_folding],
                                                         [(lambda f, sr: f % sr, "f = 7000 and sr "
                                                           "= 8000 it returned 7000"),
                                                          (lambda f, sr: sr - f, "fold again"),
                                                          (lambda f, sr: f - sr * round(f / sr),
                                                           "returned -1000. A frequency is not "
                                                           "negative"),
                                                          (lambda f, sr: min(f, abs(sr - f)),
                                                           "f = 12500 and sr = 8000 it returned "
                                                           "4500"),
                                                          (lambda f, sr: min(f, sr / 2),
                                                           "It should be 1000"),
                                                          (lambda f: f, "TypeError"),
                                                          (1000, "A function is asked for"),
                                                          (lambda f, sr: print(end=""),
                                                           "returned None"),
                                                          (lambda f, sr: f"{f} Hz", "One number")]),
           "01.3":
           ([14, 14.0], [(13, "80.0 dB. That is not enough"), (15, "1.76"),
                         (13.83, "whole numbers"), (16, "Fewer are enough"), (28, "20 log10"),
                         (0, "20 log10"), ([14], "One number")]),
           "01.4": ([two_tones(), two_tones().astype(np.float32), two_tones().tolist()],
                    [(two_tones().T, "channels come first"), (two_tones(660, 440), "swapped"),
                     (two_tones(440, 880), "880 Hz"), (two_tones(amplitude=1.0), "1.00 and 1.00"),
                     (two_tones(seconds=2.0), "(32000, 2)"), (two_tones()[:, 0], "two axes"),
                     ((two_tones() * 32767).astype(np.int16), "floats"),
                     (np.zeros((16000, 2)), "0 Hz"), (two_tones() * np.nan, "NaN"),
                     (two_tones() + 0.1 * two_tones(880, 880), "more in it"),
                     (0.5 * np.sin(2 * np.pi * np.linspace(0, 1, 16000)[:, None] * [440, 660]),
                      "np.linspace")]), "02.1": ([41, 41.0, np.int64(41)],
                                                 [(40, "One is missing"),
                                                  (44, "first window already"),
                                                  (43, "rounded down"), (11, "without overlap"),
                                                  (10, "whole windows"), (31, "Here are 22050"),
                                                  (40.07, "is whole"), (42, "every hop"),
                                                  ("41", "'41'")]),
           "02.2": ([12 * np.log2(0.8), -3.86, -3.9, np.float32(-3.863)],
                    [(3.86, "3.86"), (12 * np.log(0.8), "natural"), (-2.4, "-2.4"),
                     (np.log2(0.8), "octaves"), (-5, "-5"), ([-3.86], "[-3.86]")]),
           "02.3": ([to_peak, lambda y, peak: y / max(np.abs(y).max(), 1e-12) * peak],
                    [(to_peak_in_place, "changed its input"),
                     (to_peak_by_the_highest, "largest absolute"),
                     (to_peak_of_silence, "Silence became"),
                     (lambda y, peak: np.clip(y, -peak, peak), "largest absolute"),
                     (0.9, "You gave 0.9")]),
           "02.4": ([leaks, lambda g, a, b: frozenset(leaks(g, a, b))],
                    [(leaks_of_indices, "set()"), (leaks_as_a_list, "[7]"),
                     (leaks_that_join, "found {3, 5, 7, 9}"),
                     (lambda g, a, b: len(leaks(g, a, b)), "returned 1"), ({7}, "You gave {7}")]),
           "03.1": ([431, 431.0, np.int64(431)],
                    [(430, "first frame"), (430.66, "whole numbers"), (427, "without zeros"),
                     (432, "last whole hop"), (108, "after a hop"), (44, "Ten"),
                     (862, "whole hops"), ("431", "One number"),
                     (np.ones((431, 1025)), "shape (431, 1025)")]),
           "03.2": ([16384, 2.0**14],
                    [(8192, "1.28 of its bins"), (32768, "smaller one"), (12800, "power of two"),
                     (1024, "0.16 of its bins"), (0, "power of two"), (-16384, "power of two"),
                     ([16384], "One number")]), "03.3": ([smooth, smooth_with_scipy],
                                                         [(smooth_to_coefficients,
                                                           "returned the coefficients"),
                                                          (smooth_of_64_bands, "ValueError"),
                                                          (smooth_with_the_last, "kept the last"),
                                                          (smooth_in_place, "changed its input"),
                                                          (smooth_along_time, "along time"),
                                                          (smooth_without_scale,
                                                           "not what the first rows"),
                                                          (lambda log_mel, keep: log_mel,
                                                           "changed nothing"),
                                                          (lambda log_mel, keep: log_mel[:, :keep],
                                                           "coefficients"),
                                                          (lambda log_mel,
                                                           keep: log_mel - smooth(log_mel, keep),
                                                           "dropped the first"),
                                                          (lambda log_mel,
                                                           keep: scipy.fft.dct(log_mel,
    norm="ortho") * (np.arange(log_mel.shape[1]) < keep), "set to 0"),
    (lambda log_mel, keep: print(end=""), "returned None"), (13, "You gave 13")]),
    "03.4":
    ([["log-mel", "chroma", "STFT", "MFCC"], np.array(["log-mel", "chroma", "STFT", "MFCC"])],
     [(["MFCC", "chroma", "STFT", "log-mel"], "(a)"),
      (["log-mel", "STFT", "chroma", "MFCC"], "(b)"),
      (["log-mel", "log-mel", "STFT", "MFCC"], "each once"),
      (["chroma", "log-mel", "STFT", "MFCC"], "(a)"),
      (["log-mel", "chroma", "MFCC", "STFT"], "(c)"), ("STFT", "four names"),
      ([1, 2, 3, 4], "four names")]), "04.1": ([254, 254.0, np.int64(254)],
                                               [(256, "minus one at the ends"),
                                                (255, "layer by layer"), (253, "width minus one"),
                                                (508, "before the last"), (16256, "How many steps"),
                                                (252, "T // 2"), ("254", "One number"),
                                                ((254, 64), "One number")]),
    "04.2": ([6400, 5 * 32 + 32 + 3 * 32 * 64 + 64],
             [(6304, "biases are missing"), (448, "all 32 channels"), (6208, "second layer alone"),
              (192, "first layer alone"), (64, "a bias a filter"), ([192, 6208], "One number")]),
    "04.3":
    ([np.ones(16) / 16, [0.5, 0, 0, 0, 0, 0, 0, 0, 0.5], np.ones(32) / 32, -np.ones(16) / 16],
     [(np.ones(16), "16.00 at 0 Hz and 0.00"), (np.ones(8) / 8, "0.64 at 1000 Hz"),
      (np.array([-1, 1]), "0.00 at 0 Hz"), (np.ones((1, 16)) / 16, "one axis"),
      (np.array([1.0]), "two at least"), (16, "one axis"), (np.full(16, np.nan), "finite"),
      (np.array([0.5, 0.5]), "two samples cancel")]),
    "04.4": ([mean_pool_backward, mean_pool_backward_by_loops],
             [(mean_pool_backward_undivided, "every step gets all of dy"),
              (mean_pool_backward_without_rest, "shape (2, 6, 3)"),
              (mean_pool_backward_with_rest, "left out get a gradient"),
              (mean_pool_backward_tiled, "mixed up"),
              (mean_pool_backward_to_the_first, "max-pooling"),
              (mean_pool_backward_in_place, "changed its input"),
              (lambda dy, x, size: dy / size, "shape (2, 3, 3)"), (lambda dy, x: x, "TypeError"),
              (lambda dy, x, size: x, "in the first channel"), (2, "You gave 2")]),
    "05.1": ([16256, 16256.0, np.int64(16256)],
             [(16384, "Without padding"), (254, "64 filters answer"), (8128, "not 32"),
              (32512, "second pooling"), (65024, "both poolings"), (130056, "weights"),
              (1024, "Follow the length"), ("16256", "One number")]),
    "05.2":
    ([12, 12.0], [(5, "first layer"), (6, "first pooling"), (8, "two samples"),
                  (10, "before the second"), (14, "not four"), (1024, "far less"),
                  (7, "Go backwards"), ([12], "One number")]),
    "05.3":
    ([balanced], [(lambda played, heard: (played == heard).mean(), "large classes"),
                  (balanced_by_heard, "Go by what was played"),
                  (lambda played, heard: 1.0, "returned 1, not 0.75"),
                  (lambda played, heard: balanced(np.sort(played), heard), "not 0.625"),
                  (lambda played, heard: [1.0, 0.5], "One number is asked for, not [1.0, 0.5]"),
                  (lambda played, heard: np.float64("nan"), "np.unique(played)"),
                  (balanced(np.zeros(1), np.zeros(1)), "A function"),
                  (lambda played: 0, "TypeError")]), "05.4": ([relative],
                                                              [(relative_in_place,
                                                                "changed its input"),
                                                               (lambda level: level - level.max(),
                                                                "whole batch"),
                                                               (lambda level: level
                                                                - level.max(axis=2, keepdims=True),
                                                                "attack and decay"),
                                                               (lambda level: level
                                                                - level.max(axis=1, keepdims=True),
                                                                "its colour"),
                                                               (
    lambda level: level.max(axis=(1, 2)), "shape"), (lambda level: level - level.mean(), "0 dB"),
    (lambda level: level / level.max(axis=(1, 2), keepdims=True), "do not divide"),
    (lambda level: np.maximum(relative(level), -60), "cuts off what is soft, at -60 dB")]),
    "06.1": ([98_816, 98_816.0, np.int64(98_816)],
             [(98_304, "biases"), (24_704, "simple RNN"), (74_112, "three gates"),
              (33_280, "recurrent kernels"), (66_048, "kernels for the inputs"), (49_408, "not 64"),
              (100_000, "four parts"), ("98816", "One number")]),
    "06.2": ([3.05, np.log(0.01**0.01 / (1 - 0.01**0.01)), np.float32(3.05)],
             [(0.955, "how open"), (0.722, "Undo"), (1.0, "of the gradient is left"),
              (-3.05, "0.0452"), (4.6, "0.368"), (3.06, "0.0102"), (1e6, "not 0.01"),
              ([3.05], "One number")]),
    "06.3":
    ([delay(), tuple(delay()), [array.tolist() for array in delay()],
      delay(recurrent=((0.01, 1), (0.01, 0)))],
     [(delay(recurrent=((0, 0), (1, 0))), "row is where"),
      (delay(kernel=((0, 1),), recurrent=((0, 0), (1, 0))), "swapped"),
      (delay(kernel=((1, 1),)), "neither the input"), (delay(recurrent=((0, 0), (0, 0))), "unit 1"),
      (delay(recurrent=((0, 0), (0, 1))), "row is where"),
      (delay(recurrent=((0, 1), (0, 1))), "nor itself"), (delay(bias=(0, 1)), "unit 1"),
      (delay(kernel=((1,), (0,))), "(2, 1)"), (delay()[:2], "three arrays"),
      (delay(kernel=((np.nan, 0),)), "NaN"), (delay(kernel=((2, 0),)), "read nothing else"),
      (3, "three arrays")]),
    "06.4": ([gru_step, lambda x, h, kernel, recurrent: gru_step(x, h, kernel, recurrent)],
             [(gru_with_z_upside_down, "swapped"), (gru_with_late_reset, "before it is multiplied"),
              (gru_without_reset, "no effect"), (lambda *a: gru_step(*a, order="rzg"),
                                                 "order z, r, g"),
              (lambda *a: gru_step(*a, bend=np.asarray), "candidate is bent by tanh."),
              (lambda *a: gru_step(*a, bend=sigmoid), "not by the sigmoid"),
              (lambda *a: gru_step(*a, gate=np.tanh), "not by tanh"),
              (gru_in_place, "changed one of its inputs"),
              (lambda x, h, k, u: h @ u, "shape (2, 9)"),
              (lambda x, h, k, u: h, "compare every equation"), (lambda x, h: h, "TypeError"),
              (5, "You gave 5")]), "07.1": ([59, 59.0, np.int64(59)],
                                            [(58, "starts at frame 0"), (58.5, "whole"),
                                             (60, "one too many"), (62, "too late"),
                                             (15, "side by side"), (936, "every frame"),
                                             (1000, "Count the starts"), ("59", "One number")]),
    "07.2": ([[-2, 256], (-2.0, 256.0), np.array([-2, 256])],
             [([-10, 320], "likeliest"), ([10, 400], "Weigh"), ([2, 256], "sign"),
              ([-2, 16], "root"), ([-2, 0], "not: average"), ([22, 256], "likelier one"),
              ([0, 256], "the mean"), (-2, "Two numbers"), ([-2, "256"], "One number")]),
    "07.3":
    ([skill, lambda said, last,
      target: 1 - np.sum((said - target) ** 2) / np.sum((last - target) ** 2)],
     [(lambda said, last, target: 1 - skill(said, last, target), "1 - is missing"),
      (lambda said, last, target: 1 - np.sqrt(1 - skill(said, last, target)), "squared errors"),
      (skill_of_absolute_errors, "squared errors"),
      (lambda said, last, target: np.mean([skill(*rows) for rows in zip(said, last, target)]),
       "divide then"), (lambda said, last, target: 1 - 1 / (1 - skill(said, last, target)),
                        "on its head"), (lambda said, last,
                                         target: max(0, skill(said, last, target)),
                                         "It should be -3."), (lambda said, last,
                                                               target: np.mean((last - target) ** 2)
                                                               - np.mean((said - target) ** 2),
                                                               "It should be 0.75."),
      (lambda said, last, target: 1 - (said - target) ** 2, "One number"),
      (skill_in_place, "changed its input"), (lambda said, last: 1.0, "TypeError"),
      (0.75, "A function is asked for"), (lambda said, last, target: print(end=""),
                                          "returned None")]),
    "07.4":
    ([kind(["sample rate", "return_sequences", "softmax", "batch axis"])
      for kind in (list, tuple, np.array)],
     [(["batch axis", "return_sequences", "softmax", "sample rate"], "(a)"),
      (["sample rate", "batch axis", "softmax", "return_sequences"], "(b)"),
      (["sample rate", "return_sequences", "batch axis", "softmax"], "(c)"),
      (["softmax"] * 4, "each once"), ("softmax", "four names")]),
    "08.1": ([60**4 * np.exp(-1.16), 4.06e6, np.exp(4 * (np.log(60) - 0.29))],
             [(60 * np.exp(-0.29), "one note"), (240 * np.exp(-0.29), "fourth power"),
              (60**4, "does not pay 0"), (np.exp(-1.16), "under the uniform guess"),
              (4 * (np.log(60) - 0.29), "exponential"), (123, "undo"),
              (1 / (60**4 * np.exp(-1.16)), "the other way round"),
              (60**4 * np.exp(1.16), "exp(-0.29)"), (60**4 / 2**1.16, "not with 2"),
              ([1, 2], "One number")]),
    "08.2": ([top_k, lambda p, k: (p * (p >= np.sort(p)[-k])).tolist() / np.sum(np.sort(p)[-k:])],
             [(top_k_in_place, "changed its input"),
              (lambda p, k: np.where(p >= np.sort(p)[-k], p, 0), "no longer 1"),
              (lambda p, k: np.sort(p)[-k:] / np.sort(p)[-k:].sum(), "they do not go"),
              (lambda p, k: p * (p <= np.sort(p)[k - 1]) / np.sort(p)[:k].sum(), "smallest"),
              (lambda p, k: (p >= np.sort(p)[-k]) / k, "proportions changed"),
              (lambda p, k: p * (np.arange(len(p)) < k), "largest"), (lambda p: p, "TypeError"),
              (0.5, "A function is asked for")]),
    "08.3": ([back_off, lambda n, t, d, q: (n + 3 * d * q + q * (t == 0)) / (t + 3 * d + (t == 0))],
             [(lambda n, t, d, q: (n + d * q) / (t + d) if t else q, "factor of 3"),
              (lambda n, t, d, q: n / t if t else q, "mixed in"),
              (lambda n, t, d, q: (n + 3 * d * q) / (t + 3 * d), "ZeroDivisionError"),
              (lambda n, t, d, q: n / (t + 3 * d) if t else q, "numerator"),
              (lambda n, t, d, q: n + d, "it should be"),
              (lambda n, t, d, q: (n + 3 * d * q) / t if t else q, "denominator"),
              (lambda n, t, d, q: 0.5 if t else 0, "it should be"),
              (lambda n, t, d, q: back_off(n, t, d, q) if t else 0, "where `total` is 0"),
              (lambda n, t, d, q: back_off(n, t, d, q) if t else np.nan, "where `total` is 0")]),
    "08.4": ([gumbel_pick, lambda z, t, noise: np.argmax(z + t * noise)],
             [(gumbel_pick_in_place, "changed its input"),
              (lambda z, t, noise: np.argmax(z), "it is greedy"),
              (lambda z, t, noise: np.argmax(z / t + noise), "whatever the noise"),
              (lambda z, t, noise: np.argmax(z + noise), "Divide the logits alone"),
              (lambda z, t, noise: np.argmax((z + noise) / t) if t else np.argmax(z),
               "Divide the logits alone"),
              (lambda z, t, noise: np.argmax(z * t + noise) if t else np.argmax(z),
               "do not multiply"), (lambda z, t, noise: z / (t or 1) + noise, "One index"),
              (lambda z, t, noise: 0, "index of the largest"), (lambda z, t: 0, "TypeError")]),
    "09.1": ([2 / 3, 0.667, np.float32(2 / 3)],
             [(1 / 3, "fake"), (2, "how many times"), (0.5, "equally dense"),
              (0.8, "density of real"), (1.2, "together"), (0.9, "Divide"), ("2/3", "One number"),
              (np.nan, "One number")]), "09.2": ([jsd, lambda p, q: float(jsd(p, q))],
                                                 [(jsd_with_nan, "nan"), (kl, "Kullback-Leibler"),
                                                  (lambda p, q: 2 * jsd(p, q), "twice"),
                                                  (lambda p, q: jsd(p, q) / np.log(2), "bits"),
                                                  (lambda p, q: kl(p, (p + q) / 2), "part of q"),
                                                  (lambda p, q: kl(p, (p + q) / 2) / 2,
                                                   "first half"),
                                                  (lambda p, q: np.sqrt(jsd(p, q)), "square root"),
                                                  (lambda p, q: 2 * jsd(p, q) - np.log(4),
                                                   "value of the game"),
                                                  (lambda p, q: 0.3, "It should be"),
                                                  (lambda p, q: p * np.log(2 * p / (p + q)),
                                                   "Add them up"), (lambda p: p, "TypeError"),
                                                  (0.2, "A function")]),
    "09.3": ([saturating_backward, lambda a: -1 / (1 + np.exp(-a)) / a.size],
             [(lambda a: (sigmoid(a) - 1) / len(a), "non-saturating"),
              (lambda a: -sigmoid(a), "batch size"), (lambda a: sigmoid(a) / len(a), "sign"),
              (lambda a: np.log(1 - sigmoid(a)), "loss of each logit"),
              (lambda a: -sigmoid(a) * (1 - sigmoid(a)) / len(a), "logarithm is missing"),
              (lambda a: -1 / (1 - sigmoid(a)) / len(a), "chain rule"),
              (lambda a: -sigmoid(a).mean(), "shape ()"), (lambda a: a, "Derive"),
              (lambda a: print(end=""), "returned None"), (-0.5, "A function")]),
    "09.4": ([sand, lambda x, y: scipy.stats.wasserstein_distance(x, y)],
             [(lambda x, y: np.abs(x - y).mean(), "sort both"),
              (lambda x, y: abs(x.mean() - y.mean()), "cancel"),
              (lambda x, y: np.abs(np.sort(x) - np.sort(y)).sum(), "mean is asked"),
              (sand_in_place, "changed its inputs"),
              (lambda x, y: ((np.sort(x) - np.sort(y)) ** 2).mean(), "squared"),
              (lambda x, y: np.sqrt(((np.sort(x) - np.sort(y)) ** 2).mean()), "root"),
              (lambda x, y: np.abs(np.sort(x) - y).mean(), "one of the lists"),
              (lambda x, y: 1, "It should be"), (lambda x, y: (np.sort(x) - np.sort(y)).mean(),
                                                 "absolute values"),
              (lambda x, y: np.abs(x - y), "One number"),
              (lambda x, y: print(end=""), "returned None")]),
    "10.1": ([64 * np.log10(48), 107.6, np.float64(107.6)],
             [(64 * np.log(48), "base 10"), (64 * np.log2(48), "bits"),
              (48 * np.log10(64), "other way round"), (np.log10(64 * 48), "multiply"),
              (16 * np.log10(48), "four"), (4 * np.log10(48), "16"), (107, "16 times 4"),
              (48**64, "too long"), (48.0**64, "too long"), ([107.6], "One number")]),
    "10.2":
    ([through, lambda dy,
      a: scipy.special.softmax(a) * (dy - np.dot(scipy.special.softmax(a), dy))],
     [(lambda dy, a: dy, "as it is"), (lambda dy, a: scipy.special.softmax(a) * dy,
                                       "weighted by s, away"),
      (lambda dy, a: dy - scipy.special.softmax(a) @ dy, "factor s"),
      (lambda dy, a: scipy.special.softmax(a) * (dy - dy.mean()), "weighted by s"),
      (lambda dy, a: scipy.special.softmax(a), "choice itself"),
      (lambda dy, a: np.zeros(len(a)), "argmax"), (lambda dy, a: -through(dy, a), "sign"),
      (lambda dy, a: through(dy, a).sum(), "shape ()"),
      (lambda dy, a: 2 * through(dy, a), "It should be"),
      (lambda dy, a: print(end=""), "returned None")]),
    "10.3":
    (
    [differing,
     lambda p: np.mean([np.mean(p[i] != p[j]) for i in range(len(p)) for j in range(len(p))
                        if i != j])],
    [(lambda p: np.mean([np.mean(a != b) for a in p for b in p]), "itself"),
     (lambda p: 1 - differing(p), "agree"), (lambda p: np.mean(p[1:] != p[:-1]), "neighbours"),
     (lambda p: differing(p) * p[0].size, "Divide"),
     (lambda p: len({a.tobytes() for a in p}) / len(p), "different grids"),
     (lambda p: 0.9, "It should be"),
     (lambda p: np.mean([np.abs(a - b).mean() for k, a in enumerate(p) for b in p[:k]]),
      "semitones"), (lambda p: differing(p) * len(p) * (len(p) - 1) / 2, "sum over all pairs"),
     (lambda p: p != p[0], "One number"),
     (
    lambda p: np.mean([np.mean(a != b) for k, a in enumerate(p) for b in p[:k] if (a != b).any()]),
    "happen to be")]),
    "10.4":
    ([nearest_bar, lambda bar,
      known: max(max(np.mean(bar == k + s) for s in range(-40, 41)) for k in known)],
     [(lambda bar, known: max(np.mean(bar == k) for k in known), "every transposition"),
      (lambda bar, known: nearest_bar(bar, known[:1]), "first known"),
      (lambda bar, known: np.mean([nearest_bar(bar, [k]) for k in known]), "mean over"),
      (lambda bar, known: min(nearest_bar(bar, [k]) for k in known), "farthest"),
      (lambda bar, known: nearest_bar(bar, known) * bar.size, "number of notes"),
      (lambda bar, known: 1 - nearest_bar(bar, known), "differ"),
      (lambda bar, known: 1, "It should be"),
      (lambda bar, known: max(np.mean(bar - k == (bar - k)[0, 0]) for k in known), "first notes"),
      (lambda bar, known: max(np.mean(bar - k == s) for k in known for s in range(12)),
       "one way only"),
      (lambda bar, known: max(np.mean((bar - k) % 12 == s) for k in known for s in range(12)),
       "octaves"), (lambda bar, known: print(end=""), "returned None")]),
    "12.1": ([[1, 1, 3, 1], np.array([1, 1, 3, 1]), (1, 1, 3.0, 1)],
             [([1, 2, 4, 3], "not surely behind"), ([1, 1, 4, 1], "overlaps C's"),
              ([1, 1, 2, 1], "Two are before C"), ([1, 1, 1, 1], "C begins at 0.74"),
              ([1, 1, 3, 2], "surely before D"), ([1, 1, 3], "four ranks"),
              ([4, 3, 1, 2], "count the others"), (["A", "B", "C", "D"], "One number"),
              (1, "four ranks")]), "12.2": ([4.2, np.float64(4.2), 4.2000001],
                                            [(160, "slope"), (5.0, "still holds"),
                                             (5.8, "subtracted"), (8.2, "at 0 pieces"),
                                             (2.6, "Twice"), (6.2, "mean"),
                                             (0, "Does the distance"), (3, "Write d(n)"),
                                             ("4.2", "One number")]),
    "12.3":
    ([mean_motion, lambda pitches: -np.abs(np.diff(pitches[:, 0])).max() - mean_motion(pitches)],
     [(chord_span, "Shuffling never"), (lambda pitches: pitches.mean(), "three semitones higher"),
      (mean_motion_in_place, "changed its input"), (lambda pitches: 1.0, "Shuffling never"),
      (lambda pitches: pitches[-1, 3] - pitches[0, 3], "in one direction"),
      (lambda pitches: pitches, "One number"), (lambda a, b: 1, "TypeError"), (0.5, "A function")]),
    "12.4": ([rule_keeping_bar(TONIC, FOURTH_UP), rule_keeping_bar(TONIC, FOURTH_UP).astype(float)],
             [(rule_keeping_bar(TONIC), "moves a quarter"),
              (rule_keeping_bar([84, 67, 64, 48], FOURTH_UP), "out of a voice's range"),
              (rule_keeping_bar([64, 67, 60, 48], FOURTH_UP), "cross"),
              (rule_keeping_bar(TONIC, [73, 66, 61, 54]), "one scale"),
              (rule_keeping_bar([72, 67, 64, 48], [71, 67, 65, 50]), "dissonant"),
              (rule_keeping_bar([72, 67, 64, 48], [74, 69, 65, 50]), "parallel"),
              (rule_keeping_bar(TONIC, FOURTH_UP, TONIC), "repeat its first bar"),
              (rule_keeping_bar(TONIC, FOURTH_UP)[:64], "shape (128, 4)"),
              (rule_keeping_bar(TONIC, FOURTH_UP) - 60, "from 0 to 127"),
              (rule_keeping_bar(TONIC, FOURTH_UP) + 0.5, "whole numbers"), (5, "shape (128, 4)")]),
    "13.1":
    ([["loudness", "order", "blinding", "independence"],
      ("loudness", "order", "blinding", "independence"),
      np.array(["loudness", "order", "blinding", "independence"])],
     [(["order", "loudness", "blinding", "independence"], "(a)"),
      (["loudness", "independence", "blinding", "order"], "(b)"),
      (["loudness", "order", "independence", "blinding"], "(c)"), (["loudness"] * 4, "each once"),
      (["loudness", "order"], "four names"), ("loudness", "four names"), (4, "four names")]),
    "13.2":
    ([[False, True, True, True], (False, True, True, True),
      list(np.array([0.6, 0.5, 0.65, 0.7]) < [0.5, 0.6, 0.68, 0.8]),
      np.array([False, True, True, True])],
     [([True, True, True, True], "(a)"), ([False, False, True, True], "(b)"),
      ([False, True, False, True], "(c)"), ([False, True, True, False], "330"),
      ([0, 1, 1, 1], "True or False"), ([True], "four values"), (True, "four values")]),
    "13.3": ([listeners_needed, lambda p, each: -(-analysis.trials_needed(p) // each)],
             [(lambda p, each: analysis.trials_needed(p), "number of trials"),
              (lambda p, each: analysis.trials_needed(p) / each, "part of a listener"),
              (lambda p, each: analysis.trials_needed(p) // each, "Round up"),
              (listeners_from_the_first_trial_that_suffices, "dips below"),
              (lambda p, each: 10, "Ask listening_analysis"), (lambda p: 3, "TypeError"),
              (6, "A function is asked for"), (lambda p, each: "six", "One number")]),
    "13.4": ([merged, lambda rows: [list(part) for part in merged(rows)]],
             [(lambda rows: merged(rows)[0], "Two lists"),
              (lambda rows: (merged(rows)[0], []), "came out"),
              (merged_with_the_last, "first answer"), (merged_by_value, "twice"),
              (merged_in_place, "changed the list"), (merged_by_code, "Too much"),
              (lambda rows: (merged(rows)[0], merged(rows)[1][::-1]), "order in which they came"),
              (lambda rows: (merged(rows)[0][::-1], merged(rows)[1]), "keep the order"),
              (lambda rows: print(end=""), "returned None"), ([], "A function is asked for")]),
    "11.1": ([19, 19.0, np.int64(19)],
             [(20, "exactly half"), (64, "25,600"), (40, "Half of it"), (39, "Half of it"),
              (45, "removed"), (18, "Count those"), ("19", "One number"), (np.nan, "One number")]),
    "11.2": ([odd_only, keep_harmonics(lambda k: k % 2 == 1)],
             [(keep_harmonics(lambda k: k % 2 == 0), "even harmonics are left"),
              (odd_only_in_place, "changed its input"),
              (keep_harmonics(lambda k: (k % 2 == 1) | (k == 0)), "constant is still there"),
              (lambda x: np.fft.rfft(x), "irfft"),
              (keep_harmonics(lambda k: k == 1), "Only the first"),
              (lambda x: x, "Nothing was removed"), (lambda x: x[..., ::2], "shape"),
              (lambda x: odd_only(x) / 2, "other harmonics"),
              (keep_harmonics(lambda k: k > 0), "Only the constant"),
              (odd_along_the_first_axis, "whole frames"), (3, "A function")]),
    "11.3": ([cross_fade, lambda a, b, s: np.maximum(cross_fade(a, b, s), -90)],
             [(lambda a, b, s: (1 - s) * a + s * b, "mixes decibels"),
              (lambda a, b, s: cross_fade(a, b, 1 - s), "Share 0"),
              (lambda a, b, s: 10 * np.log10((1 - s) * 10 ** (a / 10) + s * 10 ** (b / 10)),
               "mixes powers"), (lambda a, b, s: 10 ** (cross_fade(a, b, s) / 20),
                                 "Those are amplitudes"),
              (lambda a, b, s: 20 * np.log10(10 ** (a / 20) + 10 ** (b / 20)), "Both count"),
              (lambda a, b, s: 20 * np.log(10 ** (cross_fade(a, b, s) / 20)), "natural"),
              (lambda a, b, s: cross_fade(a, b, s) / 2, "taken for powers"),
              (cross_fade_to_nothing, "be -90.00, silence"),
              (lambda a, b, s: a + 1, "it should be"), (lambda a, b, s: 0.0, "shape"),
              (7, "A function")]),
    "11.4":
    ([lambda f, g: 1200 * np.log2(g / f), lambda f, g: 1200 * (np.log(g) - np.log(f)) / np.log(2)],
     [(lambda f, g: 1200 * np.log2(f / g), "from f up"),
      (lambda f, g: 12 * np.log2(g / f), "semitones"), (lambda f, g: np.log2(g / f), "octaves"),
      (lambda f, g: 1200 * np.log(g / f), "natural"),
      (lambda f, g: abs(1200 * np.log2(g / f)), "negative"),
      (lambda f, g: g - f, "difference in Hz"), (lambda f, g: 50.0, "It should be"),
      (100, "A function")])}


@pytest.fixture
def verdict(capsys):
    """Return a function that checks an answer and returns what was printed."""

    def printed(number, answer):
        exercises.check(number, answer)
        return capsys.readouterr().out.strip()

    return printed


def test_every_exercise_is_tried_both_ways():
    assert exercises.known() == sorted(ANSWERS)
    assert all(right and len(wrong) >= 3 for right, wrong in ANSWERS.values())


@pytest.mark.parametrize("number,answer",
                         [(number, answer) for number,
                          (right, _) in ANSWERS.items() for answer in right])
def test_worked_answers_pass(verdict, number, answer):
    assert verdict(number, answer) == f"{number} PASS"


@pytest.mark.parametrize("number,answer,told",
                         [(number, *case) for number,
                          (_, wrong) in ANSWERS.items() for case in wrong])
def test_wrong_answers_get_a_hint_that_names_them(verdict, number, answer, told):
    text = verdict(number, answer)
    assert text.startswith(f"{number} NOT YET. You gave {exercises.show(answer)}. ")
    assert told in text and "\n" not in text and " at 0x" not in text


@pytest.mark.parametrize("number", ANSWERS)
def test_an_unanswered_exercise_says_so_and_does_not_fail(verdict, number):
    def dots(pitches, semitones): ...

    def dots_with_docstring(pitches, semitones):
        """Transpose."""
        ...

    for answer in (None, ..., [..., 64, 67, 72], dots, dots_with_docstring):
        assert "still open" in verdict(number, answer)


@pytest.mark.parametrize("answer", [lambda: 1, lambda: "text", lambda: [1]],
                         ids=["number", "text", "list"])
def test_a_function_that_does_something_is_an_answer(verdict, answer):
    assert "NOT YET" in verdict("00.3", answer)


@pytest.mark.parametrize("number", ["99.1", "00.9", "0.1", 0.1, "", None, "00.1 "])
def test_an_unknown_exercise_lists_those_there_are(number):
    with pytest.raises(ValueError, match=r"00\.1, 00\.2, 00\.3"):
        exercises.check(number, 1)


def test_an_answer_that_breaks_the_check_gets_a_hint(verdict):
    class Broken:
        def __array__(self, *_, **__):
            raise MemoryError("boom")

    assert "could not be checked (MemoryError" in verdict("00.1", Broken())


def test_long_answers_are_shown_short():
    assert len(exercises.show(np.random.default_rng(0).normal(size=(1000, 64)))) < 200
    assert len(exercises.show(list(range(10_000)))) < 60
    assert exercises.show(np.float64(0.5)) == "0.5"
