"""Zones: the time zones in which the readers of a newsletter live."""

from digest.storage.database import Database

# Leaps along the index from zone to zone: there are few, and perhaps a million readers.
_ZONES = """
with recursive zones (zone) as (
    select min(timezone) from subscribers where timezone is not null
    union all
    select (select min(timezone) from subscribers where timezone > zone)
    from zones where zone is not null
)
select zone from zones
where zone is not null and exists (
    select 1 from subscribers s join subscriptions n on n.subscriber_id = s.id
    where s.timezone = zone and n.newsletter = ? and n.state = 'active')
"""


def zones(db: Database, newsletter: str) -> tuple[str, ...]:
    """The names of all zones that an active reader has given, in order."""
    return tuple(row["zone"] for row in db.rows(_ZONES, (newsletter,)))
