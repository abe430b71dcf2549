"""Reporting: what happens, as lines of the log. What stays as it is, is told once."""

from typing import Final, assert_never

from digest.ingest.sources import SourceReport
from digest.model.slot import SlotState
from digest.publishing.delivery.report import Report
from digest.scheduler.events import (
    ClockWentBack,
    DeliveryRunEnded,
    Event,
    SlotChanged,
    StepFailed,
)
from digest.service.log import Log
from digest.service.state import ServiceState
from digest.storage.deliveries import AttemptResult

#: What ticks tell again and again as long as it is so.
_OF_TICKS: Final = ("newsletter-failed ", "clock-went-back ")


class Reporter:
    """Writes the log of the service, and counts its errors. Used by the main thread."""

    def __init__(self, log: Log, standing: ServiceState) -> None:
        self.log = log
        self._standing = standing
        self._told: dict[str, str] = {}
        self._repeated: set[str] = set()

    def failed(self, event: str, error: BaseException, **fields: str) -> None:
        """Something failed, and will be tried again. The same failure is told once."""
        self._standing.errors[event] += 1
        what = " ".join((event, *fields.values()))
        self._repeated.add(what)
        if self._told.get(what) != str(error):
            self._told[what] = str(error)
            self.log.error(event, error, **fields)

    def went_well(self, event: str) -> None:
        """What may have failed before has not failed this time."""
        if self._told.pop(event, None) is not None:
            self.log.info("well-again", what=event)

    def tick_begins(self) -> None:
        """What is told during a tick is compared with the tick before."""
        self._repeated.clear()

    def tick_ended(self) -> None:
        """Forget the troubles that this tick has not had; they are news if they come again."""
        for what in list(self._told):
            if what.startswith(_OF_TICKS) and what not in self._repeated:
                del self._told[what]

    def tell(self, event: Event) -> None:
        """What a tick tells."""
        match event:
            case SlotChanged():
                self._slot(event)
            case DeliveryRunEnded(report=report, undelivered=undelivered):
                self._undelivered(report, undelivered)
                self._round(report)
            case ClockWentBack(newsletter=newsletter, by=by):
                self._once("clock-went-back", newsletter, f"by {by}; its slots come again later")
            case StepFailed(newsletter=newsletter, error=error):
                self.failed("newsletter-failed", error, newsletter=newsletter)
            case _:
                assert_never(event)

    def source(self, report: SourceReport) -> None:
        """What became of a source."""
        if report.error is not None:
            self.failed("source-failed", report.error, source=report.source)
            return
        self.went_well(f"source-failed {report.source}")
        write = self.log.warning if report.failed else self.log.info
        write(
            "source-read",
            source=report.source,
            new=report.new,
            edited=report.edited,
            unchanged=report.unchanged,
            rejected=len(report.rejected),
        )

    def _slot(self, event: SlotChanged) -> None:
        record = event.record
        grave = record.state is SlotState.FAILED or bool(record.tries)
        write = self.log.warning if grave else self.log.info
        write(
            f"slot-{record.state}",
            record.reason,
            newsletter=record.slot.newsletter,
            slot=record.slot.name,
            edition=record.edition_id,
            tries=record.tries or None,
        )

    def _undelivered(self, report: Report, undelivered: tuple[AttemptResult, ...]) -> None:
        for one in undelivered:
            event = f"delivery-{one.state}"
            self.log.warning(
                event,
                one.reply,
                newsletter=report.edition.newsletter,
                edition=report.edition.id,
                delivery=one.delivery_id,
            )

    def _round(self, report: Report) -> None:
        edition = report.edition
        counts = {state.value: n for state, n in report.counts.items() if n}
        write = self.log.warning if report.error else self.log.info
        write(
            "round-ended",
            report.error.message if report.error else "",
            newsletter=edition.newsletter,
            slot=edition.slot,
            edition=edition.id,
            number=edition.number,
            complete=report.complete,
            **counts,
        )

    def _once(self, event: str, newsletter: str, message: str) -> None:
        what = f"{event} {newsletter}"
        self._repeated.add(what)
        if what not in self._told:
            self._told[what] = event
            self.log.warning(event, message, newsletter=newsletter)
