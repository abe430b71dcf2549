"""How the list, one person's record and an import are shown.

Every text of a reader passes `one_line`: what came in by some other way than ours cannot steer the
terminal either.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rich.text import Text

from digest.audience.address import for_people
from digest.audience.admission import Fate
from digest.audience.importing import ImportReport, ReadList, Remark
from digest.audience.particulars import one_line
from digest.audience.record import Record
from digest.cli.output import messages, note, plain_table, print_json, print_table, results
from digest.model.instant import to_text
from digest.model.membership import Member, Standing

#: So many remarks of a kind are shown; `--json` has all.
_SHOWN = 20


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing in a pipe. Yields what is told how many are done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = messages()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as it:
        task = it.add_task(what, total=total)
        yield lambda done: it.update(task, completed=done)


def print_import(
    listed: ReadList,
    report: ImportReport,
    remarks: Sequence[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What an import did: counts as the result, everything that was not plain as messages."""
    if as_json:
        print_json(_import_as_json(listed, report, remarks, dry_run=dry_run))
        return
    for remark in remarks:
        note(remark)
    _print_remarks("rejected", listed.rejected)
    _print_remarks("a value was left out", listed.notes)
    _print_remarks("the same address again", listed.duplicates)
    _print_remarks("stay as they are, because only the reader can change that", report.left)
    table = plain_table("", ">readers")
    labels = {Fate.LEFT: "left as they were"}
    for fate, count in report.fates.items():
        table.add_row(labels.get(fate, fate), f"{count:,}")
    table.add_row("rejected rows", f"{len(listed.rejected):,}")
    print_table(table)
    if dry_run:
        note("this was a dry run: nothing was changed")


def _print_remarks(title: str, remarks: Sequence[Remark]) -> None:
    if not remarks:
        return
    note(f"{len(remarks):,} {title}:")
    for remark in remarks[:_SHOWN]:
        note(f"  line {remark.line}: {one_line(remark.text)}")
    if len(remarks) > _SHOWN:
        note(f"  … and {len(remarks) - _SHOWN:,} more; --json lists all of them")


def _import_as_json(
    listed: ReadList, report: ImportReport, remarks: Sequence[str], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        **{fate.value.replace(" ", "_"): count for fate, count in report.fates.items()},
        "left_as_they_were": [asdict(remark) for remark in report.left],
        "rejected": [asdict(remark) for remark in listed.rejected],
        "notes": [asdict(remark) for remark in listed.notes],
        "duplicates": [asdict(remark) for remark in listed.duplicates],
        "remarks": list(remarks),
    }


def print_members(members: Sequence[Member], counts: Mapping[Standing, int], *, among: int) -> None:
    """A table of the list, and how many people have each standing."""
    table = plain_table("email", "name", "state", "since", "language", "topics")
    for member in members:
        person = member.subscriber
        cells = (
            for_people(person.email),
            person.name,
            member.standing,
            f"{member.since:%Y-%m-%d}",
            person.language or "",
            ", ".join(member.topics),
        )
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    if members:
        print_table(table)
    if len(members) < among:
        note(f"… and {among - len(members):,} more; --limit 0 shows all")
    told = ", ".join(f"{count:,} {standing}" for standing, count in counts.items() if count)
    results().print(told or "nobody is on the list")


def members_as_json(
    newsletter: str, members: Sequence[Member], counts: Mapping[Standing, int]
) -> dict[str, Any]:
    """The list, as it is printed with --json."""
    return {
        "newsletter": newsletter,
        "counts": dict(counts),
        "subscribers": [
            {
                "email": member.subscriber.email,
                "name": member.subscriber.name,
                "language": member.subscriber.language,
                "timezone": member.subscriber.timezone,
                "fields": dict(member.subscriber.fields),
                "topics": list(member.topics),
                "state": member.standing,
                "since": to_text(member.since),
                "suppressed_because": member.suppressed_because or None,
            }
            for member in members
        ],
    }


def print_record(record: Record) -> None:
    """Everything that is known about an address, for people."""
    out = results()

    def say(label: str, text: str) -> None:
        out.print(Text.assemble((f"{label:12}", "dim"), one_line(text)))

    say("address", for_people(record.email))
    if record.suppression:
        say("suppressed", f"{record.suppression.since:%Y-%m-%d}: {record.suppression.reason}")
    if person := record.subscriber:
        say("name", person.name or "–")
        say("language", person.language or "the newsletter's")
        say("time zone", person.timezone or "the newsletter's")
        for name, text in person.fields.items():
            say(one_line(name), text)
    for one in record.subscriptions:
        topics = f", topics {', '.join(one.topics)}" if one.topics else ""
        say(one.newsletter, f"{one.state} since {one.since:%Y-%m-%d}{topics}")
    for receipt in record.consents:
        what = f"{receipt.newsletter}: {receipt.action}, “{receipt.wording}”"
        say(f"{receipt.at:%Y-%m-%d}", f"{what} ({receipt.origin})")
    for edition in record.received:
        reply = f" ({edition.reply})" if edition.reply else ""
        say(f"No. {edition.number}", f"{edition.newsletter}: {edition.state}{reply}")


def record_as_json(record: Record) -> dict[str, Any]:
    """Everything that is known about an address, as it is printed with --json."""
    person, suppression = record.subscriber, record.suppression
    return {
        "email": record.email,
        "name": person.name if person else None,
        "language": person.language if person else None,
        "timezone": person.timezone if person else None,
        "fields": dict(person.fields) if person else {},
        "suppressed": suppression
        and {"reason": suppression.reason, "since": to_text(suppression.since)},
        "subscriptions": [
            {
                "newsletter": one.newsletter,
                "state": one.state,
                "since": to_text(one.since),
                "topics": list(one.topics),
            }
            for one in record.subscriptions
        ],
        "consents": [
            {
                "newsletter": one.newsletter,
                "action": one.action,
                "wording": one.wording,
                "origin": one.origin,
                "at": to_text(one.at),
            }
            for one in record.consents
        ],
        "deliveries": [
            {
                "newsletter": one.newsletter,
                "number": one.number,
                "state": one.state,
                "reply": one.reply or None,
                "finished_at": one.finished_at and to_text(one.finished_at),
            }
            for one in record.received
        ],
    }
