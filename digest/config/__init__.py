"""digest.toml and the environment -> typed, validated settings."""

from digest.config.settings import (
    DateOrder,
    DkimSettings,
    DomainLimits,
    LogForm,
    Login,
    Quota,
    Security,
    ServiceSettings,
    Settings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)

__all__ = [
    "DateOrder",
    "DkimSettings",
    "DomainLimits",
    "LogForm",
    "Login",
    "Quota",
    "Security",
    "ServiceSettings",
    "Settings",
    "SmtpSettings",
    "SourceKind",
    "SourceSettings",
]
