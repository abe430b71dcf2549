"""The owner is told what happened: once for each event, and in words that help."""

import itertools
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from digest.config import Security, Settings, SmtpSettings, SourceKind, SourceSettings
from digest.config.settings import ServiceSettings
from digest.errors import RelayUnavailable
from digest.lib.timestamps import to_text
from digest.model.delivery import Deferred, Outcome, Rejected, Reply, Unknown
from digest.model.draft import DraftContents, DraftItem
from digest.model.edition import Placement
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence, Timing
from digest.model.slot import HoldKind, Slot, SlotRecord, SlotState, instant_of
from digest.publishing.drafts.editing import skip
from digest.publishing.notifications.mail import send_notifications
from digest.publishing.send import UnknownPolicy, resume, stop
from digest.sender.factory import transport_for
from digest.sender.folder import FolderTransport
from digest.sender.local_server import LocalServer
from digest.sender.message_data import Envelope
from digest.storage import drafts, slots, sources
from digest.storage.database import open_database
from digest.storage.notifications import Notification
from tests.faults.script import Say, Stage, always
from tests.faults.scripted_server import ScriptedServer, serving
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import ACCEPTED, RecordingTransport

OWNER = "owner@gazette.example"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Owner:
    """Whoever is told: the notices of a newsletter, and the mails that came of them."""

    def __init__(self, paper: Paper) -> None:
        self.paper = Paper(replace(paper.settings, service=ServiceSettings(owner=OWNER)))
        self.mailbox = RecordingTransport()
        self.log: list[Notification] = []

    def hears(self, *, at: datetime = NOW, by: RecordingTransport | None = None) -> int:
        carrier = by or self.mailbox
        return send_notifications(
            self.paper.settings, now=at, transport=lambda: carrier, on_new=self.log.append
        )

    @property
    def mails(self) -> list[EmailMessage]:
        return [parsed(attempt.message) for attempt in self.mailbox.accepted]

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails]

    @property
    def text(self) -> str:
        """The last mail's text, on one line."""
        return " ".join(self.mails[-1].get_content().split())


