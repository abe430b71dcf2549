"""A finding: what one check came to, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from digest.errors import DigestError


class Severity(StrEnum):
    """OK needs nothing, a WARNING can wait, a PROBLEM stops something."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `digest check`: the `area` looked at, what was found there, and some advice."""

    area: str
    severity: Severity
    message: str
    advice: str | None = None


def fine(area: str, message: str) -> Finding:
    """All is well."""
    return Finding(area=area, severity=Severity.OK, message=message)


def warning(area: str, message: str, advice: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(area=area, severity=Severity.WARNING, message=message, advice=advice)


def problem(area: str, message: str, advice: str | None) -> Finding:
    """It does not work."""
    return Finding(area=area, severity=Severity.PROBLEM, message=message, advice=advice)


def failed(area: str, error: DigestError) -> Finding:
    """It does not work, in the words of the error."""
    return problem(area, error.message, error.hint)
