"""Who of the people already known is meant by each row of a list that is imported again.

The whole list is matched at once, because a row alone cannot tell: of two people on one number, the one who is
also named is matched first, and what is left over is then easy. The rules are tried from the surest to the
weakest; each person is taken at most once, and only where rule and list leave no choice. Where they do, the row
is :class:`Ambiguous` and a person decides. The order of rows and of known people never matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.domain.crew_person import CrewRow, contact_key
from app.domain.crew_table import fold
from app.domain.email_address import same_mailbox

ALIKE = 0.8
"""Share of letters in common from which two names on one number are one name with a corrected spelling:
"Jon Smyth" and "John Smith" are above it, couples with one surname ("Ana Diaz", "Luis Diaz") below."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What is known of a person already on the production. ``phones`` are "+" and digits, with ";" and the
    extension where there is one (:func:`app.domain.crew_person.contact_key`)."""

    id: int
    name: str
    department: str
    position: str
    phones: frozenset[str]
    email: str | None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one known person may be meant, or one is meant by more than one row."""

    candidates: tuple[KnownPerson, ...]


Match = KnownPerson | Ambiguous | None
"""The known person, a choice for a human, or None for somebody new."""

Identity = tuple[str, str, frozenset[str], str, str]


def identity(person: CrewRow | KnownPerson) -> Identity:
    """What people are told apart by: name, address, numbers, department, position; equal for equal spellings."""
    if isinstance(person, CrewRow):
        phones = frozenset(contact_key(phone) for phone in person.phones)
    else:
        phones = person.phones
    return (
        fold(person.name) or person.name,
        same_mailbox(person.email or ""),
        phones,
        fold(person.department),
        fold(person.position),
    )


Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Two people agree by a rule when they share one of its keys and ``agree`` does not object.

    ``everywhere``: the key must be unique among all rows and all known people, not only among those left over.
    """

    keys: Callable[[Identity], Iterable[Key]]
    agree: Callable[[Identity, Identity], bool] = lambda _row, _known: True
    everywhere: bool = False


def _whole(one: Identity) -> Iterable[Key]:
    name, email, phones, department, position = one
    yield (name, email, ",".join(sorted(phones)), department, position)


def _name_and_email(one: Identity) -> Iterable[Key]:
    if one[1]:
        yield one[:2]


def _name_and_phone(one: Identity) -> Iterable[Key]:
    return ((one[0], phone) for phone in one[2])


def _email(one: Identity) -> Iterable[Key]:
    if one[1]:
        yield (one[1],)


def _phone(one: Identity) -> Iterable[Key]:
    return ((phone,) for phone in one[2])


def _name_and_position(one: Identity) -> Iterable[Key]:
    yield (one[0], one[3], one[4])


def _name_and_department(one: Identity) -> Iterable[Key]:
    yield (one[0], one[3])


def _names_alike(row: Identity, known: Identity) -> bool:
    return SequenceMatcher(None, row[0], known[0], autojunk=False).ratio() >= ALIKE


RULES: tuple[Rule, ...] = (
    Rule(_whole),
    Rule(_name_and_email),
    Rule(_name_and_phone),
    # somebody married, or is spelt correctly now; an office's common address proves nothing
    Rule(_email, everywhere=True),
    # a corrected spelling of somebody without an address; a number handed to somebody else is not that
    Rule(_phone, _names_alike),
    # a new number, and no address or a new one
    Rule(_name_and_position),
    Rule(_name_and_department),
)
"""From the surest to the weakest. Two people who agree by none are two people, whatever they are called."""


def match_all(rows: Sequence[CrewRow], existing: Sequence[KnownPerson]) -> tuple[Match, ...]:
    """For each row the known person it means, in the order of ``rows``."""
    matching = _Matching([identity(row) for row in rows], [identity(person) for person in existing])
    # after each success again from the surest rule: who is taken leaves others without a choice
    while any(matching.apply(rule) for rule in RULES):
        pass
    doubts = matching.doubts()
    return tuple(
        existing[matching.taken[place]]
        if place in matching.taken
        else Ambiguous(tuple(existing[person] for person in sorted(doubts[place])))
        if place in doubts
        else None
        for place in range(len(rows))
    )


class _Matching:
    """Which row has taken which known person so far, both by their place."""

    def __init__(self, rows: list[Identity], known: list[Identity]) -> None:
        self._rows = rows
        self._known = known
        self._places = {rule: (_places(rows, rule), _places(known, rule)) for rule in RULES}
        self.taken: dict[int, int] = {}

    def apply(self, rule: Rule) -> int:
        """Take every pair on which neither side has another choice; how many there were."""
        choices = self._choices(rule)
        wanted: dict[int, set[int]] = defaultdict(set)
        for row, people in choices.items():
            for person in people:
                wanted[person].add(row)
        sure = {
            row: next(iter(people))
            for row, people in choices.items()
            if len(people) == 1 and len(wanted[next(iter(people))]) == 1
        }
        self.taken |= sure
        return len(sure)

    def doubts(self) -> dict[int, set[int]]:
        """For each row that has taken nobody, the people it may still mean, if there are any."""
        left: dict[int, set[int]] = {}
        for rule in RULES:
            for row, people in self._choices(rule).items():
                left.setdefault(row, set()).update(people)
        return left

    def _choices(self, rule: Rule) -> dict[int, set[int]]:
        """For each row that has taken nobody, the people nobody has taken with whom it agrees by ``rule``."""
        gone = set(self.taken.values())
        all_rows, all_known = self._places[rule]
        choices: dict[int, set[int]] = {}
        for key, rows in all_rows.items():
            people = all_known.get(key, [])
            if rule.everywhere and (len(rows) > 1 or len(people) > 1):
                continue
            for row in rows:
                if row in self.taken:
                    continue
                fit = {
                    person
                    for person in people
                    if person not in gone and rule.agree(self._rows[row], self._known[person])
                }
                if fit:
                    choices.setdefault(row, set()).update(fit)
        return choices


def _places(people: Sequence[Identity], rule: Rule) -> dict[Key, list[int]]:
    places: dict[Key, list[int]] = defaultdict(list)
    for place, one in enumerate(people):
        for key in rule.keys(one):
            places[key].append(place)
    return places
