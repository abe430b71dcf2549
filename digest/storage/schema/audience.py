"""The second step: the list, receipts of consent, and addresses that must never be mailed."""

from typing import Final

SQL: Final = """
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
