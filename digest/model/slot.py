"""A slot: one due time of a newsletter, its states, and which of them may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
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
    """How a slot stands.

    DUE: its time has come; it is processed now, or tried again. DRAFT: its draft waits for its time
    or for the editor. PREPARED: it has its edition. SKIPPED: it has none, for a reason. FAILED: its
    edition could not be made in time.
    """

    DUE = "due"
    DRAFT = "draft"
    PREPARED = "prepared"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether it has neither an edition nor a reason to have none."""
        return self in OPEN_SLOTS


#: The slots that have neither an edition nor a reason to have none.
OPEN_SLOTS: Final = (SlotState.DUE, SlotState.DRAFT)

#: Which state may follow which. An open slot that stays as it is may get another reason or another
#: try. What was skipped or has failed gets an edition only when somebody sends one by hand.
SLOT_TRANSITIONS: Final[Mapping[SlotState, frozenset[SlotState]]] = {
    SlotState.DUE: frozenset(SlotState),
    SlotState.DRAFT: frozenset(SlotState) - {SlotState.DUE},
    SlotState.PREPARED: frozenset(),
    SlotState.SKIPPED: frozenset({SlotState.PREPARED}),
    SlotState.FAILED: frozenset({SlotState.PREPARED}),
}


class SkippedBy(StrEnum):
    """Who skipped a slot: the editor, or the program by the rules and the clock."""

    EDITOR = "editor"
    PROGRAM = "program"


class HoldKind(StrEnum):
    """Why a draft whose time has come waits for somebody's decision.

    EDITOR: the editor holds it. UNDECIDED: nobody has decided on it, and `on_silence` is "hold".
    CHANGED: it is no longer what was approved. LATE: it is too late by `max_lateness`. BY_HAND: its
    newsletter has no schedule.
    """

    EDITOR = "editor"
    UNDECIDED = "undecided"
    CHANGED = "changed"
    LATE = "late"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRecord:
    """A slot as the database has it.

    `reason` is a sentence for people: what it says decides nothing.
    `made_up_in` names the later slot whose edition makes up for a skipped one. `tries` counts
    failures; it is not tried again before `next_try_at`. `skipped_by` belongs to a skipped slot,
    `hold_kind` to a draft that is held.
    """

    slot: Slot
    state: SlotState
    reason: str = ""
    edition_id: int | None = None
    made_up_in: str | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    skipped_by: SkippedBy | None = None
    hold_kind: HoldKind | None = None

    def skipped(
        self, reason: str, *, by: SkippedBy = SkippedBy.PROGRAM, made_up_in: Slot | None = None
    ) -> "SlotRecord":
        """The slot without an edition, for this reason."""
        return replace(
            self.waiting(reason),
            state=SlotState.SKIPPED,
            skipped_by=by,
            made_up_in=made_up_in.name if made_up_in else None,
        )

    def failed(self) -> "SlotRecord":
        """The slot given up, for the reason that it has."""
        return replace(self.waiting(self.reason), state=SlotState.FAILED)

    def held(self, kind: HoldKind, reason: str, *, until: datetime) -> "SlotRecord":
        """The draft held for somebody's decision, and looked at again at `until`."""
        return replace(self, reason=reason, hold_kind=kind, next_try_at=until)

    def waiting(self, reason: str) -> "SlotRecord":
        """The slot kept waiting for something else than a decision."""
        return replace(self, reason=reason, hold_kind=None, next_try_at=None)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time in a zone (PEP 495, fold 0): the one rule for both clock changes.

    `wall` is naive. The result is in UTC.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def slot_name(wall: datetime) -> str:
    """The name of the slot at a naive wall time; it has seconds only where they are not zero."""
    return wall.isoformat(timespec="seconds" if wall.second else "minutes")
