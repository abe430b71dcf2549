import asyncio
from collections.abc import Callable

from digest.config.settings import SmtpSettings
from digest.model.delivery import Accepted, Deferred, Outcome
from digest.sender.local_server import LocalServer, ReceivedMessage
from digest.sender.message_data import Envelope
from digest.sender.smtp import SmtpTransport

Settings = Callable[..., SmtpSettings]
MESSAGE = b"Subject: Tuesday\r\n\r\n.News.\r\n"


def send(settings: SmtpSettings, *names: str) -> list[Outcome]:
    async def main() -> list[Outcome]:
        async with SmtpTransport(settings) as transport:
            return await asyncio.gather(
                *(
                    transport.send(Envelope(mail_from="news@example.org", rcpt_to=name), MESSAGE)
                    for name in names
                )
            )

    return asyncio.run(main())


def test_what_is_sent_to_it_is_there_as_it_was_sent(settings: Settings) -> None:
    told: list[ReceivedMessage] = []
    with LocalServer(told.append) as server:
        outcomes = send(
            settings(server.port, host=server.host, connections=3),
            "ada@example.com",
            "zoë@bücher.example",
        )

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert sorted(received.rcpt_to for received in server.messages) == [
        ("ada@example.com",),
        ("zoë@xn--bcher-kva.example",),
    ]
    assert {(m.mail_from, m.message) for m in server.messages} == {("news@example.org", MESSAGE)}
    assert told == server.messages


def test_two_servers_have_two_ports() -> None:
    with LocalServer() as one, LocalServer() as other:
        assert one.port != other.port


def test_a_message_that_could_not_be_kept_is_not_accepted(settings: Settings) -> None:
    def full(received: ReceivedMessage) -> None:
        raise OSError("no room")

    with LocalServer(full) as server:
        outcomes = send(settings(server.port), "ada@example.com")

    assert isinstance(outcomes[0], Deferred)
    assert str(outcomes[0].reply) == "451 4.3.0 the message cannot be kept: OSError"
    assert server.messages == []
