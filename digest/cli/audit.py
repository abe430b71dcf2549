"""`digest audit`: proof that nothing is unaccounted for."""

from typing import Annotated

import typer

from digest.cli.output import Exit, note, print_json, results
from digest.cli.session import session_of


def audit(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
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
        results().print(
            f"{extent.editions:,} editions, {extent.deliveries:,} deliveries,"
            f" {extent.decisions:,} decisions: "
            + ("everything is accounted for" if not result.breaches else "not in order"),
            markup=False,
        )
        for breach in result.breaches:
            results().print(f"  broken: {breach.rule}\n    {', '.join(breach.ids)}", markup=False)
    if extent.claimed:
        note(f"{extent.claimed} deliveries are claimed: by a `send` that runs, or one that died")
    if result.breaches:
        raise typer.Exit(Exit.ERROR)
