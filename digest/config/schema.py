"""The tables of digest.toml: their keys, what may stand there, and what each is for.

The reference page is written from the tables and the strings below their fields, so these speak to
the owner of a newsletter. Where a table needs no conversion it is the settings class itself. A key
without a default is required; None means that the default is worked out from other keys.
"""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo

from digest.config import field_types as types
from digest.config.field_types import FieldType, Key, not_empty
from digest.config.settings import (
    WORKED_OUT,
    DkimSettings,
    DomainLimits,
    ServiceSettings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)
from digest.model.newsletter import Newsletter, Rules
from digest.model.schedule import CatchUp, DeliverAt, OnSilence, Timing

_RULES: Final = Rules()
_TIMING: Final = Timing()
_SUBJECT: Final = str(next(f.default for f in fields(Newsletter) if f.name == "subject"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """Who publishes. Every newsletter of the folder shares it."""

    name: types.Line
    """The name of the paper, blog or house."""
    url: types.SiteUrl
    """Its public address. A slash at the end is dropped."""
    language: types.Language = "en"
    """The language of digest's own words, dates and numbers."""
    timezone: types.Zone = field(default_factory=lambda: ZoneInfo("UTC"))
    """The time zone of schedules, dates and `--at`."""
    postal_address: types.Lines = ""
    """The address in the footer, which the law asks of bulk mail in most countries. It may be empty
    while you try things out; `digest check` complains, and `digest send` refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTable:
    """Where articles, readers and the ledger are kept."""

    path: types.FilePath = Path("subscribers.db")
    """The SQLite file. It is made when needed."""
    retention: types.Days | None = None
    """How long after its end an edition's record of each single delivery is kept; after that only
    totals are. By default for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpTable(SmtpSettings):
    """The server that takes the messages. Give the password by environment or in a file."""

    give_up_after: types.Duration = timedelta(days=3)
    """How long after the first try a deferred message is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayTable(SmtpSettings):
    """Several servers that share the messages: one table `[[relays]]` for each.

    `[smtp]` is left out then, but for its `give_up_after`. A relay that fails is left alone for a
    while, and the others take over.
    """

    name: types.Line
    """A name of your own for it; no two relays share one."""
    weight: types.Weight = 1
    """How many messages it gets, compared with the other relays, while there is a choice: when its
    connections are busy or a limit is reached, the others take over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsTable:
    """Our fields, and the names that the source has for them."""

    guid: types.Line | None = None
    """A lasting name of the article."""
    title: types.Line | None = None
    """The headline."""
    url: types.Line | None = None
    """The link."""
    summary: types.Line | None = None
    """The deck."""
    content: types.Line | None = None
    """The body."""
    image_url: types.Line | None = None
    """The picture."""
    author: types.Line | None = None
    """Who wrote it."""
    source: types.Line | None = None
    """Where it comes from."""
    section: types.Line | None = None
    """The section it stands in."""
    tags: types.Line | None = None
    """Its tags."""
    priority: types.Line | None = None
    """A number; larger comes first."""
    published_at: types.Line | None = None
    """When it was published."""
    expires_at: types.Line | None = None
    """When it is of no more use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable(SourceSettings):
    """Where articles come from: one table `[[sources]]` for each."""

    kind: SourceKind = WORKED_OUT
    """What it is made of. By default guessed from `url` or `path`."""
    location: str = WORKED_OUT
    url: Annotated[types.Url | None, Key(place="location")] = None
    """Its address. Either this or `path`."""
    path: Annotated[types.FilePath | None, Key(place="location")] = None
    """Its file. Either this or `url`."""
    named_columns: Annotated[ColumnsTable, Key(name="columns", place="columns")] = field(
        default_factory=ColumnsTable
    )
    """What the source calls our fields, as in `{ title = 'headline' }`; for tables and files, not
    for feeds."""
    timezone: types.Zone = WORKED_OUT
    """The time zone of dates without one. By default the site's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionTable:
    """One group of stories. A plain text is short for `{ title = "that text" }`."""

    #: The key that a plain text in place of the table stands for.
    SHORT_FOR: ClassVar = "title"

    title: types.Line
    """The heading."""
    match: Annotated[
        tuple[types.Line, ...] | None, FieldType('a list of names such as ["Town"]', not_empty)
    ] = None
    """The sections it gathers, without case. By default its title."""
    max_items: types.Count | None = None
    """How many stories it shows at most."""


class ApprovalMode(StrEnum):
    """Whether an editor has to approve an edition."""

    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterTable:
    """A recurring digest: one table `[newsletters.KEY]` for each, KEY as in `digest send KEY`."""

    title: types.Line | None = None
    """Its title. By default the site's name."""
    from_: Annotated[types.Sender | None, Key(name="from")] = None
    """The sender, in short for the next two keys."""
    sender_name: types.Line | None = None
    """The sender's name. By default the newsletter's title."""
    sender_address: types.Address | None = None
    """The sender's address. Required, here or in `from`."""
    reply_to: types.Address | None = None
    """Where answers go, if not to the sender."""
    bounce_address: types.BounceAddress | None = None
    """Where messages come back that cannot be delivered. Each gets an address of its own:
    `bounces@news.example` becomes `bounces+20260312.7.5f0c…@news.example`, so the mailbox must take
    what is added. By default they come back to the sender as it is."""
    language: types.Language | None = None
    """By default the site's."""
    timezone: types.Zone | None = None
    """By default the site's."""
    schedule: types.ScheduleLines | None = None
    """When it is sent, by the clock of its time zone; see docs/guide/schedule.md. By default only
    when you send it."""
    days_off: Annotated[
        tuple[types.DaysOff, ...],
        FieldType('a list such as [2026-12-25, "2026-12-24..2027-01-02"]'),
    ] = ()
    """Days without an edition."""
    catch_up: CatchUp = _TIMING.catch_up
    """What becomes of editions that were due while `digest run` was not running: collapse makes one
    of them, replay each, skip none."""
    max_lateness: types.Minutes | None = None
    """How long after its time an edition may still be sent. By default until the next is due."""
    deliver_at: DeliverAt = _TIMING.deliver_at
    """Whose clock the times of `schedule` are by: the newsletter's, for all readers at once, or
    each reader's own, as far as known."""
    quiet_hours: types.Hours | None = None
    """When a reader gets no message, by the reader's own clock as far as known. It waits until they
    end."""
    approval: ApprovalMode = ApprovalMode.NONE
    """Whether an edition waits as a draft until an editor approves it."""
    lead_time: types.Minutes = _TIMING.lead_time
    """How long before its time the draft is made."""
    on_silence: OnSilence = _TIMING.on_silence
    """What becomes of a draft that nobody has decided on when its time comes."""
    subject: types.Line = _SUBJECT
    """The subject line, a Jinja2 template."""
    max_age: types.Minutes = _RULES.max_age
    """Articles older than this stay out. A day is 24 hours."""
    min_items: types.Count = _RULES.min_items
    """With fewer articles than this, no edition is made."""
    max_items: types.Count = _RULES.max_items
    """How many articles an edition holds at most."""
    max_per_section: types.Count | None = _RULES.max_per_section
    """How many of one section. By default without limit."""
    max_per_source: types.Count | None = _RULES.max_per_source
    """How many of one source. By default without limit."""
    decks_per_section: types.CountOrNone = _RULES.decks_per_section
    """How many stories of a section show their deck; the rest are headlines."""
    sections: Annotated[
        tuple[Annotated[SectionTable, FieldType("a text or a table")], ...],
        FieldType('a list such as ["Town", { title = "Sport", max_items = 5 }]'),
    ] = ()
    """The sections in their order, as a list or as tables `[[newsletters.KEY.sections]]`. By
    default in the order of their best story."""
    only_sections: types.Switch = _RULES.only_sections
    """Whether articles of no listed section stay out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The whole of digest.toml."""

    site: Annotated[SiteTable, FieldType("a table [site]")]
    database: Annotated[DatabaseTable, FieldType("a table [database]")] = field(
        default_factory=DatabaseTable
    )
    smtp: Annotated[SmtpTable, FieldType("a table [smtp]")] = field(default_factory=SmtpTable)
    relays: Annotated[tuple[RelayTable, ...], FieldType("tables [[relays]]")] = ()
    domains: Annotated[
        dict[types.DomainKey, Annotated[DomainLimits, FieldType("a table of limits")]],
        FieldType('tables such as [domains."example.com"]'),
    ] = field(default_factory=dict)
    dkim: Annotated[DkimSettings | None, FieldType("a table [dkim]")] = None
    service: Annotated[ServiceSettings, FieldType("a table [service]")] = field(
        default_factory=ServiceSettings
    )
    sources: Annotated[tuple[SourceTable, ...], FieldType("tables [[sources]]")] = ()
    newsletters: Annotated[
        dict[types.NewsletterKey, NewsletterTable],
        FieldType("at least one table [newsletters.KEY]", not_empty),
    ]
