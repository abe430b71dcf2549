import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.errors import SenderError
from digest.model.delivery import Accepted, Outcome, Reply
from digest.sender.folder import FolderTransport, file_name
from digest.sender.message_data import Envelope
from digest.sender.transport import Transport

MESSAGE = b"Subject: Tuesday\r\n\r\n.News.\r\n"


def to(reader: str) -> Envelope:
    return Envelope(mail_from="news@example.org", rcpt_to=reader)


def send(folder: Path, *names: str, message: bytes = MESSAGE) -> list[Outcome]:
    async def main() -> list[Outcome]:
        transport: Transport = FolderTransport(folder)
        async with transport:
            return [await transport.send(to(name), message) for name in names]

    return asyncio.run(main())


@contextmanager
def no_file_larger_than(octets: int) -> Iterator[None]:
    """As good as a full disk: the system refuses to write on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_others_have_their_turn_between_two_messages(tmp_path: Path) -> None:
    turns: list[str] = []

    async def main() -> None:
        async with FolderTransport(tmp_path) as transport:
            for name in ("ada@example.com", "eve@example.com"):
                asyncio.get_running_loop().call_soon(turns.append, f"before {name}")
                await transport.send(to(name), MESSAGE, before_commit=lambda: turns.append("dot"))

    asyncio.run(main())

    assert turns == ["before ada@example.com", "dot", "before eve@example.com", "dot"]


def test_each_message_is_one_file_named_by_its_reader(tmp_path: Path) -> None:
    outcomes = send(tmp_path / "out" / "today", "ada@example.com", "eve@example.com")

    assert outcomes == [
        Accepted(reply=Reply(code=250, text="written to 0001-ada@example.com.eml")),
        Accepted(reply=Reply(code=250, text="written to 0002-eve@example.com.eml")),
    ]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "today").iterdir()} == {
        "0001-ada@example.com.eml": MESSAGE,
        "0002-eve@example.com.eml": MESSAGE,
    }


def test_an_earlier_message_is_never_overwritten(tmp_path: Path) -> None:
    send(tmp_path, "ada@example.com")
    send(tmp_path, "ada@example.com", message=b"Subject: Wednesday\r\n\r\n")

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0001-ada@example.com.eml",
        "0002-ada@example.com.eml",
    ]
    assert (tmp_path / "0001-ada@example.com.eml").read_bytes() == MESSAGE


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        ("../../etc/passwd@example.com", "0007-_.._etc_passwd@example.com.eml"),
        ('"a b\x00\n"@example.com', "0007-_a_b_@example.com.eml"),
        ("zoë@bücher.example", "0007-zo_@b_cher.example.eml"),
        ("", "0007-reader.eml"),
        ("..", "0007-reader.eml"),
    ],
)
def test_a_file_name_is_safe_whatever_the_address(reader: str, name: str) -> None:
    assert file_name(7, reader) == name


def test_a_file_name_fits_however_long_the_address() -> None:
    assert len(file_name(7, "a" * 1000)) < 255


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with (
        no_file_larger_than(1000),
        pytest.raises(SenderError, match=r"cannot write messages to .*: File too large"),
    ):
        send(tmp_path, "ada@example.com", message=b"x" * 5000)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(SenderError, match=r"cannot write messages to .*out: File exists"):
        send(tmp_path / "out")


def test_a_ledger_that_fails_leaves_no_message(tmp_path: Path) -> None:
    class LedgerFull(Exception):
        pass

    def fail() -> None:
        raise LedgerFull

    async def main() -> None:
        async with FolderTransport(tmp_path) as transport:
            with pytest.raises(LedgerFull):
                await transport.send(to("ada@example.com"), MESSAGE, before_commit=fail)

    asyncio.run(main())

    assert list(tmp_path.iterdir()) == []


def test_the_file_has_no_name_before_it_is_committed(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look() -> None:
        seen.append([path.name for path in tmp_path.glob("*.eml")])

    async def main() -> None:
        async with FolderTransport(tmp_path) as transport:
            await transport.send(to("ada@example.com"), MESSAGE, before_commit=look)

    asyncio.run(main())

    assert seen == [[]]
