"""The third step: editions, what became of each article, and of each delivery."""

from typing import Final

SQL: Final = """
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
