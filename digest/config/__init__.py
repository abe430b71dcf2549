"""digest.toml and the environment -> typed, validated settings."""

from digest.config.settings import (
    DateOrder,
    DkimSettings,
    DomainLimits,
    Login,
    Quota,
    Security,
    Settings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)

__all__ = [
    "DateOrder",
    "DkimSettings",
    "DomainLimits",
    "Login",
    "Quota",
    "Security",
    "Settings",
    "SmtpSettings",
    "SourceKind",
    "SourceSettings",
]
