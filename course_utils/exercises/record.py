"""Which exercises a learner has solved: a small JSON file of their own, written whole or not at
all.
"""
import datetime
import json
import os
import re
from pathlib import Path

from course_utils import environment

ELSEWHERE = "Set COURSE_PROGRESS to a file in a folder of your own, such as progress.json."


def progress_file() -> Path:
    """Return where progress is kept: `COURSE_PROGRESS`, or a file in the user's data folder."""
    import platformdirs

    chosen = os.environ.get("COURSE_PROGRESS")
    return (Path(chosen) if chosen
            else platformdirs.user_data_path("deep-learning-with-music", appauthor=False)
            / "progress.json")


def passed() -> dict[str, str]:
    """Return the day on which each exercise was first solved, by its number; a damaged file is put
    aside, and that is said.

    While outputs are stored (`COURSE_QUIET`), nobody has solved anything yet: every notebook looks
    the same everywhere.

    Raises:
        OSError: if the file is there and cannot be read.
    """
    path = progress_file()
    if environment.quiet() or not path.exists():
        return {}
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise type(error)(f"'{path}' cannot be read ({error.strerror}). {ELSEWHERE}") from error
    except (ValueError, RecursionError):
        return _begin_anew(path)


def _begin_anew(path: Path) -> dict[str, str]:
    aside = next(p for k in range(1, 10000)
                 if not (p := path.with_name(f"{path.stem}-damaged-{k}{path.suffix}")).exists())
    path.replace(aside)
    print(f"The record of your progress was damaged. It is kept as '{aside}'; a new one begins.")
    return {}


def _checked(content) -> dict[str, str]:
    days = content["passed"] if isinstance(content, dict) and "passed" in content else None
    if not isinstance(days, dict) or not all(re.fullmatch(r"\d\d\.\d", name)
                                             and isinstance(days[name], str) for name in days):
        raise ValueError("not a record of progress")
    return days


def note(number: str) -> None:
    """Keep in mind that an exercise was solved; if that cannot be saved, say so and go on.

    Args:
        number: the exercise's number, such as `"00.1"`.
    """
    if environment.quiet():
        return
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        days = passed()
        if number not in days:
            days = dict(sorted({**days, number: datetime.date.today().isoformat()}.items()))
            with environment.writing(path, 0o600) as temporary:
                temporary.write_text(json.dumps({"passed": days}, indent=1), encoding="utf-8")
    except OSError as error:
        print(f"(Your progress could not be saved. {error} {ELSEWHERE})")
