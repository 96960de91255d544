"""How production offices head the columns of a crew list, and which of our fields each heading means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.crew_table import clean, fold
from app.domain.problem import Problem


class CrewField(StrEnum):
    """What a column can hold. The values are the headings of our own export."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    DEPARTMENT = "department"
    POSITION = "position"
    DEPARTMENT_HEAD = "department_head"
    UNIT = "unit"
    PHONE = "phone"
    MOBILE_PHONE = "mobile_phone"
    LANDLINE_PHONE = "landline_phone"
    PHONE_TYPE = "phone_type"
    EMAIL = "email"
    LANGUAGE = "language"
    TIME_ZONE = "time_zone"
    CALL_OFFSET = "call_offset_min"
    START_DATE = "start_date"
    FINISH_DATE = "finish_date"
    DAY_STATUS = "day_status"
    SMS_CONSENT = "sms_consent"
    DND_START = "dnd_start"
    DND_END = "dnd_end"
    EMERGENCY_CONTACT = "emergency_contact"
    EMERGENCY_PHONE = "emergency_phone"


PHONE_FIELDS = (CrewField.MOBILE_PHONE, CrewField.PHONE, CrewField.LANDLINE_PHONE)
"""The fields of one person's own numbers, in the order they are tried."""

NAME_PARTS = frozenset({CrewField.NAME, CrewField.FIRST_NAME, CrewField.LAST_NAME})
"""The fields that name a person."""

SEVERAL = frozenset({*PHONE_FIELDS, CrewField.EMAIL})
"""Fields that may have more than one column. Of every other field the first column counts."""

