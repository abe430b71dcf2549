"""digest.toml and the environment -> typed, validated settings."""

from digest.config.settings import (
    Security,
    Settings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)

__all__ = ["Security", "Settings", "SmtpSettings", "SourceKind", "SourceSettings"]
