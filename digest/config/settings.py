"""Settings as the rest of the program sees them: frozen, typed, complete, paths absolute.

Most of these classes are tables of digest.toml, too (see `digest.config.schema`): a field is a key
with its type and its default, and the string below it is what the reference page says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from digest.config import field_types as types
from digest.config.field_types import FieldType
from digest.config.validators import is_loopback
from digest.errors import UsageError
from digest.model.newsletter import Newsletter, Site

#: The default of a key that is worked out from other keys before anybody reads it.
WORKED_OUT: Final[Any] = None


class Security(StrEnum):
    """How the connection to the SMTP server is secured."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


_PORTS: Final = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


class Login(StrEnum):
    """How we log in to the SMTP server."""

    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit on messages in any span of time, such as `{ messages = 1000, window = "1h" }`."""

    messages: types.Messages
    """How many messages at most."""
    window: types.Duration
    """In any span of time of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """An SMTP server. Timeouts are in seconds: for each step, and for the reply to the final dot.

    `password` never shows in a repr, so that no log and no traceback can hold it. With XOAUTH2 it
    is an access token; these expire, so one that stands in `password_file` is read at each login.
    `auth` is None where the server's offer decides. `name` and `weight` tell several relays apart:
    a relay of weight 3 gets three times as many messages as one of weight 1.
    """

    host: types.Host = "localhost"
    """The name or address of the server."""
    port: types.Port = WORKED_OUT
    """Its port. By default 587 with starttls, 465 with tls, 25 with none."""
    security: Security = WORKED_OUT
    """How the connection is secured. By default starttls, and none on this machine (localhost)."""
    username: types.Account | None = None
    """The account, where the server wants one."""
    password: types.Password | None = field(default=None, repr=False)
    """Its password. Better given as `DIGEST_SMTP__PASSWORD`, or in a file."""
    password_file: types.FilePath | None = None
    """A file that holds the password and nothing else. `DIGEST_SMTP__PASSWORD` goes before it."""
    auth: Login | None = None
    """How to log in. By default the best of plain, login and cram-md5 that the server offers. With
    xoauth2 the password is an access token; one in a file is read at each login."""
    connections: types.Connections = 4
    """How many connections may be open at once."""
    timeout: types.Timeout = 30.0
    """How long each step of the dialogue may take."""
    timeout_after_data: types.Timeout = 600.0
    """How long the server may think about a message it has read. Waiting is better than not knowing
    whether it arrived."""
    messages_per_second: types.PerSecond | None = None
    """How many messages it gets a second. By default without limit."""
    messages_per_window: (
        Annotated[Quota, FieldType('a table such as { messages = 1000, window = "1h" }')] | None
    ) = None
    """How many messages it gets in any span of time. By default without limit."""
    messages_per_connection: types.Messages | None = None
    """After how many messages a connection is replaced by a new one. By default when the server
    says so."""
    name: str = ""
    weight: int = 1

    def __post_init__(self) -> None:
        if not self.security:
            usual = Security.NONE if is_loopback(self.host) else Security.STARTTLS
            object.__setattr__(self, "security", usual)
        if not self.port:
            object.__setattr__(self, "port", _PORTS[self.security])


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLimits:
    """Limits for readers of one domain, by all relays together: `[domains."example.com"]`."""

    connections: types.Connections | None = None
    """How many messages to it may be under way at once."""
    messages_per_second: types.PerSecond | None = None
    """How many messages its readers get a second."""


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
    source's own (`{"title": "headline"}`). `publisher` is what readers see as the source where
    neither a feed's title nor the article says it; without it they see `name`.
    """

    name: types.Line
    """A name of your own for it; no two sources share one."""
    kind: SourceKind
    location: str
    table: types.Line | None = None
    """The table or view, for kind sqlite only."""
    columns: Mapping[str, str] = field(default_factory=dict)
    section: types.Line | None = None
    """The section of articles that name none."""
    timezone: ZoneInfo
    base_url: types.Url | None = None
    """What relative links are relative to."""
    encoding: types.Encoding | None = None
    """The text encoding of a file. By default found out."""
    delimiter: types.Delimiter | None = None
    """What stands between two fields, for kind csv only. By default found out."""
    dates: DateOrder | None = None
    """What comes first in a date such as 03/04/2026. By default such a date is refused, unless one
    number can only be the day, or dots part them (3.4.2026: day first)."""
    publisher: str | None = None
    allow_private: types.Switch = False
    """Whether the host of `url` may be inside your own network. Where it redirects to another host,
    that one may not."""
    timeout: types.Timeout = 20.0
    """How long the source may take to answer."""
    max_bytes: types.Bytes = 10_000_000
    """How large it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSettings:
    """Signs every message (DKIM) where your mail server does not. Needs the extra `dkim`."""

    selector: types.Selector
    """The name of the key in DNS. `digest check` tells the record to publish."""
    key_file: types.FilePath
    """The private key: RSA of 2048 bits or more, PEM, with mode 600."""
    domain: types.Domain | None = None
    """The domain that signs: the sender's, one above it or below it. By default the sender's."""
    ed25519_selector: types.Selector | None = None
    """The name in DNS of a second key, Ed25519."""
    ed25519_key_file: types.FilePath | None = None
    """The second key's file, PEM, with mode 600."""
    nameserver: types.NameServer | None = None
    """The DNS server that `digest check` asks. By default this machine's."""


class LogForm(StrEnum):
    """How `digest run` writes its log."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How `digest run` behaves."""

    owner: types.Address | None = None
    """Who gets a mail when something needs attention: editions that were skipped or failed, drafts
    that wait, sources that are silent. By default only the log says so."""
    port: types.Port | None = None
    """The port on 127.0.0.1 of `/healthz` and `/metrics`. By default there is none."""
    log: LogForm = LogForm.TEXT
    """How the log is written: lines for people, or JSON."""
    timeout: types.Timeout = 30.0
    """How long messages under way may take to end when the service is stopped."""
    ingest_every: types.Minutes = timedelta(minutes=15)
    """How often the sources are read."""


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
                hint=f"Name one, as in `digest send {next(iter(self.newsletters))}`; commands for"
                " articles and subscribers have --newsletter for it.",
            )
        try:
            return self.newsletters[key]
        except KeyError:
            raise UsageError(
                f"there is no newsletter {key!r}; digest.toml has {known}",
                hint="Name one of these, or add a table [newsletters." + key + "].",
            ) from None
