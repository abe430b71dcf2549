import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from digest.sender.local_server import LocalServer
from digest.storage.database import open_database
from tests.composer.keys import rsa_pem, write
from tests.publishing.name_server import NameServer

Run = Callable[..., Any]

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>
<item><title>One</title><link>https://www.example.com/1</link></item>
</channel></rss>"""

SITE = """\
[site]
name = "Example News"
url = "https://www.example.com"
postal_address = "1 Example Street"
[newsletters.daily]
from = "news@example.com"
"""


@pytest.fixture
def relay() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def feed() -> Iterator[str]:
    """The address of a feed with one article."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/feed.xml" else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.end_headers()
            self.wfile.write(FEED)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def site(tmp_path: Path, relay: LocalServer) -> Path:
    """A newsletter in which everything works: its digest.toml, which ends inside [smtp]."""
    file = tmp_path / "digest.toml"
    file.write_text(f"{SITE}[smtp]\nport = {relay.port}\n")
    with open_database(tmp_path / "subscribers.db"):
        pass
    return file


def findings(ran: Any) -> dict[str, list[tuple[str, str]]]:
    """Verdicts and messages, by area."""
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(ran.out)["findings"]:
        found.setdefault(finding["area"], []).append((finding["severity"], finding["message"]))
    return found


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def test_a_newsletter_that_works_has_no_problem(site: Path, feed: str, run: Run) -> None:
    (site.parent / "a.csv").write_text("title,url\nOne,https://www.example.com/1\n")
    add(site, '[[sources]]\nname = "file"\npath = "a.csv"\n')
    add(site, f'[[sources]]\nname = "web"\nurl = "{feed}/feed.xml"\nallow_private = true\n')

    ran = run("--config", site, "check", "--json")

    assert (ran.code, ran.err) == (0, "")
    found = findings(ran)
    assert {severity for lines in found.values() for severity, _ in lines} == {"ok"}
    assert list(found) == [
        "configuration",
        "database",
        "templates",
        "source file",
        "source web",
        "smtp",
    ]
    assert "1 article in" in found["source file"][0][1]
    assert "1 article in" in found["source web"][0][1]


def test_nothing_is_stored_and_nothing_is_mailed(site: Path, relay: LocalServer, run: Run) -> None:
    (site.parent / "a.csv").write_text("title,url\nOne,https://www.example.com/1\n")
    add(site, '[[sources]]\nname = "file"\npath = "a.csv"\n')
    before = (site.parent / "subscribers.db").read_bytes()

    run("--config", site, "check")

    assert (site.parent / "subscribers.db").read_bytes() == before
    assert relay.messages == []


def test_people_get_a_table_with_advice(site: Path, run: Run) -> None:
    ran = run("--config", site, "check")
    assert ran.code == 0
    assert "daily renders in en" in ran.out
    assert "warning  sources" in ran.out
    assert "→ Add [[sources]]" in ran.out


def test_secrets_are_masked_and_origins_told(
    site: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "sesame")
    monkeypatch.setenv("DIGEST_SMTP__USERNAME", "news")
    monkeypatch.setenv("DIGEST_SOURCES__0__NAME", "private")
    monkeypatch.setenv("DIGEST_SOURCES__0__URL", "http://user:sesame@127.0.0.1:9/feed")

    ran = run("--config", site, "check", "--json")

    assert "sesame" not in ran.out + ran.err
    told = [message for _, message in findings(ran)["configuration"]]
    assert "smtp.password: set, from DIGEST_SMTP__PASSWORD" in told
    assert "smtp.username: from DIGEST_SMTP__USERNAME" in told


def test_what_is_missing_is_told_with_what_to_do(tmp_path: Path, feed: str, run: Run) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(
        SITE.replace("https://www", "http://www").replace("1 Example Street", "")
        + '[smtp]\nport = 1\nusername = "news"\n'
        + '[[sources]]\nname = "file"\npath = "not there.csv"\n'
        + f'[[sources]]\nname = "web"\nurl = "{feed}/other"\nallow_private = true\n'
    )

    ran = run("--config", file, "check", "--json")

    assert ran.code == 1
    severities = {area: [v for v, _ in lines] for area, lines in findings(ran).items()}
    assert severities == {
        "configuration": ["ok", "problem", "problem", "warning"],
        "database": ["warning"],
        "templates": ["ok"],
        "source file": ["problem"],
        "source web": ["problem"],
        "smtp": ["problem"],
    }
    advice = [f["advice"] for f in json.loads(ran.out)["findings"] if f["severity"] != "ok"]
    assert all(advice)


