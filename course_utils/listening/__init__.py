"""A blind listening test (notebook 13), from its design to its analysis.

design: who hears what. sessions: one listener's way through. panel: in a notebook. answer_log,
answer_files: what is kept. analysis, figures: what it says.
"""
