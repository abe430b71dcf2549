"""What `digest check` says about DKIM, SPF and DMARC, asking a real DNS server."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.composer.dkim_keys import SigningKey, signing_keys, txt_strings
from digest.config import DkimSettings, Security, Settings, SmtpSettings
from digest.model.newsletter import Newsletter, Site
from digest.publishing.checks import email_auth
from digest.publishing.checks.email_auth import check_authentication
from digest.publishing.checks.findings import Finding
from tests.composer.keys import both_keys
from tests.publishing.name_server import NameServer, Records

DOMAIN = "news.example.com"
RSA, ED25519 = f"r1._domainkey.{DOMAIN}", f"e1._domainkey.{DOMAIN}"
SPF, DMARC = "v=spf1 mx ~all", "v=DMARC1; p=none; rua=mailto:d@example.com"


@pytest.fixture(scope="module")
def dkim(tmp_path_factory: pytest.TempPathFactory) -> DkimSettings:
    return both_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def keys(dkim: DkimSettings) -> tuple[SigningKey, ...]:
    return signing_keys(dkim)


@pytest.fixture
def published(keys: tuple[SigningKey, ...]) -> dict[str, list[Sequence[str]]]:
    """DNS as it should be."""
    return {
        RSA: [txt_strings(keys[0].record)],
        ED25519: [txt_strings(keys[1].record)],
        DOMAIN: ["some-verification=abc", SPF],
        f"_dmarc.{DOMAIN}": [DMARC],
    }


def site(dkim: DkimSettings | None, *addresses: str) -> Settings:
    zone = ZoneInfo("UTC")
    newsletters = {
        f"n{number}": Newsletter(
            key=f"n{number}",
            title="News",
            sender_name="News",
            sender_address=address,
            language="en",
            timezone=zone,
        )
        for number, address in enumerate(addresses or (f"daily@{DOMAIN}",))
    }
    return Settings(
        folder=Path(),
        site=Site(
            name="News",
            url="https://news.example.com",
            language="en",
            timezone=zone,
            postal_address="",
        ),
        database=Path("unused.db"),
        smtp=SmtpSettings(host="localhost", port=25, security=Security.NONE),
        sources=(),
        newsletters=newsletters,
        dkim=dkim,
    )


def found(
    settings: Settings, records: Records, *, silent: Sequence[str] = (), broken: Sequence[str] = ()
) -> list[Finding]:
    with NameServer(records, silent=silent, broken=broken) as server:
        assert settings.dkim is not None
        asking = replace(settings.dkim, nameserver=(server.host, server.port))
        return asyncio.run(check_authentication(replace(settings, dkim=asking)))


def by_area(findings: Sequence[Finding]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for finding in findings:
        told.setdefault(finding.area, []).append(f"{finding.severity}: {finding.message}")
    return told


def test_dns_as_it_should_be_is_fine(dkim: DkimSettings, published: Records) -> None:
    assert by_area(found(site(dkim), published)) == {
        "dkim": [f"ok: {RSA} holds the RSA-2048 key", f"ok: {ED25519} holds the Ed25519 key"],
        "spf": [f"ok: {DOMAIN}: {SPF}"],
        "dmarc": [f"ok: _dmarc.{DOMAIN}: {DMARC}"],
    }


def test_where_we_do_not_sign_nobody_is_asked() -> None:
    assert asyncio.run(check_authentication(site(None))) == []


def test_what_is_missing_is_told_with_what_to_publish(
    dkim: DkimSettings, keys: tuple[SigningKey, ...]
) -> None:
    findings = found(site(dkim), {})
    assert by_area(findings) == {
        "dkim": [
            f"problem: {RSA} is not there: no receiver can verify the RSA-2048 signature",
            f"problem: {ED25519} is not there: no receiver can verify the Ed25519 signature",
        ],
        "spf": [f"warning: {DOMAIN} has no SPF record"],
        "dmarc": [f"warning: {DOMAIN} has no DMARC record, which large receivers ask of bulk mail"],
    }
    for finding, key in zip(findings, keys, strict=False):
        advice = re.fullmatch(
            r"Publish this TXT record:\nname:  (\S+)\.\nvalue: (.*)", finding.advice or ""
        )
        assert advice is not None
        assert advice[1] == f"{key.selector}._domainkey.{DOMAIN}"
        strings = re.findall(r'"([^"]*)"', advice[2])
        assert "".join(strings) == key.record
        assert max(map(len, strings)) <= 255


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"p": ""}, f"problem: {RSA} is revoked: its p= is empty"),
        ({"p": "MIIB"}, f"problem: {RSA} holds another key than our RSA-2048 one"),
        ({"k": "ed25519"}, f"problem: {RSA} holds another key than our RSA-2048 one"),
        ({"h": "sha1"}, f"problem: {RSA} does not allow sha256: h=sha1"),
        ({"s": "other"}, f"problem: {RSA} is not for e-mail: s=other"),
        ({"t": "y:s"}, f"warning: {RSA} holds the RSA-2048 key and says t=y:"),
        ({"h": "sha1 : sha256", "s": "email:x", "t": "s", "n": "a note"}, f"ok: {RSA} holds"),
    ],
)
def test_a_record_that_does_not_serve_is_told(
    changed: Mapping[str, str],
    told: str,
    dkim: DkimSettings,
    keys: tuple[SigningKey, ...],
    published: dict[str, list[Sequence[str]]],
) -> None:
    tags = {"v": "DKIM1", "k": "rsa", "p": keys[0].public} | dict(changed)
    record = " ;  ".join(f"{name} = {value}" for name, value in tags.items())
    published[RSA] = [txt_strings(record)]
    assert by_area(found(site(dkim), published))["dkim"][0].startswith(told)


def test_two_records_for_one_key_are_one_too_many(
    dkim: DkimSettings, published: dict[str, list[Sequence[str]]]
) -> None:
    published[RSA].append("v=DKIM1; p=")
    finding = found(site(dkim), published)[0]
    assert (finding.severity, finding.message.split(",")[0]) == (
        "problem",
        f"{RSA} has 2 TXT records",
    )


def test_two_spf_records_count_as_none(
    dkim: DkimSettings, published: dict[str, list[Sequence[str]]]
) -> None:
    published[DOMAIN] = [SPF, "v=spf1 -all", "v=spf10"]
    assert by_area(found(site(dkim), published))["spf"] == [
        f"warning: {DOMAIN} has 2 SPF records: receivers then ignore all of them"
    ]


def test_the_dmarc_record_of_a_domain_above_counts(
    dkim: DkimSettings, published: dict[str, list[Sequence[str]]]
) -> None:
    published["_dmarc.example.com"] = published.pop(f"_dmarc.{DOMAIN}")
    assert by_area(found(site(dkim), published))["dmarc"] == [f"ok: _dmarc.example.com: {DMARC}"]


def test_strict_alignment_wants_the_very_domain(
    dkim: DkimSettings, published: dict[str, list[Sequence[str]]]
) -> None:
    published[f"_dmarc.{DOMAIN}"] = ["v=DMARC1; p=reject; adkim=s"]
    above = replace(dkim, domain="example.com")
    assert by_area(found(site(dkim), published))["dmarc"][0].startswith("ok")
    assert by_area(found(site(above), published))["dmarc"][0].startswith("warning: _dmarc.news")


def test_a_dns_that_fails_or_is_silent_is_a_warning_and_soon_over(
    dkim: DkimSettings, published: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_auth, "PATIENCE", 0.3)
    findings = found(
        site(dkim), published, silent=[RSA, DOMAIN], broken=[ED25519, f"_dmarc.{DOMAIN}"]
    )
    assert [finding.severity for finding in findings] == ["warning"] * 4
    unknown = "DNS does not answer, so it is not known whether"
    assert all(finding.message.startswith(unknown) for finding in findings)
    assert "Publish this TXT record" in (findings[0].advice or "")


def test_spf_is_about_the_address_to_which_bounces_come_back(dkim: DkimSettings) -> None:
    settings = site(dkim)
    newsletter = replace(settings.newsletters["n0"], bounce_address="bounces@b.example")
    told = by_area(found(replace(settings, newsletters={"n0": newsletter}), {"b.example": [SPF]}))
    assert told["spf"] == [f"ok: b.example: {SPF}"]
    assert DOMAIN in told["dmarc"][0]


def test_each_senders_domain_is_looked_at_once(dkim: DkimSettings) -> None:
    settings = site(dkim, "a@one.example", "b@one.example", "c@two.example")
    told = by_area(found(settings, {}))
    assert [message.split(" is not there")[0] for message in told["dkim"]] == [
        "problem: r1._domainkey.one.example",
        "problem: e1._domainkey.one.example",
        "problem: r1._domainkey.two.example",
        "problem: e1._domainkey.two.example",
    ]
    assert len(told["spf"]) == len(told["dmarc"]) == 2


def test_a_key_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    dkim = DkimSettings(selector="r1", key_file=tmp_path / "none.pem")
    told = by_area(found(site(dkim, "a@one.example", "b@two.example"), {}))
    assert told["dkim"] == [
        f"problem: dkim.key_file {tmp_path}/none.pem cannot be read: No such file or directory"
    ]
    assert len(told["spf"]) == 2


def test_a_sender_of_another_domain_is_told(dkim: DkimSettings, published: Records) -> None:
    settings = site(replace(dkim, domain=DOMAIN), f"a@{DOMAIN}", "b@two.example")
    told = by_area(found(settings, published))["dkim"]
    assert told[0] == (
        f"problem: dkim.domain is {DOMAIN}, and b@two.example is not of that domain: receivers"
        " would not count the signature (DMARC)"
    )
    assert [message.split(":")[0] for message in told] == ["problem", "ok", "ok"]
