import pytest

from digest.model.message import WireSafeChunks


def test_whole_plain_lines_hold_what_was_promised() -> None:
    header = "To: Zoë <zoe@example.com>\r\n\r\n".encode()
    assert WireSafeChunks([header, b"News.\r\n\r\nMore.\r\n", b"", b"Bye.\r\n"]).hold


@pytest.mark.parametrize(
    "piece",
    [
        b"no end",
        b"News.\r\n.\r\n",
        b".hidden\r\n",
        b"a bare\nfeed\r\n",
        b"a bare\rreturn\r\n",
        "naïve\r\n".encode(),
    ],
)
def test_a_piece_that_cannot_go_out_as_it_stands_breaks_the_promise(piece: bytes) -> None:
    assert not WireSafeChunks([b"To: zoe@example.com\r\n\r\n", piece]).hold
