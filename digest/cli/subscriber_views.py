"""How the list, one person's record and an import are shown.

Every text of a reader passes `one_line`: a field of several lines has one here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from digest.cli.console import messages, note, print_json, say
from digest.cli.tables import print_table
from digest.lib.formatting import counted
from digest.lib.timestamps import to_text
from digest.model.subscriber import Member, MembershipStatus
from digest.subscribers.address import for_people
from digest.subscribers.field_values import one_line
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.importing import ImportRemark, ImportReport, ReadList
from digest.subscribers.membership import SubscriberRecord

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
    _print_remarks("row was rejected", "rows were rejected", listed.rejected)
    _print_remarks("value was left out", "values were left out", listed.notes)
    _print_remarks("row repeats an address", "rows repeat an address", listed.duplicates)
    only = "because only the reader can change that"
    _print_remarks(f"stays as it is, {only}", f"stay as they are, {only}", report.left)
    if listed.fields:
        note(
            f"kept as fields of the list: {', '.join(listed.fields)}"
            " (is one of them a column of ours? --column name=TITLE)"
        )
    labels = {ImportResult.LEFT: "left as they were"}
    rows = [(labels.get(result, result), f"{count:,}") for result, count in report.results.items()]
    rows.append(("rejected rows", f"{len(listed.rejected):,}"))
    print_table(("", ">readers"), rows)
    if dry_run:
        note("this was a dry run: nothing was changed")


def _print_remarks(one: str, several: str, remarks: Sequence[ImportRemark]) -> None:
    if not remarks:
        return
    note(f"{counted(len(remarks), one, several)}:")
    for remark in remarks[:_SHOWN]:
        note(f"  line {remark.line}: {one_line(remark.text)}")
    if len(remarks) > _SHOWN:
        note(f"  … and {len(remarks) - _SHOWN:,} more; --json lists all of them")


def _import_as_json(
    listed: ReadList, report: ImportReport, remarks: Sequence[str], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        **{result.value.replace(" ", "_"): count for result, count in report.results.items()},
        "left_as_they_were": [asdict(remark) for remark in report.left],
        "rejected": [asdict(remark) for remark in listed.rejected],
        "notes": [asdict(remark) for remark in listed.notes],
        "duplicates": [asdict(remark) for remark in listed.duplicates],
        "remarks": list(remarks),
        "fields": list(listed.fields),
    }


def print_members(
    members: Sequence[Member],
    counts: Mapping[MembershipStatus, int],
    *,
    standings: Sequence[MembershipStatus],
) -> None:
    """A table of those who have one of `standings`, and how many people have each standing."""
    headers = ("email", "name", "state", "since", "language", "topics")
    print_table(headers, map(_row, members), fold=("name", "topics"))
    among = sum(counts[one] for one in standings)
    if len(members) < among:
        note(f"… and {among - len(members):,} more; --limit 0 shows all")
    if not any(counts.values()):
        say("nobody is on the list")
        return
    if not among:
        note(f"nobody is {' or '.join(standings)}; on the list are:")
    say(", ".join(f"{count:,} {standing}" for standing, count in counts.items() if count))


def _row(member: Member) -> tuple[str, ...]:
    person = member.subscriber
    return (
        one_line(for_people(person.email)),
        one_line(person.name),
        member.status,
        f"{member.since:%Y-%m-%d}",
        person.language or "",
        one_line(", ".join(member.topics)),
    )


def members_as_json(
    newsletter: str, members: Sequence[Member], counts: Mapping[MembershipStatus, int]
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
                "state": member.status,
                "since": to_text(member.since),
                "suppressed_because": member.suppressed_because or None,
            }
            for member in members
        ],
    }


def print_record(record: SubscriberRecord) -> None:
    """Everything that is known about an address, for people."""

    def tell(label: str, text: str) -> None:
        say(f"{label:12}{one_line(text)}")

    tell("address", for_people(record.email))
    if record.suppression:
        tell("suppressed", f"{record.suppression.since:%Y-%m-%d}: {record.suppression.reason}")
    if person := record.subscriber:
        tell("name", person.name or "–")
        tell("language", person.language or "the newsletter's")
        tell("time zone", person.timezone or "the newsletter's")
        for name, text in person.fields.items():
            tell(one_line(name), text)
    for one in record.subscriptions:
        topics = f", topics {', '.join(one.topics)}" if one.topics else ""
        tell(one.newsletter, f"{one.state} since {one.since:%Y-%m-%d}{topics}")
    for receipt in record.consents:
        what = f"{receipt.newsletter}: {receipt.action}, “{receipt.wording}”"
        tell(f"{receipt.at:%Y-%m-%d}", f"{what} ({receipt.origin})")
    for edition in record.received:
        reply = f" ({edition.reply})" if edition.reply else ""
        tell(f"No. {edition.number}", f"{edition.newsletter}: {edition.state}{reply}")


def record_as_json(record: SubscriberRecord) -> dict[str, Any]:
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
