"""What `python -m course_utils COMMAND` does, a module a command: its arguments, and what runs.

compose, finale: make music. score, evaluate: measure it. doctor: check the set-up. targets: what
music may be written over. Each command has HELP, `add_arguments` and `run`, which returns an exit
status, or None for 0.
"""
