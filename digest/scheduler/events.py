"""What a tick has to tell: to the log, and to whoever counts."""

from dataclasses import dataclass
from datetime import timedelta

from digest.model.slot import SlotRecord
from digest.publishing.delivery.report import Report
from digest.storage.deliveries import AttemptResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChanged:
    """A slot came, was put off, or got what it will have: see the state of the record."""

    record: SlotRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRunEnded:
    """A round of delivery came to an end. `undelivered` are the first that it did not serve."""

    report: Report
    undelivered: tuple[AttemptResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWentBack:
    """The time is earlier than that of slots which have been seen to. `by` is positive."""

    newsletter: str
    by: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """One newsletter could not be seen to; the others were. It is tried again."""

    newsletter: str
    error: Exception


Event = SlotChanged | DeliveryRunEnded | ClockWentBack | StepFailed