def test_a_link_of_an_own_template_to_a_page_that_is_not_there_is_a_warning(
    site: Path, run: Run
) -> None:
    own = site.parent / "templates" / "email" / "partials"
    own.mkdir(parents=True)
    link = '<tr><td><a href="{{ reader.view_url }}">Online</a></td></tr>'
    (own / "footer.html").write_text(link)
    assert [v for v, _ in findings(run("--config", site, "check", "--json"))["templates"]] == [
        "ok",
        "warning",
    ]
    (own / "footer.html").write_text("{% if reader.view_url %}" + link + "{% endif %}")
    assert [v for v, _ in findings(run("--config", site, "check", "--json"))["templates"]] == ["ok"]


def test_a_broken_template_is_named_with_its_line(site: Path, run: Run) -> None:
    own = site.parent / "templates" / "email"
    own.mkdir(parents=True)
    (own / "digest.txt").write_text("{{ newsletter.title }}\n{{ led.title }}\n")

    ran = run("--config", site, "check", "--json")

    assert ran.code == 1
    [(severity, message)] = findings(ran)["templates"]
    assert severity == "problem"
    assert "digest.txt, line 2" in message


def test_a_broken_subject_is_found_before_readers_see_it(site: Path, run: Run) -> None:
    site.write_text(site.read_text().replace("[smtp]", 'subject = "{{ lead.titel }}"\n[smtp]'))
    [(severity, message)] = findings(run("--config", site, "check", "--json"))["templates"]
    assert severity == "problem"
    assert "daily" in message


def test_a_database_of_somebody_else_is_a_problem(site: Path, run: Run) -> None:
    (site.parent / "subscribers.db").write_bytes(b"not a database at all" * 100)
    [(severity, message)] = findings(run("--config", site, "check", "--json"))["database"]
    assert severity == "problem"
    assert "not a SQLite database" in message


def test_readers_of_a_newsletter_that_was_renamed_are_missed(site: Path, run: Run) -> None:
    with open_database(site.parent / "subscribers.db") as db:
        db.execute(
            "insert into subscribers (id, email, created_at)"
            " values (1, 'ada@example.com', '2026-03-12T07:00:00Z')"
        )
        db.execute(
            "insert into subscriptions (subscriber_id, newsletter, state, since, token)"
            " values (1, 'weekly', 'active', '2026-03-12T07:00:00Z', 'x')"
        )
    found = findings(run("--config", site, "check", "--json"))["database"]
    assert ("warning", "1 reader of newsletter weekly, which digest.toml does not have") in found


def test_a_broken_configuration_is_told_whole(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(SITE + "max_itmes = 3\nmin_items = 0\n")

    people, program = run("--config", file, "check"), run("--config", file, "check", "--json")

    assert (people.code, program.code) == (2, 2)
    assert "Did you mean max_items?" in people.err
    assert [severity for severity, _ in findings(program)["configuration"]] == [
        "problem",
        "problem",
    ]


def test_a_missing_configuration_points_to_init(tmp_path: Path, run: Run) -> None:
    ran = run("--config", tmp_path / "digest.toml", "check")
    assert ran.code == 2
    assert "digest init" in ran.err


def test_the_record_to_publish_is_told_and_compared_with_dns(site: Path, run: Run) -> None:
    write(site.parent / "dkim.pem", rsa_pem())
    with NameServer({}) as server:
        add(
            site,
            '[dkim]\nselector = "s1"\nkey_file = "dkim.pem"\n'
            f'nameserver = "{server.host}:{server.port}"\n',
        )
        people, program = run("--config", site, "check"), run("--config", site, "check", "--json")

    assert people.code == program.code == 1
    told = findings(program)
    [(severity, message)] = told["dkim"]
    assert severity == "problem"
    assert message.startswith("s1._domainkey.example.com is not there")
    assert [told["spf"][0][0], told["dmarc"][0][0]] == ["warning", "warning"]
    assert "name:  s1._domainkey.example.com." in people.out
    value = next(line for line in people.out.splitlines() if "value: " in line)
    assert value.count('"') == 4, "in two strings, on one line"
