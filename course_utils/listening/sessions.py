"""A listener's session, which saves every answer at once and resumes; and simulated listeners who
drive it without a browser.
"""
import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from course_utils import environment
from course_utils.listening import answer_log
from course_utils.listening.answer_log import CHOICES, Answer
from course_utils.listening.design import Study, Trial, plan

CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that a code spells no word and no month
# seconds that a sound may be heard too short, for clocks and for the way to the browser
TOLERANCE = 0.25
CONSENT = """This is a listening test: you will hear short pieces of music and say what you
think of them. There are no wrong answers, and nobody tests you. What is kept: a code that says
nothing about you, your answers, how often you started a sound and how long you took. Not kept:
your name, address, age, or anything else about you. You may stop at any time, and delete all
that you answered with one button. Wear headphones if you can, and set them to a comfortable
volume."""


class Session:
    """One listener's way through a study.

    Notebook: 13_listening_test

    What has been answered stands in the file and nowhere else. A new session with the same code in
    the same folder therefore goes on where the last one ended, however it ended.

    Example:
        >>> from course_utils.listening import design, sessions
        >>> sounds = {name: [[0.1, 0.3, -0.4, 0.0] * 1000] * 2 for name in ("Bach", "hum")}
        >>> study = design.Study("try", sounds, 8000, "Bach", "hum", {"rate": 2})
        >>> session = sessions.Session(study, "qxb42")
        >>> session.participant, session.trial.role, session.answers()
        ('QXB42', 'practice', [])
    """

    def __init__(self, study: Study, participant: str, folder: str | Path | None = None,
                 clock: Callable[[], float] = time.monotonic):
        """Begin or resume.

        Args:
            study: what is asked.
            participant: the listener's code, a letter and 2 to 11 letters or digits.
            folder: where the file is or will be; None keeps the answers in memory, to try things
                out.
            clock: returns seconds.

        Raises:
            ValueError: if the code is none, or the file holds answers to other trials.
            FileNotFoundError: if there is no such folder.
        """
        self.study, self.participant, self.clock = study, answer_log.check_code(participant), clock
        if folder is not None and not Path(folder).is_dir():
            raise FileNotFoundError(f"There is no folder '{folder}'. Create it first, or choose "
                                    "another place.")
        name = environment.safe_name(f"{study.name}_{self.participant}")
        self.path = None if folder is None else Path(folder) / f"{name}.csv"
        self.trials, self._checksum, self._memory = (plan(study, self.participant), study.checksum,
                                                     [])
        self._forget()
        for a in self.answers():
            if a.trial and self.trials[a.trial - 1 : a.trial] != [
                Trial(a.trial, a.kind, a.role, a.first, a.second)]:
                raise ValueError(f"'{self.path}' holds answers to another plan of trials. Choose "
                                 "another folder, or another name for the changed study.")

    def _forget(self) -> None:
        self._heard, self._started, self._asked, self._plays = {}, set(), 0, 0
        self._began = self._playing = None

    def answers(self) -> list[Answer]:
        """Return what has been answered, the consent included, in the order it was saved."""
        if self.path is None:
            return list(self._memory)
        kept = answer_log.read(self.path)[0] if self.path.exists() else []
        first: dict[int, Answer] = {}
        for a in kept:
            first.setdefault(a.trial, a)
        return list(first.values())

    @property
    def agreed(self) -> bool:
        """Tell whether the listener has consented."""
        return any(a.kind == "consent" for a in self.answers())

    @property
    def trial(self) -> Trial | None:
        """Return the first trial without an answer, None at the end."""
        answered = {a.trial for a in self.answers()}
        return next((trial for trial in self.trials if trial.number not in answered), None)

    def agree(self) -> None:
        """Save the listener's consent.

        Raises:
            OSError: if it cannot be saved.
        """
        if not self.agreed:
            self._save(Trial(0, "consent", "consent", "", ""), "yes", 0)

    @property
    def plays(self) -> int:
        """Return how many times a sound of the current trial was started."""
        return self._plays

    @property
    def started(self) -> bool:
        """Tell whether every sound of the current trial was started; only then does it make sense
        to answer.
        """
        trial = self.trial
        return (trial is not None and trial.number == self._asked
                and set(trial.places) <= self._started)

    def play(self, place: str) -> np.ndarray:
        """Note that the sound at "A" or "B" is started now, and return it, (samples,).

        Raises:
            ValueError: before the consent, after the end, or if nothing is played at this place.
        """
        trial = self._current()
        if place not in trial.places:
            raise ValueError(f"Sounds are at {' and '.join(trial.places)} in this trial, not at "
                             f"{place!r}.")
        now = self.clock()
        self._stop(now)
        self._playing, self._plays = (place, now), self._plays + 1
        self._started.add(place)
        self._began = now if self._began is None else self._began
        return self.study.sound(trial.places[place])

    def _current(self) -> Trial:
        if not self.agreed:
            raise ValueError("The listener has not consented yet.")
        if (trial := self.trial) is None:
            raise ValueError("The test is finished; all trials are answered.")
        # a new trial, perhaps because another window has answered the last one
        if trial.number != self._asked:
            self._forget()
            self._asked = trial.number
        return trial

    def _stop(self, now: float) -> None:
        if self._playing:
            place, begin = self._playing
            self._heard[place] = max(self._heard.get(place, 0.0), now - begin)

    def missing(self) -> str:
        """Say what has to be heard before the trial can be answered; "" if nothing has."""
        trial = self._current()
        self._stop(self.clock())
        for place, name in trial.places.items():
            left = (len(self.study.sound(name)) / self.study.sr - TOLERANCE
                    - self._heard.get(place, 0.0))
            if place not in self._started:
                return f"Play sound {place} first."
            if left > 0 and self._playing and self._playing[0] == place:
                return f"Listen to sound {place} to its end, {np.ceil(left):.0f} s to go."
            if left > 0:
                return f"Sound {place} was cut short. Play it again, to its end."
        return ""

    def answer(self, value: str) -> Answer:
        """Save the answer to the current trial; the next one is then current.

        Args:
            value: "A" or "B", or "1" to "5".

        Returns:
            What was saved.

        Raises:
            ValueError: if that is no answer to this trial, or a sound has not been heard to its
                end.
            OSError: if it cannot be saved; the trial then stays.
        """
        trial, value = self._current(), str(value)
        if value not in CHOICES[trial.kind]:
            raise ValueError(f"Answer with one of {', '.join(CHOICES[trial.kind])}, not {value!r}.")
        if missing := self.missing():
            raise ValueError(missing)
        return self._save(trial, value, round(1000 * (self.clock() - self._began)))

    def _save(self, trial: Trial, value: str, milliseconds: int) -> Answer:
        answer = Answer(self.study.name, self._checksum, self.participant, trial.number,
                        len(self.trials), *trial[1:], value, self._plays, milliseconds)
        if self.path is None:
            self._memory.append(answer)
        else:
            answer_log.append(self.path, answer)
        return answer

    def delete(self) -> int:
        """Delete everything that this listener has answered, and return how many answers that were.

        Raises:
            OSError: if the file cannot be removed.
        """
        count = sum(a.trial > 0 for a in self.answers())
        self._memory.clear()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        self._forget()
        return count


