"""The design of a listening test: sounds of one loudness, what is asked about them, and each
listener's own order.
"""
import itertools
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import audio, environment
from course_utils.checks import check_rate, waveform
from course_utils.listening import answer_log
from course_utils.sound import preparing

LUFS = -23.0
QUESTIONS = {"rate": "How good is this music?", "prefer": "Which of the two do you like better?",
             "pick": "One of the two is by {}. Which?"}
SCALE = {"1": "bad", "2": "poor", "3": "fair", "4": "good", "5": "excellent"}


@dataclass(frozen=True, eq=False)
class Study:
    """What is played and asked in a listening test.

    Notebook: 13_listening_test

    All sounds are brought to one loudness, so that nobody judges by volume.

    Attributes:
        name: short, for the files' names: letters, digits, - and _.
        sounds: for each system, such as "Bach" or "LSTM", its excerpts, each (samples,), at least
            0.4 s; as many of each system, at least two. The last of each is kept for practice.
        sr: their sample rate in Hz.
        reference: the system that is the real thing. It is rated among the others, without being
            named.
        anchor: a system that must lose; who does not hear that does not listen.
        rounds: how many times each system is rated (`rate`), each pair compared that does not hold
            the anchor (`prefer`), and each system set against the reference (`pick`); what is left
            out is not asked.
        repeats: how many trials of each kind are asked a second time.

    Raises:
        ValueError: if one of these cannot be.

    Example:
        >>> from course_utils.listening import design
        >>> sounds = {name: [[0.1, 0.3, -0.4, 0.0] * 1000] * 2 for name in ("Bach", "hum")}
        >>> study = design.Study("try", sounds, 8000, "Bach", "hum", {"rate": 2})
        >>> study.comparisons("rate"), study.question("rate")
        ([('Bach',), ('hum',)], 'How good is this music?')
    """
    name: str
    sounds: Mapping[str, Sequence[np.ndarray]]
    sr: int
    reference: str
    anchor: str
    rounds: Mapping[str, int] = field(default_factory=lambda: {"rate": 2, "prefer": 2, "pick": 2})
    repeats: int = 2

    def __post_init__(self):
        check_rate(self.sr)
        if not self.name.replace("-", "").replace("_", "").isalnum() or not self.name.isascii():
            raise ValueError("A study's name is made of letters, digits, - and _, not "
                             f"{self.name!r}.")
        if len(self.name) > 100 or not all(answer_log.SOUND.fullmatch(f"{system}/0")
                                           for system in self.sounds):
            raise ValueError("Names of a study and its systems have at most 100 letters, and no "
                             "control characters.")
        if (len(self.sounds) < 2 or self.reference == self.anchor
                or not {self.reference, self.anchor} <= set(self.sounds)):
            raise ValueError(f"Reference ({self.reference!r}) and anchor ({self.anchor!r}) are two "
                             f"of the systems: {', '.join(self.sounds)}.")
        if len({len(excerpts) for excerpts in self.sounds.values()}) > 1 or self.items < 1:
            raise ValueError("Each system has as many excerpts as the others, at least two, the "
                             "last for practice.")
        if (not self.rounds or not set(self.rounds) <= set(QUESTIONS)
                or min(self.rounds.values()) < 1):
            raise ValueError("rounds says how many times to ask, at least 1, of "
                             f"{', '.join(QUESTIONS)}; not {self.rounds}.")
        trials = [len(self.comparisons(kind)) * count for kind, count in self.rounds.items()]
        if not min(trials) or not 0 <= self.repeats <= min(trials) // 2:
            raise ValueError(f"This makes {trials} trials ({', '.join(self.rounds)}), and "
                             f"{self.repeats} repeats of each kind. A kind needs a trial at least, "
                             "and half can be repeated at most. Add systems or rounds.")
        object.__setattr__(self, "sounds", match_loudness(self.sounds, self.sr))

    @property
    def items(self) -> int:
        """Return the number of excerpts of each system, without the one for practice."""
        return len(self.sounds[self.reference]) - 1

    def comparisons(self, kind: str) -> list[tuple[str, ...]]:
        """Return which systems are set against each other in one round, or rated alone."""
        if kind == "rate":
            return [(system,) for system in self.sounds]
        pairs = itertools.combinations(self.sounds, 2)
        return [pair for pair in pairs if (self.anchor not in pair if kind == "prefer"
                                           else self.reference in pair)]

    def sound(self, name: str) -> np.ndarray:
        """Return the excerpt of a name such as "Bach/2"."""
        system, _, item = name.rpartition("/")
        return self.sounds[system][int(item)]

    def question(self, kind: str) -> str:
        """Return what is asked in a trial of this kind."""
        return QUESTIONS[kind].format(self.reference)

    @property
    def checksum(self) -> str:
        """Return a checksum of all sounds as 16-bit samples, to notice that two rooms did not hear
        the same.
        """
        crc = 0
        for name, excerpts in sorted(self.sounds.items()):
            for y in excerpts:
                crc = zlib.crc32(np.round(y * 32767).astype("<i2").tobytes(),
                                 zlib.crc32(name.encode(), crc))
        return f"x{crc:08x}"


