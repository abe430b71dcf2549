"""Settings as the rest of the program sees them: frozen, typed, complete, paths absolute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
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


class Login(StrEnum):
    """How we log in to the SMTP server."""

    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most so many messages in any span of time of this length."""

    messages: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """An SMTP server. Timeouts are in seconds: for each step, and for the reply to the final dot.

    `password` never shows in a repr, so that no log and no traceback can hold it. With XOAUTH2 it
    is an access token; these expire, so one that stands in `password_file` is read at each login.
    `auth` is None where the server's offer decides. `name` and `weight` tell several relays apart:
    a relay of weight 3 gets three times as many messages as one of weight 1.
    """

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    auth: Login | None = None
    connections: int = 4
    timeout: float = 30.0
    timeout_after_data: float = 600.0
    messages_per_second: float | None = None
    messages_per_window: Quota | None = None
    messages_per_connection: int | None = None
    name: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLimits:
    """What readers of one domain get at most, by all relays together."""

    connections: int | None = None
    messages_per_second: float | None = None


class SourceKind(StrEnum):
    """What a source is made of."""

    FEED = "feed"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    SQLITE = "sqlite"


class DateOrder(StrEnum):
    """What comes first in a date such as 03/04/2026."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Where articles come from.

    `location` is an http(s) URL or the absolute path of a file. `columns` maps our fields to the
    source's own (`{"title": "headline"}`). `timezone` is for dates without one. `base_url` makes
    relative links absolute. `encoding` and `delimiter` are None where they are to be found out,
    `dates` where a date that could mean two days is refused. `publisher` is what readers see as
    the source where neither a feed's title nor the article says it; without it they see `name`.
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
    dates: DateOrder | None = None
    publisher: str | None = None
    allow_private: bool = False
    timeout: float = 20.0
    max_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSettings:
    """How messages are signed. Without `domain` it is the one of each newsletter's sender.

    The files hold private keys in PEM form. `nameserver` is the IP address and port to ask instead
    of this machine's own.
    """

    selector: str
    key_file: Path
    domain: str | None = None
    ed25519_selector: str | None = None
    ed25519_key_file: Path | None = None
    nameserver: tuple[str, int] | None = None


class LogForm(StrEnum):
    """How `digest run` writes its log."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How `digest run` behaves. Without a `port` there is no page of health and metrics.

    `ingest_every` is the time between two readings of the sources. `timeout` is in seconds: how
    long messages under way may take to end when the service is told to. `owner` is told by mail
    what needs attention; without it, only the log says so.
    """

    owner: str | None = None
    port: int | None = None
    log: LogForm = LogForm.TEXT
    timeout: float = 30.0
    ingest_every: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that digest.toml and the environment say. `folder` is where digest.toml is.

    `relays` share the messages; without any, `smtp` carries all of them. `domains` are keyed by
    A-labels in lower case. After `give_up_after` a delivery that was deferred is not tried again.
    The deliveries of an edition that was finished `retention` ago are pruned into totals.
    """

    folder: Path
    site: Site
    database: Path
    smtp: SmtpSettings
    sources: tuple[SourceSettings, ...]
    newsletters: Mapping[str, Newsletter]
    dkim: DkimSettings | None = None
    relays: tuple[SmtpSettings, ...] = ()
    domains: Mapping[str, DomainLimits] = field(default_factory=dict)
    give_up_after: timedelta = timedelta(days=3)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    retention: timedelta | None = None

    @property
    def outgoing(self) -> tuple[SmtpSettings, ...]:
        """The servers that messages go to: the relays, or else the one of [smtp]."""
        return self.relays or (self.smtp,)

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
                hint="Name one of them after the command, or after --newsletter where it has that.",
            )
        try:
            return self.newsletters[key]
        except KeyError:
            raise UsageError(
                f"there is no newsletter {key!r}; digest.toml has {known}",
                hint="Name one of these, or add a table [newsletters." + key + "].",
            ) from None
