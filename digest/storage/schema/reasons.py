"""The fifth step: what the program has to know about a reason has columns of its own.

Until then it read the sentences that people are shown. The rows that there are get their columns
from those sentences, once.
"""

from typing import Final

SQL: Final = """
-- Who skipped a slot: the editor, or the program by the rules and the clock.
alter table slots add column skipped_by text
    check (skipped_by is null or (skipped_by in ('editor', 'program') and state = 'skipped'));
update slots set skipped_by = iif(reason like 'skipped by the editor%', 'editor', 'program')
where state = 'skipped';

-- Why a draft whose time has come waits for somebody's decision.
alter table slots add column hold_kind text
    check (hold_kind is null or (hold_kind in ('editor', 'undecided', 'changed', 'late', 'by hand')
                                 and state = 'draft'));
update slots set hold_kind = case
    when reason like 'held by the editor;%' then 'editor'
    when reason like 'nobody has decided on its draft;%' then 'undecided'
    when reason like '%; `digest approve` approves it as it is now' then 'changed'
    when reason like '%; `digest approve` lets it out all the same' then 'late'
    when reason like '%goes out by hand: `digest send` sends its draft' then 'by hand' end
where state = 'draft' and next_try_at is not null;

-- When the last error of a source was; the time used to stand before the message.
alter table sources add column last_error_at text;
update sources set last_error_at = substr(last_error, 1, 20), last_error = substr(last_error, 22)
where last_error glob '????-??-??T??:??:??Z *';

-- A reason no longer repeats the verdict that it stands beside.
update decisions set reason = 'by the editor'
where verdict = 'dropped' and reason = 'dropped by the editor';
"""
