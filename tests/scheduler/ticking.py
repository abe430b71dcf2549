"""A newsletter with a schedule, and ticks at chosen times."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from digest.lib.timestamps import from_text
from digest.model.newsletter import Newsletter
from digest.model.schedule import Timing
from digest.schedule.parse import parse_schedule
from digest.scheduler.events import Event
from digest.scheduler.tick import TickSummary, tick
from tests.publishing.paper import Paper, paper_in
from tests.recording_transport import RecordingTransport


@dataclass
class Service:
    """What `digest run` does, without its clock: `tick` at the times that a test names."""

    paper: Paper
    transport: RecordingTransport = field(default_factory=RecordingTransport)
    events: list[Event] = field(default_factory=list)

    @property
    def newsletter(self) -> Newsletter:
        return self.paper.newsletter

    def tick(self, at: str) -> TickSummary:
        """What a tick comes to at a time such as `2026-03-12T07:00:00Z`."""
        now = from_text(at)
        return tick(
            self.paper.settings,
            now=now,
            clock=lambda: now,
            transport=lambda: self.transport,
            on_event=self.events.append,
        )

    def results(self, at: str) -> dict[str, int]:
        """The same, as plain words and numbers."""
        return {result.value: n for result, n in self.tick(at).results.items() if n}

    def slots(self) -> dict[str, str]:
        """Every slot on record, and its state."""
        from digest.storage import slots
        from digest.storage.database import open_database

        with open_database(self.paper.settings.database) as db:
            found = slots.recent(db, self.newsletter.key, 1000)
        return {record.slot.name: record.state.value for record in reversed(found)}

    def reason(self, slot: str) -> object:
        """Why a slot is as it is."""
        return self.paper.value(f"select reason from slots where slot = '{slot}'")  # noqa: S608

    def received(self) -> list[str]:
        """Who accepted a message, in order."""
        return [attempt.envelope.rcpt_to for attempt in self.transport.accepted]


def service_in(folder: Path, *lines: str, timing: Timing | None = None) -> Service:
    """A service for a newsletter with this schedule."""
    paper = paper_in(folder)
    changed = replace(
        paper.newsletter,
        schedule=parse_schedule(lines),
        timing=timing or Timing(),
    )
    return Service(Paper(replace(paper.settings, newsletters={changed.key: changed})))
