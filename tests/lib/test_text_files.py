import pytest

from digest.lib.text_files import DecodedText, NotText, UnknownEncoding, WrongEncoding, decode

TEXT = "title,url\nFür »Spaß«,https://example.com/\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_an_encoding_is_found_out(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == DecodedText(text=TEXT)


@pytest.mark.parametrize(("encoding", "given"), [("utf-16-le", "Ime"), ("utf-16-be", "Имя")])
def test_utf_16_without_a_mark_may_begin_with_any_letter(encoding: str, given: str) -> None:
    text = f"{given},email\nАнна,anna@example.com\n"
    assert decode(text.encode(encoding)) == DecodedText(text=text)


def test_a_stray_zero_does_not_make_utf_16_of_a_file() -> None:
    text = TEXT.replace("Spaß", "Spa\0ß")
    assert decode(text.encode()) == DecodedText(text=text)


@pytest.mark.parametrize(
    ("encoding", "given"),
    [
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "UTF8"),
        ("utf-8-sig", "utf_8"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "UTF-16"),
        ("utf-32", "utf-32"),
    ],
)
def test_a_mark_says_more_precisely_what_was_given(encoding: str, given: str) -> None:
    assert decode(TEXT.encode(encoding), given) == DecodedText(text=TEXT)


def test_what_was_given_goes_before_a_mark_of_something_else() -> None:
    assert decode(b"\xef\xbb\xbfx", "iso-8859-1") == DecodedText(text="\u00ef\u00bb\u00bfx")


def test_windows_1252_is_found_out_and_told() -> None:
    assert decode(TEXT.encode("cp1252")) == DecodedText(text=TEXT, not_utf_8=2)
    assert decode(b"caf\xe9 \x81") == DecodedText(text="café \ufffd", not_utf_8=1)


def test_utf_8_with_a_broken_byte_is_not_guessed_to_be_anything_else() -> None:
    content = TEXT.encode() + b"Caf\xe9,x\n"
    assert decode(content) == WrongEncoding(
        encoding="utf-8", octet=0xE9, offset=len(TEXT.encode()) + 3, line=3
    )


def test_an_encoding_that_was_given_is_used_or_refused() -> None:
    assert decode(TEXT.encode("cp1252"), "windows-1252") == DecodedText(text=TEXT)
    assert decode(b"caf\xe9", "utf-8") == WrongEncoding(
        encoding="utf-8", octet=0xE9, offset=3, line=1
    )
    assert decode(b"x", "klingon") == UnknownEncoding(encoding="klingon")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "a ZIP archive, as spreadsheets (.xlsx, .ods) are"),
        (b"\xd0\xcf\x11\xe0", "an old office document (.xls, .doc)"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"SQLite format 3\0", "a SQLite database"),
    ],
)
def test_what_is_no_text_is_told(start: bytes, kind: str) -> None:
    assert decode(start + b"...") == NotText(kind=kind)
