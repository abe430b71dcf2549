"""How `digest subscribers` shows the list, one person's record and the result of an import.

Every text of a subscriber passes `one_line`: a field of several lines has one here.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from digest.cli.console import error_console, fields_of, note, print_json, say
from digest.cli.tables import print_table
from digest.lib.formatting import counted
from digest.model.subscriber import Member, MembershipStatus
from digest.subscribers.address import for_people
from digest.subscribers.field_values import one_line
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.importing import ImportRemark, ImportReport, ReadList
from digest.subscribers.membership import SubscriberRecord

#: At most this many remarks of a kind are shown; `--json` has all.
_SHOWN = 20


@contextmanager
def import_progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing in a pipe; yields the function that advances it."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=error_console(), transient=True) as bar:
        task = bar.add_task("Importing", total=total)
        yield lambda done: bar.update(task, completed=done)


def print_import(
    listed: ReadList,
    report: ImportReport,
    remarks: Sequence[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What an import did: counts as the result, what needs attention as messages."""
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                **{result.replace(" ", "_"): count for result, count in report.results.items()},
                "left_as_they_were": report.left,
                **fields_of(listed, "rejected", "notes", "duplicates"),
                "remarks": remarks,
                "fields": listed.fields,
            }
        )
        return
    for remark in remarks:
        note(remark)
    _print_remarks("row was rejected", "rows were rejected", listed.rejected)
    _print_remarks("value was left out", "values were left out", listed.notes)
    _print_remarks("row repeats an address", "rows repeat an address", listed.duplicates)
    only = "because only the subscriber can change that"
    _print_remarks(f"stays as it is, {only}", f"stay as they are, {only}", report.left)
    if listed.fields:
        note(
            f"stored as fields: {', '.join(listed.fields)}"
            " (to import one as a known column: --column name=TITLE)"
        )
    labels = {ImportResult.LEFT: "left as they were"}
    rows = [(labels.get(result, result), f"{count:,}") for result, count in report.results.items()]
    rows.append(("rejected rows", f"{len(listed.rejected):,}"))
    print_table(("", ">readers"), rows)
    if dry_run:
        note("dry run: nothing was changed")


def _print_remarks(one: str, several: str, remarks: Sequence[ImportRemark]) -> None:
    if not remarks:
        return
    note(f"{counted(len(remarks), one, several)}:")
    for remark in remarks[:_SHOWN]:
        note(f"  line {remark.line}: {one_line(remark.text)}")
    if len(remarks) > _SHOWN:
        note(f"  … and {len(remarks) - _SHOWN:,} more; --json lists all")


def print_members(
    members: Sequence[Member],
    counts: Mapping[MembershipStatus, int],
    *,
    statuses: Sequence[MembershipStatus],
) -> None:
    """A table of those with one of `statuses`, and how many people have each status."""
    headers = ("email", "name", "state", "since", "language", "topics")
    print_table(headers, map(_row, members), fold=("name", "topics"))
    matching = sum(counts[status] for status in statuses)
    if len(members) < matching:
        note(f"… and {matching - len(members):,} more; --limit 0 lists all")
    if not any(counts.values()):
        say("nobody is on the list")
        return
    if not matching:
        note(f"nobody is {' or '.join(statuses)}; on the list are:")
    say(", ".join(f"{count:,} {status}" for status, count in counts.items() if count))


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


def members_json(
    newsletter: str, members: Sequence[Member], counts: Mapping[MembershipStatus, int]
) -> dict[str, Any]:
    """The list, as `--json` shows it."""
    return {
        "newsletter": newsletter,
        "counts": counts,
        "subscribers": [
            {
                **fields_of(member.subscriber, "email", "name", "language", "timezone", "fields"),
                "topics": member.topics,
                "state": member.status,
                "since": member.since,
                "suppressed_because": member.suppressed_because or None,
            }
            for member in members
        ],
    }


def print_record(record: SubscriberRecord) -> None:
    """Everything that is known about an address, for people."""

    def show(label: str, text: str) -> None:
        say(f"{label:12}{one_line(text)}")

    show("address", for_people(record.email))
    if record.suppression:
        show("suppressed", f"{record.suppression.since:%Y-%m-%d}: {record.suppression.reason}")
    if person := record.subscriber:
        show("name", person.name or "–")
        show("language", person.language or "the newsletter's")
        show("time zone", person.timezone or "the newsletter's")
        for name, text in person.fields.items():
            show(one_line(name), text)
    for each in record.subscriptions:
        topics = f", topics {', '.join(each.topics)}" if each.topics else ""
        show(each.newsletter, f"{each.state} since {each.since:%Y-%m-%d}{topics}")
    for receipt in record.consents:
        consent = f"{receipt.newsletter}: {receipt.action}, “{receipt.wording}”"
        show(f"{receipt.at:%Y-%m-%d}", f"{consent} ({receipt.origin})")
    for edition in record.received:
        reply = f" ({edition.reply})" if edition.reply else ""
        show(f"No. {edition.number}", f"{edition.newsletter}: {edition.state}{reply}")


def record_json(record: SubscriberRecord) -> dict[str, Any]:
    """Everything that is stored about an address, as `--json` shows it."""
    person, suppression = record.subscriber, record.suppression
    personal = ("name", "language", "timezone", "fields")
    subscription = ("newsletter", "state", "since", "topics")
    receipt = ("newsletter", "action", "wording", "origin", "at")
    delivery = ("newsletter", "number", "state", "reply", "finished_at")
    return {
        "email": record.email,
        **(fields_of(person, *personal) if person else dict.fromkeys(personal) | {"fields": {}}),
        "suppressed": suppression and fields_of(suppression, "reason", "since"),
        "subscriptions": [fields_of(each, *subscription) for each in record.subscriptions],
        "consents": [fields_of(each, *receipt) for each in record.consents],
        "deliveries": [
            fields_of(each, *delivery) | {"reply": each.reply or None} for each in record.received
        ],
    }