def new_code(rng: np.random.Generator | None = None) -> str:
    """Draw a code that says nothing about anybody, such as QXB42."""
    rng = rng or np.random.default_rng()
    return "".join(rng.choice(list(CONSONANTS), 3)) + "".join(map(str, rng.integers(2, 10, 2)))


Listener = Callable[[Trial], str]


def simulated_listener(quality: Mapping[str, float], *, noise: float = 1.0, lean: float = 0.0,
                       lapses: float = 0.0, seed: int = 0) -> Listener:
    """Make a listener whose ears and biases are known.

    Notebook: 13_listening_test

    Each hearing leaves an impression, the system's quality plus normal noise. Of a pair the better
    impression wins; a rating is the impression, rounded (Thurstone, "A law of comparative
    judgment", 1927).

    Args:
        quality: each system's, on the scale of the ratings, 1 to 5.
        noise: standard deviation of an impression.
        lean: what is added to the first sound of a pair: a bias towards A.
        lapses: share of the trials answered without listening, by drawing.
        seed: the same seed gives the same answers.

    Returns:
        A function that answers a `Trial`.

    Example:
        >>> from course_utils.listening import design, sessions
        >>> listener = sessions.simulated_listener({"Bach": 5, "hum": 1}, noise=0)
        >>> listener(design.Trial(1, "prefer", "test", "hum/0", "Bach/0"))
        'B'
    """
    rng = np.random.default_rng(seed)

    def answer(trial: Trial) -> str:
        heard = [quality[answer_log.system_of(sound)] + noise * rng.normal()
                 for sound in trial.places.values()]
        if rng.random() < lapses:
            return str(rng.choice(CHOICES[trial.kind]))
        if trial.kind == "rate":
            return str(int(np.clip(np.round(heard[0]), 1, 5)))
        return "A" if heard[0] + lean > heard[1] else "B"

    return answer


