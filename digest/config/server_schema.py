"""The tables of the servers that take messages; see `digest.config.schema`."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from digest.config.field_types import (
    Account,
    Connections,
    Duration,
    FilePath,
    Host,
    Line,
    LoginName,
    Messages,
    Password,
    PerSecond,
    Port,
    SecurityName,
    Timeout,
    Weight,
    Words,
)
from digest.config.table import Table


class QuotaTable(Table):
    """A limit on messages in any span of time, such as `{ messages = 1000, window = "1h" }`."""

    messages: Messages = Field(description="How many messages at most.")
    window: Duration = Field(description="In any span of time of this length.")


class ServerTable(Table):
    """What [smtp] and [[relays]] have in common."""

    host: Host = Field(default="localhost", description="The name or address of the server.")
    port: Port | None = Field(
        default=None,
        description="Its port. By default 587 with starttls, 465 with tls, 25 with none.",
    )
    security: SecurityName | None = Field(
        default=None,
        description="How the connection is secured. By default starttls, and none on this"
        " machine (localhost).",
    )
    username: Account | None = Field(
        default=None, description="The account, where the server wants one."
    )
    password: Password | None = Field(
        default=None,
        repr=False,
        description="Its password. Better given as `DIGEST_SMTP__PASSWORD`, or in a file.",
    )
    password_file: FilePath | None = Field(
        default=None,
        description="A file that holds the password and nothing else. `DIGEST_SMTP__PASSWORD` goes"
        " before it.",
    )
    auth: LoginName | None = Field(
        default=None,
        description="How to log in. By default the best of plain, login and cram-md5 that the"
        " server offers. With xoauth2 the password is an access token; one in a file is read at"
        " each login.",
    )
    connections: Connections = Field(
        default=4, description="How many connections may be open at once."
    )
    timeout: Timeout = Field(
        default="30s",
        validate_default=True,
        description="How long each step of the dialogue may take.",
    )
    timeout_after_data: Timeout = Field(
        default="10m",
        validate_default=True,
        description="How long the server may think about a message it has read. Waiting is better"
        " than not knowing whether it arrived.",
    )
    messages_per_second: PerSecond | None = Field(
        default=None, description="How many messages it gets a second. By default without limit."
    )
    messages_per_window: (
        Annotated[QuotaTable, Words('a table such as { messages = 1000, window = "1h" }')] | None
    ) = Field(
        default=None,
        description="How many messages it gets in any span of time. By default without limit.",
    )
    messages_per_connection: Messages | None = Field(
        default=None,
        description="After how many messages a connection is replaced by a new one. By default"
        " when the server says so.",
    )


class SmtpTable(ServerTable):
    """The server that takes the messages. Give the password by environment or in a file."""

    give_up_after: Duration = Field(
        default=timedelta(days=3),
        description="How long after the first try a message that servers put off is given up.",
    )


class RelayTable(ServerTable):
    """Several servers that share the messages: one table `[[relays]]` for each.

    `[smtp]` is left out then, but for its `give_up_after`. A relay that fails is left alone for a
    while, and the others take over.
    """

    name: Line = Field(description="A name of your own for it; no two relays share one.")
    weight: Weight = Field(
        default=1,
        description="How many messages it gets, compared with the other relays, while there is a"
        " choice: when its connections are busy or a limit is reached, the others take over.",
    )


class DomainTable(Table):
    """Limits for readers of one domain, by all relays together: `[domains."example.com"]`."""

    connections: Connections | None = Field(
        default=None, description="How many messages to it may be under way at once."
    )
    messages_per_second: PerSecond | None = Field(
        default=None, description="How many messages its readers get a second."
    )
