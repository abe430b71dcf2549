"""The sixth step: a view that joins each edition with its deliveries."""

from typing import Final

SQL: Final = """
-- The deliveries of an edition are one run of ids, so the join walks along the primary key.
create view edition_deliveries as
select e.id as edition_id, e.newsletter, e.number, e.state as edition_state,
       d.id, d.subscriber_id, d.variant, d.state, d.attempts, d.due_at, d.first_attempt_at,
       d.next_attempt_at, d.reply, d.finished_at
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id;
"""
