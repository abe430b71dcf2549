"""Fields of CSV as long as their files are: how long one may be is told by whoever reads it."""

import csv
from typing import Final

# What fits a C long everywhere. Files are smaller: their own limits have been kept before.
_LONGEST: Final = 2**31 - 1


def allow_long_fields() -> None:
    """Lift the csv module's limit of 131,072 characters.

    It is one for the whole process, with threads that read at once: hence one value, for all.
    """
    csv.field_size_limit(_LONGEST)
