"""What a scripted server may be told to do, and at which moment of a connection.

A *script* is a function that is asked at each `Moment` and answers with an action, or with None
for the honest default:

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.RCPT and moment.nth % 10 == 0:
            return Say("451 4.3.0 come back later")
        return None
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where a connection is when the script is asked: at a command, or at these three moments."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RSET = "RSET"
    NOOP = "NOOP"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    #: The go-ahead has been given, nothing of the message has been read.
    BODY = "body"
    #: The final dot has been read.
    DOT = "final dot"
    QUIT = "QUIT"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When the script is asked.

    `argument` is the command's line, or the message at the final dot. `connection` counts from 1.
    `nth` counts how often this stage was reached on all connections together, `served` how many
    final dots this connection has had before.
    """

    stage: Stage
    argument: bytes
    connection: int
    nth: int
    served: int


@dataclass(frozen=True)
class Say:
    """Send this reply. Lines are separated by \\n; a str gets its CRLF, bytes go out as they are.

    2yz to the final dot means that the message is accepted. `pieces` is the number of octets that
    go out at a time; `leave` closes the connection afterwards. `endless` says that it is too long
    for a client to hear it out.
    """

    reply: str | bytes
    pieces: int | None = None
    leave: bool = False
    endless: bool = False

    @property
    def octets(self) -> bytes:
        """The reply as it goes over the wire."""
        if isinstance(self.reply, bytes):
            return self.reply
        return self.reply.replace("\n", "\r\n").encode() + b"\r\n"

    @property
    def code(self) -> int:
        """The reply's code; 0 if it is no reply."""
        digits = self.octets[:3]
        return int(digits) if digits.isdigit() else 0


@dataclass(frozen=True)
class Hang:
    """Never answer: read on until the client closes. `accept` takes the message at the dot."""

    accept: bool = False


@dataclass(frozen=True)
class Stall:
    """Never answer, and read nothing more either: the client's buffers fill up."""


@dataclass(frozen=True)
class Leave:
    """Close without a word, `after` so many octets of the body where the stage is BODY.

    `accept` takes the message at the final dot and says nothing about it.
    """

    after: int = 0
    accept: bool = False


@dataclass(frozen=True)
class Late:
    """Do this, but only once `event` is set: by the script, or from outside by `set`."""

    action: Say | Leave
    event: asyncio.Event


Action = Say | Hang | Stall | Leave | Late
Script = Callable[[Moment], Action | None]


def always(actions: Mapping[Stage, Action]) -> Script:
    """The script that does the same thing at a stage each time."""
    return lambda moment: actions.get(moment.stage)


def honest(moment: Moment) -> Action | None:
    """The script of a server without a fault."""
    del moment
    return None


def once(stage: Stage, nth: int, do: Callable[[], Action | None]) -> Script:
    """The script that does something when a stage is reached for the nth time."""
    return lambda moment: do() if (moment.stage, moment.nth) == (stage, nth) else None
