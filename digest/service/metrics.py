"""Health for whoever restarts services, and metrics for Prometheus.

The exposition format is text of four kinds of lines (version 0.0.4), so it is written by hand: a
library for it would be one more thing to keep up to date, and its registries outlive a request.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    leading, since = float(state.role is Role.LEADING), state.heartbeat.since_tick
    yield _family("digest_leading", "1 where this process holds the lease.", [(leading,)])
    if since is not None:
        yield _family("digest_seconds_since_tick", "Seconds since the last tick.", [(since,)])
    yield _family(
        "digest_messages_total",
        "Attempts to send a message since the start, by outcome.",
        sorted(state.messages.items()),
        "outcome",
        kind="counter",
    )
    yield _family(
        "digest_errors_total",
        "Errors since the start, by what failed.",
        sorted(state.errors.items()),
        "event",
        kind="counter",
    )


def _of_newsletters(settings: Settings, db: Database, now: datetime) -> Iterator[Metric]:
    newsletters = settings.newsletters.items()
    coming = ((key, next_slot(newsletter, now)) for key, newsletter in newsletters)
    last = [(key, record) for key, _ in newsletters for record in slots.recent(db, key, 1)]
    yield _family(
        "digest_next_slot_timestamp_seconds",
        "When the next edition is due.",
        [(key, slot.at.timestamp()) for key, slot in coming if slot is not None],
        "newsletter",
    )
    yield _family(
        "digest_last_slot_timestamp_seconds",
        "When the last slot was due.",
        [(key, record.slot.at.timestamp()) for key, record in last],
        "newsletter",
    )
    yield _family(
        "digest_last_slot",
        "What became of the last slot: 1 at its state.",
        [(key, state, record.state is state) for key, record in last for state in SlotState],
        "newsletter",
        "state",
    )


def _of_deliveries(db: Database) -> Iterator[Metric]:
    yield _family(
        "digest_deliveries",
        "Deliveries of editions that are not finished, by state.",
        [(queue.newsletter, queue.state, queue.n) for queue in delivery_stats.queues(db)],
        "newsletter",
        "state",
    )


def _of_sources(db: Database) -> Iterator[Metric]:
    records = sources.records(db)
    yield _family(
        "digest_source_read_timestamp_seconds",
        "When the source was last read.",
        [(each.name, each.last_read_at.timestamp()) for each in records if each.last_read_at],
        "source",
    )
    yield _family(
        "digest_source_new_timestamp_seconds",
        "When the source last had a new article.",
        [(each.name, each.last_new_at.timestamp()) for each in records if each.last_new_at],
        "source",
    )
    yield _family(
        "digest_source_failing",
        "1 where the last reading failed.",
        [(each.name, each.last_error is not None) for each in records],
        "source",
    )


def _family(
    name: str,
    help_: str,
    rows: Iterable[Sequence[str | float]],
    *labels: str,
    kind: str = "gauge",
) -> Metric:
    """A metric by rows: the values of its labels, then the sample's."""
    samples = tuple(
        (tuple(zip(labels, map(str, texts), strict=True)), float(value)) for *texts, value in rows
    )
    return Metric(name=name, kind=kind, help=help_, samples=samples)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
