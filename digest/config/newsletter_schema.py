"""The table of a newsletter, and of its sections; see `digest.config.schema`."""

from dataclasses import fields
from typing import Annotated, Any, Final

from annotated_types import MinLen
from pydantic import Field, model_validator

from digest.config.field_types import (
    Address,
    ApprovalName,
    BounceAddress,
    CatchUpName,
    ConfigTable,
    Count,
    CountOrNone,
    DaysOff,
    DeliverAtName,
    FieldDescription,
    Hours,
    Language,
    Line,
    Minutes,
    OnSilenceName,
    ScheduleLines,
    Sender,
    Switch,
    Zone,
)
from digest.model.newsletter import Newsletter, Rules
from digest.model.schedule import Timing

_RULES: Final = Rules()
_TIMING: Final = Timing()
_SUBJECT: Final = str(next(f.default for f in fields(Newsletter) if f.name == "subject"))


def as_section(value: Any) -> Any:
    """A section as a table, where a plain text is short for one; anything else as it is."""
    return {"title": value} if isinstance(value, str) else value


class SectionTable(ConfigTable):
    """One group of stories. A plain text is short for `{ title = "that text" }`."""

    title: Line = Field(description="The heading.")
    match: (
        Annotated[list[Line], MinLen(1), FieldDescription('a list of names such as ["Town"]')]
        | None
    ) = Field(
        default=None, description="The sections it gathers, without case. By default its title."
    )
    max_items: Count | None = Field(default=None, description="How many stories it shows at most.")

    @model_validator(mode="before")
    @classmethod
    def expand(cls, value: Any) -> Any:
        """A plain text as a table; anything else as it is."""
        return as_section(value)


class NewsletterTable(ConfigTable):
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
    schedule: ScheduleLines | None = Field(
        default=None,
        description="When it goes out, by the clock of its time zone; see docs/guide/schedule.md."
        " By default only when you send it.",
    )
    days_off: Annotated[
        list[DaysOff], FieldDescription('a list such as [2026-12-25, "2026-12-24..2027-01-02"]')
    ] = Field(default=[], description="Days without an edition.")
    catch_up: CatchUpName = Field(
        default=_TIMING.catch_up.value,
        description="What becomes of editions that were due while `digest run` was not running:"
        " collapse makes one of them, replay each, skip none.",
    )
    max_lateness: Minutes | None = Field(
        default=None,
        description="How long after its time an edition may still go out. By default until the"
        " next one is due.",
    )
    deliver_at: DeliverAtName = Field(
        default=_TIMING.deliver_at.value,
        description="Whose clock the times of `schedule` are by: the newsletter's, for all readers"
        " at once, or each reader's own, as far as known.",
    )
    quiet_hours: Hours | None = Field(
        default=None,
        description="When a reader gets no message, by the reader's own clock as far as known. It"
        " waits until they end.",
    )
    approval: ApprovalName = Field(
        default="none",
        description="Whether an edition waits as a draft until an editor approves it.",
    )
    lead_time: Minutes = Field(
        default=_TIMING.lead_time, description="How long before its time the draft is made."
    )
    on_silence: OnSilenceName = Field(
        default=_TIMING.on_silence.value,
        description="What becomes of a draft that nobody has decided on when its time comes.",
    )
    subject: Line = Field(default=_SUBJECT, description="The subject line, a Jinja2 template.")
    max_age: Minutes = Field(
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
        list[Annotated[SectionTable, FieldDescription("a text or a table")]],
        FieldDescription('a list such as ["Town", { title = "Sport", max_items = 5 }]'),
    ] = Field(
        default=[],
        description="The sections in their order, as a list or as tables"
        " `[[newsletters.KEY.sections]]`. By default in the order of their best story.",
    )
    only_sections: Switch = Field(
        default=_RULES.only_sections, description="Whether articles of no listed section stay out."
    )
