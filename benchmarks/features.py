"""Time log-mel and MFCC of an hour of sound, ours against plain librosa: `python -m benchmarks.features [--minutes 60]`."""
import argparse
import time
from collections.abc import Callable

import numpy as np

from course_utils import features

TOLERANCE = 1e-4


def music(minutes: int, sr: int = features.SR) -> np.ndarray:
    """Make `minutes` different one-minute sounds, (minutes, samples): plucked tones over faint noise, 80 dB of range."""
    rng = np.random.default_rng(0)
    t = np.arange(sr // 2) / sr
    partials = np.arange(1, 11)
    bank = [(np.sin(2 * np.pi * 55 * 2 ** (key / 12) * np.outer(partials, t)) * np.exp(-np.outer(partials, t) * 4)
             / partials[:, None] ** 2).sum(0) for key in range(48)]
    keys = rng.integers(0, 48, (minutes, 120))
    y = np.stack([np.concatenate([bank[key] for key in row]) for row in keys]) * 0.3
    return (y + 1e-4 * rng.standard_normal(y.shape)).astype(np.float32)


def librosa_log_mel(y: np.ndarray) -> np.ndarray:
    """Compute one file's log-mel spectrogram the way a librosa user writes it, (frames, bands)."""
    import librosa

    power = librosa.feature.melspectrogram(y=y, sr=features.SR, n_fft=features.N_FFT, hop_length=features.HOP_LENGTH,
                                           n_mels=features.N_MELS)
    return librosa.power_to_db(power, amin=10 ** (features.FLOOR_DB / 10), top_db=None).T


def librosa_mfcc(y: np.ndarray) -> np.ndarray:
    """Compute one file's MFCCs the way a librosa user writes it, (frames, coefficients)."""
    import librosa

    return librosa.feature.mfcc(S=librosa_log_mel(y).T, n_mfcc=features.N_MFCC).T


def seconds(function: Callable, repeats: int) -> float:
    """Return the shortest of several runs, after one that is not counted (imports, compilation, caches)."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="one-minute files to treat (default 60)")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs; the best counts (default 3)")
    arguments = parser.parse_args()
    y = music(arguments.minutes)
    print(f"{arguments.minutes} one-minute files at {features.SR} Hz, best of {arguments.repeats}")
    for name, ours, plain in (("log-mel", features.log_mel, librosa_log_mel), ("MFCC", features.mfcc, librosa_mfcc)):
        difference = max(float(np.abs(ours(row, features.SR) - plain(row)).max()) for row in y[:5])
        if difference > TOLERANCE:
            raise SystemExit(f"{name} differs from librosa's by {difference:.1e}, more than {TOLERANCE:.0e}.")
        theirs = seconds(lambda plain=plain: [plain(row) for row in y], arguments.repeats)
        for how, run in (("one by one", lambda ours=ours: [ours(row, features.SR) for row in y]),
                         ("one batch", lambda ours=ours: ours(y, features.SR))):
            took = seconds(run, arguments.repeats)
            print(f"{name:8} {how:11} {took:6.2f} s, {60 * len(y) / took:7.0f} x real time; librosa {theirs:6.2f} s, "
                  f"{60 * len(y) / theirs:6.0f} x; ratio {theirs / took:4.1f}; largest difference {difference:.0e}")


if __name__ == "__main__":
    main()
