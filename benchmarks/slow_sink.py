"""An SMTP server that is far away: every reply comes so many milliseconds late.

    python benchmarks/slow_sink.py PORT MILLISECONDS

It takes pipelined commands, keeps nothing, and answers one group of commands with one write.
"""

import asyncio
import sys
from typing import cast

from digest.sender import event_loop

OFFER = b"250-sink\r\n250-SIZE\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
REPLIES = {b"EHLO": OFFER, b"DATA": b"354 go ahead\r\n", b"QUIT": b"221 bye\r\n"}


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._rest = b""
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._rest += data
        if self._in_message:
            if not self._rest.endswith(b"\r\n.\r\n"):
                return
            self._rest, self._in_message = b"", False
            self._answer(b"250 2.0.0 Ok\r\n")
            return
        *commands, self._rest = self._rest.split(b"\r\n")
        if commands:
            self._in_message = commands[-1] == b"DATA"
            self._answer(b"".join(map(self._reply, commands)))

    def _reply(self, command: bytes) -> bytes:
        return REPLIES.get(command[:4], b"250 2.1.0 Ok\r\n")

    def _answer(self, replies: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, replies)


async def main(port: int, delay: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    event_loop.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
