"""Editions in sight: what the tests of the composer and the golden files are made of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.model.edition import Edition, Placement, Story
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

CUTOFF = datetime(2026, 3, 12, 6, 0, tzinfo=UTC)
LJUBLJANA = ZoneInfo("Europe/Ljubljana")

SITE = Site(
    name="The Harbour Post",
    url="https://news.example.com",
    language="en",
    timezone=LJUBLJANA,
    postal_address="The Harbour Post\n1 Quay Street\n6000 Harbour",
)
#: The same site once its readers' pages answer.
SITE_WITH_PAGES = replace(SITE, pages_url=SITE.url)
NEWSLETTER = Newsletter(
    key="daily",
    title="The Harbour Daily",
    sender_name="The Harbour Post",
    sender_address="daily@news.example.com",
    reply_to="editors@example.com",
    language="en",
    timezone=LJUBLJANA,
)
ANA = Recipient(
    email="ana@example.org", token="t0ken-of-Ana_1", name="Ana Novak", fields={"city": "Koper"}
)


def story(
    position: int,
    title: str,
    placement: Placement = Placement.HEADLINE,
    section: str | None = None,
    *,
    topic: str | None = None,
    deck: str = "",
    source: str = "Harbour Post",
    author: str | None = None,
    image_url: str | None = None,
    url: str | None = None,
    hours: float = 1,
) -> Story:
    """A story that was published so many hours before the cutoff."""
    return Story(
        article_id=position,
        position=position,
        placement=placement,
        title=title,
        url=url or f"https://news.example.com/2026/03/{position}?from=digest&n={position}",
        source=source,
        published_at=CUTOFF - timedelta(hours=hours),
        section=section,
        topic=topic or section,
        deck=deck,
        image_url=image_url,
        author=author,
    )


def edition(stories: Sequence[Story], **changes: object) -> Edition:
    """An issue of the daily with these stories."""
    made = Edition(
        newsletter="daily",
        slot="2026-03-12T07:00",
        number=42,
        cutoff=CUTOFF,
        since=CUTOFF - timedelta(days=1),
        nonce="5e1f0c9a7d2b4836",
        subject=f"The Harbour Daily: {stories[0].title}",
        stories=tuple(stories),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names real fields


def ordinary_day(image_url: str | None = "images/bridge.jpg") -> Edition:
    """A lead with an image and related reports, three sections, and the headline list."""
    lead, related, section, headline = Placement
    return edition(
        (
            story(
                1,
                "Harbour bridge to close for ten weeks from Monday, council says",
                lead,
                topic="Town",
                deck="Engineers found cracks in two of the nine bearings. Buses will run round by "
                "the old mill, ferries every twelve minutes, and the fish market moves to the "
                "north bank until the end of May.",
                author="Ana Moser",
                image_url=image_url,
            ),
            story(
                2,
                "Ferry company doubles its boats for the spring",
                related,
                topic="Town",
                source="Coast Radio",
            ),
            story(
                3,
                "‘We were never asked’: traders on Quay Street",
                related,
                topic="Town",
                source="Quay & Market",
            ),
            story(
                4,
                "School roof will be mended before the summer",
                section,
                "Town",
                deck="The council found the money in a reserve that nobody had touched since 1998. "
                "Work begins after the last exam.",
                hours=3,
            ),
            story(
                5,
                "Night buses return on Fridays and Saturdays",
                section,
                "Town",
                deck="Two lines, until three in the morning, for a trial of six months.",
                source="Coast Radio",
                hours=5,
            ),
            story(6, "Library asks readers which novels to keep", headline, "Town"),
            story(
                7,
                "Storm took eleven lime trees in Castle Park; new ones come in autumn",
                headline,
                "Town",
                source="Coast Radio",
                hours=20,
            ),
            story(
                8,
                "Rowers win the coastal regatta by half a length",
                section,
                "Sport",
                deck="It is the club’s first title since 1974, and the cox is fourteen.",
                hours=14,
            ),
            story(9, "Goalkeeper Žiga Černe signs until 2029", headline, "Sport", hours=16),
            story(10, "Chess: a draw in the last round is enough", headline, "Sport", hours=22),
            story(
                11,
                "A new hall for the old choir",
                section,
                "Culture",
                deck="The granary reopens with Fauré’s Requiem and four hundred seats.",
                hours=9,
            ),
            story(
                12,
                "Crème brûlée, smørrebrød and soup: the winter market’s best",
                headline,
                "Culture",
                hours=11,
            ),
            story(13, "Wind farm vote put off until April", headline, hours=2),
            story(14, "Bakers warn of dearer bread", headline, source="Quay & Market", hours=8),
        )
    )


#: The smallest picture that there is: one grey pixel.
GIF = bytes.fromhex("47494638396101000100800000999999ffffff2c00000000010001000002024401003b")


def fifty_one() -> Edition:
    """A lead and 50 headlines in two sections, with titles and links as the web has them."""
    lead, _, _, headline = Placement
    path = "regional/2026/03/12/what-the-council-decided-and-what-it-means-for-the-harbour"
    stories = [story(1, "The day that everything happened at once", lead, topic="Town")]
    for position in range(2, 52):
        section = "Town" if position <= 26 else "Business"
        stories.append(
            story(
                position,
                f"Headline {position:02}: ministers weigh a plan for the coast as ferries fill up",
                headline,
                section,
                source="The North Coast Advertiser",
                url=f"https://www.example.com/{path}-{position:02}.html?source=feed&n={position}",
                hours=position / 3,
            )
        )
    return edition(stories)


def arabic_day() -> tuple[Edition, Site, Newsletter]:
    """A small edition in Arabic."""
    lead, related, section, headline = Placement
    stories = (
        story(
            1,
            "إغلاق جسر الميناء عشرة أسابيع اعتبارًا من يوم الاثنين",
            lead,
            topic="المدينة",
            deck="اكتشف المهندسون تشققات في محملين، وستسير الحافلات عبر الطاحونة القديمة.",
            author="ليلى حداد",
            source="بريد الميناء",
            image_url="images/bridge.gif",
        ),
        story(
            2,
            "شركة العبّارات تضاعف رحلاتها في الربيع",
            related,
            topic="المدينة",
            source="إذاعة الساحل",
        ),
        story(
            3,
            "إصلاح سقف المدرسة قبل الصيف",
            section,
            "المدينة",
            source="بريد الميناء",
            deck="وجد المجلس المال في احتياطي لم يمسه أحد منذ عام 1998.",
            hours=3,
        ),
        story(
            4, "المكتبة تسأل القراء: أي روايات نبقي؟", headline, "المدينة", source="بريد الميناء"
        ),
        story(
            5,
            "فريق التجديف يفوز بسباق الساحل",
            section,
            "الرياضة",
            source="بريد الميناء",
            deck="أول لقب للنادي منذ عام 1974.",
            hours=14,
        ),
        story(6, "تأجيل التصويت على مزرعة الرياح إلى أبريل", headline, source="إذاعة الساحل"),
    )
    site = replace(
        SITE, name="بريد الميناء", language="ar", postal_address="شارع الرصيف 1\nالميناء"
    )
    newsletter = replace(
        NEWSLETTER, title="يومية الميناء", sender_name="بريد الميناء", language="ar"
    )
    return edition(stories, subject="يومية الميناء: إغلاق جسر الميناء"), site, newsletter


def german_day() -> tuple[Edition, Site, Newsletter]:
    """A small edition in German, with the words for which German is known."""
    lead, _, section, headline = Placement
    stories = (
        story(
            1,
            "Hafenbrücke gesperrt: Verkehrsinfrastrukturfinanzierungsgesellschaft prüft",
            lead,
            topic="Stadt",
            deck="Fachleute fanden Risse in zwei der neun Lager. Busse fahren über die alte Mühle.",
            author="Jörg Weiß",
        ),
        story(
            2,
            "Schuldach wird vor dem Sommer repariert",
            section,
            "Stadt",
            hours=3,
            deck="Das Geld lag seit 1998 in einer Rücklage, an die niemand gedacht hatte.",
        ),
        story(3, "Bücherei fragt: Welche Romane sollen bleiben?", headline, "Stadt"),
        story(4, "Ruderer gewinnen die Küstenregatta", headline, "Sport", hours=14),
    )
    site = replace(SITE, name="Hafenpost", language="de", postal_address="Kaistraße 1\n6000 Hafen")
    newsletter = replace(
        NEWSLETTER,
        title="Hafenpost am Morgen",
        sender_name="Hafenpost",
        language="de",
        subject="{{ date }}: {{ lead.title }}",
    )
    return edition(stories, subject="Hafenpost am Morgen: Hafenbrücke gesperrt"), site, newsletter


def with_intro() -> Edition:
    """An ordinary day on which the editor has something to say first."""
    return replace(
        ordinary_day("https://images.example.com/blocked.jpg"),
        intro=(
            "Good morning. The bridge is back, and so are the <b>traffic jams</b>: three commuters"
            " told us what a year of detours & delays has taught them.",
            "Enjoy the sun while it lasts. — Ada Byrne, editor",
        ),
    )


def minimal() -> Edition:
    """One story that has nothing but a headline and a link."""
    return edition((story(1, "Ferry late", Placement.LEAD, hours=30),))


def hostile() -> Edition:
    """What a feed can do in a title, a link, a source and a section."""
    lead, _, section, headline = Placement
    return edition(
        (
            story(
                1,
                "=?utf-8?q?Sale=0ABcc=3A_v=40example.com?= <script>alert(1)</script>",
                lead,
                deck='"><img src=x onerror=alert(1)> & {{ newsletter }}',
                author="</a>O’Hara",
            ),
            story(
                2,
                "Line\r\nBcc: v@example.com\x00\x85\u2028end",
                section,
                "A & B <i>",
                source="Tom & Jerry",
                url='https://example.com/"><b>?a=1&b=ü#ä b',
            ),
            story(3, "\u202eReversed and never ended", headline, "A & B <i>"),
            story(4, "Pneumono" + "ultramicroscopicsilicovolcano" * 8 + "koniosis", headline),
            story(5, '{% raw %} %s {0} {{ 7 * 7 }} \' style="a; b: c"', headline),
            story(6, ".starts with a dot", headline),
            story(7, "From the start, a word that mail breaks", headline),
            story(8, "👩‍👩‍👧 Zalgo t̴͕̒ę̷́x̶̙̏t̸̰̀ and 漢字", headline),
        ),
        subject="=?utf-8?q?Sale=0ABcc=3A_v=40example.com?= one\r\nBcc: v@example.com",
    )
