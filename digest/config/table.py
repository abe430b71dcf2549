"""What every table of digest.toml is."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table takes its own keys and no others, and each value as its own type."""

    # Inputs stay out of errors: a chained traceback must not show a password.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
