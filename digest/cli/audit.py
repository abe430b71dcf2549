"""`digest audit`: proof that nothing is unaccounted for."""

import typer

from digest.cli.options import AsJson
from digest.cli.output import Exit, counted, note, print_json, say
from digest.cli.session import session_of


def audit(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Prove from the database alone that every article and every delivery is accounted for.

    Exits with 1 if anything is in a state that cannot be, and names it.

    Example: `digest audit --json`
    """
    from digest.publishing.audit import audit as use_case

    result = use_case(session_of(context).settings)
    extent = result.extent
    if as_json:
        print_json(
            {
                "editions": extent.editions,
                "deliveries": extent.deliveries,
                "decisions": extent.decisions,
                "claimed": extent.claimed,
                "breaches": [{"rule": b.rule, "ids": list(b.ids)} for b in result.breaches],
            }
        )
    else:
        say(
            f"{counted(extent.editions, 'edition')},"
            f" {counted(extent.deliveries, 'delivery', 'deliveries')},"
            f" {counted(extent.decisions, 'decision')}: "
            + ("everything is accounted for" if not result.breaches else "not in order")
        )
        for breach in result.breaches:
            say(f"  broken: {breach.rule}\n    {', '.join(breach.ids)}")
    if extent.claimed:
        claimed = counted(extent.claimed, "delivery is", "deliveries are")
        note(f"{claimed} claimed: by a `send` that runs, or one that died")
    if result.breaches:
        raise typer.Exit(Exit.ERROR)