WORDINGS: dict[CrewField, str] = {
    CrewField.NAME: """
        name; full name; crew name; crew member; crew; crew member name; cast member; cast name; employee;
        employee name; person; contact name; member; display name; actor; artist; name last first; last name first name;
        first name last name; first and last name; last and first name; name first last; legal name; full legal name;
        nombre; nombre completo; nombre y apellidos; nombre y apellido; nom complet; nom et prenom; nom prenom;
        prenom nom; prenom et nom; vor und nachname; vorname nachname; name vorname; mitarbeiter""",
    CrewField.FIRST_NAME: """
        first; first name; given name; given names; forename; firstname; christian name; name first;
        nombre de pila; primer nombre; prenom; vorname""",
    CrewField.LAST_NAME: """
        last; last name; surname; family name; lastname; second name; name last;
        apellido; apellidos; nom de famille; nachname; familienname""",
    CrewField.DEPARTMENT: """
        department; dept; dpt; depart; department name; dept name; crew department; division;
        departamento; depto; dpto; departement; service; abteilung; gewerk; bereich""",
    CrewField.POSITION: """
        position; pos; title; job; job title; role; crew position; occupation; function; credit; job description;
        position title; union title; classification; puesto; cargo; funcion; rol; poste; fonction; metier;
        funktion; taetigkeit; tatigkeit; beruf""",
    CrewField.DEPARTMENT_HEAD: """
        department head; dept head; hod; head of department; head of dept; is hod; department head y n;
        jefe de departamento; jefe de equipo; chef de departement; chef de poste; abteilungsleitung; abteilungsleiter;
        head""",
    CrewField.UNIT: """
        unit; units; crew unit; shooting unit; unidad; unite; equipe; einheit""",
    CrewField.PHONE: """
        phone; phone number; telephone; telephone number; tel; ph; phone numbers; contact number; contact phone;
        contact no; primary phone; main phone; phone primary; best phone; phones; daytime phone;
        phone secondary; phone other;
        telefono; numero de telefono; num de telefono; tfno; tlf; numero de telephone; telefon;
        telefonnummer; rufnummer; tel nr""",
    CrewField.MOBILE_PHONE: """
        cell; cell phone; cellphone; cellular; mobile; mobile phone; mobile number; cell number; mob; mbl; cell tel;
        phone cell; phone mobile; sms; text number; sms number; iphone; whatsapp; personal cell; personal mobile;
        work cell; work mobile; mobile tel; tel mobile;
        movil; celular; telefono movil; telefono celular; portable; tel portable; telephone portable; mobil;
        handy; handynummer; mobiltelefon; mobilnummer; telefon mobil""",
    CrewField.LANDLINE_PHONE: """
        home; home phone; home number; phone home; landline; landline phone; land line; office phone; office; work phone; work;
        work number; phone work; phone office; business phone; office number; home tel; work tel; office tel;
        telefono fijo; fijo; casa; oficina; fixe; tel fixe; telephone fixe; bureau; festnetz; buro; privat;
        telefon privat""",
    CrewField.PHONE_TYPE: """
        phone type; type of phone; number type; tipo de telefono; type de telephone; telefonart""",
    CrewField.EMAIL: """
        email; e mail; email address; e mail address; mail; mail address; email addresses; contact email; work email;
        personal email; primary email; home email; secondary email; email primary; email work; email personal;
        correo; correo electronico; direccion de correo; courriel; adresse email; adresse e mail; adresse mail;
        adresse electronique; mel; emailadresse; e mail adresse; mailadresse""",
    CrewField.LANGUAGE: """
        language; lang; preferred language; language preference; languages; spoken language;
        idioma; lengua; langue; sprache""",
    CrewField.TIME_ZONE: """
        time zone; timezone; tz; zone; zona horaria; huso horario; fuseau horaire; fuseau; zeitzone""",
    CrewField.CALL_OFFSET: """
        call offset min; call offset; offset; precall; pre call; pre call min; offset min; offset minutes;
        minutes from crew call; call offset minutes; desfase; decalage; versatz""",
    CrewField.START_DATE: """
        start date; start; starts; first day; hire date; start of work; date in; from; begin; start work;
        fecha de inicio; inicio; fecha inicio; alta; date de debut; debut; startdatum; beginn; arbeitsbeginn""",
    CrewField.FINISH_DATE: """
        finish date; finish; end date; end; wrap; wrap date; last day; wraps; date out; until; to; finishes;
        fecha de fin; fin; fecha fin; baja; date de fin; enddatum; ende; arbeitsende""",
    CrewField.DAY_STATUS: """
        day status; status; work status; today; swf; w h f; estado; statut; tagesstatus""",
    CrewField.SMS_CONSENT: """
        sms consent; consent; text consent; texting consent; ok to text; okay to text; sms opt in; opt in; text ok;
        sms ok; text opt in; consentimiento; consentimiento sms; consentement; consentement sms; einwilligung;
        sms einwilligung""",
    CrewField.DND_START: """
        dnd start; do not disturb start; do not disturb from; quiet hours start; quiet from; quiet start; dnd from;
        no molestar desde; ne pas deranger de; nicht storen ab""",
    CrewField.DND_END: """
        dnd end; do not disturb end; do not disturb until; do not disturb to; quiet hours end; quiet until;
        quiet end; dnd to; dnd until; no molestar hasta; ne pas deranger a; nicht storen bis""",
    CrewField.EMERGENCY_CONTACT: """
        emergency contact; emergency contact name; emergency; emergency name; ice; ice name; ice contact;
        in case of emergency; next of kin; contact in emergency; contacto de emergencia; persona de emergencia;
        contact d urgence; contact urgence; notfallkontakt""",
    CrewField.EMERGENCY_PHONE: """
        emergency phone; emergency contact phone; emergency number; emergency contact number; ice phone; ice number;
        ice cell; emergency tel; emergency cell; emergency contact cell; emergency contact phone number; ice tel;
        emergency phone number; next of kin phone; telefono de emergencia; telefono emergencia; tel urgence;
        telephone d urgence; notfallnummer; notfalltelefon; notfall telefon""",
}
"""Headings seen on crew lists, contact sheets, start forms and address-book exports, in English, Spanish, French
and German; separated by semicolons, written without accents. Spaces do not count, so "CellPhone" needs no entry."""

