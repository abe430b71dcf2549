"""digest.toml and the environment -> typed, validated settings."""

from digest.config.settings import (
    DateOrder,
    DkimSettings,
    Security,
    Settings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)

__all__ = [
    "DateOrder",
    "DkimSettings",
    "Security",
    "Settings",
    "SmtpSettings",
    "SourceKind",
    "SourceSettings",
]
