"""Settings of this installation: defaults, ``callboard.toml`` in the home folder, environment, options.

Each source overrides the one before. What a coordinator edits (templates, chains, tables) is rows in the
database, not here.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from app.domain.problem import Refused
from app.domain.public_address import PublicAddress

FILE = "callboard.toml"


def default_home() -> Path:
    """``CALLBOARD_HOME``, or the platform's folder for program data."""
    named = os.environ.get("CALLBOARD_HOME")
    return Path(named).expanduser() if named else user_data_path("callboard", appauthor=False)


class Settings(BaseSettings):
    """Every setting, with what it means."""

    model_config = SettingsConfigDict(env_prefix="CALLBOARD_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home)
    """The folder of configuration, database, key, spool and logs."""

    database_url: str = ""
    """``sqlite:////path/to/file`` or ``postgresql://user:password@host/name``; a file in the home by default."""

    production: str = ""
    """The production that is meant where none is named. Empty: the first one of this home."""

    public_url: str = ""
    """The https address under which the outside reaches the public socket. Empty: nothing can reach us."""

    public_url_stable: bool = False
    """Whether that address will still lead here tomorrow. Only then a link goes into a text."""

    recent_public_urls: tuple[str, ...] = ()
    """Addresses used in the last 24 hours: callbacks may still be signed for them."""

    public_host: str = "127.0.0.1"
    public_port: int = Field(default=8085, ge=0, le=65535)
    """The public socket: callbacks and crew pages. A tunnel is given this one only."""

    private_host: str = "127.0.0.1"
    private_port: int = Field(default=8086, ge=0, le=65535)
    """The private socket: health and metrics. Never give it to a tunnel."""

    @field_validator("home", mode="before")
    @classmethod
    def _named(cls, home: object) -> object:
        """An empty name is none: it would mean the folder this process happens to stand in."""
        return home or default_home()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the parent names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = init_settings().get("home") or default_home()
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(home) / FILE))

    @property
    def database_address(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'callboard.db').absolute()}"

    @property
    def key_file(self) -> Path:
        return self.home / "callboard.key"

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    @property
    def log_file(self) -> Path:
        return self.home / "logs" / "callboard.log"

    @property
    def public_address(self) -> PublicAddress:
        return PublicAddress(self.public_url.rstrip("/"), self.public_url_stable, self.recent_public_urls)


WHY_NOT = {
    "int_parsing": "it is no whole number",
    "int_type": "it is no whole number",
    "int_from_float": "it is no whole number",
    "greater_than_equal": "it is below 0",
    "less_than_equal": "it is above 65535",
    "bool_parsing": "it is neither true nor false",
    "bool_type": "it is neither true nor false",
    "string_type": "it is no text",
    "tuple_type": "it is no list of texts",
}
"""Why a value cannot be used, by the word the checker has for it. The numbers here are ports."""


def load(**options: Any) -> Settings:
    """The settings with these options on top; options that are None are left out.

    Raises :class:`Refused`, naming the setting, where one cannot be read.
    """
    given = {name: value for name, value in options.items() if value is not None}
    file = Path(given.get("home") or default_home()) / FILE
    try:
        return Settings(**given)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        if first["type"] == "extra_forbidden":
            raise Refused(f"There is no setting {name}.", f"Take it out of {file}.") from None
        raise Refused(
            f"The setting {name} cannot be used: {WHY_NOT.get(first['type'], first['msg'])}.",
            f"Correct it in {file} or in CALLBOARD_{name.upper()}.",
        ) from None
    except SettingsError as wrong:
        raise Refused(f"A setting cannot be read: {wrong}.", "Correct the CALLBOARD_ variable.") from None
    except UnicodeDecodeError:
        raise Refused(
            f"{file} cannot be read: it is no text (UTF-8).", "Save it as UTF-8, or move the file away."
        ) from None
    except tomllib.TOMLDecodeError as wrong:
        raise Refused(
            f"{file} cannot be read: {wrong}.", "Correct that line, or move the file away."
        ) from None
