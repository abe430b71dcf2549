import pytest

from digest.errors import SubscriberError, UsageError
from digest.subscribers.list_file import BadRow, ListRow, read


def cells(data: bytes, delimiter: str | None = None) -> list[list[str]]:
    return [
        list(row.cells) for row in read(data, delimiter=delimiter).rows if isinstance(row, ListRow)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_found_out(delimiter: str, ending: str) -> None:
    lines = [["email", "name"], ["eva@example.com", '"Sá, Eva; x|y\tz"']]
    text = ending.join(delimiter.join(line) for line in lines)
    assert cells(text.encode()) == [["eva@example.com", "Sá, Eva; x|y\tz"]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_found_out(encoding: str) -> None:
    data = "email,name\neva@example.com,Eva Sá\n".encode(encoding)
    assert cells(data) == [["eva@example.com", "Eva Sá"]]


def test_a_guessed_encoding_is_told() -> None:
    table = read("email,name\neva@example.com,Eva\nida@example.com,Sá\n".encode("cp1252"))
    assert table.remarks == (
        "line 3 is not UTF-8, so the file was read as Windows-1252; if names look wrong, name the"
        " encoding: --encoding",
    )


def test_a_named_encoding_is_used_or_refused() -> None:
    data = "email,name\neva@example.com,Řehoř\n".encode("iso-8859-2")
    rows = list(read(data, encoding="iso-8859-2").rows)
    assert isinstance(rows[0], ListRow)
    assert rows[0].cells[1] == "Řehoř"
    with pytest.raises(SubscriberError, match="line 2 is not utf-8"):
        read(data, encoding="utf-8")
    with pytest.raises(SubscriberError, match="there is no encoding 'klingon'"):
        read(data, encoding="klingon")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"PK\x03\x04...", "the file is a ZIP archive, as spreadsheets"),
        (b"\x1f\x8b...", "a gzip archive"),
        (b"eva@example.com,Eva\nida@example.com,Ida\n", "the first line has no column names"),
        (b"name,city\nEva,Rome\n", "the first line has no column `email`; found 'name', 'city'"),
        (b"email:name\neva@example.com:Eva\n", "the first line has no column `email`"),
        (b"email,email\na,b\n", "two columns are called 'email'"),
        (b"email,city,city\na,b,c\n", "two columns are called 'city'"),
        (b'email,name\neva@example.com,"Eva\nida@example.com,Ida\n', "line 2: a quotation mark"),
        (b"[1, 2", "the file is not JSON"),
        (b"[" * 100_000, "the file is not JSON"),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(data: bytes, message: str) -> None:
    with pytest.raises(SubscriberError) as refusal:
        list(read(data).rows)
    assert message in refusal.value.message


def test_a_delimiter_may_be_named() -> None:
    assert cells(b"email:name\neva@example.com:Eva\n", ":") == [["eva@example.com", "Eva"]]
    with pytest.raises(SubscriberError, match="the delimiter '::', expected one character"):
        cells(b"email::name\n", "::")


def test_excel_says_its_delimiter_in_the_first_line() -> None:
    rows = list(read(b"sep=;\r\nemail;name\r\neva@example.com;Eva\r\n").rows)
    assert [(row.line, row.cells) for row in rows if isinstance(row, ListRow)] == [
        (3, ["eva@example.com", "Eva"])
    ]


def test_rows_keep_the_line_on_which_they_begin() -> None:
    data = b'\nemail,note\n\na@example.com,"one\ntwo"\n,\nb@example.com,x\n'
    rows = list(read(data).rows)
    assert [row.line for row in rows] == [4, 7]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"email,name\na@example.com,Eva,Sa\n", 2, "3 values under 2 columns"),
        (b"email,name,state\na@example.com,Eva\n", 2, "the state is missing"),
        (b'email,name\n"a"@example.com,Eva\n', 2, "the quotation marks do not pair up"),
        (b'{"name": "Eva"}', 1, "there is no `email`; found name"),
        (b'{"email": "a@example.com"}\n{"email": \n', 2, "not JSON"),
        (b'["a@example.com"]', 1, "expected an object"),
        (b'{"email": "a@example.com"}\n{"email": "b", "Email": "c"}\n', 2, "two columns"),
    ],
)
def test_a_row_that_does_not_fit_is_told_with_its_line(data: bytes, line: int, reason: str) -> None:
    bad = [row for row in read(data).rows if isinstance(row, BadRow)]
    assert [row.line for row in bad] == [line]
    assert reason in bad[0].reason


def test_a_row_may_end_before_columns_that_say_nothing_dangerous() -> None:
    assert cells(b"email,state,name\na@example.com,paused\n") == [["a@example.com", "paused"]]
    assert cells(b"email,name\na@example.com,Eva,,\n") == [["a@example.com", "Eva", "", ""]]


def test_json_values_become_text() -> None:
    data = '[{"email": "a@example.com", "n": 7, "t": ["x", "é"], "b": true, "z": null}]'
    assert cells(data.encode()) == [["a@example.com", "7", '["x", "é"]', "true", ""]]


def test_a_json_text_may_hold_a_line_separator() -> None:
    assert cells('{"email": "a@example.com", "n": "x\u2028y"}\n'.encode()) == [
        ["a@example.com", "x\u2028y"]
    ]


def test_the_owner_may_say_what_a_file_calls_our_columns() -> None:
    data = b"Adresse;Name;Vorname;Ort\na@example.com;Luz;Ana;Faro\n"
    said = {"email": "Adresse", "first_name": "vorname", "last-name": "Name"}
    rows = list(read(data, titles=said).rows)
    assert isinstance(rows[0], ListRow)
    columns = rows[0].columns
    assert (columns.email, columns.name, columns.first_name, columns.last_name) == (0, None, 2, 1)
    assert columns.fields == (("Ort", 3),)


def test_a_column_that_there_is_not_is_told() -> None:
    with pytest.raises(
        UsageError, match="--column: found 'nmae', expected one of email, name"
    ) as e:
        read(b"email\na@example.com\n", titles={"nmae": "x"})
    assert e.value.hint == "Did you mean name?"
    with pytest.raises(SubscriberError, match="there is no column 'Vornam'; the first line has"):
        list(read(b"email,Vorname\na@example.com,Ana\n", titles={"name": "Vornam"}).rows)


def test_messages_name_the_file() -> None:
    with pytest.raises(SubscriberError, match=r"^readers\.csv: the file is empty"):
        read(b"", name="readers.csv")
    with pytest.raises(
        SubscriberError, match=r"^readers\.csv: the first line has no column `email`"
    ):
        list(read(b"a,b\n", name="readers.csv").rows)
    table = read("email,name\na@example.com,Sá\n".encode("cp1252"), name="readers.csv")
    assert table.remarks[0].startswith("readers.csv: line 2 is not UTF-8")


def test_utf_8_with_a_broken_byte_is_not_guessed_to_be_anything_else() -> None:
    data = "email,name\na@example.com,Sá é\n".encode() + b"b@example.com,S\xe1\n"
    with pytest.raises(SubscriberError, match="line 3 is not utf-8"):
        read(data)


def test_a_long_field_is_no_open_quotation_mark() -> None:
    long = "x" * 140_000
    assert cells(f"email,note\na@example.com,{long}\nb@example.com,y\n".encode()) == [
        ["a@example.com", long],
        ["b@example.com", "y"],
    ]
