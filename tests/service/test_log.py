"""The log: one line an event, and nobody in it."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config.settings import LogForm
from digest.errors import ConfigError, Problem, RelayUnavailable
from digest.service.log import Log, redact

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)

LOCAL = st.text("abcdefghijklmnopqrstuvwxyzäöü0123456789.+-_!#$%&*/?^{}|~", min_size=1).filter(
    lambda local: local.strip(".") == local
)


def written(form: LogForm, *, secrets: tuple[str, ...] = ()) -> tuple[Log, io.StringIO]:
    stream = io.StringIO()
    return Log(form, lambda: NOW, secrets=secrets, stream=stream), stream


def test_a_line_for_people_has_time_level_event_fields_and_message() -> None:
    log, stream = written(LogForm.TEXT)
    log.info("slot-skipped", "2 of 4 articles", newsletter="daily", slot="2026-03-12T07:00")
    assert stream.getvalue() == (
        "2026-03-12T07:00:00Z info    slot-skipped newsletter=daily slot=2026-03-12T07:00"
        " — 2 of 4 articles\n"
    )


def test_a_line_for_programs_is_json() -> None:
    log, stream = written(LogForm.JSON)
    log.warning("run-ended", edition=7, complete=False, sent=3, error=None)
    assert json.loads(stream.getvalue()) == {
        "time": "2026-03-12T07:00:00Z",
        "level": "warning",
        "event": "run-ended",
        "edition": 7,
        "complete": False,
        "sent": 3,
    }


@given(st.text(), st.text())
def test_whatever_is_logged_is_one_line(message: str, value: str) -> None:
    for form in LogForm:
        log, stream = written(form)
        log.info("event", message, source=value)
        assert stream.getvalue().endswith("\n")
        assert len(stream.getvalue().splitlines()) == 1


@given(LOCAL, st.sampled_from(["<{}>", "to {}", "user={};", '"{}"', "({}), gone", "mailto:{}"]))
def test_no_address_is_ever_in_a_line(local: str, around: str) -> None:
    address = f"{local}@example.com"
    assert "example.com" not in redact(f"refused: {around.format(address)}")
    assert "@example" not in redact(around.format(address))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "the server refuses everybody: 550 5.1.1 <ada@example.com>: no Ada Lovelace here",
            "the server refuses everybody: 550 5.1.1 …",
        ),
        ("421 too busy for ada", "421 …"),
        ("no SMTP server answers at mail.example:25", "no SMTP server answers at mail.example:25"),
        ("waited for more than 300 s", "waited for more than 300 s"),
        ("https://news.example/u/?t=abc#x failed", "https://news.example/u/?… failed"),
        ("/u/Q2hhcmxlc0FkYTEyMzQ1Ng gone", "/u/… gone"),
        ("with hunter2 in it", "with … in it"),
    ],
)
def test_of_what_others_say_the_part_that_names_nobody_is_kept(said: str, kept: str) -> None:
    assert redact(said, ["hunter2"]) == kept


def test_an_error_of_ours_is_told_with_what_to_do() -> None:
    log, stream = written(LogForm.JSON)
    problem = Problem(path="smtp.port", found="70000", expected="a port")
    log.error("reload-refused", ConfigError("one problem", problems=[problem], hint="Mend it."))
    line = json.loads(stream.getvalue())
    assert line["message"] == "one problem; smtp.port: found 70000, expected a port."
    assert (line["error"], line["hint"]) == ("ConfigError", "Mend it.")
    assert "traceback" not in line


def test_an_error_that_nobody_foresaw_is_told_with_where_it_came_from() -> None:
    log, stream = written(LogForm.JSON)
    with pytest.raises(ValueError) as raised:
        int("ada@example.com")
    log.error("tick-failed", raised.value)
    line = json.loads(stream.getvalue())
    assert "test_log.py" in line["traceback"]
    assert "example.com" not in stream.getvalue()


def test_a_stream_that_nobody_reads_stops_nothing() -> None:
    log, stream = written(LogForm.TEXT)
    stream.close()
    log.error("run-ended", RelayUnavailable("gone"))
