"""`digest audit`: proof that nothing is unaccounted for."""

from typing import TYPE_CHECKING

import typer

from digest.cli.console import Exit, note, print_json, say
from digest.cli.options import AsJson
from digest.cli.session import session_of
from digest.lib.formatting import counted

if TYPE_CHECKING:
    from digest.publishing.maintenance import Audit


def audit(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Prove from the database alone that every article and every delivery is accounted for.

    Exits with 1 if anything is in a state that cannot be, and names it.

    Example: `digest audit --json`
    """
    from digest.publishing.maintenance import audit as use_case

    result = use_case(session_of(context).settings)
    extent = result.extent
    if as_json:
        print_json(
            {
                "editions": extent.editions,
                "deliveries": extent.deliveries,
                "decisions": extent.decisions,
                "slots": extent.slots,
                "claimed": extent.claimed,
                "breaches": [{"rule": b.rule, "ids": list(b.ids)} for b in result.breaches],
            }
        )
    else:
        _show(result)
    if extent.claimed:
        claimed = counted(extent.claimed, "delivery is", "deliveries are")
        note(f"{claimed} claimed: by a `send` that runs, or one that died")
    if result.breaches:
        raise typer.Exit(Exit.ERROR)


def _show(result: "Audit") -> None:
    from digest.storage.integrity import MOST

    extent = result.extent
    looked_at = [
        counted(extent.editions, "edition"),
        counted(extent.deliveries, "delivery", "deliveries"),
        counted(extent.decisions, "decision"),
    ]
    if extent.slots:
        looked_at.append(counted(extent.slots, "slot"))
    verdict = "not in order" if result.breaches else "everything is accounted for"
    say(f"{', '.join(looked_at)}: {verdict}")
    for breach in result.breaches:
        say(f"  broken: {breach.rule}")
        for id_ in breach.ids:
            say(f"    {id_}")
        if len(breach.ids) >= MOST:
            say("    … and perhaps more")
