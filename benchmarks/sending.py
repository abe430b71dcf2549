"""How fast editions leave: digest against smtp-source, to the same smtp-sink, in the same run.

    python benchmarks/sending.py                                 20 KB and 60 KB, 50,000 readers
    python benchmarks/sending.py --planned 1000000 --rounds 1    as many stored, 50,000 served
    python benchmarks/sending.py --delay 20 --recipients 5000    each reply 20 ms late
    python benchmarks/sending.py --dkim --cores 1                every message signed (RSA-2048)

`smtp-source` and `smtp-sink` are Postfix's (Debian: postfix). smtp-source is a C program that does
nothing but push the same number of bytes; what it reaches is the limit here. Both use as many
connections, and take turns, because a shared machine is not equally quick all the time.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.config import DkimSettings, Security, Settings, SmtpSettings
from digest.lib.timestamps import to_text
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter, Rules, Site
from digest.storage.database import open_database

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
CONNECTIONS = 10
KEY = "rsa.pem"


#: So many stories make a message of 20 KB, and one of 60 KB.
STORIES = [9, 51]


def settings(folder: Path, port: int = 25) -> Settings:
    """A newsletter whose edition holds whatever is stored."""
    zone = ZoneInfo("Europe/London")
    key = folder / KEY
    newsletter = Newsletter(
        key="daily",
        title="The Morning Tide",
        sender_name="Harbour Gazette",
        sender_address="tide@gazette.example",
        language="en",
        timezone=zone,
        rules=Rules(max_items=500, decks_per_section=500, min_items=1),
    )
    return Settings(
        folder=folder,
        site=Site(
            name="Harbour Gazette",
            url="https://gazette.example",
            language="en",
            timezone=zone,
            postal_address="1 Quay, Harbour",
        ),
        database=folder / "subscribers.db",
        smtp=SmtpSettings(
            host="127.0.0.1", port=port, security=Security.NONE, connections=CONNECTIONS
        ),
        sources=(),
        newsletters={"daily": newsletter},
        dkim=DkimSettings(selector="r1", key_file=key) if key.exists() else None,
    )


def stock(folder: Path, readers: int, stories: int) -> None:
    """A database with so many active readers, and articles for one edition."""
    when = to_text(NOW - timedelta(hours=1))
    with open_database(folder / "subscribers.db", cache=64) as db, db.transaction():
        db.connection.executemany(
            "insert into articles (identity, source, url, canonical_url, title, summary, section,"
            " published_at, first_seen_at) values (?, 'wire', ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    str(n),
                    f"https://gazette.example/2026/03/{n}-a-story-of-the-day",
                    f"https://gazette.example/2026/03/{n}-a-story-of-the-day",
                    f"Story {n}: what the harbour did on day {n}, told by those who saw it",
                    "The ferry left on time, with everybody aboard who had waited since Monday.",
                    f"Section {n % 4}",
                    when,
                    when,
                )
                for n in range(stories)
            ),
        )
        db.connection.executemany(
            "insert into subscribers (id, email, name, created_at) values (?, ?, ?, ?)",
            ((n, f"reader{n}@example.com", f"Reader {n}", when) for n in range(1, readers + 1)),
        )
        db.connection.executemany(
            "insert into subscriptions (subscriber_id, newsletter, state, since, token)"
            " values (?, 'daily', 'active', ?, ?)",
            ((n, when, f"token-of-reader-{n:07}") for n in range(1, readers + 1)),
        )


def write_key(folder: Path) -> None:
    """A signing key: with it, messages are signed."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / KEY).write_bytes(pem)
    (folder / KEY).chmod(0o600)


def send(folder: Path, port: int, stop_after: int) -> None:
    """Send the edition, in a process of its own; prints what it took as JSON."""
    from digest.publishing.delivery.run import RunPlan
    from digest.publishing.editions.build import Skipped
    from digest.publishing.editions.store import prepare
    from digest.publishing.send import send as use_case
    from digest.publishing.send import stop
    from digest.sender.smtp import SmtpTransport

    site = settings(folder, port)
    newsletter = site.newsletter(None)
    begin = time.perf_counter()
    with open_database(site.database) as db:
        prepare(db, site, newsletter, now=NOW)
    stored = time.perf_counter()
    seen: dict[str, float] = {}
    sent = 0

    def progress(_plan: RunPlan) -> object:
        def advance(state: DeliveryState) -> None:
            nonlocal sent
            seen.setdefault("first", time.perf_counter())
            sent += state is DeliveryState.SENT
            if sent == stop_after:
                seen["last"] = time.perf_counter()
                stop(site, newsletter, now=NOW)

        return advance

    cpu = time.process_time()
    report = use_case(
        site,
        newsletter,
        SmtpTransport(site.smtp),
        now=NOW,
        clock=lambda: datetime.now(UTC),
        progress=progress,  # type: ignore[arg-type]  # a counter is all that it needs to be
    )
    end = seen.get("last", time.perf_counter())
    if isinstance(report, Skipped):
        raise SystemExit(report.reason)
    print(
        json.dumps(
            {
                "sent": sent,
                "storing": stored - begin,
                "to_first": seen["first"] - stored,
                "seconds": end - seen["first"],
                "cpu_ms": (time.process_time() - cpu) * 1000 / sent,
                "peak_mb": _peak_kilobytes() / 1024,
                "message_kb": _size_of_one(folder, site, newsletter) / 1000,
            }
        )
    )


