"""Each check passes the worked answer, and rejects plausible wrong ones with a hint that names the learner's value."""
import numpy as np
import pytest
import scipy.fft

from course_utils import exercises
from course_utils.features import dct_matrix


def shift(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches + semitones)


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
    return amplitude * np.stack([np.sin(2 * np.pi * left * t), np.sin(2 * np.pi * right * t)], axis=1)


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


# Number: (worked answers, wrong answers, each with what the hint must say).
ANSWERS = {
    "00.1": ([160, 160.0, np.int64(160), np.array(160.0)],
             [(40, "40"), (9600, "9600"), (2400, "2400"), (640, "640"), (161, "161"), (True, "True"), ("160", "'160'"),
              (np.nan, "nan"), ([160, 1], "[160, 1]"), (np.arange(50), "shape (50,)")]),
    "00.2": ([[72, 67, 64, 48], [76, 64, 55, 36], (76, 67, 60, 60), np.array([79, 64, 60, 48])],
             [([48, 64, 67, 72], "cross"), ([72, 67, 60, 48], "no E"), ([72, 67, 63, 48], "[63]"),
              ([72, 67, 60, 52], "bass sings E"), ([84, 67, 64, 48], "[84]"), ([72, 67, 64], "[72, 67, 64]"),
              ([72.5, 67, 64, 48], "72.5"), ("CEGC", "'CEGC'")]),
    "00.3": ([shift],
             [(shift_that_moves_rests, "moved the rests"), (shift_in_place, "changed its input"),
              (shift_downwards, "[[70 65 62 46]"), (shift_that_flattens, "shape"), (shift_without_return, "returned None"),
              (lambda pitches: pitches, "TypeError"), (12, "You gave 12")]),
    "01.1": ([31_752_000, 31_752_000.0],
             [(254_016_000, "Those are bits"), (15_876_000, "factor of 2 is missing"), (7_938_000, "one channel"),
              (529_200, "180 seconds"), (176_400, "one second"), (31.752, "megabytes"), (63_504_000, "too much"),
              (31_000_000, "Multiply"), ("31 MB", "One number")]),
    "01.2": ([alias, alias_by_folding],
             [(lambda f, sr: f % sr, "f = 7000 and sr = 8000 it returned 7000"), (lambda f, sr: sr - f, "fold again"),
              (lambda f, sr: f - sr * round(f / sr), "returned -1000. A frequency is not negative"),
              (lambda f, sr: min(f, abs(sr - f)), "f = 12500 and sr = 8000 it returned 4500"),
              (lambda f, sr: min(f, sr / 2), "It should be 1000"), (lambda f: f, "TypeError"), (1000, "A function is asked for"),
              (lambda f, sr: print(end=""), "returned None"), (lambda f, sr: f"{f} Hz", "One number")]),
    "01.3": ([14, 14.0],
             [(13, "80.0 dB. That is not enough"), (15, "1.76"), (13.83, "whole numbers"), (16, "Fewer are enough"),
              (28, "20 log10"), (0, "20 log10"), ([14], "One number")]),
    "01.4": ([two_tones(), two_tones().astype(np.float32), two_tones().tolist()],
             [(two_tones().T, "channels come first"), (two_tones(660, 440), "swapped"), (two_tones(440, 880), "880 Hz"),
              (two_tones(amplitude=1.0), "1.00 and 1.00"), (two_tones(seconds=2.0), "(32000, 2)"),
              (two_tones()[:, 0], "two axes"), ((two_tones() * 32767).astype(np.int16), "floats"),
              (np.zeros((16000, 2)), "0 Hz"), (two_tones() * np.nan, "NaN"),
              (two_tones() + 0.1 * two_tones(880, 880), "more in it")]),
    "02.1": ([31, 31.0, np.int64(31)],
             [(30, "30"), (32, "32"), (16, "16"), (31.25, "31.25"), (30.25, "30.25"), (15, "15"), ("31", "'31'")]),
    "02.2": ([12 * np.log2(0.8), -3.86, -3.9, np.float32(-3.863)],
             [(3.86, "3.86"), (12 * np.log(0.8), "natural"), (-2.4, "-2.4"), (np.log2(0.8), "octaves"), (-5, "-5"),
              ([-3.86], "[-3.86]")]),
    "02.3": ([to_peak, lambda y, peak: y / max(np.abs(y).max(), 1e-12) * peak],
             [(to_peak_in_place, "changed its input"), (to_peak_by_the_highest, "largest absolute"),
              (to_peak_of_silence, "Silence became"), (lambda y, peak: np.clip(y, -peak, peak), "largest absolute"),
              (0.9, "You gave 0.9")]),
    "02.4": ([leaks, lambda g, a, b: frozenset(leaks(g, a, b))],
             [(leaks_of_indices, "set()"), (leaks_as_a_list, "[7]"), (leaks_that_join, "found {3, 5, 7, 9}"),
              (lambda g, a, b: len(leaks(g, a, b)), "returned 1"), ({7}, "You gave {7}")]),
    "03.1": ([431, 431.0, np.int64(431)],
             [(430, "first frame"), (430.66, "whole numbers"), (427, "without zeros"), (432, "last whole hop"),
              (108, "after a hop"), (44, "Ten"), (862, "whole hops"), ("431", "One number"),
              (np.ones((431, 1025)), "shape (431, 1025)")]),
    "03.2": ([16384, 2.0**14],
             [(8192, "1.28 of its bins"), (32768, "smaller one"), (12800, "power of two"), (1024, "0.16 of its bins"),
              (0, "power of two"), (-16384, "power of two"), ([16384], "One number")]),
    "03.3": ([smooth, smooth_with_scipy],
             [(smooth_to_coefficients, "returned the coefficients"), (smooth_of_64_bands, "ValueError"),
              (smooth_with_the_last, "kept the last"), (smooth_in_place, "changed its input"),
              (smooth_along_time, "along time"), (smooth_without_scale, "not what the first rows"),
              (lambda log_mel, keep: log_mel, "changed nothing"), (lambda log_mel, keep: log_mel[:, :keep], "coefficients"),
              (lambda log_mel, keep: log_mel - smooth(log_mel, keep), "dropped the first"),
              (lambda log_mel, keep: scipy.fft.dct(log_mel, norm="ortho") * (np.arange(log_mel.shape[1]) < keep), "set to 0"),
              (lambda log_mel, keep: print(end=""), "returned None"), (13, "You gave 13")]),
    "03.4": ([["log-mel", "chroma", "STFT", "MFCC"], ("log-mel", "chroma", "STFT", "MFCC")],
             [(["MFCC", "chroma", "STFT", "log-mel"], "(a)"), (["log-mel", "STFT", "chroma", "MFCC"], "(b)"),
              (["log-mel", "log-mel", "STFT", "MFCC"], "each once"), (["chroma", "log-mel", "STFT", "MFCC"], "(a)"),
              (["log-mel", "chroma", "MFCC", "STFT"], "(c)"), ("STFT", "four names"), ([1, 2, 3, 4], "four names")]),
}


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


@pytest.mark.parametrize("number,answer", [(number, answer) for number, (right, _) in ANSWERS.items() for answer in right])
def test_worked_answers_pass(verdict, number, answer):
    assert verdict(number, answer) == f"{number} PASS"


@pytest.mark.parametrize("number,answer,told", [(number, *case) for number, (_, wrong) in ANSWERS.items() for case in wrong])
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


@pytest.mark.parametrize("answer", [lambda: 1, lambda: "text", lambda: [1]], ids=["number", "text", "list"])
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
