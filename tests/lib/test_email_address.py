import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SubscriberError
from digest.lib.email_address import InvalidAddress, ascii_domain, domain_of, wire_address


@pytest.mark.parametrize(
    ("address", "text", "needs_smtputf8"),
    [
        ("ada@example.com", "ada@example.com", False),
        ("ada+news@mail.example.com", "ada+news@mail.example.com", False),
        ('"ada lovelace"@example.com', '"ada lovelace"@example.com', False),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", False),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example", False),
        ("zoë@example.com", "zoë@example.com", True),
        ("हिन्दी@example.com", "हिन्दी@example.com", True),
        ("zoë@bücher.example", "zoë@xn--bcher-kva.example", True),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]", False),
    ],
)
def test_a_domain_travels_as_its_a_label(address: str, text: str, needs_smtputf8: bool) -> None:
    assert wire_address(address) == text
    assert text.isascii() is not needs_smtputf8


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada lovelace@example.com",
        "ada@exa mple.com",
        "ada@example.com> SIZE=1",
        "ada>@example.com",
        "<ada@example.com>",
        "ada@example.com\r\nRCPT TO:<eve@example.com",
        "ada\x00@example.com",
        '"ada\r\n"@example.com',
        "ada@exa\u2028mple.com",
        "ada..lovelace@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".example",
        "ada@" + "a." * 150 + "example",
        "ada@-example.com",
        "ada@example..com",
    ],
)
def test_what_no_command_can_hold_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddress):
        wire_address(address)


@given(st.text(max_size=80))
def test_no_address_ever_ends_its_command(address: str) -> None:
    try:
        wire = wire_address(address)
    except InvalidAddress:
        return
    assert not any(octet < 32 or octet == 127 for octet in wire.encode())
    assert wire.rpartition("@")[2].isascii()
    if not wire.startswith('"'):
        assert not set("<> ") & set(wire)


@given(
    st.from_regex(r"[a-zA-Z0-9.+_=@-]{0,30}@?[a-zA-Z0-9.@-]{0,70}", fullmatch=True),
)
def test_the_quick_look_passes_nothing_that_the_careful_one_refuses(address: str) -> None:
    try:
        wire = wire_address(address)
    except InvalidAddress:
        return
    # A quoted local part never takes the quick way, and is the same address.
    local, _, domain = address.rpartition("@")
    assert wire == address
    assert wire_address(f'"{local}"@{domain}') == f'"{local}"@{domain}'
    assert ".." not in address
    assert not local.startswith(".")
    assert not local.endswith(".")
    assert len(local) <= 64


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ada@Example.COM", "example.com"),
        ("ada@BÜCHER.example", "xn--bcher-kva.example"),
        ("no address", ""),
        ("", ""),
    ],
)
def test_a_domain_has_one_name(address: str, domain: str) -> None:
    assert domain_of(address) == domain


@pytest.mark.parametrize(
    "address",
    [
        "ada\u202e@example.com",
        "ada\u200b\u2060@example.com",
        "ada\ue000@example.com",
        "ada@example.com-",
        "ada@example.com.",
        "ada@exämple..com",
        '"zoë"@example.com',
    ],
)
def test_a_header_and_a_command_hold_the_same_addresses(address: str) -> None:
    with pytest.raises(SubscriberError, match="is not an e-mail address, expected one such as"):
        wire_address(address)


def test_a_domain_is_looked_up_by_its_standard_of_today() -> None:
    assert ascii_domain("straße.example") == "xn--strae-oqa.example"
    for domain in ("", "exa mple", "-example.com", "a" * 64, "a." * 150 + "b", "\u2028.example"):
        with pytest.raises(ValueError, match=r".+"):
            ascii_domain(domain)
