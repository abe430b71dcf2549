"""What DKIM costs: messages filled and signed, by one thread and by as many as there are cores.

    python benchmarks/signing.py [--messages 3000] [--kilobytes 20]

The reference, in the same run, is signing alone: as many RSA signatures of a finished digest.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.composer.dkim import DkimSigner
from digest.composer.message import PreparedMessage, prepare_message
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.config import DkimSettings
from digest.model.edition import Edition, Placement, RenderedVariant, Story, VariantKey
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
ROUNDS = 15
ZONE = ZoneInfo("UTC")
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
    language="en",
    timezone=ZONE,
)


def signer(folder: Path) -> DkimSigner:
    keys: dict[str, RSAPrivateKey | Ed25519PrivateKey] = {
        "rsa": generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / name).write_bytes(pem)
        (folder / name).chmod(0o600)
    settings = DkimSettings(
        selector="r1",
        key_file=folder / "rsa",
        ed25519_selector="e1",
        ed25519_key_file=folder / "ed25519",
    )
    return DkimSigner.from_settings(settings, sender=NEWSLETTER.sender_address)


def form(stories: int, signer: DkimSigner | None) -> PreparedMessage:
    edition = Edition(
        newsletter="daily",
        slot="2026-03-12T07:00",
        number=1,
        since=NOW - timedelta(days=1),
        cutoff=NOW,
        nonce="0" * 20,
        subject="The Morning Tide: ferry runs again",
        stories=tuple(
            Story(
                article_id=n,
                position=n,
                placement=Placement.LEAD if n == 1 else Placement.SECTION,
                title=f"Story {n}: what the harbour did on that day, by those who saw it",
                url=f"https://gazette.example/2026/03/{n}-a-story-of-the-day",
                source="Gazette",
                published_at=NOW - timedelta(hours=1),
                section=None if n == 1 else f"Section {n % 6}",
                topic=None,
                deck="A summary of two sentences, as they are. It says what happened.",
                image_url=None,
                author=None,
            )
            for n in range(1, stories + 1)
        ),
    )
    variant = render(
        edition,
        VariantKey(language="en"),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=open_templates(),
    )
    assert isinstance(variant, RenderedVariant)
    return prepare_message(
        variant,
        edition,
        site=SITE,
        newsletter=NEWSLETTER,
        images_folder=Path(),
        signer=signer,
    )


def fill(made: PreparedMessage, number: int) -> bytes:
    reader = Recipient(
        email=f"reader{number}@example.com",
        name=f"Reader {number}",
        token=f"token-of-reader-{number}",
    )
    return made.fill(reader, delivery_id=number, date=NOW)


def rate(work: Callable[[int], object], messages: int, threads: int) -> tuple[float, float]:
    """Seconds of CPU and of time, for each message: the best of some rounds."""
    share = messages // ROUNDS // threads
    best = (float("inf"), float("inf"))

    def some(first: int) -> None:
        for number in range(first, first + share):
            work(number)

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(ROUNDS):
            wall, cpu = time.perf_counter(), time.process_time()
            if threads == 1:
                some(0)
            else:
                list(pool.map(some, range(0, threads * share, share)))
            done = threads * share
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            best = (min(best[0], cpu / done), min(best[1], wall / done))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--kilobytes", type=int, default=20)
    arguments = parser.parse_args()

    def shown(name: str, work: Callable[[int], object], threads: int = 1) -> None:
        cpu, wall = rate(work, arguments.messages, threads)
        rates = f"{1 / cpu:8,.0f}/s {1 / wall:8,.0f}/s by the clock"
        print(f"{name:34}{1000 * cpu:8.3f} ms of CPU {rates}")

    with tempfile.TemporaryDirectory() as folder:
        both = signer(Path(folder))
        rsa = replace(both, keys=both.keys[:1])
        stories = 1
        while len(fill(form(stories, None), 1)) < 1000 * arguments.kilobytes:
            stories += 1
        plain, signed, twice = (form(stories, by) for by in (None, rsa, both))
        cores = len(os.sched_getaffinity(0))
        print(f"messages of {len(fill(signed, 1)):,} bytes, {cores} cores, best of {ROUNDS} rounds")
        shown("an RSA-2048 signature alone", lambda n: rsa.keys[0].sign(b"%032d" % n))
        shown("filled", lambda n: fill(plain, n))
        shown("filled, signed by RSA", lambda n: fill(signed, n))
        shown("filled, signed by RSA and Ed25519", lambda n: fill(twice, n))
        shown(f"filled, signed by RSA, {cores} threads", lambda n: fill(signed, n), cores)


if __name__ == "__main__":
    main()
