"""Checks of 11_gan_invents_instruments."""
import numpy as np

from course_utils.exercises import Hint, call, exercise, number

FRAME, FLOOR = 1024, -90.0


@exercise("11.1")
def harmonics_kept(answer) -> str | None:
    """Read at 400 Hz with 16,000 Hz: harmonics below 8000 Hz are kept, so 19."""
    said = number(answer)
    slips = {20: "The 20th lies at 8000 Hz, exactly half the sample rate: it goes, too.",
             64: "The 64th would lie at 25,600 Hz. What can a sample rate of 16,000 Hz hold?",
             40: "That is as if frequencies up to the sample rate could be held. Half of it is the "
             "limit.", 39: "That is as if frequencies up to the sample rate could be held. Half of "
             "it is the limit.", 45: "That is how many are removed. How many stay?"}
    return (None if said == 19 else slips.get(said, "The h-th harmonic lies at 400 h Hz. Count "
                                              "those below half the sample rate."))


def _frames() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((2, 3, FRAME))


def _keep(frames: np.ndarray, kept) -> np.ndarray:
    spectrum = np.fft.rfft(frames)
    return np.fft.irfft(np.where(kept(np.arange(spectrum.shape[-1])), spectrum, 0))


ODD_SLIPS = {"The even harmonics are left, the odd ones are gone. Index 0 of the spectrum is the "
             "constant, index 1 the first harmonic.": lambda k: k % 2 == 0,
             "The constant is still there: index 0 of the spectrum counts as even.": lambda k:
             (k % 2 == 1) | (k == 0), "Only the first harmonic is left.": lambda k: k == 1,
             "Nothing was removed.": lambda k: k >= 0,
             "Only the constant was removed.": lambda k: k > 0}


@exercise("11.2")
def odd_only(answer) -> str | None:
    """A function (frames) that keeps the odd harmonics of frames (..., 1024) only."""
    for frames in (_frames(), _frames()[0, 0]):
        kept = frames.copy()
        result = np.asarray(call(answer, frames))
        told = f"For frames of shape {kept.shape}"
        if np.iscomplexobj(result) or result.shape != kept.shape:
            raise Hint(f"{told} it returned {result.dtype} numbers of shape {result.shape}. Go "
                       "back with np.fft.irfft.")
        if not np.array_equal(frames, kept):
            return "It changed its input. np.fft.rfft returns a new array: change that one."
        if kept.ndim > 1 and np.allclose(result[1::2], kept[1::2]) and not result[::2].any():
            return (f"{told} it removed whole frames. Harmonics lie along the last axis: "
                    "spectrum[..., k].")
        if not np.allclose(result, _keep(kept, lambda k: k % 2 == 1), atol=1e-6):
            slip = (hint for hint, which in ODD_SLIPS.items()
                    if np.allclose(result, _keep(kept, which), atol=1e-6))
            told_else = "other harmonics than the odd ones have changed, or remain."
            return f"{told}: {next(slip, told_else)}"
    return None


def _mixed(a, b, share):
    return np.maximum(20
                      * np.log10(np.maximum((1 - share) * 10 ** (a / 20) + share * 10 ** (b / 20),
                                            1e-9)), FLOOR)


FADE_SLIPS = {"That mixes decibels. Turn levels into amplitudes first, 10 ** (level / 20), and mix "
              "those.": lambda a, b, s: (1 - s) * a + s * b,
              "That mixes powers: an amplitude is 10 ** (level / 20), with 20.": lambda a, b,
              s: 10 * np.log10((1 - s) * 10 ** (a / 10) + s * 10 ** (b / 10)),
              "Share 0 should give a, and share 1 should give b.": lambda a, b,
              s: _mixed(a, b, 1 - s),
              "Those are amplitudes. Turn them back into decibels, 20 * np.log10(...).": lambda a,
              b, s: (1 - s) * 10 ** (a / 20) + s * 10 ** (b / 20),
              "That is the natural logarithm. Decibels are 20 * np.log10(...).": lambda a, b,
              s: 20 * np.log((1 - s) * 10 ** (a / 20) + s * 10 ** (b / 20)),
              "With 10 * np.log10(...) amplitudes are taken for powers. Of an amplitude it is 20 "
              "times.": lambda a, b, s: 10 * np.log10((1 - s) * 10 ** (a / 20) + s
                                                      * 10 ** (b / 20)), "Both count fully, "
              "whatever the share is.": lambda a, b,
              s: 20 * np.log10(10 ** (a / 20) + 10 ** (b / 20))}


@exercise("11.3")
def cross_fade(answer) -> str | None:
    """A function (a, b, share) that mixes levels in amplitude and returns dB."""
    a, b = (np.array([[0.0, -20.0, -90.0], [-6.0, -40.0, -90.0]]),
            np.array([[-20.0, 0.0, -30.0], [-90.0, -35.0, -90.0]]))
    for share in (0.25, 0.0, 1.0):
        result = np.asarray(call(answer, a.copy(), b.copy(), share), dtype=float)
        if result.shape != a.shape:
            return (f"For levels of shape {a.shape} it returned shape {result.shape}. Each level "
                    "has its own result.")
        right = _mixed(a, b, share)
        off = ~(np.abs(result - right) <= 0.05)
        if off.any():
            where = tuple(np.argwhere(off)[0])
            wrong = (hint for hint, slip in FADE_SLIPS.items()
                     if np.allclose(slip(a, b, share), result, atol=0.05))
            silence = ", silence" if right[where] == FLOOR else ""
            hint = next(wrong, f"it should be {right[where]:.2f}{silence}.")
            return (f"At share {share}, from {a[where]:g} and {b[where]:g} dB it made "
                    f"{result[where]:.2f}: {hint}")
    return None


CENTS_SLIPS = {"Here g lies below f, so the result is negative.": lambda f,
               g: abs(1200 * np.log2(g / f)),
               "The interval is measured from f up to g: divide g by f.": lambda f,
               g: 1200 * np.log2(f / g), "Those are semitones. One has 100 cents.": lambda f,
               g: 12 * np.log2(g / f), "Those are octaves. One has 1200 cents.": lambda f,
               g: np.log2(g / f), "That is the natural logarithm. An octave, a factor of 2, should "
               "give 1200.": lambda f, g: 1200 * np.log(g / f),
               "That is the difference in Hz. The ear compares frequencies by their ratio.":
               lambda f, g: g - f}


@exercise("11.4")
def cents(answer) -> str | None:
    """A function (f, g): 1200 log2(g / f)."""
    for f, g in ((440.0, 466.16), (440.0, 220.0), (300.0, 303.0)):
        result, right = number(call(answer, f, g)), 1200 * np.log2(g / f)
        if abs(result - right) > 0.01:
            slip = (hint for hint, wrong in CENTS_SLIPS.items() if abs(wrong(f, g) - result) < 1e-6)
            return (f"From {f:g} to {g:g} Hz it found {result:.4g}. "
                    f"{next(slip, f'It should be {right:.4g}.')}")
    return None
