"""In which order the bars of a score are played: repeats, endings, da capo, dal segno, coda."""
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

MOST_BARS = 10_000
MOST_PLAYS = 100
JUMP = re.compile(r"((?P<capo>d\.?\s?c\.?|da\s?capo)|d\.?\s?s\.?|dal\s?segno)"
                  r"(\s+(al|a la|to|e poi|senza|con|no)\s+(?P<al>.*))?")


@dataclass
class Marks:
    """What stands at a bar, in any part, and sends the player elsewhere.

    Attributes:
        forward: a repeated passage begins here.
        plays: how often the passage that ends here is played; 0 where none ends.
        endings: numbers of the bracket over the bar, such as {1, 2}.
        segno, coda: the sign that is jumped to stands at the beginning.
        to_coda, fine: the word stands at the end.
        jump: "da capo" or "dal segno" at the end.
        al: "fine" or "coda", where the jump says so.
    """
    forward: bool = False
    plays: int = 0
    endings: set[int] = field(default_factory=set)
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    jump: str = ""
    al: str = ""

    def read_words(self, text: str) -> None:
        """Take note of words such as "D.C. al Fine", "To Coda" or "Fine"; others mean nothing."""
        text = " ".join(text.lower().split())
        found = JUMP.fullmatch(text)
        if found:
            self.jump = "da capo" if found["capo"] else "dal segno"
            self.al = next((word for word in ("fine", "coda") if word in (found["al"] or "")),
                           self.al)
        elif re.fullmatch(r"(to|al) (the )?coda\W*", text):
            self.to_coda = True
        elif re.fullmatch(r"fine\W*", text):
            self.fine = True


class Passage(NamedTuple):
    """Bars `first` to `last`, how often they are played, and the number of their last ending."""
    first: int
    last: int
    plays: int
    ending: int


def order(count: int, marks: Mapping[int, Marks]) -> tuple[list[int], list[str]]:
    """Return the numbers of the bars, from 0, in the order in which they are played.

    A backward sign without a forward one repeats from the end of the last repeat. After a jump,
    what was heard before is played once, with its last ending. A jump that leads nowhere is passed
    over.

    Args:
        count: number of bars that are written.
        marks: what stands at them, by bar; bars without marks may be missing.

    Returns:
        The order, and sentences about marks that could not be followed.

    Raises:
        ValueError: if a passage is played more than 100 times, or there are more than 10,000 bars.
    """
    marks = {bar: replace(found) for bar, found in marks.items() if 0 <= bar < count}
    _name_codas(marks)
    endings = _endings(count, marks)
    passages = list(_passages(count, marks, endings))
    played, seen, told, taken = [], set(), [], set()
    at, jump = 0, Marks()
    while at is not None:
        begin, at = at, None
        for bar, final in _walk(passages, endings, begin, seen):
            played.append(bar)
            seen.add(bar)
            here = marks.get(bar, Marks())
            if len(played) > MOST_BARS:
                raise ValueError(f"With its repeats, it has more than {MOST_BARS} bars. Shorten it "
                                 "or take out repeats.")
            if taken and here.fine:
                return played, told
            if here.to_coda and jump.jump and jump.al != "fine":
                at, jump = _bar_with("coda", marks, bar + 1, count, told), Marks()
            elif here.jump and final and bar not in taken and len(taken) < MOST_PLAYS:
                at, jump = _target(here.jump, marks, bar, told), here
                taken.add(bar)
            if at is not None:
                break
    return played, told


def _name_codas(marks: Mapping[int, Marks]) -> None:
    """Of two signs of a coda without words, the first says where to leave."""
    codas = sorted(bar for bar, found in marks.items() if found.coda)
    if len(codas) > 1 and not any(found.to_coda for found in marks.values()):
        marks[codas[0]].coda, marks[codas[0]].to_coda = False, True


def _target(jump: str, marks: Mapping[int, Marks], bar: int, told: list[str]) -> int | None:
    """Return the bar that a jump leads to: the beginning, or the last segno before."""
    if jump == "da capo":
        return 0
    before = [other for other, found in marks.items() if found.segno and other <= bar]
    return max(before) if before else _bar_with("segno", marks, bar + 1, bar + 1, told)


def _bar_with(sign: str, marks: Mapping[int, Marks], first: int, count: int,
              told: list[str]) -> int | None:
    bars = [bar for bar, found in marks.items() if getattr(found, sign) and first <= bar < count]
    if not bars:
        told.append(f"The jump at bar {first} finds no {sign} and is passed over.")
    return min(bars, default=None)


def _passages(count: int, marks: Mapping[int, Marks],
              endings: list[set[int]]) -> Iterator[Passage]:
    """Cut the bars into passages, each of which is played once or more."""
    first = bar = 0
    while bar < count:
        here = marks.get(bar, Marks())
        opened = first in marks and marks[first].forward
        if bar > first and (here.forward or (here.coda and not opened)):
            yield _passage(first, bar - 1, marks, endings)
            first = bar
        if here.plays > 1:
            while endings[bar] and _goes_on(bar, endings, marks):
                bar += 1
        if here.plays > 1 or (here.jump and not opened and not _goes_on(bar, endings, marks)):
            yield _passage(first, bar, marks, endings)
            first = bar + 1
        bar += 1
    if first < count:
        yield _passage(first, count - 1, marks, endings)


def _endings(count: int, marks: Mapping[int, Marks]) -> list[set[int]]:
    """List the brackets over all bars; one that goes on over the beginning of the next repeated
    passage ends there.
    """
    endings = [marks[bar].endings if bar in marks else set() for bar in range(count)]
    for bar in range(count):
        over = endings[bar]
        if over and 1 not in over and bar in marks and marks[bar].forward:
            while bar < count and endings[bar] == over:
                endings[bar] = set()
                bar += 1
    return endings


def _goes_on(bar: int, endings: list[set[int]], marks: Mapping[int, Marks]) -> bool:
    """Tell whether the endings of one passage go on after a bar."""
    following = bar + 1
    if following >= len(endings) or (following in marks and marks[following].forward):
        return False
    return bool(endings[following]) and (1 not in endings[following] or 1 in endings[bar])


def _passage(first: int, last: int, marks: Mapping[int, Marks],
             endings: list[set[int]]) -> Passage:
    plays = max((marks[bar].plays for bar in range(first, last + 1) if bar in marks), default=0)
    ending = max((number for bar in range(first, last + 1) for number in endings[bar]), default=1)
    if max(plays, ending) > MOST_PLAYS:
        raise ValueError(f"It plays a passage {max(plays, ending)} times; up to {MOST_PLAYS} times "
                         "can be read. Take out that repeat.")
    return Passage(first, last, max(plays, ending) if plays > 1 else 1, max(plays, ending))


def _walk(passages: list[Passage], endings: list[set[int]], begin: int,
          seen: set[int]) -> Iterator[tuple[int, bool]]:
    """Yield the bars from `begin` on, and whether each is played for the last time; passages that
    were seen are not repeated.
    """
    for number in range(bisect_left(passages, begin, key=lambda p: p.last), len(passages)):
        first, last, plays, ending = passages[number]
        again = first in seen
        for time in [ending] if again else range(1, plays + 1):
            for bar in range(max(first, begin), last + 1):
                over = endings[bar]
                if not over or time in over or (plays == 1 and not again):
                    yield bar, again or time == max((n for n in over if n <= plays), default=plays)
