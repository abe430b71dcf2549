"""Settings as the rest of the program sees them: frozen, typed, complete, paths absolute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.errors import UsageError
from digest.model.newsletter import Newsletter, Site


class Security(StrEnum):
    """How the connection to the SMTP server is secured."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The SMTP server. `timeout` is in seconds, for each step of the dialogue.

    `password` never shows in a repr, so that no log and no traceback can hold it.
    """

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 4
    timeout: float = 30.0


class SourceKind(StrEnum):
    """What a source is made of."""

    FEED = "feed"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    SQLITE = "sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Where articles come from.

    `location` is an http(s) URL or the absolute path of a file. `columns` maps our fields to the
    source's own (`{"title": "headline"}`). `timezone` is for dates without one. `base_url` makes
    relative links absolute. `encoding` and `delimiter` are None where they are to be found out.
    """

    name: str
    kind: SourceKind
    location: str
    timezone: ZoneInfo
    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    section: str | None = None
    base_url: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    allow_private: bool = False
    timeout: float = 20.0
    max_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that digest.toml and the environment say. `folder` is where digest.toml is."""

    folder: Path
    site: Site
    database: Path
    smtp: SmtpSettings
    sources: tuple[SourceSettings, ...]
    newsletters: Mapping[str, Newsletter]

    @property
    def templates(self) -> Path:
        """Where the site keeps the templates that override ours."""
        return self.folder / "templates" / "email"

    def newsletter(self, key: str | None) -> Newsletter:
        """The newsletter of this key, or the only one. Raises UsageError where that is unclear."""
        known = ", ".join(self.newsletters)
        if key is None:
            if len(self.newsletters) == 1:
                return next(iter(self.newsletters.values()))
            raise UsageError(
                f"which newsletter? There are {len(self.newsletters)}: {known}",
                hint="Name one of them after the command.",
            )
        try:
            return self.newsletters[key]
        except KeyError:
            raise UsageError(
                f"there is no newsletter {key!r}; digest.toml has {known}",
                hint="Name one of these, or add a table [newsletters." + key + "].",
            ) from None
