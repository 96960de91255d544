"""The departments of a film crew, to tell a heading inside a crew list ("CAMERA") from a person."""

from __future__ import annotations

from app.domain.crew_table import fold

DEPARTMENTS = """
    Producers; Direction; Directing; Production; Production Office; Assistant Directors; ADs; AD Department;
    Script; Script Supervisor; Continuity; Writers; Writing; Accounting; Accounts; Production Accounting; Payroll;
    Locations; Location; Camera; Camera Department; Second Unit Camera; Sound; Production Sound; Video Assist; Video Playback;
    Playback; DIT; Grip; Grips; Rigging Grip; Electric; Electrical; Set Lighting; Lighting; Rigging Electric; LX;
    Art; Art Department; Set Decoration; Set Dressing; Set Dec; Property; Props; Prop Department; Armory; Weapons;
    Greens; Greensmen; Construction; Paint; Scenic; Costume; Costumes; Wardrobe; Hair; Makeup; Make Up;
    Hair and Makeup; Hair Makeup; Special Effects; SFX; SPFX; Visual Effects; VFX; Stunts; Transportation; Transport;
    Drivers; Picture Cars; Catering; Craft Service; Crafty; Craft Services; Medical; Medic; Health Safety; Health and Safety;
    Covid; Security; Casting; Extras Casting; Background; Extras; Cast; Talent; Editorial; Editing; Post;
    Post Production; Music; Publicity; Unit Publicity; Stills; Marketing; Education; Studio Teachers; Animals;
    Wranglers; Marine; Aerial; Drone; Intimacy; Sustainability; Legal; Studio; Vendors; Agents; Interns; Trainees;
    Produccion; Direccion; Camara; Fotografia; Sonido; Arte; Vestuario; Maquillaje; Peluqueria; Transporte; Iluminacion;
    Realisation; Mise en Scene; Image; Son; Decoration; Decors; Maquillage; Coiffure; Machinerie; Electricite; Regie;
    Produktion; Regieabteilung; Kameraabteilung; Kamera; Ton; Licht; Buhne; Ausstattung; Szenenbild; Kostum; Maske; Requisite;
    Aufnahmeleitung
"""
"""Departments of American, British, Spanish, French and German crews, as crew lists head them; no accents."""

_KNOWN = frozenset(fold(name) for name in DEPARTMENTS.split(";"))
_BESIDE = (" department", " dept", " unit", " crew", " team")


def is_department(text: str) -> bool:
    """Whether the words are those of a department."""
    words = fold(text)
    for ending in _BESIDE:
        words = words.removesuffix(ending)
    return words in _KNOWN
