"""Health for whoever restarts services, and metrics for Prometheus.

The exposition format is text of four kinds of lines (version 0.0.4), so it is written by hand: a
library for it would be one more thing to keep up to date, and its registries outlive a request.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from digest.config import Settings
from digest.lib.timestamps import to_text
from digest.model.slot import SlotState
from digest.schedule.timetable import next_slot
from digest.service.http import HttpResponse
from digest.service.state import Role, ServiceState
from digest.storage import delivery_stats, slots, sources
from digest.storage.database import Access, Database, open_database

_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

#: Seconds that a page waits for a database that is busy.
_BUSY_TIMEOUT: Final = 2.0

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A family of samples."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]

    def __str__(self) -> str:
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        lines += (f"{self.name}{_labels(labels)} {value:.15g}" for labels, value in self.samples)
        return "\n".join(lines)


def health(state: ServiceState) -> HttpResponse:
    """Whether the service does its work: 200, or 503 where somebody should look."""
    heartbeat = state.heartbeat
    leading = state.role is Role.LEADING
    # Another step that failed is tried again; the tick is what the service is for.
    healthy = (
        heartbeat.alive and state.role is not Role.ENDING and "tick" not in state.failing_steps
    )
    since = heartbeat.since_tick if leading else None
    holder = state.holder
    report = {
        "healthy": healthy,
        "role": state.role.value,
        "main_loop_alive": heartbeat.alive,
        "seconds_since_tick": None if since is None else round(since, 1),
        "failing_steps": sorted(state.failing_steps),
        "lease": {"pid": holder.pid, "host": holder.host, "since": to_text(holder.since)}
        if holder
        else None,
    }
    return HttpResponse(
        body=json.dumps(report) + "\n",
        status=HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE,
        content_type="application/json",
    )


def metrics(settings: Settings, state: ServiceState, now: datetime) -> HttpResponse:
    """Everything, as it is at `now`. Raises StorageErrors."""
    families = list(_of_service(state))
    with open_database(
        settings.database, Access.READ, busy_timeout=_BUSY_TIMEOUT, create=False
    ) as db:
        families += _of_newsletters(settings, db, now)
        families += _of_deliveries(db)
        families += _of_sources(db)
    body = "".join(f"{family}\n" for family in families if family.samples)
    return HttpResponse(body=body, content_type=_CONTENT_TYPE)


def pages(
    settings: Callable[[], Settings], state: ServiceState
) -> dict[str, Callable[[], HttpResponse]]:
    """The pages by their paths."""
    return {
        "/healthz": lambda: health(state),
        "/metrics": lambda: metrics(settings(), state, datetime.now(UTC)),
    }


def _of_service(state: ServiceState) -> Iterator[Metric]:
    yield _gauge(
        "digest_leading",
        "1 where this process holds the lease.",
        _only(state.role is Role.LEADING),
    )
    since = state.heartbeat.since_tick
    if since is not None:
        yield _gauge("digest_seconds_since_tick", "Seconds since the last tick.", _only(since))
    yield Metric(
        name="digest_messages_total",
        kind="counter",
        help="Attempts to send a message since the start, by outcome.",
        samples=_by("outcome", sorted(state.messages.items())),
    )
    yield Metric(
        name="digest_errors_total",
        kind="counter",
        help="Errors since the start, by what failed.",
        samples=_by("event", sorted(state.errors.items())),
    )


def _of_newsletters(settings: Settings, db: Database, now: datetime) -> Iterator[Metric]:
    upcoming, last, last_at = [], [], []
    for key, newsletter in settings.newsletters.items():
        slot = next_slot(newsletter, now)
        if slot is not None:
            upcoming.append((key, slot.at.timestamp()))
        for record in slots.recent(db, key, 1):
            last += [
                ((("newsletter", key), ("state", state.value)), float(record.state is state))
                for state in SlotState
            ]
            last_at.append((key, record.slot.at.timestamp()))
    yield _gauge(
        "digest_next_slot_timestamp_seconds",
        "When the next edition is due.",
        _by("newsletter", upcoming),
    )
    yield _gauge(
        "digest_last_slot_timestamp_seconds",
        "When the last slot was due.",
        _by("newsletter", last_at),
    )
    yield _gauge("digest_last_slot", "What became of the last slot: 1 at its state.", tuple(last))


def _of_deliveries(db: Database) -> Iterator[Metric]:
    yield _gauge(
        "digest_deliveries",
        "Deliveries of editions that are not finished, by state.",
        tuple(
            ((("newsletter", queue.newsletter), ("state", queue.state.value)), float(queue.n))
            for queue in delivery_stats.queues(db)
        ),
    )


def _of_sources(db: Database) -> Iterator[Metric]:
    records = sources.everything(db)
    read = [(source.name, source.last_read_at) for source in records if source.last_read_at]
    new = [(source.name, source.last_new_at) for source in records if source.last_new_at]
    failing = [(source.name, float(source.last_error is not None)) for source in records]
    yield _gauge(
        "digest_source_read_timestamp_seconds",
        "When the source was last read.",
        _by("source", [(name, at.timestamp()) for name, at in read]),
    )
    yield _gauge(
        "digest_source_new_timestamp_seconds",
        "When the source last had a new article.",
        _by("source", [(name, at.timestamp()) for name, at in new]),
    )
    yield _gauge(
        "digest_source_failing", "1 where the last reading failed.", _by("source", failing)
    )


def _gauge(name: str, help_: str, samples: tuple[Sample, ...]) -> Metric:
    return Metric(name=name, kind="gauge", help=help_, samples=samples)


def _only(value: float) -> tuple[Sample, ...]:
    return (((), float(value)),)


def _by(label: str, values: Iterable[tuple[str, float]]) -> tuple[Sample, ...]:
    return tuple((((label, name),), float(value)) for name, value in values)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
