from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.config import Security, Settings, SmtpSettings, SourceKind, SourceSettings
from digest.config.load import Loaded, load
from digest.config.settings import LogForm, ServiceSettings
from digest.errors import ConfigError, Problem
from digest.model.newsletter import Newsletter, Rules, SectionRule, Site
from digest.model.schedule import (
    CatchUp,
    Cron,
    DeliverAt,
    OnSilence,
    QuietHours,
    Schedule,
    Timing,
    Weekly,
)

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

PARIS = ZoneInfo("Europe/Paris")

EVERYTHING = """\
[site]
name = "La Gazette d'Exemple"
url = "https://www.example.com/gazette/"
language = "fr"
timezone = "Europe/Paris"
postal_address = \"\"\"
1 rue de l'Exemple
75000 Paris\"\"\"

[database]
path = "data/readers.db"
retention = "90d"

[service]
owner = "chef@example.com"
port = 9090
log = "json"
timeout = "2m"
ingest_every = "10m"

[smtp]
host = "mail.example.com"
port = 2587
security = "starttls"
username = "gazette"
password = "sesame"
connections = 8
timeout = "1m"

[[sources]]
name = "une"
url = "https://www.example.com/feed.xml"
allow_private = true
timeout = 5
max_bytes = 5_000_000

[[sources]]
name = "archives"
path = "archives.csv"
columns = { title = "titre", published_at = "date" }
section = "Archives"
timezone = "UTC"
base_url = "https://www.example.com/"
encoding = "cp1252"
delimiter = ";"

[[sources]]
name = "rédaction"
kind = "sqlite"
path = "/srv/cms/articles"
table = "published"

[newsletters.daily]
title = "Le Matin"
sender_name = "Le Matin"
sender_address = "matin@example.com"
reply_to = "redaction@example.com"
bounce_address = "retours@news.example.com"
language = "de-at"
timezone = "Europe/Vienna"
schedule = ["weekdays at 07:00", "30 9 * * sat,sun"]
days_off = [2026-12-25, "2026-12-31..2027-01-02"]
catch_up = "replay"
max_lateness = "3h"
deliver_at = "reader"
quiet_hours = "21:30-06:00"
approval = "required"
lead_time = "90m"
on_silence = "send"
subject = "{{ lead.title }}"
max_age = "36h"
min_items = 3
max_items = 40
max_per_section = 10
max_per_source = 20
decks_per_section = 0
only_sections = true
sections = ["Ville", { title = "Sports", match = ["Foot", "Vélo"], max_items = 5 }]

[newsletters.weekly-news]
from = "Gazette <hebdo@example.com>"
[[newsletters.weekly-news.sections]]
title = "Ville"
"""


