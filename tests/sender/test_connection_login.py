import asyncio
import hmac
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.config.settings import Login, SmtpSettings
from digest.errors import RelayUnavailable
from digest.sender.connection import login_methods, probe
from tests.faults.script import Action, Moment, Say, Script, Stage, honest
from tests.faults.scripted_server import ScriptedServer

Settings = Callable[..., SmtpSettings]
ALL = "AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2"
CHALLENGE = b"<1896.697170952@scripted.example>"


def said_at_login(
    settings: Settings, script: Script, *, offer: str = ALL, **changes: Any
) -> list[bytes]:
    """The lines of the login; a refusal is raised."""

    async def main() -> list[bytes]:
        async with ScriptedServer(script, extensions=(offer,)) as server:
            try:
                await probe(
                    settings(server.port, **({"username": "ada", "password": "secret"} | changes))
                )
            finally:
                lines = server.connections[0].commands
            return [line for line in lines if line[:4] not in (b"EHLO", b"QUIT")]

    return asyncio.run(main())


def attempts(settings: Settings, script: Script, **changes: Any) -> tuple[list[bytes], str]:
    """The AUTH commands that were tried, and the complaint in the end."""
    tried: list[bytes] = []

    def noted(moment: Moment) -> Action | None:
        if moment.stage is Stage.AUTH and moment.argument.startswith(b"AUTH "):
            tried.append(moment.argument.split()[1])
        return script(moment)

    with pytest.raises(RelayUnavailable) as caught:
        said_at_login(settings, noted, **changes)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"
    return tried, caught.value.message


def asks(question: bytes = b"more") -> Script:
    """Asks once for more, then lets in."""

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.AUTH and moment.nth == 1:
            return Say(b"334 " + b64encode(question) + b"\r\n")
        return None

    return script


def refuses(answer: str) -> Script:
    return lambda moment: Say(answer) if moment.stage is Stage.AUTH else None


def test_plain_sends_both_in_one_line(settings: Settings) -> None:
    said = said_at_login(settings, honest, auth=Login.PLAIN)

    assert said == [b"AUTH PLAIN " + b64encode(b"\0ada\0secret")]


def test_login_sends_one_after_the_other(settings: Settings) -> None:
    said = said_at_login(settings, asks(), auth=Login.LOGIN)

    assert said == [b"AUTH LOGIN " + b64encode(b"ada"), b64encode(b"secret")]


def test_cram_md5_proves_the_password_without_sending_it(settings: Settings) -> None:
    said = said_at_login(settings, asks(CHALLENGE), auth=Login.CRAM_MD5)

    proof = hmac.new(b"secret", CHALLENGE, "md5").hexdigest().encode()
    assert said == [b"AUTH CRAM-MD5", b64encode(b"ada " + proof)]


def test_xoauth2_sends_the_token(settings: Settings) -> None:
    said = said_at_login(settings, honest, auth=Login.XOAUTH2, password="ya29.token")

    line = b"user=ada\x01auth=Bearer ya29.token\x01\x01"
    assert said == [b"AUTH XOAUTH2 " + b64encode(line)]


def test_a_token_that_is_refused_is_told_by_its_reply(settings: Settings) -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is not Stage.AUTH:
            return None
        why = b64encode(b'{"status":"400"}')
        return Say(b"334 " + why + b"\r\n") if moment.nth == 1 else Say("535 5.7.8 expired")

    tried, complaint = attempts(settings, script, auth=Login.XOAUTH2)

    assert tried == [b"XOAUTH2"]
    assert complaint.endswith("refused to let us log in: 535 5.7.8 expired")


def test_a_token_in_a_file_is_read_at_each_login(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("the-second\n")
    options = {"auth": Login.XOAUTH2, "password": "the-first"}

    new = said_at_login(settings, honest, password_file=file, **options)
    file.unlink()
    old = said_at_login(settings, honest, password_file=file, **options)

    assert [b64encode(b"user=ada\x01auth=Bearer the-second\x01\x01") in line for line in new] == [
        True
    ]
    assert [b64encode(b"user=ada\x01auth=Bearer the-first\x01\x01") in line for line in old] == [
        True
    ]


@pytest.mark.parametrize(
    "answer", ["535 5.7.8 wrong", "534 5.7.9 too weak", "454 4.7.0 not now", "538 5.7.11 no"]
)
def test_a_wrong_password_is_not_tried_by_every_other_method(
    settings: Settings, answer: str
) -> None:
    tried, complaint = attempts(settings, refuses(answer))

    assert tried == [b"CRAM-MD5"]
    assert answer in complaint


@pytest.mark.parametrize("answer", ["504 5.5.4 not that one", "502 5.5.1 what?"])
def test_a_method_that_the_server_does_not_know_after_all_makes_room_for_the_next(
    settings: Settings, answer: str
) -> None:
    tried, complaint = attempts(settings, refuses(answer))

    assert tried == [b"CRAM-MD5", b"PLAIN", b"LOGIN"]
    assert answer in complaint


@pytest.mark.parametrize(
    ("auth", "offer", "complaint"),
    [
        (Login.CRAM_MD5, "AUTH PLAIN LOGIN", "to log in by cram-md5, but by login, plain"),
        (None, "AUTH XOAUTH2", "to log in by plain, login or cram-md5, but by xoauth2"),
        (None, "AUTH GSSAPI NTLM", "to log in by plain, login or cram-md5, but by gssapi, ntlm"),
    ],
)
def test_a_server_without_the_wanted_method_says_what_it_has(
    settings: Settings, auth: Login | None, offer: str, complaint: str
) -> None:
    tried, found = attempts(settings, honest, auth=auth, offer=offer)

    assert tried == []
    assert complaint in found


def test_the_password_is_hidden_where_nothing_else_hides_it(settings: Settings) -> None:
    relay = settings(25)
    offered = ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"]

    assert login_methods(relay, offered=offered, encrypted=True) == (
        Login.PLAIN,
        Login.LOGIN,
        Login.CRAM_MD5,
    )
    assert login_methods(relay, offered=offered, encrypted=False)[0] is Login.CRAM_MD5
    assert login_methods(relay, offered=["XOAUTH2"], encrypted=True) == ()
