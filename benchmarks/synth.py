"""How fast the synthesizer plays a chorale: `python -m benchmarks.synth`."""
import statistics
import time

from course_utils import datasets, scores, synth

SECONDS, QUARTER_BPM, RUNS = 30, 80, 5


def chorale(seconds: float = SECONDS, quarter_bpm: float = QUARTER_BPM) -> scores.Score:
    """Return the beginning of the first test chorale that lasts so long."""
    steps = round(seconds * quarter_bpm / 60 * scores.STEPS_PER_QUARTER)
    return scores.excerpt(next(piece for piece in datasets.chorales("test") if len(piece) >= steps),
                          0, steps)


def main(sr: int = 44100) -> dict[str, float]:
    """Measure rendering, resampling included, and print and return its figures."""
    score = chorale()
    synth.render(score, sr=sr)
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        y = synth.render(score, sr=sr, quarter_bpm=QUARTER_BPM)
        times.append(time.perf_counter() - begin)
    median = statistics.median(times)
    figures = {"seconds of music": len(y) / sr, "seconds to render": median,
               "times real time": len(y) / sr / median}
    for name, figure in figures.items():
        print(f"{name:>20}: {figure:.2f}")
    return figures


if __name__ == "__main__":
    main()