def test_every_key_arrives_where_it_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(EVERYTHING, encoding="utf-8")

    assert load(file, {}) == Settings(
        folder=tmp_path,
        site=Site(
            name="La Gazette d'Exemple",
            url="https://www.example.com/gazette",
            language="fr",
            timezone=PARIS,
            postal_address="1 rue de l'Exemple\n75000 Paris",
        ),
        database=tmp_path / "data" / "readers.db",
        smtp=SmtpSettings(
            host="mail.example.com",
            port=2587,
            security=Security.STARTTLS,
            username="gazette",
            password="sesame",
            connections=8,
            timeout=60.0,
        ),
        sources=(
            SourceSettings(
                name="une",
                kind=SourceKind.FEED,
                location="https://www.example.com/feed.xml",
                timezone=PARIS,
                allow_private=True,
                timeout=5.0,
                max_bytes=5_000_000,
            ),
            SourceSettings(
                name="archives",
                kind=SourceKind.CSV,
                location=str(tmp_path / "archives.csv"),
                timezone=ZoneInfo("UTC"),
                columns={"title": "titre", "published_at": "date"},
                section="Archives",
                base_url="https://www.example.com/",
                encoding="cp1252",
                delimiter=";",
            ),
            SourceSettings(
                name="rédaction",
                kind=SourceKind.SQLITE,
                location="/srv/cms/articles",
                timezone=PARIS,
                table="published",
            ),
        ),
        service=ServiceSettings(
            owner="chef@example.com",
            port=9090,
            log=LogForm.JSON,
            timeout=120.0,
            ingest_every=timedelta(minutes=10),
        ),
        retention=timedelta(days=90),
        newsletters={
            "daily": Newsletter(
                key="daily",
                title="Le Matin",
                sender_name="Le Matin",
                sender_address="matin@example.com",
                reply_to="redaction@example.com",
                bounce_address="retours@news.example.com",
                language="de-AT",
                timezone=ZoneInfo("Europe/Vienna"),
                schedule=Schedule(
                    lines=("weekdays at 07:00", "30 9 * * sat,sun"),
                    rules=(
                        Weekly(weekdays=frozenset({0, 1, 2, 3, 4}), times=(time(7, 0),)),
                        Cron(
                            months=frozenset(range(1, 13)),
                            days=frozenset(range(1, 32)),
                            weekdays=frozenset({5, 6}),
                            times=(time(9, 30),),
                        ),
                    ),
                    days_off=frozenset(
                        {
                            date(2026, 12, 25),
                            date(2026, 12, 31),
                            date(2027, 1, 1),
                            date(2027, 1, 2),
                        }
                    ),
                ),
                timing=Timing(
                    catch_up=CatchUp.REPLAY,
                    max_lateness=timedelta(hours=3),
                    deliver_at=DeliverAt.READER,
                    quiet_hours=QuietHours(begin=time(21, 30), end=time(6, 0)),
                    approval=True,
                    lead_time=timedelta(minutes=90),
                    on_silence=OnSilence.SEND,
                ),
                subject="{{ lead.title }}",
                rules=Rules(
                    max_age=timedelta(hours=36),
                    min_items=3,
                    max_items=40,
                    max_per_section=10,
                    max_per_source=20,
                    decks_per_section=0,
                    only_sections=True,
                    sections=(
                        SectionRule(title="Ville", match=("Ville",)),
                        SectionRule(title="Sports", match=("Foot", "Vélo"), max_items=5),
                    ),
                ),
            ),
            "weekly-news": Newsletter(
                key="weekly-news",
                title="La Gazette d'Exemple",
                sender_name="Gazette",
                sender_address="hebdo@example.com",
                language="fr",
                timezone=PARIS,
                rules=Rules(sections=(SectionRule(title="Ville", match=("Ville",)),)),
            ),
        },
    )


def test_a_name_an_address_and_a_sender_are_enough(loaded: Load, minimal: str) -> None:
    settings = loaded(minimal).settings

    newsletter = settings.newsletter(None)
    assert (newsletter.title, newsletter.sender_name) == ("Example News", "Example News")
    assert newsletter.rules == Rules()
    assert (newsletter.schedule, newsletter.timing) == (None, Timing())
    assert (settings.service, settings.retention) == (ServiceSettings(), None)
    assert newsletter.timezone == ZoneInfo("UTC")
    assert settings.database == settings.folder / "subscribers.db"
    assert settings.smtp == SmtpSettings(host="localhost", port=25, security=Security.NONE)
    assert settings.sources == ()


