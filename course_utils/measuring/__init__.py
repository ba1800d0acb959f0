"""Is it any good? (notebooks 08, 10, 12): rules, statistics, distances and copies, each with its
confidence.

bootstrap: confidence intervals. counterpoint, musical_statistics: of notes. distances: of
distributions. memorisation: copies. measures: calibrated on Bach. judging, judging_files,
judging_plots: verdicts. transcription: an outside ear.
"""
