"""`--json` is a contract: what each command prints with it, recorded in tests/cli/json.golden.

`pytest tests/cli/test_json.py --rewrite-json` writes it anew; review its diff.
"""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SITE, Run
from tests.cli.test_app import ALL

GOLDEN = Path(__file__).parent / "json.golden"

CONFIG = (
    SITE
    + """\
schedule = "daily at 07:00"
approval = "required"
[newsletters.weekly]
title = "The Week"
from = "Example News <news@example.com>"
[[sources]]
name = "town"
path = "town.csv"
[smtp]
port = 1
"""
)

TOWN = """\
title,link,published,section
Boat runs,https://www.example.com/boat,2026-03-11T12:00,Town
Pool opens,https://www.example.com/pool,2026-03-11T13:00,Town
No link,,2026-03-11T13:00,Town
"""

READERS = """\
email,name,state,topics,city
cy@example.com,Cy,active,Town,Oslo
cy@example.com,Cy,active,,
no address,,active,,
di@example.com,Di,unsubscribed,,
"""

EVENING, LATER = "2026-03-11T20:00", "2026-03-12T09:00"

#: A day at the keyboard, in order: the name of the recording, and the command. A name that is
#: empty is a step that prints no JSON of its own.
DAY: tuple[tuple[str, str], ...] = (
    ("init", "init town --name Town --url https://www.example.com --from news@example.com"),
    ("error", "status --number 7 daily"),
    ("ingest", "ingest"),
    ("articles add", "articles add Ferry https://www.example.com/f --published 2026-03-11T14:00"),
    ("articles list", "articles list"),
    ("articles pin", "articles pin 3 -n daily"),
    ("articles unpin", "articles unpin 3 -n daily"),
    ("articles drop", "articles drop 2 -n daily --reason advertisement"),
    ("articles show", "articles show 2"),
    ("articles withdraw", "articles withdraw 3"),
    ("articles restore", "articles restore 3"),
    ("subscribers add", "subscribers add ada@example.com --name Ada -n daily"),
    ("", "subscribers add bo@example.com -n daily"),
    ("subscribers import", "subscribers import readers.csv -n daily"),
    ("", "articles add 'Boat rests' https://www.example.com/g --published 2026-03-11T15:00"),
    ("subscribers list", "subscribers list -n daily"),
    ("subscribers unsubscribe", "subscribers unsubscribe bo@example.com -n daily"),
    ("subscribers suppress", "subscribers suppress fy@example.com --reason letter"),
    ("", "subscribers add eva@example.com -n weekly"),
    ("plan", f"plan --days 2 --at {EVENING}"),
    ("preview", f"preview daily --at {EVENING} --out now.html"),
    ("preview skipped", "preview daily --at 2026-01-01T00:00"),
    ("draft", f"draft daily --at {EVENING} --out draft.txt"),
    ("draft read", f"draft daily --at {EVENING} --read draft.txt"),
    ("draft mistakes", f"draft daily --at {EVENING} --read readers.csv"),
    ("plan with a draft", f"plan daily --days 2 --at {EVENING}"),
    ("hold", f"hold daily --at {EVENING}"),
    ("status held", f"status daily --at {EVENING}"),
    ("approve", f"approve daily --at {EVENING}"),
    ("explain article", f"explain boat runs --at {EVENING}"),
    ("explain article choice", "explain boat"),
    ("send dry run", f"send daily --dry-run --at {EVENING}"),
    ("send test", f"send daily --to test@example.com --outbox out --at {EVENING}"),
    ("send", f"send daily --outbox out --at {EVENING}"),
    ("send skipped", f"send daily --outbox out --at {LATER}"),
    ("explain sent article", f"explain 1 --at {EVENING}"),
    ("explain reader", f"explain ada@example.com --at {LATER}"),
    ("explain suppressed", f"explain fy@example.com --at {LATER}"),
    ("subscribers show", "subscribers show ada@example.com"),
    ("subscribers show suppressed", "subscribers show fy@example.com"),
    ("skip", f"skip daily --at {LATER} --reason holiday"),
    ("resume skipped", "resume daily"),
    ("stop skipped", "stop daily"),
    ("send incomplete", f"send weekly --at {EVENING}"),
    ("status incomplete", f"status weekly --at {LATER}"),
    ("stop", "stop weekly"),
    ("resume", "resume weekly --outbox out"),
    ("status", f"status --at {LATER}"),
    ("simulate", f"simulate daily --weeks 1 --at {LATER} --min-items 2"),
    ("run", "run --once"),
    ("audit", "audit"),
    ("backup", "backup copy.db"),
    ("check", "check"),
    ("demo", "demo --dir demo"),
)


#: The values of these keys are for people: their wording is not part of the contract.
SENTENCES = frozenset(
    ["advice", "differs", "error", "gone", "hint", "message", "missing", "reason", "remarks"]
) | {"reply", "text", "what", "why"}
SIZES = frozenset({"bytes", "octets"})


def recorded(value: Any, folder: Path) -> Any:
    """A value without sentences, and without what varies: today's times, the folder, sizes."""
    match value:
        case dict():
            return {key: _recorded(key, each, folder) for key, each in value.items()}
        case list():
            return [recorded(one, folder) for one in value]
        case str():
            text = value.replace(str(folder), "FOLDER")
            return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\dZ)?", _unless_today, text)
        case _:
            return value


def _recorded(key: str, value: Any, folder: Path) -> Any:
    if key in SIZES or (key in SENTENCES and value):
        return key.upper()
    return recorded(value, folder)


def _unless_today(found: re.Match[str]) -> str:
    told = datetime.fromisoformat(found[0]).replace(tzinfo=UTC)
    return "TODAY" if abs(told - datetime.now(UTC)) < timedelta(days=30) else found[0]


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-json", default=False))


def test_a_day_of_json_is_what_it_was(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, rewrite: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digest.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "town.csv").write_text(TOWN, encoding="utf-8")
    (tmp_path / "readers.csv").write_text(READERS, encoding="utf-8")
    printed = {}
    for name, command in DAY:
        done = run(*shlex.split(command), "--json")
        if name:
            shown = recorded(json.loads(done.out), tmp_path)
            printed[name] = {"command": command, "exit": done.code, "json": shown}
    text = json.dumps(printed, indent=1, ensure_ascii=False) + "\n"
    if rewrite:
        GOLDEN.write_text(text, encoding="utf-8")
    for name, before in json.loads(GOLDEN.read_text(encoding="utf-8")).items():
        assert printed[name] == before, name
    assert GOLDEN.read_text(encoding="utf-8") == text, "the order of keys, or a new recording"


def test_every_command_with_json_is_recorded() -> None:
    with_json = {
        " ".join(path)
        for path, command in ALL
        if any("--json" in parameter.opts for parameter in command.params)
    }
    used = {path for path in with_json for name, line in DAY if name and line.startswith(path)}
    assert with_json - used == {"restored"}  # its times are those of a real file