AMBIGUOUS: dict[str, tuple[CrewField, CrewField | None]] = {
    "preferredname": (CrewField.FIRST_NAME, None),
    "nickname": (CrewField.FIRST_NAME, None),
    "rufname": (CrewField.FIRST_NAME, None),
    "nom": (CrewField.LAST_NAME, CrewField.NAME),
    "name": (CrewField.LAST_NAME, CrewField.NAME),
    "nombre": (CrewField.FIRST_NAME, CrewField.NAME),
}
"""Headings that mean one part of the name where another column holds the other part ("Nom" beside "Prénom",
"Nombre" beside "Apellidos", German "Name" beside "Vorname"), and the whole name, or nothing, where none does."""

SHORT_FOR = {
    "emerg": "emergency", "emer": "emergency", "addr": "address", "dt": "date", "nbr": "number", "num": "number",
}  # fmt: skip
"""Words that are cut short in headings."""

ANOTHER = frozenset(
    {"alt", "alternate", "alternative", "second", "secondary", "2nd", "other", "additional", "first", "1st",
     "primary", "main", "best", "preferred", "current"}
)  # fmt: skip
"""Words before a number or an address that only tell which of several it is: "Alt. Cell", "2nd Phone"."""

REMARKS = frozenset(
    {"cell", "mobile", "c", "m", "home", "h", "work", "w", "office", "o", "personal", "text", "texts", "sms",
     "us", "usa", "uk", "eu", "intl", "international", "local", "optional", "required", "if", "any", "only",
     "primary", "main", "best", "preferred", "mm", "dd", "yy", "yyyy", "y", "n", "yes", "no", "last", "first",
     "incl", "with", "area", "code", "country"}
)  # fmt: skip
"""Words in brackets behind a heading that do not make it somebody else's: "Phone (agent)" is not the person's."""


def _joined(heading: str) -> str:
    return fold(heading).replace(" ", "")


_MEANING: dict[str, CrewField] = {
    _joined(wording): field
    for field, wordings in reversed(WORDINGS.items())
    for wording in wordings.split(";")
}

_COUNTED = re.compile(r"^(.*?)(?:number|num|nr|no)?[0-9]{0,2}(?:number|num|nr|no)?$")
"""What is left of "Phone #2", "Cell No." or "E-mail 1" when the counting is taken away."""

_BRACKETED = re.compile(r"([^()]+)\(([^()]*)\)\W*")
_OR = re.compile(r"\s*/\s*|\s+or\s+", re.IGNORECASE)