def match_loudness(sounds: Mapping[str, Sequence[np.ndarray]],
                   sr: int) -> dict[str, list[np.ndarray]]:
    """Bring sounds to one loudness: -23 LUFS, or that of the one whose peak allows least.

    Notebook: 13_listening_test

    Args:
        sounds: for each system its excerpts, each (samples,), at least 0.4 s.
        sr: sample rate in Hz.

    Returns:
        The same, as float32; none is clipped.

    Raises:
        ValueError: if a sound is silent, too short, or not of one channel.

    Example:
        >>> import numpy as np
        >>> from course_utils.listening import design
        >>> y = np.sin(np.arange(4000))
        >>> matched = design.match_loudness({"Bach": [y], "LSTM": [0.01 * y]}, 8000)
        >>> bool(np.allclose(matched["Bach"], matched["LSTM"], atol=1e-4))
        True
    """
    level = LUFS
    for system, excerpts in sounds.items():
        for number, y in enumerate(excerpts):
            reached = preparing.loudness(
                preparing.normalize_loudness(waveform(y, mono=True), sr, LUFS), sr)
            if reached == -np.inf:
                raise ValueError(f"Excerpt {number} of {system!r} is silent. Nobody can judge it; "
                                 "choose another one.")
            level = min(level, reached)
    return {system: [preparing.normalize_loudness(y, sr, level) for y in excerpts]
            for system, excerpts in sounds.items()}


def save_sounds(folder: str | Path, sounds: Mapping[str, Sequence[np.ndarray]], sr: int) -> Path:
    """Save excerpts as folder/system/number.wav, so that all rooms hear the same.

    Notebook: 13_listening_test

    Args:
        folder: made if it is not there; its parent has to be.
        sounds: for each system its excerpts, each (samples,).
        sr: sample rate in Hz.

    Returns:
        The folder.

    Raises:
        ValueError: if a system's name is no folder's name.
        OSError: if something cannot be written.
    """
    for system, excerpts in sounds.items():
        if not system or re.search(r'[/\\:*?"<>|]', system) or system.startswith(".") or (
                system != environment.printable(system, 100).strip()):
            raise ValueError(f"A system needs a name that a folder can have, not {system!r}.")
        place = Path(folder) / system
        place.mkdir(parents=True, exist_ok=True)
        for number, y in enumerate(excerpts):
            audio.save(place / f"{number:02}.wav", y, sr)
    return Path(folder)


def load_sounds(folder: str | Path, sr: int) -> dict[str, list[np.ndarray]]:
    """Load excerpts from folder/system/*.wav (or flac, ogg, mp3), such as your own music beside
    Bach's.

    Notebook: 13_listening_test

    Args:
        folder: holds one folder for each system.
        sr: sample rate in Hz to convert to.

    Returns:
        For each system, in the order of the names, its excerpts, each (samples,).

    Raises:
        FileNotFoundError: if there is no such folder, or none with sounds in it.
        ValueError, OSError: if a file cannot be decoded.
    """
    places = [place for place in sorted(Path(folder).glob("*")) if place.is_dir()]
    found = {place.name: sorted(file for file in place.iterdir()
                                if file.suffix.lower() in audio.FORMATS) for place in places}
    if not any(found.values()):
        raise FileNotFoundError(f"There are no sounds in '{folder}'. Put a folder for each system "
                                "there, with wav files in it.")
    return {system: [audio.load(file, sr=sr)[0] for file in files]
            for system, files in found.items() if files}


class Trial(NamedTuple):
    """One question to one listener: its number from 1, kind, role, and what is played ("" if there
    is no second sound).
    """
    number: int
    kind: str
    role: str
    first: str
    second: str

    @property
    def places(self) -> dict[str, str]:
        """Return what is played where: "A" and "B", or "A" alone."""
        return {"A": self.first} | ({"B": self.second} if self.second else {})


def plan(study: Study, participant: str) -> list[Trial]:
    """Draw one listener's trials: balanced, in random order, the same each time for the same code.

    Notebook: 13_listening_test

    Each kind of question begins with a trial for practice. Then come rounds: in each, every
    comparison occurs once, in random order, so that tiredness falls on all systems alike. Of a
    pair, each system stands first in half of the rounds. Excerpts are dealt like cards: none occurs
    twice before all have occurred. At the end some trials of the first half are asked again, pairs
    the other way round.

    Args:
        study: what is asked.
        participant: the code, from which the order is drawn.

    Returns:
        The trials in order.

    Example:
        >>> from course_utils.listening import design
        >>> sounds = {name: [[0.1, 0.3, -0.4, 0.0] * 1000] * 2 for name in ("Bach", "hum")}
        >>> study = design.Study("try", sounds, 8000, "Bach", "hum", {"rate": 2})
        >>> [trial.role for trial in design.plan(study, "QXB42")]
        ['practice', 'test', 'test', 'test', 'test', 'repeat', 'repeat']
    """
    rng = np.random.default_rng(list(sha256(f"{study.name}/{participant}".encode()).digest()))
    drawn = [row for kind in study.rounds for row in _block(study, kind, rng)]
    return [Trial(number, *row) for number, row in enumerate(drawn, 1)]


def _block(study: Study, kind: str, rng: np.random.Generator) -> list[tuple[str, str, str, str]]:
    compared, rounds = study.comparisons(kind), study.rounds[kind]
    decks, turned = ({system: _deal(study.items, rng) for system in study.sounds},
                     rng.integers(2, size=len(compared)))
    tested = []
    for number in range(rounds):
        for which in rng.permutation(len(compared)):
            systems = compared[which][:: 1 if (number + turned[which]) % 2 else -1]
            tested.append(tuple(f"{system}/{next(decks[system])}" for system in systems))
    practice = ((study.reference, study.anchor) if kind != "rate" else (study.anchor,))
    again = sorted(rng.permutation(len(tested) // 2)[:study.repeats])
    block = [("practice", tuple(f"{system}/{study.items}" for system in practice)),
             *(("test", sounds) for sounds in tested),
             *(("repeat", tested[number][::-1]) for number in again)]
    return [(kind, role, *sounds, *[""] * (2 - len(sounds))) for role, sounds in block]


def _deal(items: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(items)