def test_a_relative_configuration_path_gives_absolute_settings(
    tmp_path: Path, minimal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digest.toml").write_text(minimal)
    monkeypatch.chdir(tmp_path)

    settings = load(Path("digest.toml"), {})

    assert settings.folder == tmp_path
    assert settings.database.is_absolute()


@pytest.mark.parametrize(
    ("host", "security", "port"),
    [
        ("localhost", Security.NONE, 25),
        ("127.0.0.1", Security.NONE, 25),
        ("::1", Security.NONE, 25),
        ("mail.localhost", Security.NONE, 25),
        ("mail.example.com", Security.STARTTLS, 587),
        ("192.0.2.7", Security.STARTTLS, 587),
    ],
)
def test_only_this_machine_is_trusted_without_encryption_by_default(
    host: str, security: Security, port: int, loaded: Load, minimal: str
) -> None:
    smtp = loaded(f'{minimal}[smtp]\nhost = "{host}"').settings.smtp
    assert (smtp.security, smtp.port) == (security, port)


def test_implicit_tls_has_its_own_port(loaded: Load, minimal: str) -> None:
    assert loaded(f'{minimal}[smtp]\nsecurity = "tls"').settings.smtp.port == 465


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('url = "https://example.com/feed"', SourceKind.FEED),
        ('url = "https://example.com/feed.json"', SourceKind.FEED),
        ('url = "https://example.com/all.csv?x=1"', SourceKind.CSV),
        ('url = "https://example.com/all.ndjson"', SourceKind.JSONL),
        ('path = "feed.xml"', SourceKind.FEED),
        ('path = "a.CSV"', SourceKind.CSV),
        ('path = "a.json"', SourceKind.JSON),
        ('path = "a.jsonl"', SourceKind.JSONL),
        ('path = "a.sqlite3"\ntable = "t"', SourceKind.SQLITE),
        ('path = "a.dat"\nkind = "csv"', SourceKind.CSV),
    ],
)
def test_the_kind_of_a_source_is_guessed_from_its_name(
    line: str, kind: SourceKind, loaded: Load, minimal: str
) -> None:
    [source] = loaded(f'{minimal}[[sources]]\nname = "x"\n{line}').settings.sources
    assert source.kind is kind


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("News <news@example.com>", "News", "news@example.com"),
        ('"News, daily" <news@example.com>', "News, daily", "news@example.com"),
        ("Zeitung für alle <n@bücher.example>", "Zeitung für alle", "n@xn--bcher-kva.example"),
        ("<news@example.com>", "Example News", "news@example.com"),
        ("news@example.com", "Example News", "news@example.com"),
        ("A <b> c <news@example.com>", "A <b> c", "news@example.com"),
        ("News <news@paper.internal>", "News", "news@paper.internal"),
    ],
)
def test_a_sender_is_a_name_and_an_address(
    written: str, name: str, address: str, loaded: Load, minimal: str
) -> None:
    text = minimal.replace('"Example News <news@example.com>"', f"'{written}'")
    newsletter = loaded(text).settings.newsletter("daily")
    assert (newsletter.sender_name, newsletter.sender_address) == (name, address)


def test_a_site_may_speak_a_language_that_it_has_words_for(
    tmp_path: Path, loaded: Load, problems: Problems, minimal: str
) -> None:
    text = minimal.replace("[newsletters", 'language = "oc"\n[newsletters')
    assert "templates/email/words/oc.toml" in problems(text)["site.language"].expected

    words = tmp_path / "templates" / "email" / "words"
    words.mkdir(parents=True)
    (words / "oc.toml").touch()
    assert loaded(text).settings.site.language == "oc"


def test_a_mark_in_front_and_windows_line_ends_do_no_harm(tmp_path: Path, minimal: str) -> None:
    file = tmp_path / "digest.toml"
    file.write_bytes(b"\xef\xbb\xbf" + minimal.replace("\n", "\r\n").encode())
    assert load(file, {}).site.name == "Example News"


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration at .*digest\.toml") as caught:
        load(tmp_path / "digest.toml", {})
    assert "digest init" in (caught.value.hint or "")


def test_a_folder_in_place_of_the_file_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_a_file_that_is_not_utf_8_says_in_which_line(tmp_path: Path, minimal: str) -> None:
    file = tmp_path / "digest.toml"
    file.write_bytes(minimal.encode() + b'title = "\xe9"\n')
    with pytest.raises(ConfigError, match=r"line 6: not UTF-8 \(the octet 0xe9\)"):
        load(file, {})


def test_an_enormous_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than a megabyte"):
        load(Path("/dev/zero"), {})
