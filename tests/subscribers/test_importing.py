import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.model.subscriber import Action, MembershipStatus
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database, open_database
from digest.subscribers import importing, list_file
from digest.subscribers.changes import ChangeContext
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.importing import ImportReport, ReadList

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)

Import = Callable[[str], tuple[ReadList, ImportReport]]


def statuses(db: Database) -> dict[str, str]:
    members = subscriptions.members(db, "daily", MembershipStatus)
    return {member.subscriber.email: member.status.value for member in members}


def everything(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return list(connection.iterdump())


def test_an_imported_row_is_active_unless_its_state_says_otherwise(
    db: Database, bring_in: Import
) -> None:
    bring_in(
        "email,state\na@example.com,\nb@example.com,pending\nc@example.com,paused\n"
        "d@example.com,unsubscribed\ne@example.com,suppressed\nf@example.com,active\n"
    )
    assert statuses(db) == {
        "a@example.com": "active",
        "b@example.com": "pending",
        "c@example.com": "paused",
        "d@example.com": "unsubscribed",
        "e@example.com": "suppressed",
        "f@example.com": "active",
    }


def test_a_row_brings_everything_that_its_columns_say(db: Database, bring_in: Import) -> None:
    bring_in(
        "E-Mail;First Name;Last Name;Language;Time Zone;Topics;Since;City\n"
        "Eva@EXAMPLE.com;Eva;Sá;pt_br;europe/lisbon;Sport, arts;2026-01-05;Évora\n"
    )
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    assert found.subscriber.email == "Eva@example.com"
    assert found.subscriber.name == "Eva Sá"
    assert found.subscriber.language == "pt-BR"
    assert found.subscriber.timezone == "Europe/Lisbon"
    assert found.subscriber.fields == {"City": "Évora"}
    assert found.topics == ("arts", "Sport")
    assert found.since == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_second_address_column_is_a_field(db: Database, bring_in: Import) -> None:
    bring_in("address,email\n1 High Street,eva@example.com\n")
    person = subscribers.find(db, "eva@example.com")
    assert person is not None
    assert person.fields == {"address": "1 High Street"}


# How they stand, what the file says, how they stand then, and what the import calls it.
@pytest.mark.parametrize(
    ("before", "said", "after", "result"),
    [
        ("active", "active", "active", ImportResult.UNCHANGED),
        ("active", "pending", "active", ImportResult.UNCHANGED),
        ("active", "paused", "paused", ImportResult.TAKEN_OUT),
        ("active", "unsubscribed", "unsubscribed", ImportResult.TAKEN_OUT),
        ("active", "suppressed", "suppressed", ImportResult.TAKEN_OUT),
        ("pending", "active", "pending", ImportResult.LEFT),
        ("pending", "pending", "pending", ImportResult.UNCHANGED),
        ("pending", "paused", "pending", ImportResult.UNCHANGED),
        ("pending", "unsubscribed", "unsubscribed", ImportResult.TAKEN_OUT),
        ("pending", "suppressed", "suppressed", ImportResult.TAKEN_OUT),
        ("paused", "active", "paused", ImportResult.LEFT),
        ("paused", "pending", "paused", ImportResult.LEFT),
        ("paused", "paused", "paused", ImportResult.UNCHANGED),
        ("paused", "unsubscribed", "unsubscribed", ImportResult.TAKEN_OUT),
        ("paused", "suppressed", "suppressed", ImportResult.TAKEN_OUT),
        ("unsubscribed", "active", "unsubscribed", ImportResult.LEFT),
        ("unsubscribed", "pending", "unsubscribed", ImportResult.LEFT),
        ("unsubscribed", "paused", "unsubscribed", ImportResult.LEFT),
        ("unsubscribed", "unsubscribed", "unsubscribed", ImportResult.UNCHANGED),
        ("unsubscribed", "suppressed", "suppressed", ImportResult.TAKEN_OUT),
        ("suppressed", "active", "suppressed", ImportResult.LEFT),
        ("suppressed", "pending", "suppressed", ImportResult.LEFT),
        ("suppressed", "paused", "suppressed", ImportResult.LEFT),
        ("suppressed", "unsubscribed", "suppressed", ImportResult.UNCHANGED),
        ("suppressed", "suppressed", "suppressed", ImportResult.UNCHANGED),
    ],
)
def test_an_import_takes_people_out_and_never_brings_one_back(
    db: Database, bring_in: Import, before: str, said: str, after: str, result: ImportResult
) -> None:
    bring_in(f"email,state\neva@example.com,{before}\n")
    _, report = bring_in(f"email,state\nEVA@Example.com,{said}\n")
    assert statuses(db) == {"eva@example.com": after}
    assert {one: count for one, count in report.results.items() if count} == {result: 1}


def test_an_import_takes_an_address_off_the_list_under_its_suppression(
    db: Database, bring_in: Import
) -> None:
    bring_in("email\neva@example.com\n")
    suppressions.suppress(db, "eva@example.com", reason="bounced", since=NOW)
    bring_in("email,state\neva@example.com,unsubscribed\n")
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    assert found.state == "unsubscribed"


def test_who_was_erased_and_suppressed_is_known_by_the_hash_alone(
    db: Database, bring_in: Import
) -> None:
    suppressions.suppress(db, "eva@example.com", reason="erased", since=NOW)
    db.execute("update suppressions set email = null")
    _, report = bring_in("email\nEva@example.com\n")
    assert statuses(db) == {}
    assert [remark.text for remark in report.left] == ["Eva@example.com: suppressed"]


def test_values_of_active_readers_are_taken_over_where_the_file_has_some(
    db: Database, bring_in: Import
) -> None:
    bring_in("email,name,language,city,topics\neva@example.com,Eva,pt,Évora,Sport\n")
    _, report = bring_in(
        "email,name,language,city,street,topics\neva@example.com,Eva Sá,,,High,arts\n"
    )
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    person = found.subscriber
    assert (person.name, person.language, person.fields, found.topics) == (
        "Eva Sá",
        "pt",
        {"city": "Évora", "street": "High"},
        ("arts",),
    )
    assert report.results[ImportResult.UPDATED] == 1
    assert subscribers.consents_of(db, person.id)[-1].wording == "name, fields, topics"


def test_what_a_file_says_of_those_who_left_is_not_taken_over(
    db: Database, bring_in: Import
) -> None:
    bring_in("email,name,state\neva@example.com,Eva,unsubscribed\n")
    bring_in("email,name\neva@example.com,Other\n")
    person = subscribers.find(db, "eva@example.com")
    assert person is not None
    assert person.name == "Eva"


def test_the_same_file_again_changes_nothing(db: Database, bring_in: Import) -> None:
    text = "email,name,state,topics\na@example.com,A,,x\nb@example.com,B,paused,\n"
    bring_in(text)
    before = everything(db.path)
    _, report = bring_in(text)
    assert everything(db.path) == before
    assert report.results[ImportResult.UNCHANGED] == 2


def test_of_an_address_that_comes_twice_the_first_row_counts(
    db: Database, bring_in: Import
) -> None:
    listed, report = bring_in("email,name\neva@example.com,Eva\nEVA@example.com,Other\n")
    assert [(remark.line, remark.text) for remark in listed.duplicates] == [
        (3, "EVA@example.com: already in line 2")
    ]
    assert report.results[ImportResult.ADDED] == 1
    person = subscribers.find(db, "eva@example.com")
    assert person is not None
    assert person.name == "Eva"


@pytest.mark.parametrize("states", [("", "unsubscribed"), ("unsubscribed", "")])
def test_whoever_left_in_any_row_has_left(
    db: Database, bring_in: Import, states: tuple[str, str]
) -> None:
    bring_in(f"email,state\neva@example.com,{states[0]}\neva@example.com,{states[1]}\n")
    assert statuses(db) == {"eva@example.com": "unsubscribed"}


def test_both_spellings_of_a_domain_are_one_subscriber(db: Database, bring_in: Import) -> None:
    bring_in("email\neva@bücher.example\neva@xn--bcher-kva.example\n")
    assert statuses(db) == {"eva@xn--bcher-kva.example": "active"}


def test_a_row_that_cannot_be_used_is_told_and_the_rest_goes_in(
    db: Database, bring_in: Import
) -> None:
    listed, _ = bring_in(
        "email,state\nnobody,\nb@example.com,gone\nc@example.com,\n=cmd|x!A1@example.com,\n,\n,paused\n"
    )
    assert [remark.line for remark in listed.rejected] == [2, 3, 7]
    assert statuses(db) == {"c@example.com": "active", "=cmd|x!A1@example.com": "active"}


def test_a_wrong_value_costs_the_value_and_not_the_reader(db: Database, bring_in: Import) -> None:
    listed, _ = bring_in(
        "email,language,timezone,since,topics,name,note\n"
        f"eva@example.com,English,Lisbon,soon,[1,=?utf-8?q?x?=,{'x' * 100_000}\n"
    )
    assert statuses(db) == {"eva@example.com": "active"}
    assert [remark.text for remark in listed.notes] == [
        "eva@example.com: the name '=?utf-8?q?x?=' is an encoded mail header, expected a name",
        "eva@example.com: the language 'English', expected a tag such as en or pt-BR",
        "eva@example.com: the time zone 'Lisbon', expected one such as Europe/Lisbon",
        "eva@example.com: the topics '[1', expected a JSON array",
        "eva@example.com: since 'soon', expected a date such as 2026-03-12",
        "eva@example.com: 'note': 100,000 characters, expected at most 10,000",
    ]


def test_each_change_leaves_a_receipt(db: Database, given: ChangeContext) -> None:
    context = ChangeContext(
        newsletter="daily",
        now=NOW,
        origin="import readers.csv",
        tokens=given.tokens,
        wording="I want the daily",
        numbered=True,
    )
    for text in ("email\nx\neva@example.com\n", "email,state\neva@example.com,unsubscribed\n"):
        listed = importing.read_list(list_file.read(text.encode()).rows, now=NOW, zone=UTC)
        importing.import_readers(db, listed.readers, context)
    person = subscribers.find(db, "eva@example.com")
    assert person is not None
    receipts = [
        (one.action, one.wording, one.origin, one.at)
        for one in subscribers.consents_of(db, person.id)
    ]
    assert receipts == [
        (Action.SUBSCRIBED, "I want the daily", "import readers.csv line 3", NOW),
        (Action.UNSUBSCRIBED, "as the file says", "import readers.csv line 2", NOW),
    ]


def test_a_person_of_another_newsletter_gets_a_second_subscription(
    db: Database, bring_in: Import
) -> None:
    bring_in("email,name\neva@example.com,Eva\n")
    listed = importing.read_list(
        list_file.read(b"email\nEva@example.com\n").rows, now=NOW, zone=UTC
    )
    weekly = ChangeContext(newsletter="weekly", now=NOW, origin="x", tokens=lambda: "w1")
    importing.import_readers(db, listed.readers, weekly)
    person = subscribers.find(db, "eva@example.com")
    assert person is not None
    assert [one.newsletter for one in subscriptions.of(db, person)] == ["daily", "weekly"]
    assert person.name == "Eva"


def test_a_dry_run_decides_the_same_and_writes_nothing(
    db: Database, bring_in: Import, given: ChangeContext
) -> None:
    bring_in("email,state\na@example.com,\nb@example.com,paused\n")
    rows = list_file.read(
        b"email,state\na@example.com,paused\nb@example.com,\nc@example.com,\na@example.com,suppressed\n"
    ).rows
    listed = importing.read_list(rows, now=NOW, zone=UTC)
    before = everything(db.path)
    planned = importing.import_readers(db, listed.readers, given, dry_run=True)
    assert everything(db.path) == before
    done = importing.import_readers(db, listed.readers, given)
    assert planned == done
    assert statuses(db) == {
        "a@example.com": "suppressed",
        "b@example.com": "paused",
        "c@example.com": "active",
    }


def test_a_suppressed_address_alone_makes_no_person(db: Database, bring_in: Import) -> None:
    bring_in("email,state,suppressed_because\na@example.com,suppressed,complained by letter\n")
    assert subscribers.find(db, "a@example.com") is None
    found = suppressions.find(db, "a@example.com")
    assert found is not None
    assert found.reason == "complained by letter"


def test_the_reason_of_a_suppression_may_stand_in_a_column_of_another_name() -> None:
    data = b"email,state,Why\na@example.com,suppressed,complained by letter\n"
    rows = list_file.read(data, titles={"suppressed_because": "Why"}).rows
    (reader,) = importing.read_list(rows, now=NOW, zone=UTC).readers
    assert reader.reason == "complained by letter"


def test_an_error_in_the_middle_leaves_the_list_as_it_was(
    db: Database, bring_in: Import, given: ChangeContext
) -> None:
    bring_in("email\na@example.com\n")
    before = everything(db.path)
    rows = "".join(f"r{number}@example.com\n" for number in range(12_000))
    listed = importing.read_list(list_file.read(f"email\n{rows}".encode()).rows, now=NOW, zone=UTC)

    def fail(done: int) -> None:
        if done > 5_000:
            raise OSError("the terminal is gone")

    with pytest.raises(OSError, match="gone"):
        importing.import_readers(db, listed.readers, given, on_progress=fail)
    assert everything(db.path) == before


_PATIENCE = 60  # seconds; a process that is not done by then never will be

_INTERRUPTED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from digest.subscribers import importing, list_file
from digest.subscribers.changes import ChangeContext
from digest.storage.database import open_database

now = datetime(2026, 3, 12, 7, tzinfo=UTC)
rows = "".join(f"r{number}@example.com\\n" for number in range(12_000))
listed = importing.read_list(list_file.read(f"email\\n{rows}".encode()).rows, now=now, zone=UTC)
tokens = iter(range(100_000))
given = ChangeContext(newsletter="daily", now=now, origin="x", tokens=lambda: f"t{next(tokens)}")

def stand_still(done):
    print(done, flush=True)
    sys.stdin.readline()

with open_database(Path(sys.argv[1])) as db:
    importing.import_readers(db, listed.readers, given, on_progress=stand_still)
"""


def test_ctrl_c_in_the_middle_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    with open_database(path):
        pass
    before = everything(path)
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "5000\n"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "10000\n"
        # It waits for the next line now, with 10,000 readers written and not committed.
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in error
    assert everything(path) == before


def test_no_topics_and_no_fields_are_stored_as_such(db: Database, bring_in: Import) -> None:
    bring_in("email,topics,city\na@example.com,,\n")
    assert [tuple(row) for row in db.rows("select topics from subscriptions")] == [("[]",)]
    assert [json.loads(row[0]) for row in db.rows("select fields from subscribers")] == [{}]


def test_a_hundred_thousand_rows_are_read_and_stored(db: Database, bring_in: Import) -> None:
    rows = "".join(f"reader{number}@example.com,Reader {number},en\n" for number in range(100_000))
    _, report = bring_in(f"email,name,language\n{rows}")
    assert report.results[ImportResult.ADDED] == 100_000
    assert subscriptions.counts(db, "daily")[MembershipStatus.ACTIVE] == 100_000


def test_who_comes_as_gone_counts_as_taken_out_and_the_receipt_says_why(
    db: Database, bring_in: Import
) -> None:
    _, report = bring_in(
        "email,name,state\na@example.com,Ana,bounced\nb@example.com,Bo,complained\n"
        "c@example.com,Cleo,paused\nd@example.com,Dan,Unsubscribed\n"
    )
    assert (report.results[ImportResult.TAKEN_OUT], report.results[ImportResult.ADDED]) == (3, 1)
    assert statuses(db) == {
        "a@example.com": "unsubscribed",
        "b@example.com": "suppressed",
        "c@example.com": "paused",
        "d@example.com": "unsubscribed",
    }
    assert subscribers.consents_of(db, 1)[0].wording == "listed as unsubscribed: bounced"
    suppression = suppressions.find(db, "b@example.com")
    assert suppression is not None
    assert suppression.reason == "complained"


def test_columns_that_are_none_of_ours_are_told(bring_in: Import) -> None:
    listed, _ = bring_in("email,Vorname,Nachname,Ort,state\na@example.com,Ana,Luz,Faro,\n")
    assert listed.fields == ("Vorname", "Nachname", "Ort")
    listed, _ = bring_in(
        '{"email": "a@example.com", "Ort": "Faro"}\n{"email": "b@example.com", "PLZ": 8000}\n'
    )
    assert listed.fields == ("Ort", "PLZ")


def test_a_value_that_is_nested_or_long_beyond_reason_costs_no_other_row(
    db: Database, bring_in: Import
) -> None:
    long = "x" * 140_000
    listed, _ = bring_in(
        "email,name,note,topics\n"
        f"{long}@example.com,,,\na@example.com,{long},,\nb@example.com,,{long},\n"
        f"c@example.com,,,{'[' * 60_000}\nd@example.com,,,\n"
    )
    assert list(statuses(db)) == [f"{who}@example.com" for who in "abcd"]
    assert [(remark.line, remark.text[-60:]) for remark in listed.rejected] == [
        (2, "l address: it has 140,012 characters, an address at most 254"),
    ]
    assert [remark.text for remark in listed.notes] == [
        "a@example.com: a name of 140,000 characters, expected at most 200",
        "b@example.com: 'note': 140,000 characters, expected at most 10,000",
        f"c@example.com: the topics {'[' * 40!r}, expected a JSON array",
    ]
