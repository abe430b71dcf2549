"""A newsletter: a recurring digest, its sender and its rules of selection."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from digest.model.schedule import Schedule, Timing

#: Characters before the @ of a bounce address. What is added for each delivery needs the rest of
#: the 64 that RFC 5321 section 4.5.3.1.1 allows.
LONGEST_BOUNCE_NAME: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who publishes: what every newsletter of one folder shares.

    `pages_url` is the address below which the readers' pages answer (`/u/`, `/p/` and `/e/`); None
    where nothing does: then messages link to none of them, and readers leave by mail.
    """

    name: str
    url: str
    language: str
    timezone: ZoneInfo
    postal_address: str
    pages_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRule:
    """One titled group of stories: which sections of the sources it gathers, and how many stories.

    `match` holds names of sections, compared without case; it is never empty.
    """

    title: str
    match: tuple[str, ...]
    max_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an edition is selected. Counts are of articles; None means without limit.

    `sections` fixes order and mapping; when it is empty, sections stand in the order of their best
    story. `only_sections` keeps out what none of them gathers. `decks_per_section` is how many
    stories of a section show their deck; the rest are headlines.
    """

    max_age: timedelta = timedelta(days=2)
    min_items: int = 1
    max_items: int = 24
    max_per_section: int | None = None
    max_per_source: int | None = None
    decks_per_section: int = 3
    sections: tuple[SectionRule, ...] = ()
    only_sections: bool = False

    def __post_init__(self) -> None:
        if self.min_items < 1:
            raise ValueError(f"an edition has at least one story: min_items {self.min_items}")
        if self.max_items < self.min_items:
            raise ValueError(f"max_items {self.max_items} is below min_items {self.min_items}")
        if self.max_age <= timedelta(0):
            raise ValueError(f"max_age is not positive: {self.max_age}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """A recurring digest. `key` names it in the configuration, the ledger and on the command line.

    `subject` is a Jinja2 template of one line; see `digest.composer.render`. Bounces come back to
    the sender, unless there is a `bounce_address`: then each to an address of its own that is made
    of it (`digest.lib.verp`). Without a `schedule` it goes out by hand only.
    """

    key: str
    title: str
    sender_name: str
    sender_address: str
    language: str
    timezone: ZoneInfo
    reply_to: str | None = None
    bounce_address: str | None = None
    schedule: Schedule | None = None
    timing: Timing = field(default_factory=Timing)
    subject: str = "{{ newsletter.title }}: {{ lead.title }}"
    rules: Rules = field(default_factory=Rules)

    @property
    def reply_address(self) -> str:
        """Where readers' answers go, and what they write to leave."""
        return self.reply_to or self.sender_address
