import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SourceError
from digest.ingest.address_guard import addresses_of, is_public
from digest.ingest.http import Request, fetch
from tests.ingest.conftest import Names, Server, body, redirect


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104
        *("100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe"),
        *("fec0::1", "3fff::1", "192.0.0.8", "192.88.99.1", "64:ff9b:1::808:808", "5f00::1"),
        *("::10.0.0.1", "::8.8.8.8", "2001::1", "2002:c000:8::", "100::1", "4000::1"),
    ],
)
def test_what_is_not_of_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_what_is_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "2130706433", "0x7f.1"])
def test_a_private_host_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(SourceError, match="which is not public") as caught:
        asyncio.run(addresses_of(host, 80, allow_private=False))
    assert caught.value.hint is not None
    assert "allow_private = true" in caught.value.hint


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "::"],  # noqa: S104
)
def test_leave_for_the_own_network_is_none_for_what_no_feed_has(host: str) -> None:
    with pytest.raises(SourceError, match="which is not public") as caught:
        asyncio.run(addresses_of(host, 80, allow_private=True))
    assert "allow" not in (caught.value.hint or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1"])
def test_leave_for_the_own_network_is_for_its_addresses(host: str) -> None:
    assert asyncio.run(addresses_of(host, 80, allow_private=True)) == (host,)


def test_leave_for_a_host_is_none_for_another_that_it_redirects_to(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.1"], ["127.0.0.1"]))
    server.answers["/feed"] = redirect(server.url("/secret", host="router.example"))
    server.answers["/secret"] = body(b"<rss/>")
    request = Request(
        url=server.url("/feed", host="feeds.example"),
        timeout=60,
        max_bytes=10_000,
        allow_private=True,
    )
    with pytest.raises(SourceError, match=r"the host router\.example has the address") as caught:
        asyncio.run(fetch(request))
    assert "That allows the source's own host alone" in (caught.value.hint or "")
    assert [path for path, _ in server.requests] == ["/feed"]


def test_a_name_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SourceError, match=r"the host nowhere\.example is not found \(Name or"):
        asyncio.run(addresses_of("nowhere.example", 80, allow_private=False))


def test_a_redirect_to_a_private_address_is_not_followed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only for this look-up is loopback public, as a server on the internet is.
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.1"], ["127.0.0.1"]))
    checked: list[str] = []

    def public_once(address: object) -> bool:
        checked.append(str(address))
        return len(checked) == 1

    monkeypatch.setattr("digest.ingest.address_guard.is_public", public_once)
    server.answers["/feed"] = redirect(server.url("/secret", host="inside.example"))
    server.answers["/secret"] = body(b"<rss/>")
    request = Request(url=server.url("/feed", host="feeds.example"), timeout=60, max_bytes=10_000)
    with pytest.raises(SourceError, match=r"the host inside\.example has the address 127\.0\.0\.1"):
        asyncio.run(fetch(request))
    assert [path for path, _ in server.requests] == ["/feed"]


def test_the_address_that_was_checked_is_the_one_that_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second look-up would find no answer here: a name cannot change its address in between.
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.1"]))
    server.answers["/feed"] = body(b"<rss/>")
    request = Request(
        url=server.url("/feed", host="feeds.example"),
        timeout=60,
        max_bytes=10_000,
        allow_private=True,
    )
    assert asyncio.run(fetch(request)).content == b"<rss/>"
    port = server.url("").rpartition(":")[2]
    assert server.requests[0][1]["host"] == f"feeds.example:{port}"


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["8.8.8.8", "10.0.0.1"]))
    with pytest.raises(SourceError, match=r"has the address 10\.0\.0\.1"):
        asyncio.run(addresses_of("feeds.example", 443, allow_private=False))


def test_an_address_that_does_not_answer_is_passed_over(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.2", "127.0.0.1"]))
    server.answers["/feed"] = body(b"<rss/>")
    request = Request(
        url=server.url("/feed", host="feeds.example"),
        timeout=60,
        max_bytes=10_000,
        allow_private=True,
    )
    assert asyncio.run(fetch(request)).content == b"<rss/>"


@given(
    st.sampled_from(
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "192.0.0.0/24"]
    )
    .map(IPv4Network)
    .flatmap(lambda network: st.ip_addresses(network=network)),
)
def test_an_ipv6_address_around_a_private_one_is_not_public(inner: IPv4Address) -> None:
    number = int(inner)
    for outer in (
        inner,
        IPv6Address(number),
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
    ):
        assert not is_public(outer), outer
