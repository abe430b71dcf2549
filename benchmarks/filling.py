"""What it costs to fill a form for one reader: eight placeholders, messages of 20 and 60 KB.

    python benchmarks/filling.py [READERS]

The reference, in the same run, is to join the same pieces and nothing else: what no form can do
without. Beside it stand readers whose names need encoding, and the envelope's sender with its
token. Times are of the processor, the best of several rounds.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.composer.message import PreparedMessage, prepare_message
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.model.edition import Edition, Placement, RenderedVariant, Story, VariantKey
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
ROUNDS = 7
ZONE = ZoneInfo("Europe/London")
SITE = Site(
    name="Harbour Gazette",
    url="https://gazette.example",
    language="en",
    timezone=ZONE,
    postal_address="1 Quay, Harbour",
)
NEWSLETTER = Newsletter(
    key="daily",
    title="The Morning Tide",
    sender_name="Harbour Gazette",
    sender_address="tide@gazette.example",
    bounce_address="bounces@gazette.example",
    language="en",
    timezone=ZONE,
)
# With ours: To, Message-ID, unsubscribe in header, text and HTML, preferences; the greeting and a
# field are this site's own.
MASTHEAD = "{{ reader.greeting }} in {{ reader.fields.city }}"


def form_of(stories: int, site: Path) -> PreparedMessage:
    made = edition(stories)
    variant = render(
        made,
        VariantKey(language="en"),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=open_templates(site),
    )
    assert isinstance(variant, RenderedVariant)
    return prepare_message(
        variant,
        made,
        site=SITE,
        newsletter=NEWSLETTER,
        images_folder=site,
        verp_key=b"a key of this benchmark",
    )


def edition(stories: int) -> Edition:
    return Edition(
        newsletter="daily",
        slot="2026-03-12T07:00",
        number=1,
        cutoff=NOW,
        since=NOW - timedelta(days=2),
        nonce="5e1f0c9a7d2b4836",
        subject="The Morning Tide",
        stories=tuple(
            Story(
                article_id=n,
                position=n,
                placement=Placement.LEAD if n == 1 else Placement.SECTION,
                title=f"Story {n}: what the harbour did on day {n}, told by those who saw it",
                url=f"https://gazette.example/2026/03/{n}-a-story-of-the-day",
                source="wire",
                published_at=NOW - timedelta(hours=1),
                section=None if n == 1 else f"Section {n // 8}",
                deck="What happened, in two sentences. It was seen by many.",
            )
            for n in range(1, stories + 1)
        ),
    )


def microseconds(work: Callable[[int], object], times: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for n in range(times):
            work(n)
        best = min(best, time.process_time() - begin)
    return best / times * 1e6


def fill_cost(form: PreparedMessage, readers: list[Recipient]) -> float:
    def fill(n: int) -> bytes:
        return form.fill(readers[n], delivery_id=n, date=NOW + timedelta(milliseconds=n))

    return microseconds(fill, len(readers))


def joining_cost(pieces: tuple[bytes, ...], times: int) -> float:
    return microseconds(lambda _: b"".join(pieces), times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    readers = [
        Recipient(
            email=f"reader{n}@mail{n % 50}.example",
            token=f"AbCdEfGhIjKlMnOp{n:06}",
            name=f"Ana Novak{n % 9}",
            fields={"city": "Oslo"},
        )
        for n in range(count)
    ]
    with tempfile.TemporaryDirectory() as folder:
        partials = Path(folder) / "templates" / "email" / "partials"
        partials.mkdir(parents=True)
        (partials / "masthead.txt").write_text(MASTHEAD)
        (partials / "masthead.html").write_text(f"<tr><td>{MASTHEAD}</td></tr>")
        forms = [form_of(stories, Path(folder)) for stories in (12, 52)]
    for form in forms:
        pieces = form.pieces(readers[0], delivery_id=0, date=NOW)
        size = sum(map(len, pieces))
        joining = joining_cost(pieces, count)
        filling = fill_cost(form, readers)
        print(f"{size:,} bytes: {filling:.1f} µs, of which joining {joining:.1f} µs")
    for name in ("Žiga Černe", "ليلى حداد", "Ana B. O'Hara"):
        others = [replace(reader, name=name) for reader in readers]
        print(f"the first of them to {name}: {fill_cost(forms[0], others):.1f} µs")
    print(f"a return path with its token: {microseconds(forms[0].mail_from, count):.1f} µs")


if __name__ == "__main__":
    main()
