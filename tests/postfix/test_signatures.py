"""Signatures after a real Postfix has had the message in its hands: judged where it arrives.

A relay may fold, split and recode what it cannot pass on as it is, and any of that breaks a
signature. What we compose gives it no occasion; raw messages that do show that the judges notice.
"""

import smtplib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from digest.composer.dkim import DkimSigner
from digest.publishing.delivery.signing import signer_of
from tests.composer.judges import mail_dkim, verdicts
from tests.composer.keys import both_keys
from tests.faults.manners import OFFERED
from tests.postfix.line import Line
from tests.publishing.paper import Paper

#: A next hop for which octets above 127 have to be recoded.
SEVEN_BIT = ("PIPELINING", "SIZE 10485760")

HOPS = pytest.mark.parametrize("offered", [OFFERED, SEVEN_BIT], ids=["8 bit", "7 bit"])


@dataclass(frozen=True, kw_only=True)
class SignedLine:
    """A line whose paper signs with both kinds of keys."""

    line: Line
    signer: DkimSigner

    def relayed(self, message: bytes) -> bytes:
        """A raw message as it arrives."""
        with smtplib.SMTP(
            "127.0.0.1", self.line.postfix.port, local_hostname="raw.example", timeout=300
        ) as smtp:
            smtp.sendmail("tide@gazette.example", ["ada@example.com"], message, ["BODY=8BITMIME"])
        self.line.postfix.wait_until_delivered()
        (arrived,) = self.line.server.accepted
        return arrived.content

    def signed(self, header: bytes, body: bytes) -> bytes:
        """A raw message with both signatures."""
        pieces = [header, body]
        return b"".join(self.signer.prepare(pieces, [body]).signed(pieces))


@pytest.fixture
def signed(line: Line, tmp_path: Path) -> SignedLine:
    paper = Paper(replace(line.paper.settings, dkim=both_keys(tmp_path)))
    signer = signer_of(paper.settings, paper.newsletter)
    assert signer is not None
    return SignedLine(line=replace(line, paper=paper), signer=signer)


@HOPS
@pytest.mark.parametrize("name", ["", "Žofie Řezáčová", "渡辺 花子" * 30, 'Ana "=?utf-8?q?=0A?="'])
def test_an_edition_keeps_both_signatures(
    signed: SignedLine, offered: tuple[str, ...], name: str
) -> None:
    line = signed.line
    line.server.manners.extensions = offered
    line.paper.publish("Fährverkehr läuft wieder – endlich", "x" * 1200, ". " + "水" * 200)
    line.paper.subscribe("ada@example.com")
    line.paper.run("update subscribers set name = ?", name)
    assert line.send().complete
    line.prove_sent_to(["ada@example.com"])

    (arrived,) = line.server.accepted
    assert arrived.content.startswith(b"Received: ")
    assert verdicts(arrived.content, signed.signer) == [True, True]
    assert mail_dkim(arrived.content, signed.signer) == "pass"


def test_so_does_one_for_an_address_beyond_ascii(signed: SignedLine) -> None:
    line = signed.line
    line.paper.subscribe("žofie@example.com")
    assert line.send().complete
    line.prove_sent_to(["žofie@example.com"])

    (arrived,) = line.server.accepted
    assert "\r\nTo: žofie@example.com\r\n".encode() in arrived.content
    assert verdicts(arrived.content, signed.signer) == [True, True]
    assert mail_dkim(arrived.content, signed.signer) == "pass"


HEADER = (
    b"From: tide@gazette.example\r\nTo: ada@example.com\r\nSubject: %b\r\n"
    b"Date: Thu, 12 Mar 2026 06:00:05 +0000\r\nMessage-ID: <1@gazette.example>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
)


@HOPS
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (b"Tuesday", b"News.\r\n" + b"x" * 999 + b"\r\n"),
        (b"Tuesday", b"x" * 5000 + b"\r\n"),
        (b"x" * 1100, b"News.\r\n"),
    ],
    ids=["a line too long by one", "a line far too long", "a header too long"],
)
def test_a_line_that_postfix_has_to_split_costs_both_signatures(
    signed: SignedLine, offered: tuple[str, ...], subject: bytes, body: bytes
) -> None:
    signed.line.server.manners.extensions = offered
    message = signed.signed(HEADER % subject, body)
    assert verdicts(message, signed.signer) == [True, True]

    arrived = signed.relayed(message)
    assert verdicts(arrived, signed.signer) == [False, False]
    assert mail_dkim(arrived, signed.signer).startswith("fail")


@pytest.mark.parametrize(
    ("offered", "verdict"), [(OFFERED, "pass"), (SEVEN_BIT, "fail")], ids=["8 bit", "7 bit"]
)
def test_octets_above_127_cost_both_signatures_where_postfix_has_to_recode_them(
    signed: SignedLine, offered: tuple[str, ...], verdict: str
) -> None:
    signed.line.server.manners.extensions = offered
    message = signed.signed(HEADER % b"Tuesday", "Fährverkehr\r\n".encode())

    arrived = signed.relayed(message)
    assert verdicts(arrived, signed.signer) == [verdict == "pass"] * 2
    assert mail_dkim(arrived, signed.signer).startswith(verdict)


def test_a_line_of_998_octets_is_passed_on_as_it_is(signed: SignedLine) -> None:
    arrived = signed.relayed(signed.signed(HEADER % b"Tuesday", b"x" * 998 + b"\r\n"))
    assert verdicts(arrived, signed.signer) == [True, True]
    assert mail_dkim(arrived, signed.signer) == "pass"
