"""How a line of a schedule is refused: what was expected, and what may have been meant."""


class NotASchedule(ValueError):
    """A line, or several together, are no schedule.

    `found` is what was wrong as it was written, `expected` follows that word in plain words, and
    `suggestion` is a line that would do.
    """

    def __init__(self, found: str, expected: str, suggestion: str | None = None) -> None:
        meant = f" Did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"found {found!r}, expected {expected}.{meant}")
        self.found, self.expected, self.suggestion = found, expected, suggestion