def parsed(message: bytes) -> EmailMessage:
    found = message_from_bytes(message, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
def owner(paper: Paper) -> Owner:
    paper.publish("Ferry late", "Library open")
    paper.subscribe("ada@example.com", "ben@example.com", "cleo@example.com")
    return Owner(paper)


def slot_of(newsletter: Newsletter, name: str = "2026-03-12T07:00") -> Slot:
    at = instant_of(datetime.fromisoformat(name), newsletter.timezone)
    return Slot(newsletter=newsletter.key, name=name, at=at)


def settle(paper: Paper, state: SlotState, reason: str = "", **facts: object) -> Slot:
    slot = slot_of(paper.newsletter, str(facts.pop("name", "2026-03-12T07:00")))
    record = SlotRecord(slot=slot, state=state, reason=reason, **facts)  # type: ignore[arg-type]
    with open_database(paper.settings.database) as db, db.transaction():
        slots.add(db, SlotRecord(slot=slot, state=SlotState.DUE), NOW)
        slots.settle(db, record, NOW)
    return slot


def test_a_skipped_slot_is_told_by_name_and_with_its_reason(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    assert owner.hears() == 1
    assert owner.subjects == ["The Morning Tide had no edition on Thursday 12 March 07:00"]
    assert (
        "The Morning Tide had no edition on Thursday 12 March 07:00: 2 of 4 articles." in owner.text
    )


def test_an_event_is_told_once_however_often_and_by_whomever_it_is_found(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    assert [owner.hears(at=NOW + n * HOUR) for n in range(5)] == [1, 0, 0, 0, 0]
    assert len(owner.mails) == len(owner.log) == 1


def test_several_events_are_one_mail(owner: Owner) -> None:
    for hour in range(1, 8):
        name = f"2026-03-12T0{hour}:00"
        settle(owner.paper, SlotState.SKIPPED, "there is nothing new", name=name)
    assert owner.hears() == 7
    assert owner.subjects == [
        "The Morning Tide had no edition on Thursday 12 March 01:00 (and 6 more)"
    ]
    assert owner.text.count("there is nothing new.") == 7


def test_old_history_is_not_told(owner: Owner) -> None:
    for day in range(1, 5):
        name = f"2026-03-0{day}T07:00"
        settle(owner.paper, SlotState.SKIPPED, "there is nothing new", name=name)
    owner.paper.run("update slots set since = due_at")
    assert owner.hears() == 0


def test_a_slot_that_another_makes_up_for_is_not_told(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "missed", made_up_in="2026-03-12T08:00")
    assert owner.hears() == 0


def test_a_slot_that_the_editor_left_out_is_not_told(owner: Owner) -> None:
    slot = slot_of(owner.paper.newsletter)
    skip(owner.paper.settings, owner.paper.newsletter, [slot], reason="a holiday", now=NOW)
    assert owner.paper.value("select reason from slots") == "skipped by the editor: a holiday"
    assert owner.hears() == 0


def test_a_slot_is_told_when_it_is_late_and_again_when_it_has_failed(owner: Owner) -> None:
    settle(owner.paper, SlotState.DUE, "line 3: no such filter.", tries=1, next_try_at=NOW + HOUR)
    owner.hears()
    settle(owner.paper, SlotState.DUE, "line 3: no such filter.", tries=2, next_try_at=NOW + HOUR)
    owner.hears()
    assert owner.subjects == ["The Morning Tide is late: Thursday 12 March 07:00"]
    settle(owner.paper, SlotState.FAILED, "line 3: no such filter.", tries=9)
    owner.hears()
    assert owner.subjects[1:] == ["The Morning Tide FAILED on Thursday 12 March 07:00"]
    assert "Why: line 3: no such filter." in owner.text
    assert "`digest send daily`" in owner.text


def draft_for(owner: Owner, on_silence: OnSilence = OnSilence.HOLD) -> Slot:
    timing = Timing(approval=True, on_silence=on_silence)
    changed = replace(owner.paper.newsletter, timing=timing)
    owner.paper = Paper(replace(owner.paper.settings, newsletters={"daily": changed}))
    slot = slot_of(changed, "2026-03-12T09:00")
    proposal = DraftContents(
        placed=(
            DraftItem(article_id=1, placement=Placement.LEAD),
            DraftItem(article_id=2, placement=Placement.HEADLINE),
        )
    )
    with open_database(owner.paper.settings.database) as db:
        drafts.add(db, slot, proposal, NOW)
    return slot


@pytest.mark.parametrize(
    ("on_silence", "told"),
    [
        (OnSilence.SEND, "If nobody decides by then, it is sent as it is."),
        (OnSilence.HOLD, "If nobody decides by then, it is held until somebody does."),
        (OnSilence.SKIP, "If nobody decides by then, this edition is skipped."),
    ],
)
def test_a_draft_is_told_with_what_stands_in_it_and_what_silence_means(
    owner: Owner, on_silence: OnSilence, told: str
) -> None:
    draft_for(owner, on_silence)
    assert owner.hears() == 1
    assert owner.subjects == [
        "The Morning Tide: a draft for Thursday 12 March 09:00 waits for your decision"
    ]
    assert "Subject: The Morning Tide: Ferry late Lead: Ferry late Stories: 2" in owner.text
    assert told in owner.text
    assert "digest approve daily approves it as it is" in owner.text


def test_a_draft_is_told_once_even_when_it_changes(owner: Owner) -> None:
    draft_for(owner)
    owner.hears()
    owner.paper.run("update articles set withdrawn_at = ? where id = 1", to_text(NOW))
    assert owner.hears(at=NOW + HOUR) == 0


def test_a_draft_of_which_nothing_is_left_says_so(owner: Owner) -> None:
    draft_for(owner)
    owner.paper.run("update articles set withdrawn_at = ?", to_text(NOW))
    owner.hears()
    assert "None of its articles can be in an edition any more." in owner.text


def test_a_draft_that_is_held_back_is_told_when_its_hour_has_come(owner: Owner) -> None:
    slot = draft_for(owner)
    owner.hears()
    record = SlotRecord(
        slot=slot,
        state=SlotState.DRAFT,
        reason="nobody has decided on its draft",
        hold_kind=HoldKind.UNDECIDED,
        next_try_at=NOW + HOUR,
    )
    with open_database(owner.paper.settings.database) as db:
        slots.settle(db, record, NOW)
    assert [owner.hears(at=NOW + n * HOUR) for n in range(3)] == [1, 0, 0]
    assert owner.subjects[1:] == ["The Morning Tide is held: Thursday 12 March 09:00"]


def test_a_draft_that_failed_before_it_was_held_back_is_told_as_both(owner: Owner) -> None:
    slot = draft_for(owner)
    failed = SlotRecord(
        slot=slot, state=SlotState.DRAFT, reason="no key.", tries=1, next_try_at=NOW + HOUR
    )
    with open_database(owner.paper.settings.database) as db:
        slots.settle(db, failed, NOW)
        owner.hears()
        reason = "nobody has decided on its draft; `digest approve` releases it"
        slots.settle(db, failed.held(HoldKind.UNDECIDED, reason, until=NOW + HOUR), NOW)
    owner.hears(at=NOW + HOUR)
    assert owner.subjects == [
        "The Morning Tide is late: Thursday 12 March 09:00",
        "The Morning Tide is held: Thursday 12 March 09:00",
    ]


def test_a_stopped_edition_is_told_with_how_to_go_on(owner: Owner) -> None:
    no_server = RecordingTransport(refuse_connections)
    owner.paper.send(no_server)
    stop(owner.paper.settings, owner.paper.newsletter, now=NOW)
    assert owner.hears() == 1
    assert owner.subjects == ["The Morning Tide No. 1 was stopped"]
    assert "07:00 on Thursday 12 March. 3 readers do not have it yet" in owner.text
    assert "`digest resume daily`" in owner.text


def refuse_connections(_envelope: Envelope, _message: bytes) -> Outcome:
    raise RelayUnavailable("no SMTP server answers at localhost:25: Connection refused")


def test_an_edition_that_gets_nowhere_is_told_after_an_hour_and_once(owner: Owner) -> None:
    owner.paper.send(RecordingTransport(refuse_connections))
    assert owner.hears(at=NOW + timedelta(minutes=59)) == 0
    assert [owner.hears(at=NOW + n * HOUR) for n in (1, 2, 3)] == [1, 0, 0]
    assert owner.subjects == ["The Morning Tide No. 1 makes no progress"]
    assert "3 readers do not have The Morning Tide No. 1" in owner.text


def test_readers_whose_own_hour_has_not_come_are_no_trouble(owner: Owner) -> None:
    owner.paper.send(RecordingTransport(refuse_connections))
    owner.paper.run("update deliveries set due_at = ?", to_text(NOW + 3 * HOUR))
    assert owner.hears(at=NOW + 3 * HOUR) == 0
    assert owner.hears(at=NOW + 4 * HOUR) == 1


def test_an_edition_that_the_server_puts_off_for_everybody_is_told(owner: Owner) -> None:
    reply = Reply(code=451, text="try again later")
    everybody = ("ada@example.com", "ben@example.com", "cleo@example.com")
    answers = dict.fromkeys(everybody, Deferred(reason="", reply=reply))
    owner.paper.send(RecordingTransport(answers))
    assert owner.hears(at=NOW + 2 * HOUR) == 1


def test_one_reader_whose_server_is_away_is_no_news(owner: Owner) -> None:
    owner.paper.send(RecordingTransport({"ben@example.com": Deferred(reason="451 later")}))
    assert owner.hears(at=NOW + 2 * HOUR) == 0


def test_unknown_deliveries_want_a_decision_and_say_which(owner: Owner) -> None:
    lost = Unknown(reason="the line was lost")
    owner.paper.send(RecordingTransport({"ben@example.com": lost}))
    assert owner.hears() == 1
    assert owner.subjects == ["The Morning Tide No. 1: one reader may or may not have it"]
    assert "digest resume daily --unknown resend" in owner.text
    assert "ben@example.com" not in owner.text
    assert owner.hears(at=NOW + HOUR) == 0


def test_what_becomes_unknown_after_the_decision_is_told_anew(owner: Owner) -> None:
    lost = RecordingTransport({"ben@example.com": Unknown(reason="the line was lost")})
    owner.paper.send(lost)
    owner.hears()
    resume(
        owner.paper.settings,
        owner.paper.newsletter,
        lost,
        unknown=UnknownPolicy.RESEND,
        clock=lambda: NOW + HOUR,
        progress=lambda _plan: lambda _state: None,
    )
    assert owner.hears(at=NOW + HOUR) == 1


def test_many_refusals_are_told_with_their_codes_and_without_addresses(owner: Owner) -> None:
    owner.paper.subscribe(*(f"reader{n}@example.com" for n in range(20)))
    reply = Reply(code=550, enhanced="5.7.1", text="<reader1@example.com> blocked")
    answers = {f"reader{n}@example.com": Rejected(reason="", reply=reply) for n in range(0, 20, 4)}
    owner.paper.send(RecordingTransport(answers))
    assert owner.hears() == 1
    assert owner.subjects == ["The Morning Tide No. 1: 5 of 23 were rejected"]
    assert "most often with 550 5.7.1." in owner.text
    assert "example.com" not in owner.text


def test_an_edition_that_everybody_has_is_no_news(owner: Owner) -> None:
    owner.paper.send(RecordingTransport())
    assert owner.hears() == 0
    assert owner.log == []


def test_without_an_owner_it_is_on_record_and_in_the_log(owner: Owner) -> None:
    owner.paper = Paper(replace(owner.paper.settings, service=ServiceSettings()))
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    assert [owner.hears(), owner.hears()] == [0, 0]
    assert [notice.event for notice in owner.log] == ["skipped daily 2026-03-12T07:00"]
    assert owner.mailbox.attempts == []


def test_a_new_owner_is_not_told_what_is_older_than_a_week(owner: Owner) -> None:
    told = owner.paper
    owner.paper = Paper(replace(told.settings, service=ServiceSettings()))
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    owner.hears()
    owner.paper = told
    assert owner.hears(at=NOW + 8 * DAY) == 0
    assert owner.hears(at=NOW + 6 * DAY) == 1


def test_a_mail_that_fails_is_tried_again_ever_later_and_told_once(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    minutes = iter(range(240))
    tried: list[int] = []

    def down(_envelope: Envelope, _message: bytes) -> Outcome:
        tried.append(minute)
        raise RelayUnavailable("no SMTP server answers at localhost:25: Connection refused")

    for minute in minutes:
        assert owner.hears(at=NOW + timedelta(minutes=minute), by=RecordingTransport(down)) == 0
    assert tried == [0, 5, 15, 35, 75, 135, 195]
    assert owner.hears(at=NOW + 5 * HOUR) == 1
    assert owner.hears(at=NOW + 9 * HOUR) == 0


@pytest.mark.parametrize(
    "refusal",
    [Deferred(reason="451 later"), Rejected(reason="550 no such user")],
    ids=["put off", "refused"],
)
def test_a_mail_that_the_server_does_not_take_is_tried_again(
    owner: Owner, refusal: Outcome
) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    assert owner.hears(by=RecordingTransport({OWNER: refusal})) == 0
    assert owner.hears(at=NOW + HOUR) == 1


def test_a_mail_that_one_server_does_not_take_is_told_by_the_next_one(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    too_small = always({Stage.DOT: Say("552 5.3.4 too big for this system")})
    with serving(ScriptedServer(too_small)) as first, serving(ScriptedServer()) as second:
        relays = tuple(
            SmtpSettings(name=name, host=server.host, port=server.port, security=Security.NONE)
            for name, server in (("first", first), ("second", second))
        )
        settings = replace(owner.paper.settings, relays=relays)
        assert send_notifications(settings, now=NOW, transport=lambda: transport_for(settings)) == 1
    assert first.counts[Stage.DOT] == 1
    assert second.readers == [OWNER]
    assert owner.hears(at=NOW + HOUR) == 0


def test_a_mail_that_may_have_arrived_is_not_sent_again(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    assert owner.hears(by=RecordingTransport({OWNER: Unknown(reason="the line was lost")})) == 1
    assert owner.hears(at=NOW + HOUR) == 0


def test_two_processes_at_once_tell_it_once(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    told: list[int] = []

    def slow(_envelope: Envelope, _message: bytes) -> Outcome:
        # The first process hangs for an hour, and another one takes over in between.
        with ThreadPoolExecutor(1) as other:
            told.append(other.submit(owner.hears, at=NOW + HOUR).result())
        return ACCEPTED

    first = RecordingTransport(slow)
    assert owner.hears(by=first) == 0
    assert (told, len(owner.mails), first.accepted) == ([1], 1, [])
    assert owner.hears(at=NOW + 2 * HOUR) == 0


def test_a_process_that_dies_before_the_final_dot_leaves_the_notice_to_the_next(
    owner: Owner,
) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")

    def dies(_envelope: Envelope, _message: bytes) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        owner.hears(by=RecordingTransport(dies))
    assert owner.hears(at=NOW + HOUR) == 1
    assert len(owner.log) == 1


def killed_while_posting(settings: Settings, outbox: Path, *, statement: int) -> bool:
    """Post in a process of its own that dies, as by kill -9, before one of its statements.

    False if it came to its end before that.
    """
    child = os.fork()
    if child == 0:
        left = iter(range(statement))

        def count(_frame: FrameType, event: str, called: object) -> None:
            statement = event == "c_call" and getattr(called, "__name__", "").startswith("execute")
            if statement and next(left, None) is None:
                os._exit(9)

        sys.setprofile(count)
        try:
            send_notifications(settings, now=NOW, transport=lambda: FolderTransport(outbox))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 9


def test_a_process_that_dies_at_any_statement_neither_loses_nor_repeats_a_notice(
    owner: Owner, tmp_path: Path
) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    for statement in itertools.count():
        copy, outbox = tmp_path / f"{statement}.db", tmp_path / f"outbox-{statement}"
        shutil.copyfile(owner.paper.settings.database, copy)
        settings = replace(owner.paper.settings, database=copy)
        died = killed_while_posting(settings, outbox, statement=statement)
        for later in (1, 2):
            # The numbers of a folder's files begin anew: a second mail would have another name.
            again = partial(FolderTransport, outbox / str(later))
            send_notifications(settings, now=NOW + later * HOUR, transport=again)
        assert len(list(outbox.rglob("*.eml"))) == 1, f"killed before statement {statement}"
        if not died:
            break
    assert statement > 15


def test_the_mail_is_a_proper_message_over_real_smtp(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "nur 2 Artikel über „Zürich“, ada@example.com")
    with LocalServer() as server:
        smtp = SmtpSettings(host=server.host, port=server.port, security=Security.NONE)
        settings = replace(owner.paper.settings, smtp=smtp)
        assert send_notifications(settings, now=NOW, transport=lambda: transport_for(settings)) == 1
        assert send_notifications(settings, now=NOW, transport=lambda: transport_for(settings)) == 0
    (received,) = server.messages
    assert (received.mail_from, received.rcpt_to) == ("tide@gazette.example", (OWNER,))
    mail = parsed(received.message)
    assert mail["From"] == "Harbour Gazette <tide@gazette.example>"
    assert mail["To"] == OWNER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].startswith("<notice.")
    assert mail["Message-ID"].endswith("@gazette.example>")
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail.get_content_type() == "text/plain"
    assert "Artikel über „Zürich“, (an address).\r\n" in mail.get_content()
    assert max(len(line) for line in received.message.splitlines()) <= 78


def test_a_server_that_is_not_there_stops_nothing(owner: Owner) -> None:
    settle(owner.paper, SlotState.SKIPPED, "2 of 4 articles")
    settings = owner.paper.settings  # nobody listens on port 1
    assert send_notifications(settings, now=NOW, transport=lambda: transport_for(settings)) == 0
    assert owner.hears(at=NOW + HOUR) == 1


@pytest.fixture
def reading(owner: Owner) -> Owner:
    """An owner whose newsletter reads one feed."""
    feed = SourceSettings(
        name="Town",
        kind=SourceKind.FEED,
        location="https://town.example/feed",
        timezone=owner.paper.newsletter.timezone,
    )
    owner.paper = Paper(replace(owner.paper.settings, sources=(feed,)))
    return owner


def read(owner: Owner, at: datetime, *, new: bool) -> None:
    with open_database(owner.paper.settings.database) as db:
        validators = {"etag": None, "last_modified": None}
        location = "https://town.example/feed"
        sources.record_reading(db, "Town", location, **validators, found_new=new, now=at)
        if new:
            sources.record_days(db, "Town", [at.date()], now=at)


def fail(owner: Owner, at: datetime) -> None:
    with open_database(owner.paper.settings.database) as db:
        sources.record_failure(
            db, "Town", "https://town.example/feed", error="404 Not Found", now=at
        )


def test_a_daily_source_that_falls_silent_is_told_once_and_again_after_it_spoke(
    reading: Owner,
) -> None:
    for day in range(10):
        read(reading, NOW + day * DAY, new=True)
    told = []
    for day in range(10, 30):
        read(reading, NOW + day * DAY, new=day == 20)
        told.append(reading.hears(at=NOW + day * DAY))
    assert [10 + n for n, count in enumerate(told) if count] == [13, 24]
    assert reading.subjects == ["The source Town has nothing new"] * 2
    assert "had no new article for 4 days; its longest pause so far was 11 days." in reading.text


def test_a_weekly_source_is_not_silent_after_three_days_but_after_a_month(reading: Owner) -> None:
    for week in range(6):
        read(reading, NOW + week * 7 * DAY, new=True)
    last = NOW + 35 * DAY
    silent = []
    for day in range(1, 31):
        read(reading, last + day * DAY, new=False)
        if reading.hears(at=last + day * DAY):
            silent.append(day)
    assert silent == [22]


def test_a_source_without_a_habit_is_not_silent(reading: Owner) -> None:
    for day in range(5):
        read(reading, NOW + day * DAY, new=True)
    read(reading, NOW + 300 * DAY, new=False)
    assert reading.hears(at=NOW + 300 * DAY) == 0


def test_while_nobody_reads_no_source_is_silent(reading: Owner) -> None:
    for day in range(10):
        read(reading, NOW + day * DAY, new=True)
    assert reading.hears(at=NOW + 100 * DAY) == 0


def test_a_broken_source_is_told_when_it_has_been_so_for_a_while(reading: Owner) -> None:
    read(reading, NOW, new=True)
    told = []
    for quarter in range(1, 20):
        at = NOW + quarter * timedelta(minutes=15)
        fail(reading, at)
        told.append(reading.hears(at=at))
    assert [n for n, count in enumerate(told) if count] == [8]
    assert reading.subjects == ["The source Town cannot be read"]
    assert (
        "could not be read since 07:15 on Thursday 12 March. It was last read at 07:00 on"
        in reading.text
    )
    assert "Why: 404 Not Found." in reading.text
    read(reading, NOW + DAY, new=False)
    fail(reading, NOW + 2 * DAY)
    fail(reading, NOW + 2 * DAY + 3 * HOUR)
    assert reading.hears(at=NOW + 2 * DAY + 3 * HOUR) == 1


def test_a_source_that_could_never_be_read_is_told_at_once(reading: Owner) -> None:
    fail(reading, NOW)
    assert reading.hears() == 1
    assert "It has never been read." in reading.text


def test_a_source_that_is_not_configured_any_more_is_no_news(owner: Owner) -> None:
    fail(owner, NOW)
    assert owner.hears() == 0
