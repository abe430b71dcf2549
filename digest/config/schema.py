"""The tables of digest.toml: their keys, what may stand there, and what each is for.

The reference page is written from this module, so descriptions speak to the owner of a newsletter.
A key without a default is required; None means that the default is worked out from other keys.

The tables of the servers that take messages; see `digest.config.schema`.
"""

import re
from datetime import timedelta
from typing import Annotated, Final

from annotated_types import MinLen
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from digest.config.field_types import (
    Account,
    Address,
    Bytes,
    ConfigTable,
    Connections,
    DateOrderName,
    Days,
    Delimiter,
    Domain,
    Duration,
    Encoding,
    FieldDescription,
    FilePath,
    Host,
    KindName,
    Language,
    Line,
    Lines,
    LogFormName,
    LoginName,
    Messages,
    Minutes,
    NameServer,
    Password,
    PerSecond,
    Port,
    SecurityName,
    Selector,
    SiteUrl,
    Switch,
    Timeout,
    Url,
    Weight,
    Zone,
)
from digest.config.newsletter_schema import NewsletterTable
from digest.config.settings import ServiceSettings
from digest.config.validators import domain, refused


class QuotaTable(ConfigTable):
    """A limit on messages in any span of time, such as `{ messages = 1000, window = "1h" }`."""

    messages: Messages = Field(description="How many messages at most.")
    window: Duration = Field(description="In any span of time of this length.")


class ServerTable(ConfigTable):
    """What [smtp] and [[relays]] have in common."""

    host: Host = Field(default="localhost", description="The name or address of the server.")
    port: Port | None = Field(
        default=None,
        description="Its port. By default 587 with starttls, 465 with tls, 25 with none.",
    )
    security: SecurityName | None = Field(
        default=None,
        description="How the connection is secured. By default starttls, and none on this"
        " machine (localhost).",
    )
    username: Account | None = Field(
        default=None, description="The account, where the server wants one."
    )
    password: Password | None = Field(
        default=None,
        repr=False,
        description="Its password. Better given as `DIGEST_SMTP__PASSWORD`, or in a file.",
    )
    password_file: FilePath | None = Field(
        default=None,
        description="A file that holds the password and nothing else. `DIGEST_SMTP__PASSWORD` goes"
        " before it.",
    )
    auth: LoginName | None = Field(
        default=None,
        description="How to log in. By default the best of plain, login and cram-md5 that the"
        " server offers. With xoauth2 the password is an access token; one in a file is read at"
        " each login.",
    )
    connections: Connections = Field(
        default=4, description="How many connections may be open at once."
    )
    timeout: Timeout = Field(
        default="30s",
        validate_default=True,
        description="How long each step of the dialogue may take.",
    )
    timeout_after_data: Timeout = Field(
        default="10m",
        validate_default=True,
        description="How long the server may think about a message it has read. Waiting is better"
        " than not knowing whether it arrived.",
    )
    messages_per_second: PerSecond | None = Field(
        default=None, description="How many messages it gets a second. By default without limit."
    )
    messages_per_window: (
        Annotated[
            QuotaTable, FieldDescription('a table such as { messages = 1000, window = "1h" }')
        ]
        | None
    ) = Field(
        default=None,
        description="How many messages it gets in any span of time. By default without limit.",
    )
    messages_per_connection: Messages | None = Field(
        default=None,
        description="After how many messages a connection is replaced by a new one. By default"
        " when the server says so.",
    )


class SmtpTable(ServerTable):
    """The server that takes the messages. Give the password by environment or in a file."""

    give_up_after: Duration = Field(
        default=timedelta(days=3),
        description="How long after the first try a message that servers put off is given up.",
    )


class RelayTable(ServerTable):
    """Several servers that share the messages: one table `[[relays]]` for each.

    `[smtp]` is left out then, but for its `give_up_after`. A relay that fails is left alone for a
    while, and the others take over.
    """

    name: Line = Field(description="A name of your own for it; no two relays share one.")
    weight: Weight = Field(
        default=1,
        description="How many messages it gets, compared with the other relays, while there is a"
        " choice: when its connections are busy or a limit is reached, the others take over.",
    )


class DomainTable(ConfigTable):
    """Limits for readers of one domain, by all relays together: `[domains."example.com"]`."""

    connections: Connections | None = Field(
        default=None, description="How many messages to it may be under way at once."
    )
    messages_per_second: PerSecond | None = Field(
        default=None, description="How many messages its readers get a second."
    )


_SERVICE: Final = ServiceSettings()


class SiteTable(ConfigTable):
    """Who publishes. Every newsletter of the folder shares it."""

    name: Line = Field(description="The name of the paper, blog or house.")
    url: SiteUrl = Field(description="Its public address. A slash at the end is dropped.")
    language: Language = Field(
        default="en", description="The language of digest's own words, dates and numbers."
    )
    timezone: Zone = Field(
        default="UTC",
        validate_default=True,
        description="The time zone of schedules, dates and `--at`.",
    )
    postal_address: Lines = Field(
        default="",
        description="The address in the footer, which the law asks of bulk mail in most countries."
        " It may be empty while you try things out; `digest check` complains, and `digest send`"
        " refuses.",
    )


class DatabaseTable(ConfigTable):
    """Where articles, readers and the ledger are kept."""

    path: FilePath = Field(
        default="subscribers.db", description="The SQLite file. It is made when needed."
    )
    retention: Days | None = Field(
        default=None,
        description="How long after its end an edition's record of each single delivery is kept;"
        " after that only totals are. By default for ever.",
    )


