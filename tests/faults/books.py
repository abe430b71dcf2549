"""The books of a scripted server, which the ledger of a sender is compared with."""

from dataclasses import dataclass, field

from tests.faults.script import Action, Hang, Late, Leave, Say, Stage, Stall


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as the server has it, its dots unstuffed."""

    mail: bytes
    rcpt: bytes
    content: bytes
    connection: int

    @property
    def reader(self) -> str:
        """The address of RCPT."""
        return address_in(self.rcpt)


@dataclass
class Transcript:
    """What one connection saw: the commands in order, and the final dots."""

    number: int
    commands: list[bytes] = field(default_factory=list)
    dots: int = 0


class Books:
    """What a server had of its clients: who was served, and by reason who was not."""

    def __init__(self) -> None:
        #: The messages that the server has taken responsibility for.
        self.accepted: list[Message] = []
        self.connections: list[Transcript] = []
        self.counts: dict[Stage, int] = dict.fromkeys(Stage, 0)
        #: Readers who were refused for good, at RCPT or after their message.
        self.refused: list[str] = []
        #: Readers whose final dot was read and never answered, or with what is no answer.
        self.unreceipted: list[str] = []
        #: Readers whose message was begun, and whose connection ended before the dot.
        self.broken_off: list[str] = []

    @property
    def readers(self) -> list[str]:
        """The readers of the accepted messages, in order."""
        return [message.reader for message in self.accepted]

    def arrived(self, message: Message, action: Action) -> None:
        """Write down what will be done about a message that has arrived."""
        match action:
            case Late():
                self.arrived(message, action.action)
            case Say():
                kind = action.code // 100
                if kind == 2:
                    self.accepted.append(message)
                elif kind == 5:
                    self.refused.append(message.reader)
                if action.endless or kind not in (2, 4, 5):
                    self.unreceipted.append(message.reader)
            case Stall():
                self.unreceipted.append(message.reader)
            case Hang() | Leave():
                self.unreceipted.append(message.reader)
                if action.accept:
                    self.accepted.append(message)


def address_in(rcpt: bytes) -> str:
    """The address of a RCPT command."""
    return rcpt.partition(b"<")[2].rpartition(b">")[0].decode()
