"""The fourth step: slots, drafts and notices, and a ledger that knows its hours."""

from typing import Final

SQL: Final = """
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