def _peak_kilobytes() -> int:
    """The largest resident size of this process; getrusage would tell its parent's, if larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _size_of_one(folder: Path, site: Settings, newsletter: Newsletter) -> int:
    from digest.composer.message import prepare_message
    from digest.model.subscriber import Recipient
    from digest.storage import editions

    with open_database(site.database) as db:
        edition = editions.last(db, newsletter.key)
        if edition is None:
            raise SystemExit("there is no edition")
        variant = next(iter(editions.variants(db, edition.stored_id).values()))
    form = prepare_message(
        variant, edition, site=site.site, newsletter=newsletter, images_folder=folder
    )
    token = f"token-of-reader-{1:07}"
    reader = Recipient(email="reader1@example.com", name="Reader 1", token=token)
    return len(form.fill(reader, delivery_id=1, date=NOW))


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """smtp-sink on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [_tool("smtp-sink"), *user, *options, f"127.0.0.1:{port}", "256"],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def slow_sink(milliseconds: int) -> Iterator[int]:
    """A server whose replies come late, on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    script = str(Path(__file__).with_name("slow_sink.py"))
    process = subprocess.Popen([sys.executable, script, str(port), str(milliseconds)])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def source(port: int, messages: int, size: int) -> float:
    """Messages per second of smtp-source."""
    begin = time.perf_counter()
    subprocess.run(
        [
            _tool("smtp-source"),
            *("-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(size)),
            *("-f", "tide@gazette.example", "-t", "reader@example.com", f"127.0.0.1:{port}"),
        ],
        check=True,
        capture_output=True,
    )
    return messages / (time.perf_counter() - begin)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)


def _tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/lib/postfix/sbin")
    if found is None:
        raise SystemExit(f"needs {name}, from the Debian package postfix")
    return found


def ours(port: int, folder: Path, stop_after: int, cores: int = 0) -> dict[str, float]:
    """One run of `send` on a copy of the stocked database, in a fresh process on so many cores."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for file in folder.iterdir():
            shutil.copy(file, copy)
        done = subprocess.run(
            [
                *([_tool("taskset"), "-c", f"0-{cores - 1}"] if cores else []),
                *(sys.executable, __file__, "--child", str(copy), str(port), str(stop_after)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        send(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=50_000)
    parser.add_argument("--planned", type=int, help="readers stored; the rest is stopped")
    parser.add_argument("--stories", type=int, nargs="+", default=STORIES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=int, help="milliseconds, in place of smtp-sink")
    parser.add_argument("--dkim", action="store_true", help="sign every message")
    parser.add_argument("--cores", type=int, default=0, help="so many for our process")
    options = parser.parse_args()
    for stories in options.stories:
        compare(options, stories)


def compare(options: argparse.Namespace, stories: int) -> None:
    """Both programs in turn, and the medians of what they reached."""
    server = slow_sink(options.delay) if options.delay else sink()
    with tempfile.TemporaryDirectory() as name, server as port:
        folder = Path(name)
        stock(folder, options.planned or options.recipients, stories)
        if options.dkim:
            write_key(folder)
        runs, limits = [], []
        for _ in range(options.rounds):
            runs.append(ours(port, folder, options.recipients, options.cores))
            if options.delay:
                # Two round trips a message: the opening, and the message itself.
                limits.append(CONNECTIONS / (2 * options.delay / 1000))
            else:
                size = int(runs[-1]["message_kb"] * 1000)
                limits.append(source(port, options.recipients, size))
    report(options, runs, limits)


def report(options: argparse.Namespace, runs: list[dict[str, float]], limits: list[float]) -> None:
    """What was measured, one figure a line."""

    def median(figure: str) -> float:
        return statistics.median(run[figure] for run in runs)

    planned = options.planned or options.recipients
    ratios = [run["sent"] / run["seconds"] / limit for run, limit in zip(runs, limits, strict=True)]
    print(f"{median('message_kb'):.0f} KB, {options.recipients:,} of {planned:,} readers", end="")
    print(
        ", signed" if options.dkim else "", f"on {options.cores} core(s)" if options.cores else ""
    )
    print(
        f"  {'limit' if options.delay else 'smtp-source':18} {statistics.median(limits):9,.0f} /s"
    )
    rate = statistics.median(run["sent"] / run["seconds"] for run in runs)
    print(f"  digest send        {rate:9,.0f} /s")
    print(f"  ratio, by rounds   {statistics.median(ratios):9.2f}   best {max(ratios):.2f}")
    print(f"  CPU a message      {median('cpu_ms'):9.3f} ms", end="")
    print(f"   best {min(run['cpu_ms'] for run in runs):.3f}")
    print(f"  peak memory        {max(run['peak_mb'] for run in runs):9.0f} MB")
    print(f"  edition stored     {median('storing'):9.2f} s ", end="")
    print(f"   {planned / median('storing'):,.0f} readers/s")
    print(f"  then first message {median('to_first'):9.2f} s", flush=True)


if __name__ == "__main__":
    main()
