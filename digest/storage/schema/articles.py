"""The first step: articles, and the sources that they come from."""

from typing import Final

SQL: Final = """
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
