"""A schedule: its rules, in the wall time of the newsletter's own zone, and how it is kept."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

#: In place of a number: the last one of the month.
LAST: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Days of every week; Monday is 0."""

    weekdays: frozenset[int]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        return self.times if day.weekday() in self.weekdays else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """Days of every month: `days` by their number, or LAST; `weekdays` by number and weekday.

    (2, 1) is the second Tuesday, (LAST, 4) the last Friday.
    """

    days: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        from_end = monthrange(day.year, day.month)[1] - day.day
        numbers = {(day.day + 6) // 7} | ({LAST} if from_end < 7 else set())
        matches = (
            day.day in self.days
            or (from_end == 0 and LAST in self.days)
            or any((number, day.weekday()) in self.weekdays for number in numbers)
        )
        return self.times if matches else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Days for which all three hold: month, day of the month, and day of the week (Monday is 0)."""

    months: frozenset[int]
    days: frozenset[int]
    weekdays: frozenset[int]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        matches = (
            day.month in self.months and day.day in self.days and day.weekday() in self.weekdays
        )
        return self.times if matches else ()


class Rule(Protocol):
    """One line of a schedule: on which days, at what times."""

    @property
    def times(self) -> tuple[time, ...]:
        """Every wall time that its days have."""

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order; none where the day is not one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When editions are due. `lines` are its rules as somebody wrote them; days off have none."""

    lines: tuple[str, ...]
    rules: tuple[Rule, ...]
    days_off: frozenset[date] = frozenset()

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order, each once."""
        if day in self.days_off:
            return ()
        return tuple(sorted({moment for rule in self.rules for moment in rule.times_on(day)}))

    @property
    def times(self) -> tuple[time, ...]:
        """Every wall time of its days, in order. Not every day need have all of them."""
        return tuple(sorted({moment for rule in self.rules for moment in rule.times}))

    def __str__(self) -> str:
        return ", ".join(self.lines)


class CatchUp(StrEnum):
    """What becomes of slots that came while no service was running.

    COLLAPSE: one edition for all of them. REPLAY: one for each. SKIP: none.
    """

    COLLAPSE = "collapse"
    REPLAY = "replay"
    SKIP = "skip"


class DeliverAt(StrEnum):
    """In whose time zone a slot is due: the NEWSLETTER's, for all at once, or each READER's own."""

    NEWSLETTER = "newsletter"
    READER = "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A span of the day in which nothing is due; `end` is outside it. It may run over midnight."""

    begin: time
    end: time

    def __post_init__(self) -> None:
        if self.begin == self.end:
            raise ValueError(f"quiet hours have a length: {self.begin} to {self.end}")

    def __contains__(self, moment: time) -> bool:
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


class OnSilence(StrEnum):
    """What becomes of a draft that nobody has decided on when its slot comes."""

    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How a newsletter keeps its schedule.

    A slot is made up for until `max_lateness` after it, or, without that, until the next one is
    due. With `approval` its draft is made `lead_time` before it and waits for the editor.
    """

    catch_up: CatchUp = CatchUp.COLLAPSE
    max_lateness: timedelta | None = None
    deliver_at: DeliverAt = DeliverAt.NEWSLETTER
    quiet_hours: QuietHours | None = None
    approval: bool = False
    lead_time: timedelta = timedelta(hours=2)
    on_silence: OnSilence = OnSilence.HOLD

    def __post_init__(self) -> None:
        if self.lead_time < timedelta(0):
            raise ValueError(f"a draft is made before its slot: lead_time {self.lead_time}")
        if self.max_lateness is not None and self.max_lateness <= timedelta(0):
            raise ValueError(f"max_lateness is not positive: {self.max_lateness}")
