"""Checks of 01_loading_audio."""
import numpy as np

from course_utils.exercises import call, exercise, number

ALIASES = ((100, 8000, 100), (4000, 8000, 4000), (7000, 8000, 1000), (5000, 8000, 3000),
           (8000, 8000, 0), (9000, 8000, 1000), (12500, 8000, 3500), (30000, 22050, 7950),
           (100_000, 16000, 4000))


@exercise("01.1")
def bytes_of_a_song(answer) -> str | None:
    """Three minutes of 16-bit stereo at 44100 Hz: 44100 * 180 * 2 channels * 2 bytes."""
    slips = {254_016_000: "Those are bits. A byte has eight.", 15_876_000: "A factor of 2 is "
             "missing: there are two channels, and a sample of 16 bits takes two bytes.",
             7_938_000: "That counts the samples of one channel. There are two channels, and each "
             "sample takes two bytes.",
             529_200: "That is a minute counted as a second: three minutes are 180 seconds.",
             176_400: "That is one second. There are 180 of them.",
             31.752: "That is in megabytes. Give it in bytes.", 63_504_000: "A factor of 2 is too "
             "much: two channels times two bytes a sample, and nothing else."}
    size = number(answer)
    return (None if size == 31_752_000
            else slips.get(size, "Multiply rate, seconds, channels, and bytes a sample."))


@exercise("01.2")
def alias(answer) -> str | None:
    """A function (f, sr) that returns the frequency heard: the distance from f to the nearest
    multiple of sr.
    """
    for f, sr, heard in ALIASES:
        result = number(call(answer, f, sr))
        if abs(result - heard) < 1e-6:
            continue
        told = f"For f = {f} and sr = {sr} it returned {result:g}."
        if result < 0:
            return f"{told} A frequency is not negative; take the distance."
        if result > sr / 2:
            return f"{told} Nothing above {sr // 2} Hz, half the rate, can be heard: fold again."
        return (f"{told} It should be {heard}. Which multiple of sr lies nearest to f, and how far "
                "is it?")
    return None


@exercise("01.3")
def bits_for_85_db(answer) -> str | None:
    """The fewest bits with 6.02 b + 1.76 >= 85."""
    bits = number(answer)
    if bits == 14:
        return None
    if bits != round(bits):
        return "Bits come in whole numbers: round to the one that is enough."
    if bits == 15:
        return "It is enough, but so is one less. Did you leave out the 1.76 dB?"
    if not 1 <= bits <= 24:
        return "Each bit is worth 6.02 dB: 20 log10(2), not 10 log10(2)."
    return (f"{bits:g} bits give {6.02 * bits + 1.76:.1f} dB. "
            + ("That is not enough." if bits < 14 else "Fewer are enough."))


@exercise("01.4")
def two_tones(answer) -> str | None:
    """One second at 16000 Hz: 440 Hz in the left channel, 660 Hz in the right, both with amplitude
    0.5.
    """
    y = np.asarray(answer)
    if y.dtype.kind != "f" or y.ndim != 2:
        return "An array of floats with two axes is asked for: (samples, channels)."
    if y.shape == (2, 16000):
        return ("The channels come first. A waveform is (samples, channels): stack with axis=1, or "
                "use .T.")
    if y.shape != (16000, 2):
        return f"Its shape is {y.shape}. One second at 16000 Hz in two channels is (16000, 2)."
    if not np.isfinite(y).all():
        return "It holds NaN or infinity."
    level = 2 * np.abs(np.fft.rfft(y, axis=0)) / len(y)
    heard = [int(f) for f in level.argmax(axis=0)]
    if heard == [660, 440]:
        return "The channels are swapped: column 0 is the left one."
    if heard != [440, 660]:
        return (f"The left channel sounds at {heard[0]} Hz, the right one at {heard[1]} Hz. Is the "
                "angle 2 pi f n / sr?")
    loudest = level.max(axis=0)
    if np.abs(loudest - 0.5).max() > 0.01:
        return f"The amplitudes are {loudest[0]:.2f} and {loudest[1]:.2f}, not 0.5."
    level[heard, [0, 1]] = 0
    if level.max() < 0.01:
        return None
    if np.allclose(y[-1], y[0], atol=1e-6):
        return ("Its last sample lies at 1 s, as np.linspace(0, 1, 16000) does it. Sample n "
                "belongs to the time n / sr.")
    return "There is more in it than one tone a channel."
