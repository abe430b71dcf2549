"""Signed messages, before judges that did not sign them: dkimpy, and Perl's Mail::DKIM."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer.dkim import DkimSigner
from digest.composer.dkim_keys import txt_strings
from digest.composer.message import PreparedMessage, prepare_message
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.composer.verify import verify_signatures
from digest.errors import ConfigError, SenderError
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient
from tests.composer.editions import ANA, NEWSLETTER, SITE_WITH_PAGES, hostile, ordinary_day
from tests.composer.judges import mail_dkim, verdicts
from tests.composer.keys import both_keys, ed25519_pem, rsa_pem, write

DATE = datetime(2026, 3, 12, 6, 0, 5, tzinfo=UTC)
DOMAIN = "news.example.com"
SENDER = NEWSLETTER.sender_address


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> DkimSigner:
    folder = tmp_path_factory.mktemp("keys")
    return DkimSigner.from_settings(both_keys(folder), sender=SENDER)


@pytest.fixture(scope="module")
def form(signer: DkimSigner) -> PreparedMessage:
    return signed_form(ordinary_day(None), signer)


def signed_form(
    edition: Edition, signer: DkimSigner | None, newsletter: Newsletter = NEWSLETTER
) -> PreparedMessage:
    variant = render(
        edition,
        VariantKey(language="en"),
        site=SITE_WITH_PAGES,
        newsletter=newsletter,
        templates=open_templates(),
    )
    assert isinstance(variant, RenderedVariant)
    return prepare_message(
        variant,
        edition,
        site=SITE_WITH_PAGES,
        newsletter=newsletter,
        images_folder=Path("no-images-here"),
        signer=signer,
    )


def test_both_signatures_of_a_message_are_good(form: PreparedMessage, signer: DkimSigner) -> None:
    message = form.fill(ANA, delivery_id=7, date=DATE)
    assert verdicts(message, signer) == [True, True]


def test_a_feed_that_tries_everything_is_signed_as_well(signer: DkimSigner) -> None:
    message = signed_form(hostile(), signer).fill(ANA, delivery_id=7, date=DATE)
    assert verdicts(message, signer) == [True, True]


def test_a_message_is_the_same_with_a_signature_before_it(
    form: PreparedMessage, signer: DkimSigner
) -> None:
    message = form.fill(ANA, delivery_id=7, date=DATE)
    plain = signed_form(ordinary_day(None), None).fill(ANA, delivery_id=7, date=DATE)
    signature = message.removesuffix(plain)
    assert len(signature) + len(plain) == len(message)
    assert signature.count(b"DKIM-Signature:") == 2
    assert max(map(len, signature.split(b"\r\n"))) <= 78
    assert re.sub(rb"bh?=[^;]*", b"", signature.split(b"DKIM-Signature: ")[1]).decode() == (
        "v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=news.example.com;\r\n s=r1;\r\n"
        " h=From:To:Reply-To:Subject:Date:Message-ID:List-Id:List-Unsubscribe:\r\n"
        " List-Unsubscribe-Post:List-Help:List-Post:Content-Language:MIME-Version:\r\n"
        " Content-Type:From:To:Subject:Date;\r\n ;\r\n "
    )


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"Subject: The", b"Subject: Teh"),
        (b"/u/t0ken", b"/u/other"),
        (b"One-Click", b"Two-Click"),
        (b"bridge to close", b"bridge to open"),
        (b"\r\nSubject:", b"\r\nSubject: Another one\r\nSubject:"),
        (b"\r\nMIME-Version:", b"\r\nFrom: mallory@example.net\r\nMIME-Version:"),
        (b"_alternative--\r\n", b"_alternative--\r\nand more\r\n"),
    ],
)
def test_a_message_that_was_tampered_with_fails(
    found: bytes, put: bytes, form: PreparedMessage, signer: DkimSigner
) -> None:
    message = form.fill(ANA, delivery_id=7, date=DATE)
    assert found in message
    tampered = message.replace(found, put, 1)
    assert verdicts(tampered, signer) == [False, False]
    with pytest.raises(SenderError, match="signature"):
        verify_signatures(tampered, signer)


def test_what_a_relay_may_do_is_forgiven(form: PreparedMessage, signer: DkimSigner) -> None:
    message = form.fill(ANA, delivery_id=7, date=DATE)
    head, _, body = message.partition(b"\r\n\r\n")
    relayed = (
        b"Received: from a by b; Thu, 12 Mar 2026 06:00:06 +0000\r\n"
        + head.replace(b"\r\nSubject: ", b"\r\nSUBJECT:\t ")
        + b"\r\n\r\n"
        + body.replace(b"=\r\n", b"= \t\r\n")
        + b"\r\n\r\n"
    )
    assert verdicts(relayed, signer) == [True, True]


TEXTS = st.text(max_size=40) | st.sampled_from(["", " ", "\t \n", ".", "From ", "naïve " * 60])


@given(name=TEXTS, city=TEXTS, token=st.text("abcXYZ019-_", min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_whatever_the_values_the_short_cuts_sign_what_the_plain_way_does(
    form: PreparedMessage, signer: DkimSigner, name: str, city: str, token: str
) -> None:
    reader = Recipient(email="ana@example.org", token=token, name=name, fields={"city": city})
    verify_signatures(form.fill(reader, delivery_id=7, date=DATE), signer)


WORDS = st.lists(
    st.sampled_from(["a", " ", "\t", "  ", "\r\n", " \r\n", "\r\n ", "=", ":", ";"]), max_size=7
).map(lambda words: "".join(words).encode())
FIELDS = st.lists(st.sampled_from(["x", "ž", " ", "\t", "\r\n ", "\r\n\t", ":"]), max_size=7).map(
    lambda words: "".join(words).encode()
)


@given(fields=st.lists(FIELDS, min_size=4, max_size=4), body=st.lists(WORDS, min_size=1))
@settings(max_examples=100, deadline=None)
def test_whatever_the_form_the_short_cuts_sign_what_the_plain_way_does(
    signer: DkimSigner, fields: Sequence[bytes], body: list[bytes]
) -> None:
    def header(values: Sequence[bytes]) -> bytes:
        names = (b"From", b"To", b"Subject", b"Date")
        lines = [b"%b: %b\r\n" % pair for pair in zip(names, values, strict=True)]
        return b"".join(lines) + b"\r\n"

    quick = DkimSigner(domain=signer.domain, keys=signer.keys[1:])
    body.append(b"\r\n")
    prepared = quick.prepare([header([b"a", b"b", *fields[2:]]), *body], body[::2])
    pieces = [header(fields), *body]
    message = b"".join(prepared.signed(pieces))
    verify_signatures(message, quick)
    assert verdicts(message, quick) == [True]


def test_threads_sign_at_the_same_time(form: PreparedMessage, signer: DkimSigner) -> None:
    readers = [replace(ANA, name=f"Reader {number}") for number in range(40)]

    def fill(reader: Recipient) -> bytes:
        return form.fill(reader, delivery_id=7, date=DATE)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fill, readers))
    assert together == [fill(reader) for reader in readers]


def test_mail_dkim_agrees(form: PreparedMessage, signer: DkimSigner) -> None:
    message = form.fill(ANA, delivery_id=7, date=DATE)
    # The RSA signature; this judge's Debian version does not know Ed25519.
    assert mail_dkim(message, signer) == "pass"
    assert mail_dkim(message.replace(b"bridge", b"Bridge", 1), signer).startswith("fail")


@pytest.mark.parametrize("domain", ["example.com", "mail.news.example.com", "news.example.com"])
def test_a_domain_above_or_below_the_senders_signs(tmp_path: Path, domain: str) -> None:
    signer = DkimSigner.from_settings(both_keys(tmp_path, domain=domain), sender=SENDER)
    message = signed_form(ordinary_day(None), signer).fill(ANA, delivery_id=7, date=DATE)
    assert signer.domain == domain
    assert verdicts(message, signer) == [True, True]


@pytest.mark.parametrize("domain", ["example.net", "com", "other.example.com", "s.example.com"])
def test_a_domain_that_is_not_the_senders_is_refused(tmp_path: Path, domain: str) -> None:
    with pytest.raises(ConfigError, match="is not of that domain"):
        DkimSigner.from_settings(both_keys(tmp_path, domain=domain), sender=SENDER)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = both_keys(tmp_path)
    settings.key_file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"open to every account .*\(mode 644\)") as refused:
        DkimSigner.from_settings(settings, sender=SENDER)
    assert refused.value.hint == f"Keep it to yourself: chmod 600 {settings.key_file}"


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (b"", "no private key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n", "no private key"),
        (rsa_pem(1024), "RSA of 1024 bits, expected RSA of 2048 to 4096 bits"),
        (ed25519_pem(), "another kind, expected RSA"),
        (None, "No such file or directory"),
    ],
)
def test_a_key_that_cannot_sign_is_refused(tmp_path: Path, pem: bytes | None, told: str) -> None:
    settings = both_keys(tmp_path)
    settings.key_file.unlink()
    if pem is not None:
        write(settings.key_file, pem)
    with pytest.raises(ConfigError, match=told) as refused:
        DkimSigner.from_settings(settings, sender=SENDER)
    assert refused.value.message.startswith(f"dkim.key_file {settings.key_file}")


def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    settings = both_keys(tmp_path)
    write(settings.key_file, ed25519_pem(password=b"sesame"))
    with pytest.raises(ConfigError, match="encrypted"):
        DkimSigner.from_settings(settings, sender=SENDER)


def test_the_second_key_is_ed25519(tmp_path: Path) -> None:
    settings = both_keys(tmp_path)
    assert settings.ed25519_key_file is not None
    write(settings.ed25519_key_file, rsa_pem())
    with pytest.raises(ConfigError, match=r"dkim\.ed25519_key_file .*expected Ed25519"):
        DkimSigner.from_settings(settings, sender=SENDER)


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.exceptions", None)
    with pytest.raises(ConfigError, match="cryptography, which is not installed") as refused:
        DkimSigner.from_settings(both_keys(tmp_path), sender=SENDER)
    assert "digest[dkim]" in (refused.value.hint or "")


def test_a_record_fits_into_dns(signer: DkimSigner) -> None:
    for key in signer.keys:
        strings = txt_strings(key.record)
        assert "".join(strings) == key.record
        assert max(map(len, strings)) <= 255
    assert [len(txt_strings(key.record)) for key in signer.keys] == [2, 1]


def test_no_repr_shows_a_key(signer: DkimSigner) -> None:
    assert "function" not in repr(signer)
    assert "private" not in repr(signer).lower()
    assert json.dumps([key.kind for key in signer.keys]) == '["rsa", "ed25519"]'
