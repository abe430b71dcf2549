"""The events of a tick, for the log and the metrics."""

from dataclasses import dataclass
from datetime import timedelta

from digest.model.slot import SlotRecord
from digest.publishing.delivery.run import Report
from digest.storage.deliveries import AttemptResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChanged:
    """A slot came, was put off, or was decided: see the state of its record."""

    record: SlotRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRunEnded:
    """A delivery round ended. `undelivered` are the first deliveries that failed in it."""

    report: Report
    undelivered: tuple[AttemptResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWentBack:
    """The clock shows an earlier time than slots that were processed. `by` is positive."""

    newsletter: str
    by: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """One newsletter could not be processed; the others were. It is tried again."""

    newsletter: str
    error: Exception


Event = SlotChanged | DeliveryRunEnded | ClockWentBack | StepFailed
