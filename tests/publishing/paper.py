"""A small newsletter with real files: settings, a database, articles and readers."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.config import Security, Settings, SmtpSettings
from digest.lib.timestamps import to_text
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter, Rules, Site
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.run import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.send import send
from digest.sender.transport import Transport
from digest.storage.database import Database, open_database
from tests.recording_transport import RecordingTransport

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)


@dataclass
class Paper:
    """A newsletter in a folder, and short ways to say what happens to it."""

    settings: Settings

    @property
    def newsletter(self) -> Newsletter:
        return self.settings.newsletter(None)

    def with_rules(self, rules: Rules) -> "Paper":
        changed = replace(self.newsletter, rules=rules)
        return Paper(replace(self.settings, newsletters={changed.key: changed}))

    def publish(self, *titles: str, hours: float = 1, section: str | None = None) -> None:
        """Store articles that were published so many hours before NOW."""
        with open_database(self.settings.database) as db, db.transaction():
            for title in titles:
                number = _value(db, "select coalesce(max(id), 0) + 1 from articles")
                published = to_text(NOW - timedelta(hours=hours))
                url = f"https://gazette.example/{number}"
                db.execute(
                    "insert into articles (identity, source, url, canonical_url, title, summary,"
                    " section, published_at, first_seen_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        url,
                        "gazette.example",
                        url,
                        url,
                        title,
                        "A deck.",
                        section,
                        published,
                        published,
                    ),
                )

    def subscribe(
        self,
        *emails: str,
        state: str = "active",
        language: str | None = None,
        topics: str = "[]",
    ) -> None:
        with open_database(self.settings.database) as db, db.transaction():
            for email in emails:
                db.execute(
                    "insert into subscribers (email, language, created_at) values (?, ?, ?)",
                    (email, language, to_text(NOW)),
                )
                db.execute(
                    "insert into subscriptions (subscriber_id, newsletter, state, topics, since,"
                    " token) select id, 'daily', ?, ?, ?, 'token-of-' || id from subscribers"
                    " where email = ?",
                    (state, topics, to_text(NOW), email),
                )

    def run(self, sql: str, *values: object) -> None:
        with open_database(self.settings.database) as db:
            db.execute(sql, values)

    def value(self, sql: str) -> object:
        with open_database(self.settings.database) as db:
            return _value(db, sql)

    def states(self) -> dict[str, str]:
        """Each reader's delivery of the newest edition."""
        with open_database(self.settings.database) as db:
            return {
                row["email"]: row["state"]
                for row in db.rows(
                    "select s.email, d.state from deliveries d join subscribers s"
                    " on s.id = d.subscriber_id"
                    " where d.edition_id = (select max(id) from editions)"
                )
            }

    def send(
        self, transport: Transport, *, now: datetime = NOW, cancel: CancelToken | None = None
    ) -> Report | Skipped:
        return send(
            self.settings,
            self.newsletter,
            transport,
            now=now,
            clock=lambda: now,
            progress=lambda _plan: _nobody_looks,
            cancel=cancel,
        )

    def sent(self, *, now: datetime = NOW) -> list[str]:
        """Send to a recorder; who accepted a message, in order."""
        transport = RecordingTransport()
        self.send(transport, now=now)
        return [attempt.envelope.rcpt_to for attempt in transport.accepted]


def _nobody_looks(state: DeliveryState) -> None:
    """A progress that nobody sees."""


def _value(db: Database, sql: str) -> object:
    row = db.row(sql)
    return row[0] if row else None


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return paper_in(tmp_path)


def paper_in(folder: Path) -> Paper:
    newsletter = Newsletter(
        key="daily",
        title="The Morning Tide",
        sender_name="Harbour Gazette",
        sender_address="tide@gazette.example",
        language="en",
        timezone=ZoneInfo("Europe/London"),
    )
    return Paper(
        Settings(
            folder=folder,
            site=Site(
                name="Harbour Gazette",
                url="https://gazette.example",
                language="en",
                timezone=ZoneInfo("Europe/London"),
                postal_address="1 Quay, Harbour",
            ),
            database=folder / "subscribers.db",
            smtp=SmtpSettings(host="127.0.0.1", port=1, security=Security.NONE),
            sources=(),
            newsletters={"daily": newsletter},
        )
    )
