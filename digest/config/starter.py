"""The digest.toml that `digest init` writes: every table, commented, with defaults that work.

Its text is starter.toml beside this module. Tests compare it with the tables: it names keys that
there are, and sets nothing but what is asked for, a schedule, and defaults.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_TEMPLATE: Final = Path(__file__).with_name("starter.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a newsletter begins with. `sender` is `Name <address>` or only the address."""

    name: str
    url: str
    sender: str
    language: str = "en"
    timezone: str = "UTC"
    postal_address: str = ""


def quoted(text: str) -> str:
    r"""The text as a TOML basic string on one line, with its quotes.

    JSON escapes what TOML wants escaped, but for DEL. Raises ValueError for a lone surrogate, which
    TOML cannot hold.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not valid text") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def starter(beginning: Beginning) -> str:
    """The text of digest.toml. Raises ValueError for what TOML cannot hold."""
    values = asdict(beginning)
    lines = []
    for line in _TEMPLATE.read_text(encoding="utf-8").splitlines():
        # Each placeholder ends its line, so that no value can be taken for another placeholder.
        key, mark, placeholder = line.partition("@@")
        lines.append(f"{key}{quoted(values[placeholder.lower()])}" if mark else line)
    return "\n".join(lines) + "\n"
