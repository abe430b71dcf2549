"""The schema, as numbered steps of plain SQL. A step that has been released never changes.

Raw SQL, because sqlite-utils' `transform` silently drops triggers and WITHOUT ROWID. sqlite-utils
applies each step and its record in one transaction; it is imported only when there is work for it,
because the import alone costs a third of a second.
"""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlite_utils import Database

MIGRATION_SET: Final = "digest"

#: `PRAGMA application_id` of our files: "dgst" in ASCII.
APPLICATION_ID: Final = 0x64677374

_ARTICLES = """
create table articles (
    id integer primary key,
    identity text not null unique,
    source text not null,
    guid text,
    url text not null,
    canonical_url text not null,
    title text not null check (title <> ''),
    summary text not null default '',
    image_url text,
    author text,
    section text,
    tags text not null default '[]' check (json_valid(tags)),
    priority integer not null default 0,
    published_at text not null,
    expires_at text,
    first_seen_at text not null,
    edited_at text,
    withdrawn_at text
) strict;
create index articles_published_at on articles (published_at);
create index articles_canonical_url on articles (canonical_url);
create index articles_edited_at on articles (edited_at) where edited_at is not null;

-- Bodies stand apart: selection reads many articles and no body.
create table contents (
    article_id integer primary key references articles (id),
    content text not null
) strict;

create table sources (
    name text primary key,
    location text not null,
    etag text,
    last_modified text,
    last_read_at text,
    last_new_at text,
    last_error text
) strict, without rowid;
"""

_AUDIENCE = """
create table subscribers (
    id integer primary key,
    email text not null collate nocase unique,
    name text not null default '',
    language text,
    timezone text,
    fields text not null default '{}' check (json_valid(fields)),
    created_at text not null
) strict;

create table subscriptions (
    id integer primary key,
    subscriber_id integer not null references subscribers (id),
    newsletter text not null,
    state text not null check (state in ('pending', 'active', 'paused', 'unsubscribed')),
    topics text not null default '[]' check (json_valid(topics)),
    since text not null,
    token text not null unique,
    unique (subscriber_id, newsletter)
) strict;
create index subscriptions_by_newsletter on subscriptions (newsletter, state, subscriber_id);

-- Receipts: what was agreed to or withdrawn, its wording, when, from where. Append-only.
create table consents (
    id integer primary key,
    subscriber_id integer not null references subscribers (id),
    newsletter text not null,
    action text not null,
    wording text not null,
    origin text not null,
    at text not null
) strict;
create index consents_by_subscriber on consents (subscriber_id);
create trigger consents_are_never_changed before update on consents
begin select raise(abort, 'a consent is a receipt: it is never changed'); end;
create trigger consents_are_never_deleted before delete on consents
begin select raise(abort, 'a consent is a receipt: it is never deleted'); end;

-- Addresses that must never be mailed. `hash` is keyed (see keys): it can outlive the address.
create table suppressions (
    hash blob primary key,
    email text collate nocase unique,
    reason text not null,
    since text not null
) strict, without rowid;

create table keys (
    name text primary key,
    key blob not null
) strict, without rowid;
insert into keys (name, key)
values ('suppressions', randomblob(32)), ('bounces', randomblob(32));
"""

