"""The digest.toml that `digest init` writes: every table, commented, with defaults that work."""

import json
from dataclasses import dataclass
from typing import Final


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
    values = {
        "NAME": beginning.name,
        "URL": beginning.url,
        "SENDER": beginning.sender,
        "LANGUAGE": beginning.language,
        "TIMEZONE": beginning.timezone,
        "POSTAL_ADDRESS": beginning.postal_address,
    }
    lines = []
    for line in _TEMPLATE.splitlines():
        # Each placeholder ends its line, so that no value can be taken for another placeholder.
        key, mark, placeholder = line.partition("@@")
        lines.append(f"{key}{quoted(values[placeholder])}" if mark else line)
    return "\n".join(lines) + "\n"


_TEMPLATE: Final = """\
# The configuration of this newsletter. `digest check` says whether everything in it works.
#
# Relative paths start at the folder of this file. The environment goes before any value here:
# DIGEST_SMTP__PORT=2525 stands for `port` in [smtp], DIGEST_NEWSLETTERS__DAILY__MAX_ITEMS=60 for
# `max_items` in [newsletters.daily]. Lines that begin with # are examples, or show the default.

[site]
name = @@NAME
url = @@URL
# The language of digest's own words, dates and numbers: en, de, fr, ar, or one of your own.
language = @@LANGUAGE
# Of dates, and of times on the command line; a name such as "Europe/Paris".
timezone = @@TIMEZONE
# In the footer of every message. The law asks for it nearly everywhere: `digest send` will not
# send anything without it.
postal_address = @@POSTAL_ADDRESS

[database]
# Articles, readers, and the record of what was sent. Keep backups of this file.
path = "subscribers.db"
# How long the record of each single delivery is kept; after that only totals are.
# retention = "52w"

[smtp]
# The server that takes the messages.
host = "localhost"
# none, starttls or tls. The default is starttls, and none for localhost.
# security = "starttls"
# The default goes with security: 25, 587 or 465.
# port = 587
# username = "newsletter"
# Give the password as DIGEST_SMTP__PASSWORD, or in a file that only you can read:
# password_file = "smtp-password"
# How many connections may be open at once, and how long each step may take.
connections = 4
timeout = "30s"
# What the server allows; without these lines it gets messages as fast as it takes them.
# messages_per_second = 10
# messages_per_window = { messages = 1000, window = "1h" }
# messages_per_connection = 100
# A message that the server puts off is tried again, ever more rarely, and given up after this.
give_up_after = "3d"

# Several servers can share the messages: then there are tables [[relays]] instead of [smtp].

# What readers of one domain get at most.
# [domains."example.com"]
# connections = 2
# messages_per_second = 5

# Sign every message (DKIM), where the server that takes them does not: see docs/guide/dkim.md.
# [dkim]
# selector = "digest1"
# key_file = "dkim.pem"

# How `digest run` behaves: who is told by mail what needs attention, a port for health and metrics
# on this machine, how the log is written (text or json), and how often the sources are read.
[service]
# owner = "owner@example.com"
# port = 9090
log = "text"
ingest_every = "15m"

# --- Where articles come from: one table [[sources]] for each. `digest ingest` reads them. ---

# A feed: RSS, Atom or JSON Feed.
# [[sources]]
# name = "front page"
# url = "https://www.example.com/feed.xml"

# A file: .csv, .json or .jsonl. `columns` says what the file calls our fields.
# [[sources]]
# name = "archive"
# path = "articles.csv"
# columns = { title = "headline", published_at = "date" }
# section = "Archive"

# A table or view of another SQLite database.
# [[sources]]
# name = "editorial system"
# path = "../cms/articles.sqlite"
# table = "published"

# --- The newsletters: one table for each. `daily` is the name used on the command line. ---

[newsletters.daily]
title = @@NAME
# The sender as readers see it: "Name <address>", or only the address.
from = @@SENDER
# reply_to = "editors@example.com"
# Where bounces go, if your mailbox takes what is added with a +.
# bounce_address = "bounces@example.com"
# When it goes out while `digest run` is running, by the clock of `timezone`: daily, weekdays,
# weekends, "mondays and fridays at 07:00", "monthly on the last friday at 16:00", or cron such as
# "30 7 * * mon-fri"; a list for several. See docs/guide/schedule.md.
schedule = "weekdays at 07:00"
# Days without an edition.
# days_off = [2026-12-25, "2026-12-31..2027-01-02"]
# After a pause, one edition for all that were missed (collapse), each of them (replay), or none
# (skip).
# catch_up = "collapse"
# An edition later than this is not sent any more.
# max_lateness = "6h"
# At that hour of the newsletter's clock, or of each reader's; and when nobody is to get a message.
# deliver_at = "reader"
# quiet_hours = "22:00-06:00"
# An edition waits as a draft, made so long before its time, until an editor approves it. If nobody
# does, it is sent, held back or skipped (send, hold, skip).
# approval = "required"
# lead_time = "2h"
# on_silence = "hold"
# A Jinja2 template of one line.
subject = "{{ newsletter.title }}: {{ lead.title }}"
# Articles older than this stay out: 36h, 2d, 1w.
max_age = "2d"
# With fewer articles than this there is no edition.
min_items = 1
# How many articles an edition holds at most, altogether, of one section, of one source.
max_items = 24
# max_per_section = 8
# max_per_source = 12
# How many stories of a section show their deck; the rest are headlines.
decks_per_section = 3
# The order of the sections. By default the section with the best story comes first. A section
# gathers what the sources call by its title, or by any of the names in `match`.
# sections = [
#     "Town",
#     { title = "Sport", match = ["Football", "Cycling"], max_items = 5 },
# ]
# Whether articles of all other sections stay out.
# only_sections = false
"""