NO_NAMES = Problem(
    "This file has no column with the names of the people.",
    'Head that column "Name" (or "First" and "Last") and import the file again.',
)
NO_HEADER = Problem(
    "No row of this file says what its columns are.",
    "Write Name, Department, Position, Phone, E-mail above the columns and import the file again.",
)
NO_CONTACTS = Problem(
    "Beside the names this file has no column that is known here.",
    "Head the columns Department, Position, Phone, E-mail and import the file again.",
)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which field each column holds, by position; None for a column that is not read.

    ``header_row`` is the number of the row that names the columns; what lies at or above it is not read as
    people. ``headings`` are the names as written.
    """

    fields: tuple[CrewField | None, ...]
    headings: tuple[str, ...]
    header_row: int = 1
    beside: int | None = None
    """The position from which the row names people a second time: nothing is read from there on."""

    def columns(self, field: CrewField) -> tuple[int, ...]:
        """The positions of the columns that hold ``field``, from left to right."""
        return tuple(index for index, one in enumerate(self.fields) if one is field)

    def heading(self, index: int) -> str:
        """The heading of a column; for one without, its number."""
        written = self.headings[index] if index < len(self.headings) else ""
        return written or f"column {index + 1}"

    def unknown(self) -> tuple[str, ...]:
        """The headings of columns that are not read."""
        return tuple(
            heading
            for heading, field in zip(self.headings[: self.beside], self.fields, strict=False)
            if heading and field is None
        )

    def has(self, field: CrewField) -> bool:
        return field in self.fields


def meaning(heading: str) -> CrewField | None:
    """The field a heading means by itself, or None."""
    written = heading[:200]
    return _wording(written) or _remarked(written) or _one_of_several(written) or _alternatives(written)


def _wording(text: str) -> CrewField | None:
    """A wording of the table, with a counter or with words cut short."""
    written = fold(text).split()
    for words in (written, [SHORT_FOR.get(word, word) for word in written]):
        joined = "".join(words)
        if joined in _MEANING:
            return _MEANING[joined]
        counted = _COUNTED.match(joined)
        if counted and counted[1] in _MEANING:
            return _MEANING[counted[1]]
    return None


def _remarked(text: str) -> CrewField | None:
    """ "Phone (cell)" is a cell phone, "Start (mm/dd/yy)" a start."""
    bracketed = _BRACKETED.fullmatch(text.strip())
    if bracketed is None:
        return None
    before, inside = bracketed[1], fold(bracketed[2])
    if not set(inside.split()) <= REMARKS:
        return None
    return _wording(f"{inside} {before}") or _wording(before) or _one_of_several(before)


def _one_of_several(text: str) -> CrewField | None:
    words = fold(text).split()
    found = _wording(" ".join(words[1:])) if len(words) > 1 and words[0] in ANOTHER else None
    return found if found in SEVERAL else None


def _alternatives(text: str) -> CrewField | None:
    """ "Role / Job Title" says one thing twice; "Cell/Home" is a number of either kind."""
    parts = [_wording(part) for part in _OR.split(text)]
    if len(parts) < 2 or None in parts:
        return None
    found = set(parts)
    return found.pop() if len(found) == 1 else CrewField.PHONE if found <= set(PHONE_FIELDS) else None


def recognise(headings: Sequence[str], header_row: int = 1) -> ColumnMapping | Problem:
    """What the columns of a list hold, from the cells of its header row.

    A header row names the people and at least one thing about them; a :class:`Problem` says which is missing.
    """
    written = tuple(clean(heading[:200]) for heading in headings)
    known = [meaning(heading) for heading in written]
    _settle_ambiguous(written, known)
    beside = _second_list(known)
    if beside is not None:
        known[beside:] = [None] * (len(known) - beside)
    fields = _first_of_each(known)
    found = {field for field in fields if field is not None}
    names = found & NAME_PARTS
    if not found:
        return NO_HEADER
    if not names:
        return NO_NAMES
    if found == names:
        return NO_CONTACTS
    return ColumnMapping(fields=fields, headings=written, header_row=header_row, beside=beside)


def known_columns(headings: Sequence[str]) -> int:
    """How many of these cells are headings we know: which of several readings of a file is the likely one."""
    return sum(meaning(heading) is not None for heading in headings)


def _settle_ambiguous(written: Sequence[str], known: list[CrewField | None]) -> None:
    parts = {CrewField.FIRST_NAME, CrewField.LAST_NAME}
    for index, heading in enumerate(written):
        choice = AMBIGUOUS.get(_joined(heading))
        if choice is None:
            continue
        part, whole = choice
        others = {field for place, field in enumerate(known) if place != index}
        known[index] = part if (parts - {part}) & others and part not in others else whole


def _second_list(known: Sequence[CrewField | None]) -> int | None:
    """Where a name comes again behind the numbers and addresses of the first one: what follows is another
    person's, and must not become the first one's second number."""
    named: set[CrewField] = set()
    reached = False
    for index, field in enumerate(known):
        if field in NAME_PARTS:
            if field in named and reached:
                return index
            named.add(field)
        elif field in SEVERAL:
            reached = True
    return None


def _first_of_each(known: Sequence[CrewField | None]) -> tuple[CrewField | None, ...]:
    """A second column of a field that can have only one value is not read, and so is reported."""
    seen: set[CrewField] = set()
    fields: list[CrewField | None] = []
    for field in known:
        fields.append(None if field in seen and field not in SEVERAL else field)
        if field is not None:
            seen.add(field)
    return tuple(fields)
