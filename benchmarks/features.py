"""Time log-mel and MFCC of an hour of sound, ours against plain librosa: `python -m
benchmarks.features [--minutes 60]`.
"""
import argparse
import time
from collections.abc import Callable

import numpy as np

from course_utils.checks import SR
from course_utils.sound import features

TOLERANCE = 1e-4


def music(minutes: int, sr: int = SR) -> np.ndarray:
    """Make `minutes` different one-minute sounds, (minutes, samples): plucked tones over faint
    noise, 80 dB of range.
    """
    rng = np.random.default_rng(0)
    t = np.arange(sr // 2) / sr
    partials = np.arange(1, 11)
    bank = [(np.sin(2 * np.pi * 55 * 2 ** (key / 12) * np.outer(partials, t))
             * np.exp(-np.outer(partials, t) * 4) / partials[:, None] ** 2).sum(0)
            for key in range(48)]
    keys = rng.integers(0, 48, (minutes, 120))
    y = np.stack([np.concatenate([bank[key] for key in row]) for row in keys]) * 0.3
    return (y + 1e-4 * rng.standard_normal(y.shape)).astype(np.float32)


def librosa_log_mel(y: np.ndarray) -> np.ndarray:
    """Compute one file's log-mel spectrogram the way a librosa user writes it, (frames, bands)."""
    import librosa

    power = librosa.feature.melspectrogram(y=y, sr=SR, n_fft=features.N_FFT,
                                           hop_length=features.HOP_LENGTH, n_mels=features.N_MELS)
    return librosa.power_to_db(power, amin=10 ** (features.FLOOR_DB / 10), top_db=None).T


def librosa_mfcc(y: np.ndarray) -> np.ndarray:
    """Compute one file's MFCCs the way a librosa user writes it, (frames, coefficients)."""
    import librosa

    return librosa.feature.mfcc(S=librosa_log_mel(y).T, n_mfcc=features.N_MFCC).T


def race(runs: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Return each one's shortest time in seconds; they take turns, so that a busy machine slows all
    of them alike.
    """
    times = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    # The first round is not counted: imports, compilation, caches.
    return {name: min(measured[1:]) for name, measured in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60,
                        help="one-minute files to treat (default 60)")
    parser.add_argument("--repeats", type=int, default=3,
                        help="timed runs; the best counts (default 3)")
    arguments = parser.parse_args()
    y = music(arguments.minutes)
    print(f"{arguments.minutes} one-minute files at {SR} Hz, best of {arguments.repeats}")
    for name, ours, plain in (("log-mel", features.log_mel, librosa_log_mel),
                              ("MFCC", features.mfcc, librosa_mfcc)):
        difference = max(float(np.abs(ours(row, SR) - plain(row)).max()) for row in y[:5])
        if difference > TOLERANCE:
            raise SystemExit(f"{name} differs from librosa's by {difference:.1e}, more than "
                             f"{TOLERANCE:.0e}.")
        print(f"{name}: largest difference {difference:.0e}")
        best = race({"librosa, file by file": lambda plain=plain: [plain(row) for row in y],
                     "ours, file by file": lambda ours=ours: [ours(row, SR) for row in y],
                     "ours, one batch": lambda ours=ours: ours(y, SR)}, arguments.repeats)
        for how, took in best.items():
            print(f"  {how:22} {took:6.2f} s {60 * len(y) / took:7.0f} x real time, "
                  f"{best['librosa, file by file'] / took:4.1f} x librosa")


if __name__ == "__main__":
    main()
