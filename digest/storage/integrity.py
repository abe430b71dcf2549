"""What must be true of editions, their stories and their deliveries: each rule a question.

The answer to each is a list of ids, at most `:most` of them, and must be empty.
"""

from typing import Final

_CHOSEN_WITHOUT_STORY = """
select d.newsletter || ' article ' || d.article_id
from decisions d
where d.verdict = 'chosen' and not exists (
    select 1 from stories s where s.edition_id = d.edition_id and s.article_id = d.article_id)
limit :most
"""

_STORY_WITHOUT_CHOICE = """
select e.newsletter || ' No. ' || e.number || ' article ' || s.article_id
from stories s join editions e on e.id = s.edition_id
where not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = s.article_id
      and d.verdict = 'chosen' and d.edition_id = e.id)
limit :most
"""

# Everything that an edition could have seen has a fate.
_ARTICLE_WITHOUT_FATE = """
select e.newsletter || ' article ' || a.id
from (select newsletter, max(cutoff) as cutoff, max(last_article_id) as last_article_id
      from editions group by newsletter) e
join articles a on a.published_at < e.cutoff and a.id <= e.last_article_id
where a.published_at < (select x.cutoff from editions x
                        where x.newsletter = e.newsletter order by number desc limit 1)
  and not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = a.id)
limit :most
"""

_NUMBERS_WITH_GAPS = """
select newsletter from editions group by newsletter having count(*) <> max(number) limit :most
"""

# Of pruned deliveries the totals are left; those that are not pruned are still there.
_DELIVERIES_MISSING = """
select e.newsletter || ' No. ' || e.number from editions e
where e.first_delivery_id is null or (
    select count(*) from deliveries d
    where d.id between e.first_delivery_id and e.last_delivery_id and d.edition_id = e.id
  ) + (
    select ifnull(sum(t.n), 0) from delivery_totals t where t.edition_id = e.id
  ) <> e.last_delivery_id - e.first_delivery_id + 1
limit :most
"""

_PRUNED_AND_THERE = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.edition_id = e.id
where e.pruned_at is not null
limit :most
"""

_DELIVERIES_ASTRAY = """
select 'delivery ' || d.id from deliveries d join editions e on e.id = d.edition_id
where d.id not between e.first_delivery_id and e.last_delivery_id
limit :most
"""

# Receipts are numbered as they are written, whatever the clock says: a reader who is active now,
# and whose last receipt was written before the edition was stored, was active then.
_READER_WITHOUT_DELIVERY = """
select e.newsletter || ' No. ' || e.number || ' reader ' || n.subscriber_id
from editions e join subscriptions n on n.newsletter = e.newsletter and n.state = 'active'
where not exists (select 1 from deliveries d
                  where d.edition_id = e.id and d.subscriber_id = n.subscriber_id)
  and (select max(c.id) from consents c
       where c.subscriber_id = n.subscriber_id and c.newsletter = n.newsletter
         and c.action <> 'changed') <= e.last_consent_id
  and not exists (select 1 from delivery_totals t where t.edition_id = e.id)
  and not exists (select 1 from subscribers s join suppressions x on x.email = s.email
                  where s.id = n.subscriber_id)
limit :most
"""

_STATE_THAT_IS_NONE = """
select 'delivery ' || id from deliveries
where state not in
    ('queued', 'sending', 'sent', 'deferred', 'rejected', 'unknown', 'withheld')
   or (variant is null and state <> 'withheld')
union all
select newsletter || ' No. ' || number from editions
where state not in ('prepared', 'incomplete', 'sent')
limit :most
"""

_SENT_TOO_EARLY = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where (e.state = 'sent' and d.state in ('queued', 'sending', 'deferred', 'unknown'))
   or (e.state = 'incomplete' and d.state in ('queued', 'sending', 'deferred'))
limit :most
"""

_ENDED_WITHOUT_A_TIME = """
select 'delivery ' || id from deliveries
where (state in ('sent', 'rejected', 'unknown', 'withheld')) <> (finished_at is not null)
limit :most
"""

_UNTRIED = """
select 'delivery ' || id from deliveries
where attempts < (state in ('sending', 'sent', 'deferred', 'rejected', 'unknown'))
limit :most
"""

_WITHOUT_REASON = """
select 'delivery ' || id from deliveries
where state in ('deferred', 'rejected', 'unknown', 'withheld') and ifnull(reply, '') = ''
limit :most
"""

_DEFERRED_FOR_EVER = """
select 'delivery ' || id from deliveries
where state = 'deferred' and next_attempt_at is null
limit :most
"""

# Zones are between 12 hours behind and 14 before UTC; an hour more where clocks are put forward.
_ODD_HOUR = """
select 'delivery ' || d.id
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
left join slots s on s.edition_id = e.id
where d.due_at is not null
  and (julianday(d.due_at) is null or abs(julianday(d.due_at) - julianday(s.due_at)) > 27.0 / 24)
limit :most
"""

#: What a rule says, and the question for what breaks it.
RULES: Final = (
    ("a chosen article stands in its edition", _CHOSEN_WITHOUT_STORY),
    ("a story was chosen for its edition, and for no other", _STORY_WITHOUT_CHOICE),
    ("every article has one fate for every newsletter", _ARTICLE_WITHOUT_FATE),
    ("editions are numbered without gaps", _NUMBERS_WITH_GAPS),
    ("every edition has the deliveries it was stored with", _DELIVERIES_MISSING),
    ("what was pruned is in the totals only", _PRUNED_AND_THERE),
    ("no delivery belongs to another run of ids", _DELIVERIES_ASTRAY),
    ("every reader who was active has a delivery", _READER_WITHOUT_DELIVERY),
    ("every state is one that there is", _STATE_THAT_IS_NONE),
    ("an edition is finished when its deliveries are", _SENT_TOO_EARLY),
    ("what has ended has a time, and nothing else has", _ENDED_WITHOUT_A_TIME),
    ("what was sent was attempted", _UNTRIED),
    ("who does not have an edition is told why", _WITHOUT_REASON),
    ("what is deferred has a time at which it is tried again", _DEFERRED_FOR_EVER),
    ("a reader's hour is within a day or so of the slot", _ODD_HOUR),
)