class ServiceTable(ConfigTable):
    """How `digest run` behaves."""

    owner: Address | None = Field(
        default=None,
        description="Who is told by mail what needs attention: editions that were skipped or"
        " failed, drafts that wait, sources that are silent. By default only the log says so.",
    )
    port: Port | None = Field(
        default=None,
        description="The port on 127.0.0.1 of `/healthz` and `/metrics`. By default there is none.",
    )
    log: LogFormName = Field(
        default=_SERVICE.log.value, description="How the log is written: lines for people, or JSON."
    )
    timeout: Timeout = Field(
        default="30s",
        validate_default=True,
        description="How long messages under way may take to end when the service is stopped.",
    )
    ingest_every: Minutes = Field(
        default=_SERVICE.ingest_every, description="How often the sources are read."
    )


class DkimTable(ConfigTable):
    """Signs every message (DKIM) where your mail server does not. Needs the extra `dkim`."""

    selector: Selector = Field(
        description="The name of the key in DNS. `digest check` tells the record to publish."
    )
    key_file: FilePath = Field(
        description="The private key: RSA of 2048 bits or more, PEM, with mode 600."
    )
    domain: Domain | None = Field(
        default=None,
        description="The domain that signs: the sender's, one above it or below it. By default"
        " the sender's.",
    )
    ed25519_selector: Selector | None = Field(
        default=None, description="The name in DNS of a second key, Ed25519."
    )
    ed25519_key_file: FilePath | None = Field(
        default=None, description="The second key's file, PEM, with mode 600."
    )
    nameserver: NameServer | None = Field(
        default=None,
        description="The DNS server that `digest check` asks. By default this machine's.",
    )


class ColumnsTable(ConfigTable):
    """Our fields, and the names that the source has for them."""

    guid: Line | None = Field(default=None, description="A lasting name of the article.")
    title: Line | None = Field(default=None, description="The headline.")
    url: Line | None = Field(default=None, description="The link.")
    summary: Line | None = Field(default=None, description="The deck.")
    content: Line | None = Field(default=None, description="The body.")
    image_url: Line | None = Field(default=None, description="The picture.")
    author: Line | None = Field(default=None, description="Who wrote it.")
    source: Line | None = Field(default=None, description="Where it comes from.")
    section: Line | None = Field(default=None, description="The section it stands in.")
    tags: Line | None = Field(default=None, description="Its tags.")
    priority: Line | None = Field(default=None, description="A number; larger comes first.")
    published_at: Line | None = Field(default=None, description="When it was published.")
    expires_at: Line | None = Field(default=None, description="When it is of no more use.")


class SourceTable(ConfigTable):
    """Where articles come from: one table `[[sources]]` for each."""

    name: Line = Field(description="A name of your own for it; no two sources share one.")
    kind: KindName | None = Field(
        default=None, description="What it is made of. By default guessed from `url` or `path`."
    )
    url: Url | None = Field(default=None, description="Its address. Either this or `path`.")
    path: FilePath | None = Field(default=None, description="Its file. Either this or `url`.")
    table: Line | None = Field(default=None, description="The table or view, for kind sqlite only.")
    columns: ColumnsTable = Field(
        default=ColumnsTable(),
        description="What the source calls our fields, as in `{ title = 'headline' }`; for tables"
        " and files, not for feeds.",
    )
    section: Line | None = Field(
        default=None, description="The section of articles that name none."
    )
    timezone: Zone | None = Field(
        default=None, description="The time zone of dates without one. By default the site's."
    )
    base_url: Url | None = Field(default=None, description="What relative links are relative to.")
    encoding: Encoding | None = Field(
        default=None, description="The text encoding of a file. By default found out."
    )
    delimiter: Delimiter | None = Field(
        default=None,
        description="What stands between two fields, for kind csv only. By default found out.",
    )
    dates: DateOrderName | None = Field(
        default=None,
        description="What comes first in a date such as 03/04/2026. By default such a date is"
        " refused, unless one number can only be the day, or dots part them (3.4.2026: day first).",
    )
    allow_private: Switch = Field(
        default=False,
        description="Whether the host of `url` may be inside your own network. Where it redirects"
        " to another host, that one may not.",
    )
    timeout: Timeout = Field(
        default="20s", validate_default=True, description="How long the source may take to answer."
    )
    max_bytes: Bytes = Field(default=10_000_000, description="How large it may be.")


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text) or len(text) > 64:
        raise refused("a key of small letters, digits, - and _, as in [newsletters.daily]")
    return text


Key = Annotated[str, AfterValidator(_key)]


def _domain_key(text: str) -> str:
    try:
        return domain(text)
    except PydanticCustomError:
        raise refused('a domain, as in [domains."example.com"]') from None


DomainKey = Annotated[str, AfterValidator(_domain_key)]


class File(ConfigTable):
    """The whole of digest.toml."""

    site: Annotated[SiteTable, FieldDescription("a table [site]")]
    database: Annotated[DatabaseTable, FieldDescription("a table [database]")] = DatabaseTable()
    smtp: Annotated[SmtpTable, FieldDescription("a table [smtp]")] = SmtpTable()
    relays: Annotated[list[RelayTable], FieldDescription("tables [[relays]]")] = Field(default=[])
    domains: Annotated[
        dict[DomainKey, Annotated[DomainTable, FieldDescription("a table of limits")]],
        FieldDescription('tables such as [domains."example.com"]'),
    ] = Field(default={})
    dkim: Annotated[DkimTable, FieldDescription("a table [dkim]")] | None = None
    service: Annotated[ServiceTable, FieldDescription("a table [service]")] = ServiceTable()
    sources: Annotated[list[SourceTable], FieldDescription("tables [[sources]]")] = Field(
        default=[]
    )
    newsletters: Annotated[
        dict[Key, NewsletterTable],
        MinLen(1),
        FieldDescription("at least one table [newsletters.KEY]"),
    ]
