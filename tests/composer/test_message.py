"""The prepared message: whatever the values, the message is what the slow way makes."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.composer.headers import header_text
from digest.composer.message import PreparedMessage, prepare_message
from digest.composer.render import render
from digest.composer.templates import Templates, open_templates
from digest.errors import SenderError, SubscriberError, TemplateError
from digest.lib import verp
from digest.lib.text import plain
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient
from tests.composer.editions import (
    ANA,
    GIF,
    NEWSLETTER,
    SITE,
    SITE_WITH_PAGES,
    minimal,
    ordinary_day,
)
from tests.composer.parts import parsed, part
from tests.composer.reference import reference

DATE = datetime(2026, 3, 12, 6, 0, 5, tzinfo=UTC)
NOWHERE = Path("no-images-here")

# A template of a site that uses every placeholder, in text and in attributes.
GREEDY = """<!DOCTYPE html><html><head><title>t</title></head><body>
<p title="{{ reader.fields.city }}" class='{{ reader.name }}'>{{ reader.greeting }}
{{ reader.name }} {{ reader.name }}{{ reader.email }}{{ reader.email }}
<a href="{{ reader.unsubscribe_url }}">{{ reader.fields.city }}</a>
<a href="{{ reader.preferences_url }}">p</a> <a href="{{ reader.view_url }}">v</a></p>
{{ lead.title }}<!-- {{ reader.name }} --></body></html>"""
GREEDY_TEXT = """{{ reader.name }}
.{{ reader.greeting }}{{ reader.fields.city }} {{ reader.name }}
{{ reader.email }} {{ reader.unsubscribe_url }} {{ lead.title }} {{ reader.view_url }}
{{ reader.name }}"""


def variant_of(
    edition: Edition,
    templates: Templates | None = None,
    *,
    site: Site = SITE,
    newsletter: Newsletter = NEWSLETTER,
) -> RenderedVariant:
    made = render(
        edition,
        VariantKey(language=newsletter.language),
        site=site,
        newsletter=newsletter,
        templates=templates or open_templates(),
    )
    assert isinstance(made, RenderedVariant)
    return made


def form_of(
    edition: Edition,
    *,
    site: Site = SITE,
    newsletter: Newsletter = NEWSLETTER,
    images: Path = NOWHERE,
) -> PreparedMessage:
    variant = variant_of(edition, site=site, newsletter=newsletter)
    return prepare_message(variant, edition, site=site, newsletter=newsletter, images_folder=images)


@dataclass(frozen=True)
class Greedy:
    """A form of GREEDY, what it was made of, and the links that it holds before a token."""

    site: Site
    variant: RenderedVariant
    form: PreparedMessage
    in_header: tuple[str, ...]
    in_body: tuple[str, ...]


MAIL = "mailto:editors@example.com?subject=unsubscribe%20"
UNSUBSCRIBE_PAGE = "https://news.example.com/u/"
PREFERENCES_PAGE = "https://news.example.com/p/"


@pytest.fixture(scope="module", params=["without pages", "with pages", "rendered with pages"])
def greedy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Greedy:
    in_header: tuple[str, ...] = (MAIL,)
    in_body: tuple[str, ...] = (UNSUBSCRIBE_PAGE, PREFERENCES_PAGE)
    match request.param:
        case "without pages":
            rendered_for, site, in_body = SITE, SITE, (MAIL,)
        case "with pages":
            rendered_for = site = SITE_WITH_PAGES
            in_header = (UNSUBSCRIBE_PAGE, MAIL)
        case _:  # as an edition that was under way when its site lost them
            rendered_for, site = SITE_WITH_PAGES, SITE
    site_folder = tmp_path_factory.mktemp("site")
    folder = site_folder / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "digest.html").write_text(GREEDY)
    (folder / "digest.txt").write_text(GREEDY_TEXT)
    variant = variant_of(minimal(), open_templates(site_folder), site=rendered_for)
    form = prepare_message(
        variant, minimal(), site=site, newsletter=NEWSLETTER, images_folder=site_folder
    )
    return Greedy(site, variant, form, in_header, in_body)


NASTY = (
    st.text(max_size=80)
    | st.text(st.sampled_from("aé👩\u200d🚀ش \t\r\n\x00\x85\u2028.=?_\"'<>&,;:\\@"), max_size=120)
    | st.sampled_from(
        [
            "",
            "x" * 5000,
            "naïve " * 900,
            "شكرًا جزيلًا " * 40,
            "👩‍👩‍👧" * 200,
            '</a><script>alert("1")</script>',
            "=?utf-8?q?foo=0ABcc=3A_v=40x.example?=",
            "=?utf-8?b?Zm9v?= =?utf-8?q?bar?=",
            "a\r\nBcc: v@example.com\r\n\r\nbody",
            '"quoted" \\ (comment) <v@example.com>, second@example.com',
            "slot0123456789abcdefx6e616d65x",
            ". \n.\nFrom me",
            " ",
            "=",
            "--=_c8a1e9105e1203b0_alternative--",
        ]
    )
)


EMAILS = st.sampled_from(
    [
        "ana@example.org",
        "Ana.Novak+news@example.org",
        "o'brien&co=1@example.org",
        '"a <b>, c"@example.org',
        "{" * 64 + "@" + "d" * 63 + ".example.org",
    ]
)


@given(
    name=NASTY,
    city=NASTY,
    token=st.text("abcXYZ019-_", min_size=1, max_size=60) | st.text(max_size=60),
    email=EMAILS,
)
@example(name="Ana", city="", token="t", email="ana@example.org")
@settings(max_examples=100, deadline=None)
def test_a_filled_form_is_the_message_that_the_slow_way_makes(
    greedy: Greedy, name: str, city: str, token: str, email: str
) -> None:
    variant, form = greedy.variant, greedy.form
    reader = Recipient(email=email, token=token, name=name, fields={"city": city})
    pieces = form.pieces(reader, delivery_id=7, date=DATE)
    assert pieces.hold
    message = b"".join(pieces)
    slow = reference(
        variant,
        minimal(),
        reader,
        site=greedy.site,
        newsletter=NEWSLETTER,
        delivery_id=7,
        date=DATE,
    )

    fast = parsed(message)
    for field in ("From", "Subject", "Date", "Message-ID"):
        assert fast[field] == slow[field]
    assert fast["To"].addresses[0].addr_spec == email
    raw_to = re.sub(r"\r\n(?= )", "", message.decode().split("\r\nTo: ")[1].split("\r\nReply")[0])
    assert shown_name(raw_to, email) == header_text(name)
    written_token = quote(token, safe="")
    assert unsubscribe_urls(message) == [link + written_token for link in greedy.in_header]
    assert part(message, "plain") == body_of(slow, "plain")
    assert part(message, "html") == body_of(slow, "html")
    assert attributes(part(message, "html")) >= {
        ("title", plain(city)),
        ("class", plain(name)),
        *(("href", link + written_token) for link in greedy.in_body),
    }
    view = ("href", "https://news.example.com/e/daily/42")
    assert (view in attributes(part(message, "html"))) == (PREFERENCES_PAGE in greedy.in_body)
    obey_the_line_rules(message)
    assert fast.keys() == parsed(form.fill(ANA, delivery_id=1, date=DATE)).keys()


def attributes(page: str) -> set[tuple[str, str]]:
    """Every attribute of a page, as a browser would have it."""
    found: set[tuple[str, str]] = set()

    class Attributes(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update((name, value or "") for name, value in attrs)

    reader = Attributes()
    reader.feed(page)
    reader.close()
    return found


def unsubscribe_urls(message: bytes) -> list[str]:
    field = re.search(rb"\r\nList-Unsubscribe: <(\S+)>(?:,\r\n <(\S+)>)?\r\n", message)
    assert field is not None
    return [link.decode() for link in field.groups() if link]


def body_of(message: EmailMessage, subtype: str) -> str:
    found = message.get_body((subtype,))
    assert isinstance(found, EmailMessage)
    return str(found.get_content())


def shown_name(raw_to: str, email: str) -> str:
    """The display name as RFC 2047 has it read: quoted strings are literal, words are decoded."""
    phrase = raw_to.removesuffix(email).removesuffix(f"<{email}>").rstrip()
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(make_header(decode_header(phrase)))


def obey_the_line_rules(message: bytes) -> None:
    lines = message.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    # An address is never folded; every other line is.
    assert max(len(x) for x in lines if b"@" not in x and not x.startswith(b"List-")) <= 78
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    head, _, body = message.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?.*?\?=", head))
    assert message.count(b"_alternative\r\n") == 2
    assert message.count(b"_alternative--\r\n") == 1


HELP = "<mailto:editors@example.com?subject=help>"
BY_MAIL = {"List-Unsubscribe": f"<{MAIL}t0ken-of-Ana_1>", "List-Help": HELP}
ON_PAGES = {
    "List-Unsubscribe": f"<{UNSUBSCRIBE_PAGE}t0ken-of-Ana_1>, <{MAIL}t0ken-of-Ana_1>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Help": HELP,
}


@pytest.mark.parametrize(("site", "list_fields"), [(SITE, BY_MAIL), (SITE_WITH_PAGES, ON_PAGES)])
def test_headers_are_what_bulk_mail_needs(site: Site, list_fields: dict[str, str]) -> None:
    message = parsed(form_of(minimal(), site=site).fill(ANA, delivery_id=7, date=DATE))
    expected = {
        "From": "The Harbour Post <daily@news.example.com>",
        "To": "Ana Novak <ana@example.org>",
        "Reply-To": "editors@example.com",
        "Subject": "The Harbour Daily: Ferry late",
        "Date": "Thu, 12 Mar 2026 07:00:05 +0100",
        "Message-ID": "<5e1f0c9a7d2b4836.7@news.example.com>",
        "List-Id": '"The Harbour Daily" <daily.news.example.com>',
        **list_fields,
        "List-Post": "NO",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_c8a1e9105e1203b0_alternative"',
    }
    assert message.items() == list(expected.items())


def test_a_retry_has_the_same_message_id_and_another_delivery_another_one() -> None:
    form = form_of(minimal())
    first, again, other = (
        parsed(form.fill(ANA, delivery_id=number, date=DATE))["Message-ID"] for number in (7, 7, 8)
    )
    assert first == again != other


def test_a_long_unsubscribe_address_stays_an_address() -> None:
    url = f"https://{'very-' * 10}long.example.com/{'newsletters/' * 9}"
    site = replace(SITE, pages_url=url)
    message = form_of(minimal(), site=site).fill(ANA, delivery_id=7, date=DATE)
    assert unsubscribe_urls(message)[0] == f"{url.rstrip('/')}/u/t0ken-of-Ana_1"


def test_one_click_is_promised_on_https_only() -> None:
    site = replace(SITE, url="http://localhost:8000", pages_url="http://localhost:8000")
    message = parsed(form_of(minimal(), site=site).fill(ANA, delivery_id=7, date=DATE))
    assert message["List-Unsubscribe"].startswith("<http://localhost:8000/u/t0ken-of-Ana_1>,")
    assert "List-Unsubscribe-Post" not in message
    assert message["List-Id"] == '"The Harbour Daily" <daily.localhost>'


def test_list_fields_never_hold_encoded_words() -> None:
    newsletter = replace(NEWSLETTER, title="Žurnal „Pristanišče“", reply_to=None)
    message = form_of(minimal(), newsletter=newsletter).fill(ANA, delivery_id=7, date=DATE)
    head = message.partition(b"\r\n\r\n")[0]
    assert [
        line for line in head.split(b"\r\n") if line.startswith(b"List-") and b"=?" in line
    ] == []
    assert b"\r\nList-Id: <daily.news.example.com>\r\n" in head
    assert b"\r\nReply-To:" not in head


def test_an_address_beyond_ascii_has_its_domain_as_an_a_label() -> None:
    form = form_of(minimal())
    reader = replace(ANA, email="žiga@straße.example", name="")
    message = form.fill(reader, delivery_id=7, date=DATE)
    assert "\r\nTo: žiga@xn--strae-oqa.example\r\n".encode() in message


@pytest.mark.parametrize(
    "email", ["a\r\nBcc: v@example.com", "v@example.com>, <w@example.com", "", "a@b\n.example", "@"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(SubscriberError, match="not an e-mail address"):
        form_of(minimal()).fill(replace(ANA, email=email), delivery_id=7, date=DATE)


@pytest.mark.parametrize(
    "name",
    [
        "Žurnal Pristanišče in okolica " * 6,
        "جريدة الميناء اليومية " * 5,
        "x" * 300,
        '"=?utf-8?q?x?= y" <a@b>',
        "Ana, Bo & Co. (Ltd)",
        "",
    ],
)
def test_any_name_of_a_sender_or_title_makes_a_form_that_passes_the_proof(name: str) -> None:
    form_of(minimal(), newsletter=replace(NEWSLETTER, sender_name=name, title=name))


def test_a_message_id_that_breaks_its_field_is_found_before_any_reader_has_it() -> None:
    edition = replace(minimal(), nonce="abc>\r\nBcc: v@example.com\r\nX: <x")
    with pytest.raises(SenderError, match="cannot be sent"):
        form_of(edition)


def test_images_travel_with_the_html_that_shows_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bridge.gif").write_bytes(GIF)
    edition = ordinary_day("images/bridge.gif")
    message = parsed(form_of(edition, images=tmp_path).fill(ANA, delivery_id=7, date=DATE))
    tree = [part.get_content_type() for part in message.walk()]
    assert tree == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/gif",
    ]
    (image,) = (part for part in message.walk() if part.get_content_type() == "image/gif")
    assert image.get_content() == GIF
    assert f'src="cid:{image["Content-ID"][1:-1]}"' in part(message.as_bytes(), "html")


def test_an_image_that_is_gone_stops_the_form(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"image images/bridge.jpg in .*: No such file"):
        form_of(ordinary_day(), images=tmp_path)


def test_a_form_gives_its_message_in_whole_lines_too() -> None:
    form = form_of(ordinary_day(None))
    head, first, *rest = form.pieces(ANA, delivery_id=7, date=DATE)
    assert b"".join((head, first, *rest)) == form.fill(ANA, delivery_id=7, date=DATE)
    assert head.endswith(b"\r\n\r\n")
    assert all(piece.endswith(b"\r\n") for piece in (first, *rest))
    other = replace(ANA, email="eva@example.org", name="Eva", token="other")
    assert form.pieces(other, delivery_id=8, date=DATE)[1] == first


def test_a_template_without_any_placeholder_makes_a_form_too(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "digest.html").write_text("<!DOCTYPE html><html><body>{{ lead.title }}</body></html>")
    (folder / "digest.txt").write_text("{{ lead.title }}")
    variant = variant_of(minimal(), open_templates(tmp_path))
    form = prepare_message(
        variant, minimal(), site=SITE, newsletter=NEWSLETTER, images_folder=tmp_path
    )
    assert part(form.fill(ANA, delivery_id=7, date=DATE), "plain") == "Ferry late\n"


def test_bounces_come_back_to_an_address_for_each_delivery_where_there_is_a_key() -> None:
    newsletter = replace(NEWSLETTER, bounce_address="bounces@example.com")
    edition = minimal()

    def form(key: bytes | None) -> PreparedMessage:
        return prepare_message(
            variant_of(edition, newsletter=newsletter),
            edition,
            site=SITE,
            newsletter=newsletter,
            images_folder=NOWHERE,
            verp_key=key,
        )

    address = form(b"key").mail_from(7)
    assert re.fullmatch(r"bounces\+20260312\.7\.[0-9a-f]{20}@example\.com", address)
    assert verp.read(address, b"key") == 7
    assert form(None).mail_from(7) == "bounces@example.com"
    message = form(b"key").fill(ANA, delivery_id=7, date=DATE)
    assert b"bounces" not in message, "only the envelope has it"
    assert b"\r\nMessage-ID: <5e1f0c9a7d2b4836.7@news.example.com>\r\n" in message


def test_the_envelope_comes_from_the_sender() -> None:
    assert form_of(minimal()).mail_from(7) == "daily@news.example.com"
