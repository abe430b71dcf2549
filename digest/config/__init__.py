"""digest.toml and the environment -> typed, validated settings."""

from digest.config.settings import DateOrder as DateOrder
from digest.config.settings import DkimSettings as DkimSettings
from digest.config.settings import DomainLimits as DomainLimits
from digest.config.settings import LogForm as LogForm
from digest.config.settings import Login as Login
from digest.config.settings import Quota as Quota
from digest.config.settings import Security as Security
from digest.config.settings import ServiceSettings as ServiceSettings
from digest.config.settings import Settings as Settings
from digest.config.settings import SmtpSettings as SmtpSettings
from digest.config.settings import SourceKind as SourceKind
from digest.config.settings import SourceSettings as SourceSettings
