"""The scripted server is a measure, so it is measured first: by Python's own client."""

import smtplib

import pytest

from tests.faults.script import Action, Leave, Moment, Say, Stage, always
from tests.faults.scripted_server import PATIENCE, ScriptedServer, serving

MESSAGE = "Subject: Tuesday\r\n\r\n.hidden\r\n..\r\nend\r\n"


def client(server: ScriptedServer) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, local_hostname="client.example", timeout=PATIENCE)


def test_it_keeps_what_it_accepts_as_it_was_sent() -> None:
    with serving(ScriptedServer(pieces=1)) as server, client(server) as smtp:
        smtp.sendmail("news@example.org", ["ada@example.com"], MESSAGE)
        smtp.sendmail("news@example.org", ["eve@example.com"], MESSAGE)

    assert server.readers == ["ada@example.com", "eve@example.com"]
    assert server.accepted[0].content == MESSAGE.encode()
    assert b"<news@example.org>" in server.accepted[0].mail
    assert server.connections[0].dots == 2


def test_it_refuses_commands_out_of_order() -> None:
    with serving(ScriptedServer()) as server, client(server) as smtp:
        smtp.ehlo()
        codes = [
            smtp.docmd("RCPT TO:<ada@example.com>")[0],
            smtp.docmd("DATA")[0],
            smtp.docmd("MAIL FROM:<news@example.org>")[0],
            smtp.docmd("MAIL FROM:<news@example.org>")[0],
            smtp.docmd("DATA")[0],
            smtp.docmd("RSET")[0],
            smtp.docmd("MAIL FROM:<news@example.org>")[0],
            smtp.docmd("TURN")[0],
            smtp.docmd("NOOP")[0],
        ]

    assert codes == [503, 503, 250, 503, 503, 250, 250, 500, 250]


def test_a_script_decides_by_the_moment() -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.RCPT and moment.nth == 2:
            return Say("451 4.3.0 come back later")
        return None

    with serving(ScriptedServer(script)) as server, client(server) as smtp:
        smtp.sendmail("news@example.org", ["ada@example.com"], MESSAGE)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail("news@example.org", ["eve@example.com"], MESSAGE)

    assert server.readers == ["ada@example.com"]
    assert server.counts[Stage.RCPT] == 2


@pytest.mark.parametrize("accept", [True, False])
def test_it_can_leave_after_the_dot_and_knows_whether_it_took_the_message(*, accept: bool) -> None:
    with serving(ScriptedServer(always({Stage.DOT: Leave(accept=accept)}))) as server:
        smtp = client(server)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail("news@example.org", ["ada@example.com"], MESSAGE)

    assert len(server.accepted) == accept


def test_it_can_leave_in_the_middle_of_a_message() -> None:
    with serving(ScriptedServer(always({Stage.BODY: Leave(after=10)}))) as server:
        smtp = client(server)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            smtp.sendmail("news@example.org", ["ada@example.com"], MESSAGE)

    assert server.accepted == []
    assert server.counts[Stage.DOT] == 0


def test_it_can_limit_the_messages_of_a_connection() -> None:
    with serving(ScriptedServer(per_connection=1)) as server, client(server) as smtp:
        smtp.sendmail("news@example.org", ["ada@example.com"], MESSAGE)
        smtp.ehlo()
        assert smtp.docmd("MAIL FROM:<news@example.org>")[0] == 421

    assert server.readers == ["ada@example.com"]
