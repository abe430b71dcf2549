"""The reporter: what happens, as lines of the log. What stays as it is, is logged once."""

from typing import Final, assert_never

from digest.ingest.sources import SourceReport
from digest.model.slot import SlotRecord, SlotState
from digest.publishing.delivery.run import Report
from digest.scheduler.events import ClockWentBack, DeliveryRunEnded, Event, SlotChanged, StepFailed
from digest.service.log import Log
from digest.service.state import ServiceState
from digest.storage.deliveries import AttemptResult

#: What ticks report again and again as long as it is so.
_REPORTED_BY_TICKS: Final = ("newsletter-failed ", "clock-went-back ")


class Reporter:
    """Writes the log of the service, and counts its errors. Used by the main thread."""

    def __init__(self, log: Log, state: ServiceState) -> None:
        self.log = log
        self._state = state
        self._logged: dict[str, str] = {}
        self._in_this_tick: set[str] = set()

    def failed(self, event: str, error: BaseException, **fields: str) -> None:
        """Something failed, and will be tried again. The same failure is logged once."""
        self._state.errors[event] += 1
        key = " ".join((event, *fields.values()))
        self._in_this_tick.add(key)
        if self._logged.get(key) != str(error):
            self._logged[key] = str(error)
            self.log.error(event, error, **fields)

    def succeeded(self, event: str) -> None:
        """What may have failed before has not failed this time."""
        if self._logged.pop(event, None) is not None:
            self.log.info("recovered", what=event)

    def tick_begins(self) -> None:
        """What is reported during a tick is compared with the tick before."""
        self._in_this_tick.clear()

    def tick_ended(self) -> None:
        """Forget the failures that this tick has not had; they are news if they come again."""
        for key in list(self._logged):
            if key.startswith(_REPORTED_BY_TICKS) and key not in self._in_this_tick:
                del self._logged[key]

    def report(self, event: Event) -> None:
        """Log an event of a tick."""
        match event:
            case SlotChanged(record=record):
                self._slot(record)
            case DeliveryRunEnded(report=report, undelivered=undelivered):
                self._undelivered(report, undelivered)
                self._run_ended(report)
            case ClockWentBack(newsletter=newsletter, by=by):
                self._once(
                    "clock-went-back", newsletter, f"by {by}; slots of that time are not repeated"
                )
            case StepFailed(newsletter=newsletter, error=error):
                self.failed("newsletter-failed", error, newsletter=newsletter)
            case _:
                assert_never(event)

    def source(self, report: SourceReport) -> None:
        """What became of a source."""
        if report.error is not None:
            self.failed("source-failed", report.error, source=report.source)
            return
        self.succeeded(f"source-failed {report.source}")
        write = self.log.warning if report.failed else self.log.info
        write(
            "source-read",
            source=report.source,
            new=report.new,
            edited=report.edited,
            unchanged=report.unchanged,
            rejected=len(report.rejected),
        )

    def _slot(self, record: SlotRecord) -> None:
        is_serious = record.state is SlotState.FAILED or bool(record.tries)
        write = self.log.warning if is_serious else self.log.info
        write(
            f"slot-{record.state}",
            record.reason,
            newsletter=record.slot.newsletter,
            slot=record.slot.name,
            edition=record.edition_id,
            tries=record.tries or None,
        )

    def _undelivered(self, report: Report, undelivered: tuple[AttemptResult, ...]) -> None:
        for delivery in undelivered:
            event = f"delivery-{delivery.state}"
            self.log.warning(
                event,
                delivery.reply,
                newsletter=report.edition.newsletter,
                edition=report.edition.id,
                delivery=delivery.delivery_id,
            )

    def _run_ended(self, report: Report) -> None:
        edition = report.edition
        counts = {state.value: n for state, n in report.counts.items() if n}
        write = self.log.warning if report.error else self.log.info
        write(
            "run-ended",
            report.error.message if report.error else "",
            newsletter=edition.newsletter,
            slot=edition.slot,
            edition=edition.id,
            number=edition.number,
            complete=report.complete,
            **counts,
        )

    def _once(self, event: str, newsletter: str, message: str) -> None:
        key = f"{event} {newsletter}"
        self._in_this_tick.add(key)
        if key not in self._logged:
            self._logged[key] = event
            self.log.warning(event, message, newsletter=newsletter)
