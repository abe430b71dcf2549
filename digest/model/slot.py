"""A slot: one due time of a newsletter, named by its local wall time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A due time. `name` is the newsletter's wall time (`2026-03-12T07:00`), `at` the instant.

    A wall time that the clocks leave out in spring is as late as the one before them would say; one
    that they show twice in autumn is the first of the two. So each name is one instant.
    """

    newsletter: str
    name: str
    at: datetime

    @property
    def wall(self) -> datetime:
        """The wall time, without a zone."""
        return datetime.fromisoformat(self.name)


class SlotState(StrEnum):
    """What became of a slot.

    DUE: it is ours to see to, now or when it is tried again. DRAFT: a draft waits for its hour, or
    for the editor. PREPARED: it has its edition. SKIPPED: it has none, for a reason. FAILED: it
    was to have one, and could not be given it in time.
    """

    DUE = "due"
    DRAFT = "draft"
    PREPARED = "prepared"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRecord:
    """A slot as the ledger has it. `reason` is a sentence; `edition_id` is the edition's.

    `made_up_in` names the later slot whose edition makes up for a skipped one. `tries` counts
    failures; it is not tried again before `next_try_at`.
    """

    slot: Slot
    state: SlotState
    reason: str = ""
    edition_id: int | None = None
    made_up_in: str | None = None
    tries: int = 0
    next_try_at: datetime | None = None


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time in a zone (PEP 495, fold 0): the one rule for both clock changes.

    `wall` is naive. The result is in UTC.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def slot_name(wall: datetime) -> str:
    """The name of the slot at a naive wall time; it has seconds only where they are not zero."""
    return wall.isoformat(timespec="seconds" if wall.second else "minutes")
