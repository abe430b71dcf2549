"""Health for whoever restarts services, metrics for Prometheus.

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

_KIND: Final = "text/plain; version=0.0.4; charset=utf-8"

#: Seconds that a page waits for a database that is busy.
_PATIENCE: Final = 2.0

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


def health(standing: ServiceState) -> HttpResponse:
    """Whether the service does its work: 200, or 503 where somebody should look."""
    pulse = standing.pulse
    leading = standing.role is Role.LEADING
    # One step that failed is tried again; the tick is what all is for.
    well = pulse.alive and standing.role is not Role.ENDING and "tick" not in standing.trouble
    since = pulse.since_tick if leading else None
    holder = standing.holder
    told = {
        "healthy": well,
        "role": standing.role.value,
        "main_loop_alive": pulse.alive,
        "seconds_since_tick": None if since is None else round(since, 1),
        "trouble": sorted(standing.trouble),
        "lease": {"pid": holder.pid, "host": holder.host, "since": to_text(holder.since)}
        if holder
        else None,
    }
    return HttpResponse(
        body=json.dumps(told) + "\n",
        status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE,
        kind="application/json",
    )


def metrics(settings: Settings, standing: ServiceState, now: datetime) -> HttpResponse:
    """Everything, as it is at `now`. Raises StorageErrors."""
    families = list(_of_service(standing))
    with open_database(settings.database, Access.READ, busy_timeout=_PATIENCE, create=False) as db:
        families += _of_newsletters(settings, db, now)
        families += _of_deliveries(db)
        families += _of_sources(db)
    body = "".join(f"{family}\n" for family in families if family.samples)
    return HttpResponse(body=body, kind=_KIND)


def pages(
    settings: Callable[[], Settings], standing: ServiceState
) -> dict[str, Callable[[], HttpResponse]]:
    """The pages by their paths."""
    return {
        "/healthz": lambda: health(standing),
        "/metrics": lambda: metrics(settings(), standing, datetime.now(UTC)),
    }


def _of_service(standing: ServiceState) -> Iterator[Metric]:
    yield _gauge(
        "digest_leading",
        "1 where this process holds the lease.",
        _only(standing.role is Role.LEADING),
    )
    since = standing.pulse.since_tick
    if since is not None:
        yield _gauge("digest_seconds_since_tick", "Seconds since the last tick.", _only(since))
    yield Metric(
        name="digest_messages_total",
        kind="counter",
        help="Attempts to hand over a message since the start, by outcome.",
        samples=_by("outcome", sorted(standing.messages.items())),
    )
    yield Metric(
        name="digest_errors_total",
        kind="counter",
        help="Errors since the start, by what failed.",
        samples=_by("event", sorted(standing.errors.items())),
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
        "digest_last_slot_timestamp_seconds", "When the last slot came.", _by("newsletter", last_at)
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
    read = [(one.name, one.last_read_at.timestamp()) for one in records if one.last_read_at]
    new = [(one.name, one.last_new_at.timestamp()) for one in records if one.last_new_at]
    failing = [(one.name, float(one.last_error is not None)) for one in records]
    yield _gauge(
        "digest_source_read_timestamp_seconds",
        "When the source was last read.",
        _by("source", read),
    )
    yield _gauge(
        "digest_source_new_timestamp_seconds",
        "When the source last had a new article.",
        _by("source", new),
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
