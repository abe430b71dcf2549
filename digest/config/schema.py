"""The tables of digest.toml: their keys, what may stand there, and what each is for.

The reference page is written from the tables, so descriptions speak to the owner of a newsletter.
Where a table needs no conversion it is the settings class itself. A key without a default is
required; None means that the default is worked out from other keys.
"""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo

from digest.config.field_types import (
    Address,
    BounceAddress,
    Count,
    CountOrNone,
    Days,
    DaysOff,
    DomainKey,
    Duration,
    FieldType,
    FilePath,
    Hours,
    Key,
    Language,
    Line,
    Lines,
    Minutes,
    NewsletterKey,
    ScheduleLines,
    Sender,
    SiteUrl,
    Switch,
    Url,
    Weight,
    Zone,
    not_empty,
)
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

    name: Annotated[Line, Key("The name of the paper, blog or house.")]
    url: Annotated[SiteUrl, Key("Its public address. A slash at the end is dropped.")]
    language: Annotated[Language, Key("The language of digest's own words, dates and numbers.")] = (
        "en"
    )
    timezone: Annotated[Zone, Key("The time zone of schedules, dates and `--at`.")] = field(
        default_factory=lambda: ZoneInfo("UTC")
    )
    postal_address: Annotated[
        Lines,
        Key(
            "The address in the footer, which the law asks of bulk mail in most countries. It may"
            " be empty while you try things out; `digest check` complains, and `digest send`"
            " refuses."
        ),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTable:
    """Where articles, readers and the ledger are kept."""

    path: Annotated[FilePath, Key("The SQLite file. It is made when needed.")] = Path(
        "subscribers.db"
    )
    retention: Annotated[
        Days | None,
        Key(
            "How long after its end an edition's record of each single delivery is kept; after that"
            " only totals are. By default for ever."
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpTable(SmtpSettings):
    """The server that takes the messages. Give the password by environment or in a file."""

    give_up_after: Annotated[
        Duration,
        Key("How long after the first try a message that servers put off is given up."),
    ] = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayTable(SmtpSettings):
    """Several servers that share the messages: one table `[[relays]]` for each.

    `[smtp]` is left out then, but for its `give_up_after`. A relay that fails is left alone for a
    while, and the others take over.
    """

    name: Annotated[Line, Key("A name of your own for it; no two relays share one.")]
    weight: Annotated[
        Weight,
        Key(
            "How many messages it gets, compared with the other relays, while there is a choice:"
            " when its connections are busy or a limit is reached, the others take over."
        ),
    ] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsTable:
    """Our fields, and the names that the source has for them."""

    guid: Annotated[Line | None, Key("A lasting name of the article.")] = None
    title: Annotated[Line | None, Key("The headline.")] = None
    url: Annotated[Line | None, Key("The link.")] = None
    summary: Annotated[Line | None, Key("The deck.")] = None
    content: Annotated[Line | None, Key("The body.")] = None
    image_url: Annotated[Line | None, Key("The picture.")] = None
    author: Annotated[Line | None, Key("Who wrote it.")] = None
    source: Annotated[Line | None, Key("Where it comes from.")] = None
    section: Annotated[Line | None, Key("The section it stands in.")] = None
    tags: Annotated[Line | None, Key("Its tags.")] = None
    priority: Annotated[Line | None, Key("A number; larger comes first.")] = None
    published_at: Annotated[Line | None, Key("When it was published.")] = None
    expires_at: Annotated[Line | None, Key("When it is of no more use.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable(SourceSettings):
    """Where articles come from: one table `[[sources]]` for each."""

    kind: Annotated[
        SourceKind, Key("What it is made of. By default guessed from `url` or `path`.")
    ] = WORKED_OUT
    location: str = WORKED_OUT
    url: Annotated[Url | None, Key("Its address. Either this or `path`.", place="location")] = None
    path: Annotated[FilePath | None, Key("Its file. Either this or `url`.", place="location")] = (
        None
    )
    named_columns: Annotated[
        ColumnsTable,
        Key(
            "What the source calls our fields, as in `{ title = 'headline' }`; for tables and"
            " files, not for feeds.",
            name="columns",
            place="columns",
        ),
    ] = field(default_factory=ColumnsTable)
    timezone: Annotated[Zone, Key("The time zone of dates without one. By default the site's.")] = (
        WORKED_OUT
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionTable:
    """One group of stories. A plain text is short for `{ title = "that text" }`."""

    #: The key that a plain text in place of the table stands for.
    SHORT_FOR: ClassVar = "title"

    title: Annotated[Line, Key("The heading.")]
    match: Annotated[
        Annotated[tuple[Line, ...], FieldType('a list of names such as ["Town"]', not_empty)]
        | None,
        Key("The sections it gathers, without case. By default its title."),
    ] = None
    max_items: Annotated[Count | None, Key("How many stories it shows at most.")] = None


class Approval(StrEnum):
    """Whether an editor has to approve an edition."""

    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterTable:
    """A recurring digest: one table `[newsletters.KEY]` for each, KEY as in `digest send KEY`."""

    title: Annotated[Line | None, Key("Its title. By default the site's name.")] = None
    from_: Annotated[
        Sender | None, Key("The sender, in short for the next two keys.", name="from")
    ] = None
    sender_name: Annotated[
        Line | None, Key("The sender's name. By default the newsletter's title.")
    ] = None
    sender_address: Annotated[
        Address | None, Key("The sender's address. Required, here or in `from`.")
    ] = None
    reply_to: Annotated[Address | None, Key("Where answers go, if not to the sender.")] = None
    bounce_address: Annotated[
        BounceAddress | None,
        Key(
            "Where messages come back that cannot be delivered. Each gets an address of its own:"
            " `bounces@news.example` becomes `bounces+20260312.7.5f0c…@news.example`, so the"
            " mailbox must take what is added. By default they come back to the sender as it is."
        ),
    ] = None
    language: Annotated[Language | None, Key("By default the site's.")] = None
    timezone: Annotated[Zone | None, Key("By default the site's.")] = None
    schedule: Annotated[
        ScheduleLines | None,
        Key(
            "When it goes out, by the clock of its time zone; see docs/guide/schedule.md. By"
            " default only when you send it."
        ),
    ] = None
    days_off: Annotated[
        Annotated[
            tuple[DaysOff, ...], FieldType('a list such as [2026-12-25, "2026-12-24..2027-01-02"]')
        ],
        Key("Days without an edition."),
    ] = ()
    catch_up: Annotated[
        CatchUp,
        Key(
            "What becomes of editions that were due while `digest run` was not running: collapse"
            " makes one of them, replay each, skip none."
        ),
    ] = _TIMING.catch_up
    max_lateness: Annotated[
        Minutes | None,
        Key(
            "How long after its time an edition may still go out. By default until the next one is"
            " due."
        ),
    ] = None
    deliver_at: Annotated[
        DeliverAt,
        Key(
            "Whose clock the times of `schedule` are by: the newsletter's, for all readers at"
            " once, or each reader's own, as far as known."
        ),
    ] = _TIMING.deliver_at
    quiet_hours: Annotated[
        Hours | None,
        Key(
            "When a reader gets no message, by the reader's own clock as far as known. It waits"
            " until they end."
        ),
    ] = None
    approval: Annotated[
        Approval, Key("Whether an edition waits as a draft until an editor approves it.")
    ] = Approval.NONE
    lead_time: Annotated[Minutes, Key("How long before its time the draft is made.")] = (
        _TIMING.lead_time
    )
    on_silence: Annotated[
        OnSilence, Key("What becomes of a draft that nobody has decided on when its time comes.")
    ] = _TIMING.on_silence
    subject: Annotated[Line, Key("The subject line, a Jinja2 template.")] = _SUBJECT
    max_age: Annotated[Minutes, Key("Articles older than this stay out. A day is 24 hours.")] = (
        _RULES.max_age
    )
    min_items: Annotated[Count, Key("With fewer articles than this, no edition is made.")] = (
        _RULES.min_items
    )
    max_items: Annotated[Count, Key("How many articles an edition holds at most.")] = (
        _RULES.max_items
    )
    max_per_section: Annotated[
        Count | None, Key("How many of one section. By default without limit.")
    ] = _RULES.max_per_section
    max_per_source: Annotated[
        Count | None, Key("How many of one source. By default without limit.")
    ] = _RULES.max_per_source
    decks_per_section: Annotated[
        CountOrNone, Key("How many stories of a section show their deck; the rest are headlines.")
    ] = _RULES.decks_per_section
    sections: Annotated[
        Annotated[
            tuple[Annotated[SectionTable, FieldType("a text or a table")], ...],
            FieldType('a list such as ["Town", { title = "Sport", max_items = 5 }]'),
        ],
        Key(
            "The sections in their order, as a list or as tables `[[newsletters.KEY.sections]]`."
            " By default in the order of their best story."
        ),
    ] = ()
    only_sections: Annotated[Switch, Key("Whether articles of no listed section stay out.")] = (
        _RULES.only_sections
    )


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
        dict[DomainKey, Annotated[DomainLimits, FieldType("a table of limits")]],
        FieldType('tables such as [domains."example.com"]'),
    ] = field(default_factory=dict)
    dkim: Annotated[DkimSettings | None, FieldType("a table [dkim]")] = None
    service: Annotated[ServiceSettings, FieldType("a table [service]")] = field(
        default_factory=ServiceSettings
    )
    sources: Annotated[tuple[SourceTable, ...], FieldType("tables [[sources]]")] = ()
    newsletters: Annotated[
        dict[NewsletterKey, NewsletterTable],
        FieldType("at least one table [newsletters.KEY]", not_empty),
    ]
