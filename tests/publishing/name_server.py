"""A real DNS server on loopback that knows a few text records."""

import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

#: By name, the records; each is one text, or the strings that it is made of.
Records = Mapping[str, Sequence[str | Sequence[str]]]


class NameServer:
    """A context manager: the server answers inside, by UDP, in a thread of its own.

    A name that is not there does not exist. `silent` names are asked in vain, and of `broken` ones
    the server says that it failed.
    """

    def __init__(
        self, records: Records, *, silent: Sequence[str] = (), broken: Sequence[str] = ()
    ) -> None:
        self._records = records
        self._silent, self._broken = frozenset(silent), frozenset(broken)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve)
        self.asked: list[str] = []
        self.host, self.port = "127.0.0.1", 0

    def __enter__(self) -> Self:
        self._socket.bind((self.host, 0))
        self.port = self._socket.getsockname()[1]
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An empty packet asks for the end.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", (self.host, self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, asker = self._socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            name = query.question[0].name.to_text(omit_final_dot=True).lower()
            self.asked.append(name)
            if name not in self._silent:
                self._socket.sendto(self._answer(query, name).to_wire(), asker)

    def _answer(self, query: dns.message.Message, name: str) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        if name in self._broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self._records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for record in self._records.get(name, ()):
            strings = [record] if isinstance(record, str) else record
            text = " ".join(f'"{string}"' for string in strings)
            owner = query.question[0].name
            answer.answer.append(dns.rrset.from_text(owner, 60, "IN", "TXT", text))
        return answer