_LEDGER = """
create table editions (
    id integer primary key autoincrement,
    newsletter text not null,
    slot text not null,
    number integer not null,
    state text not null check (state in ('prepared', 'incomplete', 'sent')),
    since text not null,
    cutoff text not null,
    last_article_id integer not null,
    nonce text not null unique,
    subject text not null,
    created_at text not null,
    stopped_at text,
    finished_at text,
    -- The deliveries of an edition are stored at once, so their ids are one run.
    first_delivery_id integer,
    last_delivery_id integer,
    unique (newsletter, slot),
    unique (newsletter, number)
) strict;

-- The selection, frozen: copies, so that later edits of an article change nothing.
create table stories (
    edition_id integer not null references editions (id),
    position integer not null,
    article_id integer not null references articles (id),
    placement text not null check (placement in ('lead', 'related', 'section', 'headline')),
    section text,
    topic text,
    title text not null,
    deck text not null,
    url text not null,
    image_url text,
    author text,
    source text not null,
    published_at text not null,
    primary key (edition_id, position),
    unique (edition_id, article_id)
) strict, without rowid;

create trigger an_article_is_in_one_edition before insert on stories
when exists (select 1 from stories s join editions e on e.id = s.edition_id
             where s.article_id = new.article_id and s.edition_id <> new.edition_id
               and e.newsletter = (select newsletter from editions where id = new.edition_id))
begin select raise(abort, 'an article is in at most one edition of a newsletter'); end;
create index stories_by_article on stories (article_id);

-- Images that travel along, as they were when the edition was prepared.
create table images (
    edition_id integer not null references editions (id),
    path text not null,
    data blob not null,
    primary key (edition_id, path)
) strict, without rowid;

-- Rendered once, before the edition is stored: what is resumed is what was begun.
create table variants (
    edition_id integer not null references editions (id),
    variant text not null,
    language text not null,
    topics text not null check (json_valid(topics)),
    fields text not null check (json_valid(fields)),
    subject text not null,
    html text not null,
    text text not null,
    primary key (edition_id, variant)
) strict, without rowid;

-- One fate of each article for each newsletter. 'waiting' is the only one that is revised.
create table decisions (
    newsletter text not null,
    article_id integer not null references articles (id),
    verdict text not null check (verdict in ('chosen', 'waiting', 'duplicate', 'out of scope',
        'too old', 'expired', 'dropped', 'withdrawn')),
    reason text not null,
    edition_id integer references editions (id),
    decided_at text not null,
    primary key (newsletter, article_id),
    check ((verdict = 'chosen') <= (edition_id is not null))
) strict, without rowid;
create index decisions_waiting on decisions (newsletter, article_id) where verdict = 'waiting';
create index decisions_by_edition on decisions (edition_id);
create trigger a_chosen_article_stays_chosen before update on decisions when old.verdict = 'chosen'
begin select raise(abort, 'an article is in at most one edition of a newsletter'); end;

create trigger a_chosen_article_is_not_forgotten before delete on decisions
when old.verdict = 'chosen'
begin select raise(abort, 'without its decision an article would be sent again'); end;
create trigger an_edition_is_not_forgotten before delete on editions
begin select raise(abort, 'without its editions a newsletter would send everything again'); end;

create table pins (
    newsletter text not null,
    article_id integer not null references articles (id),
    since text not null,
    primary key (newsletter, article_id)
) strict, without rowid;

create table deliveries (
    id integer primary key,
    edition_id integer not null references editions (id),
    subscriber_id integer not null references subscribers (id),
    variant text check (variant is not null or state = 'withheld'),
    state text not null default 'queued' check (state in
        ('queued', 'sending', 'sent', 'deferred', 'rejected', 'unknown', 'withheld')),
    attempts integer not null default 0,
    -- While it is deferred: since when, and not again before.
    first_attempt_at text,
    next_attempt_at text,
    reply text,
    finished_at text,
    unique (edition_id, subscriber_id),
    foreign key (edition_id, variant) references variants (edition_id, variant)
) strict;
-- Never more rows than one claimed batch.
create index deliveries_sending on deliveries (id) where state = 'sending';

-- How often something changed that may keep a claimed message from leaving. A sender looks at this
-- one number before each final dot.
create table objections (n integer not null) strict;
insert into objections values (0);
create trigger a_reader_leaves after update of state on subscriptions
when old.state = 'active' and new.state <> 'active'
begin update objections set n = n + 1; end;
create trigger an_address_is_suppressed after insert on suppressions
begin update objections set n = n + 1; end;
create trigger an_edition_is_stopped after update of stopped_at on editions
begin update objections set n = n + 1; end;
"""

