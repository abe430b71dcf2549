"""The tables of digest.toml: their keys, what may stand there, and what each is for.

The reference page is written from this module, so descriptions speak to the owner of a newsletter.
A key without a default is required; None means that the default is worked out from other keys.
"""

import re
from dataclasses import fields
from typing import Annotated, Any, Final

from annotated_types import MinLen
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from digest.config.domains import domain
from digest.config.kinds import (
    Address,
    BounceAddress,
    Bytes,
    Count,
    CountOrNone,
    DateOrderName,
    Delimiter,
    Domain,
    Duration,
    Encoding,
    FilePath,
    KindName,
    Language,
    Line,
    Lines,
    NameServer,
    Selector,
    Sender,
    SiteUrl,
    Switch,
    Timeout,
    Url,
    Words,
    Zone,
)
from digest.config.refusal import refused
from digest.config.server_schema import DomainTable, RelayTable, SmtpTable
from digest.config.table import Table
from digest.model.newsletter import Newsletter, Rules

_RULES: Final = Rules()
_SUBJECT: Final = str(next(f.default for f in fields(Newsletter) if f.name == "subject"))


class SiteTable(Table):
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


class DatabaseTable(Table):
    """Where articles, readers and the ledger are kept."""

    path: FilePath = Field(
        default="subscribers.db", description="The SQLite file. It is made when needed."
    )


class DkimTable(Table):
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


class ColumnsTable(Table):
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


class SourceTable(Table):
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


def as_section(value: Any) -> Any:
    """A section as a table, where a plain text is short for one; anything else as it is."""
    return {"title": value} if isinstance(value, str) else value


class SectionTable(Table):
    """One group of stories. A plain text is short for `{ title = "that text" }`."""

    title: Line = Field(description="The heading.")
    match: Annotated[list[Line], MinLen(1), Words('a list of names such as ["Town"]')] | None = (
        Field(
            default=None, description="The sections it gathers, without case. By default its title."
        )
    )
    max_items: Count | None = Field(default=None, description="How many stories it shows at most.")

    @model_validator(mode="before")
    @classmethod
    def expand(cls, value: Any) -> Any:
        """A plain text as a table; anything else as it is."""
        return as_section(value)


class NewsletterTable(Table):
    """A recurring digest: one table `[newsletters.KEY]` for each, KEY as in `digest send KEY`."""

    title: Line | None = Field(default=None, description="Its title. By default the site's name.")
    from_: Sender | None = Field(
        None, alias="from", description="The sender, in short for the next two keys."
    )
    sender_name: Line | None = Field(
        default=None, description="The sender's name. By default the newsletter's title."
    )
    sender_address: Address | None = Field(
        default=None, description="The sender's address. Required, here or in `from`."
    )
    reply_to: Address | None = Field(
        default=None, description="Where answers go, if not to the sender."
    )
    bounce_address: BounceAddress | None = Field(
        default=None,
        description="Where messages come back that cannot be delivered. Each gets an address of"
        " its own: `bounces@news.example` becomes `bounces+20260312.7.5f0c…@news.example`, so the"
        " mailbox must take what is added. By default they come back to the sender as it is.",
    )
    language: Language | None = Field(default=None, description="By default the site's.")
    timezone: Zone | None = Field(default=None, description="By default the site's.")
    schedule: Line | None = Field(
        default=None, description="When it goes out. This version keeps it and does not act on it."
    )
    subject: Line = Field(default=_SUBJECT, description="The subject line, a Jinja2 template.")
    max_age: Duration = Field(
        default=_RULES.max_age, description="Articles older than this stay out. A day is 24 hours."
    )
    min_items: Count = Field(
        default=_RULES.min_items, description="With fewer articles than this, no edition is made."
    )
    max_items: Count = Field(
        default=_RULES.max_items, description="How many articles an edition holds at most."
    )
    max_per_section: Count | None = Field(
        default=_RULES.max_per_section,
        description="How many of one section. By default without limit.",
    )
    max_per_source: Count | None = Field(
        default=_RULES.max_per_source,
        description="How many of one source. By default without limit.",
    )
    decks_per_section: CountOrNone = Field(
        default=_RULES.decks_per_section,
        description="How many stories of a section show their deck; the rest are headlines.",
    )
    sections: Annotated[
        list[Annotated[SectionTable, Words("a text or a table")]],
        Words('a list such as ["Town", { title = "Sport", max_items = 5 }]'),
    ] = Field(
        default=[],
        description="The sections in their order, as a list or as tables"
        " `[[newsletters.KEY.sections]]`. By default in the order of their best story.",
    )
    only_sections: Switch = Field(
        default=_RULES.only_sections, description="Whether articles of no listed section stay out."
    )


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


class File(Table):
    """The whole of digest.toml."""

    site: Annotated[SiteTable, Words("a table [site]")]
    database: Annotated[DatabaseTable, Words("a table [database]")] = DatabaseTable()
    smtp: Annotated[SmtpTable, Words("a table [smtp]")] = SmtpTable()
    relays: Annotated[list[RelayTable], Words("tables [[relays]]")] = Field(default=[])
    domains: Annotated[
        dict[DomainKey, Annotated[DomainTable, Words("a table of limits")]],
        Words('tables such as [domains."example.com"]'),
    ] = Field(default={})
    dkim: Annotated[DkimTable, Words("a table [dkim]")] | None = None
    sources: Annotated[list[SourceTable], Words("tables [[sources]]")] = Field(default=[])
    newsletters: Annotated[
        dict[Key, NewsletterTable], MinLen(1), Words("at least one table [newsletters.KEY]")
    ]
