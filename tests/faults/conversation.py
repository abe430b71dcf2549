"""A conversation: one connection of a scripted server, by RFC 5321 unless scripted otherwise."""

import asyncio

from tests.faults.books import Books, Message, Transcript, address_in
from tests.faults.manners import Manners
from tests.faults.script import Action, Hang, Late, Leave, Moment, Say, Stage, Stall

#: The commands that change nothing, or nothing but the transaction.
_SIMPLE = {
    b"HELO": (Stage.HELO, Say("250 scripted.example")),
    b"RSET": (Stage.RSET, Say("250 2.0.0 forgotten")),
    b"NOOP": (Stage.NOOP, Say("250 2.0.0 nothing done")),
    b"QUIT": (Stage.QUIT, Say("221 2.0.0 farewell", leave=True)),
}


class Gone(Exception):
    """The conversation is over."""


class Conversation:
    """One connection: reads commands, asks the script, keeps the state of the transaction."""

    def __init__(
        self,
        manners: Manners,
        books: Books,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        transcript: Transcript,
    ) -> None:
        self._manners = manners
        self._books = books
        self._reader = reader
        self._writer = writer
        self._transcript = transcript
        self._encrypted = writer.get_extra_info("ssl_object") is not None
        self._mail: bytes | None = None
        self._rcpt: bytes | None = None
        self._held = b""
        self._arrived = bytearray()
        self._in_message = False

    def book_the_end(self) -> None:
        """The connection has ended. Whoever's message was under way has no receipt."""
        if self._in_message and self._rcpt is not None:
            self._books.broken_off.append(address_in(self._rcpt))

    async def run(self) -> None:
        await self._act(Stage.GREETING, b"", Say("220 scripted.example ready"))
        while True:
            line = await self._line()
            self._transcript.commands.append(line)
            await self._command(line)

    async def _line(self) -> bytes:
        return (await self._until(b"\r\n")).removesuffix(b"\r\n")

    async def _until(self, mark: bytes, *, searched: int = 0) -> bytes:
        """What arrives up to the mark, and the mark."""
        while (found := self._arrived.find(mark, searched)) < 0:
            searched = max(0, len(self._arrived) - len(mark) + 1)
            await self._more()
        end = found + len(mark)
        taken = bytes(self._arrived[:end])
        del self._arrived[:end]
        return taken

    async def _more(self) -> None:
        octets = await self._reader.read(2**18)
        if not octets:
            raise Gone
        self._arrived += octets

    async def _message(self) -> bytes:
        """The octets up to the final dot, without it, as they were before they were stuffed."""
        while len(self._arrived) < len(b".\r\n"):
            await self._more()
        if self._arrived.startswith(b".\r\n"):
            del self._arrived[: len(b".\r\n")]
            return b""
        stuffed = (await self._until(b"\r\n.\r\n")).removesuffix(b".\r\n")
        return stuffed.replace(b"\r\n.", b"\r\n").removeprefix(b".")

    async def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO", b"RSET"):
            self._mail = self._rcpt = None
        match verb:
            case b"EHLO":
                await self._act(Stage.EHLO, line, Say(self._offers()))
            case b"STAR":
                await self._start_tls(line)
            case b"AUTH":
                await self._on_auth(line)
            case b"MAIL":
                await self._on_mail(line)
            case b"RCPT":
                await self._on_rcpt(line)
            case b"DATA":
                await self._on_data(line)
            case _ if verb in _SIMPLE:
                stage, answer = _SIMPLE[verb]
                await self._act(stage, line, answer)
            case _:
                await self._perform(Say("500 5.5.2 what is that?"))

    def _offers(self) -> str:
        offers = list(self._manners.extensions)
        if self._manners.starttls is not None and not self._encrypted:
            offers.append("STARTTLS")
        lines = ["scripted.example", *offers]
        return "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    async def _start_tls(self, line: bytes) -> None:
        context = self._manners.starttls
        if context is None:
            await self._perform(Say("502 5.5.1 no TLS here"))
            return
        await self._act(Stage.STARTTLS, line, Say("220 2.0.0 go ahead"))
        self._arrived.clear()
        await self._writer.start_tls(context)
        self._encrypted = True

    async def _on_auth(self, line: bytes) -> None:
        """Each 334 of the script asks for a line more, and then asks the script again."""
        welcome = Say("235 2.7.0 welcome")
        while await self._act(Stage.AUTH, line, welcome) == 334:
            line = await self._line()
            self._transcript.commands.append(line)

    async def _on_mail(self, line: bytes) -> None:
        limit = self._manners.per_connection
        if self._mail is not None:
            await self._perform(Say("503 5.5.1 a transaction is under way"))
        elif limit is not None and self._transcript.dots >= limit:
            await self._perform(Say("421 4.7.0 enough for one connection", leave=True))
        elif (await self._act(Stage.MAIL, line, Say("250 2.1.0 sender fine"))) // 100 == 2:
            self._mail = line

    async def _on_rcpt(self, line: bytes) -> None:
        if self._mail is None:
            await self._perform(Say("503 5.5.1 MAIL first"))
            return
        code = await self._act(Stage.RCPT, line, Say("250 2.1.5 reader fine"))
        if code // 100 == 2:
            self._rcpt = line
        elif code // 100 == 5:
            self._books.refused.append(address_in(line))

    async def _on_data(self, line: bytes) -> None:
        if self._rcpt is None and not (self._mail and self._manners.accepts_nobody_late):
            await self._perform(Say("503 5.5.1 no valid recipients"))
            return
        if await self._act(Stage.DATA, line, Say("354 go ahead")) == 354:
            self._in_message = True
            await self._on_body()

    async def _on_body(self) -> None:
        action = self._ask(Stage.BODY, b"")
        if isinstance(action, Leave):
            while len(self._arrived) < action.after:
                await self._more()
        if action is not None:
            await self._perform(action)
        content = await self._message()
        if self._writer.is_closing():
            raise Gone  # It was dropped meanwhile, so no receipt would arrive any more.
        self._in_message = False
        honestly = "250 2.0.0 taken" if self._rcpt else "554 5.5.1 no valid recipients"
        action = self._ask(Stage.DOT, content) or Say(honestly)
        self._transcript.dots += 1
        if self._rcpt is not None:
            message = Message(
                mail=self._mail or b"",
                rcpt=self._rcpt,
                content=content,
                connection=self._transcript.number,
            )
            self._books.arrived(message, action)
        self._mail = self._rcpt = None
        await self._perform(action)

    def _ask(self, stage: Stage, argument: bytes) -> Action | None:
        self._books.counts[stage] += 1
        moment = Moment(
            stage=stage,
            argument=argument,
            connection=self._transcript.number,
            nth=self._books.counts[stage],
            served=self._transcript.dots,
        )
        return self._manners.script(moment)

    async def _act(self, stage: Stage, argument: bytes, default: Say) -> int:
        """Do what the script wants at this stage; the code of what was said."""
        action = self._ask(stage, argument) or default
        merged = self._manners.merge and stage in (Stage.RSET, Stage.MAIL, Stage.RCPT)
        if merged and isinstance(action, Say):
            self._held += action.octets
            return action.code
        return await self._perform(action)

    async def _perform(self, action: Action) -> int:
        match action:
            case Leave():
                raise Gone
            case Hang():
                while await self._reader.read(2**16):
                    pass
                raise Gone
            case Stall():
                await asyncio.Event().wait()  # until the server is closed
                raise Gone
            case Late():
                await action.event.wait()
                return await self._perform(action.action)
            case Say():
                return await self._say(action)

    async def _say(self, action: Say) -> int:
        reply, self._held = self._held + action.octets, b""
        step = action.pieces or self._manners.pieces
        if step is None:
            self._writer.write(reply)
            await self._writer.drain()
        else:
            for start in range(0, len(reply), step):
                self._writer.write(reply[start : start + step])
                await self._writer.drain()
                await asyncio.sleep(0)
        if action.leave:
            self._writer.close()
            await self._writer.wait_closed()
            raise Gone
        return action.code
