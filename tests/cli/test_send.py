import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from digest.cli.send import print_report
from digest.publishing.delivery.run import Report
from digest.sender.local_server import LocalServer
from digest.storage import deliveries, editions
from digest.storage.database import open_database
from digest.storage.locks import sender_lock

Run = Callable[..., Any]


@pytest.fixture
def relay(newsroom: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """The server that the newsroom sends through."""
    with LocalServer() as server:
        monkeypatch.setenv("DIGEST_SMTP__PORT", str(server.port))
        yield server


def test_a_dry_run_of_a_test_is_refused_and_mails_nobody(relay: LocalServer, run: Run) -> None:
    for extra in ((), ("--json",)):
        done = run("send", "--dry-run", "--to", "eve@example.com", *extra)
        assert done.code == 2
        assert "--to and --dry-run cannot be combined" in done.err
    assert relay.messages == []


def test_a_dry_run_says_on_standard_output_what_would_happen(relay: LocalServer, run: Run) -> None:
    done = run("send", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("would send No. 1 of Example News, “")
    assert done.out.endswith("to 2 readers; nothing was sent or stored\n")
    told = json.loads(run("send", "--dry-run", "--json").out)
    assert (told["result"], told["number"], told["readers"]) == ("would send", 1, 2)
    assert relay.messages == []


def test_a_test_goes_to_one_address_and_reports(relay: LocalServer, run: Run) -> None:
    done = run("send", "--to", "Eve@Example.COM")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("test of No. 1 accepted for Eve@example.com: 250")
    told = json.loads(run("send", "--to", "eve@example.com", "--json").out)
    assert (told["result"], told["test"], told["to"]) == ("accepted", True, "eve@example.com")
    assert [list(received.rcpt_to) for received in relay.messages] == [
        ["Eve@example.com"],
        ["eve@example.com"],
    ]
    assert json.loads(run("status", "--json").out)["editions"] == []


def test_a_test_to_what_is_no_address_is_wrong_usage(newsroom: Path, run: Run) -> None:
    done = run("send", "--to", "eve")
    assert done.code == 2
    assert "'eve' is not an e-mail address" in done.err


def test_a_skip_is_json_where_json_is_wanted(newsroom: Path, run: Run) -> None:
    run("send", "--outbox", "outbox")
    for extra in ((), ("--dry-run",), ("--to", "eve@example.com")):
        done = run("send", "--json", *extra)
        assert done.code == 3
        assert json.loads(done.out)["result"] == "skipped"


@pytest.mark.parametrize("command", ["send", "resume", "stop", "status", "audit"])
def test_without_a_database_none_is_made(
    command: str, tmp_path: Path, newsroom: Path, run: Run
) -> None:
    (tmp_path / "subscribers.db").unlink()
    done = run(command)
    assert done.code == 1
    assert "there is no database" in done.err
    assert not (tmp_path / "subscribers.db").exists()


def test_on_a_terminal_it_asks_before_it_sends(newsroom: Path, terminal: Run, run: Run) -> None:
    done = terminal("send", "--outbox", "outbox", typed="perhaps\nn\n")
    assert done.code == 0
    assert "Send No. 1 of Example News, “" in done.out
    assert "to 2 readers? [y/N] " in done.out
    assert "please answer y or n" in done.out
    assert "nothing was sent" in done.out
    assert terminal("send", "--outbox", "outbox", typed="\x04").code == 130
    assert json.loads(run("status", "--json").out)["editions"] == []
    assert "2 sent" in terminal("send", "--outbox", "outbox", typed="y\n").out


@pytest.mark.parametrize("at", ["0001-01-01", "1969-12-31", "9999-12-31T23:59"])
def test_a_time_of_no_era_of_ours_is_wrong_usage(newsroom: Path, run: Run, at: str) -> None:
    for command in ("preview", "send"):
        done = run(command, "--at", at)
        assert done.code == 2
        assert f"--at: found '{at}', expected a year from 1970 to 9998" in done.err


def test_whoever_is_stopped_while_sending_is_told_what_goes_on_with_it(
    newsroom: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGEST_SMTP__PORT", "1")
        assert "`digest send` continues" in run("send").err
    assert run("stop").code == 0
    with open_database(newsroom / "subscribers.db") as db:
        edition = editions.find(db, "daily", 1)
        assert edition is not None
        counts = deliveries.counts(db, edition.stored_id)
    with pytest.raises(typer.Exit):
        print_report(Report(edition=edition, counts=counts), as_json=False)
    told = capsys.readouterr().err
    assert "the edition is stopped; `digest resume` continues" in told
    assert "`digest send`" not in told


def test_a_send_beside_another_one_is_skipped(newsroom: Path, run: Run) -> None:
    with sender_lock(newsroom / "subscribers.db"):
        for words in (("send", "--outbox", "outbox"), ("resume", "--outbox", "outbox")):
            done = run(*words)
            assert done.code == 3
            assert "another digest process is sending" in done.err
    assert not list(newsroom.glob("outbox/*.eml"))


def test_a_stop_reports_what_it_stopped(newsroom: Path, run: Run) -> None:
    assert json.loads(run("stop", "--json").out)["result"] == "skipped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGEST_SMTP__PORT", "1")
        assert run("send").code == 5
    told = json.loads(run("stop", "--json").out)
    assert told["result"] == "stopped"
    assert [edition["number"] for edition in told["editions"]] == [1]
    assert "prepared, stopped" in run("status").out
    assert run("send", "--outbox", "outbox").code == 4
    assert run("resume", "--outbox", "outbox").out.endswith("2 sent\n")
