"""A number and its noun."""


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 reader`, `2,744 readers`; without a `plural` the noun gets an s."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