def simulated_room(quality: Mapping[str, float], listeners: int, *, spread: float = 0.0,
                   noise: float = 1.0, lean: float = 0.0, lapses: float = 0.0,
                   seed: int = 0) -> dict[str, Listener]:
    """Make many simulated listeners, whose tastes differ by normal deviates of size `spread`; the
    rest is as in one.

    Returns:
        A listener for each of so many codes.

    Example:
        >>> from course_utils.listening import design, sessions
        >>> room = sessions.simulated_room({"Bach": 5, "hum": 1}, listeners=3, noise=0)
        >>> [listener(design.Trial(1, "rate", "test", "hum/0", "")) for listener in room.values()]
        ['1', '1', '1']
    """
    rng, room = np.random.default_rng(seed), {}
    while len(room) < listeners:
        taste = {system: value + spread * rng.normal() for system, value in quality.items()}
        room[new_code(rng)] = simulated_listener(taste, noise=noise, lean=lean, lapses=lapses,
                                                 seed=int(rng.integers(2**31)))
    return room


def run(session: Session, listener: Listener) -> None:
    """Lead a listener through all that is left of a session: consent, play, answer, trial after
    trial.

    Notebook: 13_listening_test

    Args:
        session: its clock has to run ahead of the music, as that of `simulate` does.
        listener: a function that answers a `Trial`.
    """
    session.agree()
    while (trial := session.trial) is not None:
        for place in trial.places:
            session.play(place)
        session.answer(listener(trial))


def simulate(study: Study, listeners: Mapping[str, Listener],
             folder: str | Path | None = None) -> list[Answer]:
    """Lead simulated listeners through a study, in the same sessions as people.

    Notebook: 13_listening_test

    Args:
        study: what is asked.
        listeners: a function for each code, which answers a `Trial`.
        folder: where to save their files; None keeps all in memory.

    Returns:
        All answers.

    Example:
        >>> from course_utils.listening import design, sessions
        >>> sounds = {name: [[0.1, 0.3, -0.4, 0.0] * 1000] * 2 for name in ("Bach", "hum")}
        >>> study = design.Study("try", sounds, 8000, "Bach", "hum", {"rate": 2})
        >>> [a.kind for a in sessions.simulate(study, {"QXB": lambda trial: "3"})][:3]
        ['consent', 'rate', 'rate']
    """
    answers = []
    for code, listener in listeners.items():
        session = Session(study, code, folder, clock=itertools.count(step=60).__next__)
        run(session, listener)
        answers += session.answers()
    return answers