_SCHEDULE = """
create index subscribers_by_timezone on subscribers (timezone) where timezone is not null;

-- Who was active by a receipt up to this one has a delivery.
alter table editions add column last_consent_id integer not null default 0;
-- What the editor says above the stories.
alter table editions add column intro text not null default '';
-- While it is prepared: a service need not look at it before.
alter table editions add column wake_at text;
-- Since when its deliveries are only totals.
alter table editions add column pruned_at text;

-- Made anew, because SQLite cannot add AUTOINCREMENT: an id is never given again, for return paths
-- and runs of ids outlive the pruning of deliveries.
create table deliveries_anew (
    id integer primary key autoincrement,
    edition_id integer not null references editions (id),
    subscriber_id integer not null references subscribers (id),
    variant text check (variant is not null or state = 'withheld'),
    state text not null default 'queued' check (state in
        ('queued', 'sending', 'sent', 'deferred', 'rejected', 'unknown', 'withheld')),
    attempts integer not null default 0,
    -- The reader's own hour; null is at once.
    due_at text,
    -- While it is deferred: since when, and not again before.
    first_attempt_at text,
    next_attempt_at text,
    reply text,
    finished_at text,
    unique (edition_id, subscriber_id),
    foreign key (edition_id, variant) references variants (edition_id, variant)
) strict;
insert into deliveries_anew (id, edition_id, subscriber_id, variant, state, attempts,
    first_attempt_at, next_attempt_at, reply, finished_at)
select id, edition_id, subscriber_id, variant, state, attempts,
    first_attempt_at, next_attempt_at, reply, finished_at from deliveries order by id;
drop table deliveries;
alter table deliveries_anew rename to deliveries;
-- Never more rows than one claimed batch.
create index deliveries_sending on deliveries (id) where state = 'sending';
-- Where the next reader's hour is looked up.
create index deliveries_by_hour on deliveries (edition_id, due_at)
where state = 'queued' and due_at is not null;

-- What pruned deliveries came to. An unknown one is not pruned: it wants a decision.
create table delivery_totals (
    edition_id integer not null references editions (id),
    state text not null check (state in ('sent', 'rejected', 'withheld')),
    n integer not null check (n > 0),
    primary key (edition_id, state)
) strict, without rowid;

-- Every slot that came, and what became of it: an edition or a reason.
create table slots (
    newsletter text not null,
    slot text not null,
    due_at text not null,
    state text not null check (state in ('due', 'draft', 'prepared', 'skipped', 'failed')),
    reason text not null default '' check (reason <> '' or state not in ('skipped', 'failed')),
    edition_id integer references editions (id),
    -- The later slot whose edition makes up for this one.
    made_up_in text check (made_up_in is null or state = 'skipped'),
    -- How often it could not be given its edition, and not again before.
    tries integer not null default 0,
    next_try_at text,
    since text not null,
    primary key (newsletter, slot),
    check ((state = 'prepared') = (edition_id is not null))
) strict, without rowid;
create index slots_open on slots (newsletter, due_at) where state in ('due', 'draft');
create index slots_made_up on slots (newsletter, made_up_in) where made_up_in is not null;
create index slots_by_edition on slots (edition_id) where edition_id is not null;
create trigger a_slot_that_has_its_edition_keeps_it before update on slots
when old.state = 'prepared' and (new.state <> 'prepared' or new.edition_id <> old.edition_id)
begin select raise(abort, 'a slot has one edition'); end;
create trigger a_slot_is_not_forgotten before delete on slots
begin select raise(abort, 'a slot that is forgotten would come again'); end;

-- Every slot up to and including this instant is in `slots`.
create table timetables (
    newsletter text primary key,
    until text not null
) strict, without rowid;

-- A proposal for a slot, waiting for the editor or for its hour. `content` is JSON; see
-- storage/drafts.py. `seal` is the hash of what was approved.
create table drafts (
    newsletter text not null,
    slot text not null,
    state text not null check (state in ('waiting', 'approved', 'held')),
    content text not null check (json_valid(content)),
    seal text check ((seal is not null) = (state = 'approved')),
    made_at text not null,
    decided_at text,
    primary key (newsletter, slot),
    foreign key (newsletter, slot) references slots (newsletter, slot)
) strict, without rowid;

-- What the owner was told, or is to be told: each event once.
create table notices (
    event text primary key,
    subject text not null,
    body text not null,
    since text not null,
    told_at text,
    tries integer not null default 0,
    next_try_at text
) strict, without rowid;
create index notices_untold on notices (since) where told_at is null;

alter table sources add column failing_since text;

-- On which days (UTC) a source had something new: its habit.
create table source_days (
    source text not null,
    day text not null,
    primary key (source, day)
) strict, without rowid;
"""

#: Name and SQL of each step, in order. Append; never edit what has been released.
STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("0001_articles", _ARTICLES),
    ("0002_audience", _AUDIENCE),
    ("0003_ledger", _LEDGER),
    ("0004_schedule", _SCHEDULE),
)


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the steps that the file has, in the order in which it got them."""
    has_record = connection.execute(
        "select 1 from sqlite_master where type = 'table' and name = '_sqlite_migrations'"
    ).fetchone()
    if not has_record:
        return ()
    return tuple(
        name
        for (name,) in connection.execute(
            "select name from _sqlite_migrations where migration_set = ? order by id",
            (MIGRATION_SET,),
        )
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps that the file lacks. The caller holds the lock that keeps others away."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(MIGRATION_SET)
    for name, sql in STEPS:
        migrations(name=name)(_step(sql))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    migrations.apply(Database(connection, execute_plugins=False))


def _step(sql: str) -> Callable[["Database"], None]:
    def run(db: "Database") -> None:
        for statement in statements(sql):
            db.execute(statement)

    return run


def statements(script: str) -> list[str]:
    """Cut a script into statements; `executescript` would commit the step's transaction first."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return statements
