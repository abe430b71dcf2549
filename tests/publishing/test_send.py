"""Sending an edition: every active reader once, and an honest record of everything else."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from digest.errors import AlreadySending, ConfigError, RelayUnavailable, SlotTaken, TemplateError
from digest.model.newsletter import Rules
from digest.model.outcome import Accepted, Deferred, Outcome, Rejected, Reply, Unknown
from digest.publishing.deliver import Report
from digest.publishing.lock import sending
from digest.publishing.round import Skipped
from digest.publishing.status import status
from digest.sender.envelope import Envelope
from digest.sender.recorder import RecordingTransport
from tests.publishing.paper import NOW, Paper

READERS = ["ada@example.com", "ben@example.com", "cleo@example.org", "dan@example.org"]


def parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=default)


def body(message: bytes, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_every_active_reader_gets_one_message_with_both_parts(paper: Paper) -> None:
    paper.publish("Ferry late", "Library open")
    paper.subscribe(*READERS)
    transport = RecordingTransport()
    report = paper.send(transport)
    assert isinstance(report, Report)
    assert report.complete
    assert [a.envelope.rcpt_to for a in transport.accepted] == READERS
    for attempt in transport.accepted:
        assert "Ferry late" in body(attempt.message, "plain")
        assert "Ferry late" in body(attempt.message, "html")
    assert paper.value("select state from editions") == "sent"


def test_a_second_send_makes_no_edition_and_mails_nobody(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.sent()
    transport = RecordingTransport()
    result = paper.send(transport, now=NOW + timedelta(hours=1))
    assert result == Skipped(reason="there is nothing new")
    assert transport.attempts == []


def test_nobody_else_is_mailed(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe("ada@example.com")
    for state in ("pending", "paused", "unsubscribed"):
        paper.subscribe(f"{state}@example.com", state=state)
    paper.subscribe("never@example.com")
    paper.run(
        "insert into suppressions (hash, email, reason, since)"
        " values (x'01', 'NEVER@example.com', 'asked', '2026-03-01T00:00:00Z')"
    )
    assert paper.sent() == ["ada@example.com"]


def test_without_readers_there_is_no_edition_and_the_articles_wait(paper: Paper) -> None:
    paper.publish("Ferry late")
    result = paper.send(RecordingTransport())
    assert isinstance(result, Skipped)
    assert "no active reader" in result.reason
    assert paper.value("select count(*) from decisions") == 0
    paper.subscribe("ada@example.com")
    assert paper.sent() == ["ada@example.com"]


def test_too_few_stories_are_a_skip_that_decides_nothing(paper: Paper) -> None:
    paper.publish("Ferry late", "Library open")
    paper.subscribe("ada@example.com")
    result = paper.with_rules(Rules(min_items=4)).send(RecordingTransport())
    assert result == Skipped(reason="2 new stories, and an edition needs 4 (min_items)")
    assert paper.value("select count(*) from editions") == 0
    assert paper.value("select count(*) from decisions") == 0


def test_deferred_readers_get_it_with_the_next_send_and_the_others_not_again(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    busy = Deferred(reason="busy", reply=Reply(code=451, text="try later", enhanced="4.3.0"))
    first = RecordingTransport({READERS[1]: busy})
    report = paper.send(first)
    assert isinstance(report, Report)
    assert not report.complete
    assert paper.states()[READERS[1]] == "deferred"
    second = RecordingTransport()
    paper.send(second, now=NOW + timedelta(hours=1))
    assert [a.envelope.rcpt_to for a in second.accepted] == [READERS[1]]
    before = next(a for a in first.attempts if a.envelope.rcpt_to == READERS[1])
    after = second.accepted[0]
    assert parsed(before.message)["Message-ID"] == parsed(after.message)["Message-ID"]
    assert paper.value("select state from editions") == "sent"


def test_unknown_is_listed_and_never_mailed_again(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.send(RecordingTransport({READERS[2]: Unknown(reason="the line was lost")}))
    assert paper.value("select state from editions") == "incomplete"
    listed = status(paper.settings, paper.newsletter)[0].unfinished
    assert [(u.email, u.state, u.reply) for u in listed] == [
        (READERS[2], "unknown", "the line was lost")
    ]
    assert paper.sent(now=NOW + timedelta(hours=1)) == []
    paper.publish("Bridge shut", hours=0.5)
    assert paper.sent(now=NOW + timedelta(hours=2)) == READERS


def test_rejected_readers_are_recorded_with_what_the_server_said(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    no = Rejected(reason="no", reply=Reply(code=550, text="no such user", enhanced="5.1.1"))
    paper.send(RecordingTransport({READERS[0]: no}))
    listed = status(paper.settings, paper.newsletter)[0].unfinished
    assert [(u.state, u.reply) for u in listed] == [("rejected", "550 5.1.1 no such user")]
    assert paper.value("select state from editions") == "sent"


def test_a_relay_that_is_at_fault_blames_no_reader(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    served: list[str] = []

    def answers(envelope: Envelope, _message: bytes) -> Outcome:
        if len(served) == 2:
            raise RelayUnavailable("localhost:25 has gone")
        served.append(envelope.rcpt_to)
        return Accepted(reply=Reply(code=250, text="ok"))

    report = paper.send(RecordingTransport(answers))
    assert isinstance(report, Report)
    assert report.error is not None
    assert report.error.message == "localhost:25 has gone"
    assert sorted(paper.states().values()) == ["queued", "queued", "sent", "sent"]
    assert paper.sent() == READERS[2:]


def test_who_leaves_between_preparing_and_sending_is_not_mailed(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)

    def leave(_envelope: Envelope, _message: bytes) -> Outcome:
        paper.run("update subscriptions set state = 'unsubscribed' where subscriber_id = 3")
        paper.run(
            "insert or ignore into suppressions (hash, email, reason, since)"
            " values (x'01', 'dan@example.org', 'asked', '2026-03-01T00:00:00Z')"
        )
        return Accepted(reply=Reply(code=250, text="ok"))

    transport = RecordingTransport(leave)
    report = paper.send(transport)
    assert [a.envelope.rcpt_to for a in transport.accepted] == READERS[:2]
    assert paper.states()["cleo@example.org"] == "withheld"
    assert paper.states()["dan@example.org"] == "withheld"
    assert isinstance(report, Report)
    assert report.complete


def test_what_is_resumed_is_what_was_begun(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    first = RecordingTransport({e: Deferred(reason="busy") for e in READERS[1:]})
    paper.send(first)
    paper.run("update articles set title = 'Ferry early'")
    paper.publish("Something new", hours=0.1)
    overridden = paper.settings.folder / "templates" / "email"
    overridden.mkdir(parents=True)
    (overridden / "digest.txt").write_text("all different", encoding="utf-8")
    second = RecordingTransport()
    paper.send(second, now=NOW + timedelta(hours=1))
    assert len(second.accepted) == 3
    for attempt in second.accepted:
        assert "Ferry late" in body(attempt.message, "plain")
        assert "Something new" not in body(attempt.message, "plain")


def test_two_senders_on_one_database_do_not_mix(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    with sending(paper.settings.database), pytest.raises(AlreadySending):
        paper.send(RecordingTransport())
    assert paper.sent() == READERS


def test_a_slot_has_one_edition(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.sent()
    paper.publish("Bridge shut", hours=0.5)
    with pytest.raises(SlotTaken, match=r"2026-03-12T07:00 of daily already has No\. 1"):
        paper.send(RecordingTransport())


def test_readers_get_their_language_and_their_topics(paper: Paper) -> None:
    paper.publish("Cup tie", "Regatta", section="Sport")
    paper.publish("Council sits", section="Town")
    paper.subscribe("de@example.com", language="de-AT")
    paper.subscribe("fan@example.com", topics='["sport"]')
    paper.subscribe("pt@example.com", language="pt")
    paper.subscribe("chess@example.com", topics='["Chess"]')
    transport = RecordingTransport()
    paper.send(transport)
    got = {a.envelope.rcpt_to: a.message for a in transport.accepted}
    assert set(got) == {"de@example.com", "fan@example.com", "pt@example.com"}
    assert parsed(got["de@example.com"])["Content-Language"] == "de-AT"
    assert parsed(got["pt@example.com"])["Content-Language"] == "en"
    assert "Council sits" not in body(got["fan@example.com"], "plain")
    assert "Council sits" not in str(parsed(got["fan@example.com"])["Subject"])
    assert paper.states()["chess@example.com"] == "withheld"


def test_a_template_that_does_not_render_stores_nothing(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe("ada@example.com")
    folder = paper.settings.folder / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "digest.txt").write_text("Hello\n{{ edition.tilte }}\n", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"digest\.txt.*2.*tilte"):
        paper.send(RecordingTransport())
    assert paper.value("select count(*) from editions") == 0


def test_nothing_leaves_without_a_postal_address(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe("ada@example.com")
    bare = replace(paper.settings, site=replace(paper.settings.site, postal_address=""))
    with pytest.raises(ConfigError):
        Paper(bare).send(RecordingTransport())


def test_fifty_one_articles_are_all_in_both_parts_of_every_message_once_and_in_order(
    paper: Paper,
) -> None:
    town = [f"Town report {n:02} about the quay" for n in range(26)]
    sport = [f"Sport report {n:02} about the cup" for n in range(25)]
    paper.publish(*town, section="Town")
    paper.publish(*sport, section="Sport")
    paper.subscribe(*READERS)
    transport = RecordingTransport()
    paper.with_rules(Rules(max_items=60)).send(transport)
    assert len(transport.accepted) == len(READERS)
    for attempt in transport.accepted:
        for kind in ("plain", "html"):
            text = " ".join(body(attempt.message, kind).split())
            for section in (town, sport):
                places = [text.find(title) for title in section]
                assert all(text.count(title) == 1 for title in section)
                # The lead stands before its section; the others keep the order of the page.
                assert places == sorted(places)
