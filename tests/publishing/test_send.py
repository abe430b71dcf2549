"""Sending an edition: every active reader once, and an honest record of everything else."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from digest.errors import (
    AlreadySending,
    ConfigError,
    RelayUnavailable,
    SlotTaken,
    StorageError,
    Superseded,
    TemplateError,
)
from digest.model.delivery import Accepted, Deferred, Outcome, Rejected, Reply, Unknown
from digest.model.newsletter import Rules
from digest.publishing.delivery.run import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.status import status
from digest.sender.message_data import Envelope
from digest.storage.locks import sender_lock
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

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
    listed = status(paper.settings, paper.newsletter, now=NOW).editions[0].unfinished
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
    listed = status(paper.settings, paper.newsletter, now=NOW).editions[0].unfinished
    assert [(u.state, u.reply) for u in listed] == [("rejected", "550 5.1.1 no such user")]
    assert paper.value("select state from editions") == "sent"


def test_a_server_that_refuses_everybody_is_at_fault_and_no_reader_is(paper: Paper) -> None:
    many = [f"reader-{n}@example.com" for n in range(8)]
    paper.publish("Ferry late")
    paper.subscribe(*many)
    no = Rejected(reason="no", reply=Reply(code=550, text="relay denied"))
    report = paper.send(RecordingTransport(dict.fromkeys(many, no)))
    assert isinstance(report, Report)
    assert report.error is not None
    assert "rejects every reader: 550 relay denied" in report.error.message
    assert "rejected" not in paper.states().values()
    assert paper.value("select state from editions") == "prepared"
    assert sorted(paper.sent(now=NOW + timedelta(hours=1))) == many


@pytest.mark.parametrize(("good_before", "dead", "good_after"), [(0, 8, 20), (20, 60, 20)])
def test_dead_addresses_in_a_row_do_not_keep_others_from_their_turn_for_ever(
    paper: Paper, good_before: int, dead: int, good_after: int
) -> None:
    good = [f"good-{n}@example.com" for n in range(good_before + good_after)]
    gone = [f"gone-{n}@example.com" for n in range(dead)]
    paper.publish("Ferry late")
    paper.subscribe(*good[:good_before], *gone, *good[good_before:])
    transport = RecordingTransport(
        dict.fromkeys(gone, Rejected(reason="no", reply=Reply(code=550, text="no such user")))
    )
    for hour in range(5):
        report = paper.send(transport, now=NOW + timedelta(hours=hour))
        if isinstance(report, Report) and report.served_everybody:
            break

    assert sorted(one.envelope.rcpt_to for one in transport.accepted) == sorted(good)
    assert {paper.states()[email] for email in gone} == {"rejected"}


def test_a_few_refusals_before_the_first_acceptance_are_the_readers_own(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    no = Rejected(reason="no", reply=Reply(code=550, text="no such user"))
    paper.send(RecordingTransport(dict.fromkeys(READERS[:3], no)))
    assert list(paper.states().values()) == ["rejected", "rejected", "rejected", "sent"]


def test_an_edition_that_nobody_has_is_not_sent(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe("ada@example.com")
    no = Rejected(reason="no", reply=Reply(code=550, text="no such user"))
    paper.send(RecordingTransport({"ada@example.com": no}))
    assert paper.value("select state from editions") == "incomplete"


def test_an_address_that_no_header_can_carry_stops_nobody_else(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe("ada@example.com", "no good@example.com", "zoe@example.com")
    assert paper.sent() == ["ada@example.com", "zoe@example.com"]
    assert paper.states()["no good@example.com"] == "rejected"


def test_a_skip_says_what_there_is_instead(paper: Paper) -> None:
    paper.subscribe("ada@example.com")
    empty = paper.send(RecordingTransport())
    assert isinstance(empty, Skipped)
    assert "no articles yet" in empty.reason
    paper.publish("An old story", hours=100)
    old = paper.send(RecordingTransport())
    assert isinstance(old, Skipped)
    assert old.reason.endswith("is of 2026-03-08 03:00, and max_age is 2 days")


def test_a_relay_that_is_at_fault_blames_no_reader(paper: Paper) -> None:
    many = [f"reader-{n}@example.com" for n in range(8)]
    paper.publish("Ferry late")
    paper.subscribe(*many)
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
    assert set(paper.states().values()) == {"sent", "deferred", "queued"}
    assert sorted(paper.sent()) == many[2:]


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
    (overridden / "digest.txt").write_text("{{ lead.title }} and {{ reader.email }}", "utf-8")
    second = RecordingTransport()
    paper.send(second, now=NOW + timedelta(hours=1))
    first_edition, next_edition = second.accepted[:3], second.accepted[3:]
    assert [a.envelope.rcpt_to for a in first_edition] == READERS[1:]
    for attempt in first_edition:
        assert "Ferry late" in body(attempt.message, "plain")
        assert "Something new" not in body(attempt.message, "plain")
    # Everybody has the old one, so the new one follows, in its new clothes.
    assert [a.envelope.rcpt_to for a in next_edition] == READERS
    assert all("Something new and" in body(a.message, "plain") for a in next_edition)


def test_one_reader_whose_server_defers_for_ever_does_not_hold_up_the_next_edition(
    paper: Paper,
) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    full = Deferred(reason="full", reply=Reply(code=452, text="mailbox full", enhanced="4.2.2"))
    paper.send(RecordingTransport({READERS[2]: full}))
    paper.publish("Bridge shut", hours=0.1)
    transport = RecordingTransport({READERS[2]: full})
    paper.send(transport, now=NOW + timedelta(days=1))
    assert len(transport.accepted) == 3
    assert paper.value("select count(*) from editions") == 2
    assert len(status(paper.settings, paper.newsletter, now=NOW).editions) == 2


def test_images_are_frozen_with_the_edition(paper: Paper) -> None:
    picture = paper.settings.folder / "bridge.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n the bridge as it was")
    paper.publish("Bridge open")
    paper.run("update articles set image_url = 'bridge.png'")
    paper.subscribe(*READERS)
    paper.send(RecordingTransport({e: Deferred(reason="busy") for e in READERS[1:]}))
    picture.unlink()
    second = RecordingTransport()
    paper.send(second)
    (image,) = (
        part
        for part in parsed(second.accepted[0].message).walk()
        if part.get_content_maintype() == "image"
    )
    assert image.get_content() == b"\x89PNG\r\n\x1a\n the bridge as it was"


def test_a_relay_that_fails_for_one_reader_serves_the_others(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)

    def answers(envelope: Envelope, _message: bytes) -> Outcome:
        if envelope.rcpt_to == READERS[1]:
            raise RelayUnavailable("does not relay to this one")
        return Accepted(reply=Reply(code=250, text="ok"))

    paper.send(RecordingTransport(answers))
    assert list(paper.states().values()) == ["sent", "deferred", "sent", "sent"]


def test_a_send_without_its_lock_sends_nothing_more(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)

    def answers(envelope: Envelope, _message: bytes) -> Outcome:
        if envelope.rcpt_to == READERS[1]:
            (paper.settings.folder / "subscribers.db.sending.lock").unlink()
        return Accepted(reply=Reply(code=250, text="ok"))

    transport = RecordingTransport(answers)
    report = paper.send(transport)
    assert [a.envelope.rcpt_to for a in transport.accepted] == READERS[:1]
    assert isinstance(report, Report)
    assert report.error is not None
    assert "was removed" in report.error.message


def test_a_missing_database_is_not_a_first_day(paper: Paper) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        paper.send(RecordingTransport())
    assert not paper.settings.database.exists()


def test_a_lost_decision_does_not_bring_an_article_into_a_second_edition(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.sent()
    with pytest.raises(StorageError, match="would be sent again"):
        paper.run("delete from decisions")
    paper.run("drop trigger a_chosen_article_is_not_forgotten")
    paper.run("delete from decisions")
    with pytest.raises(StorageError, match="at most one edition"):
        paper.sent(now=NOW + timedelta(hours=1))


def test_an_article_that_is_withdrawn_while_the_edition_is_made_is_not_in_it(
    paper: Paper,
) -> None:
    paper.publish("Ferry late", "Library open")
    paper.subscribe("ada@example.com")
    paper.run(
        "create trigger meanwhile after insert on editions when not exists"
        " (select 1 from articles where withdrawn_at is not null)"
        " begin update articles set withdrawn_at = '2026-03-12T06:59:59Z' where id = 1; end"
    )
    # The first draft is refused, its transaction undone with the withdrawal; so is each other one.
    with pytest.raises(Superseded, match="withdrawn"):
        paper.sent()
    assert paper.value("select count(*) from editions") == 0


def test_an_article_that_its_source_moves_out_of_reach_gets_its_reason(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.publish("Post-dated", hours=-50)
    paper.subscribe("ada@example.com")
    paper.sent()
    paper.run(
        "update articles set published_at = '2026-03-01T00:00:00Z',"
        " edited_at = '2026-03-12T08:00:00Z' where title = 'Post-dated'"
    )
    paper.publish("Bridge shut", hours=-1)
    paper.sent(now=NOW + timedelta(hours=2))
    assert (
        paper.value(
            "select verdict from decisions join articles on id = article_id"
            " where title = 'Post-dated'"
        )
        == "too old"
    )


def test_two_senders_on_one_database_do_not_mix(paper: Paper) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    with sender_lock(paper.settings.database), pytest.raises(AlreadySending):
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
