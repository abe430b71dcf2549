"""The prospect of a draft: when its slot is, and what happens then, in a line for the editor."""

from datetime import datetime

from digest.lib.formatting import weekday
from digest.model.draft import DraftState, StoredDraft
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence


def prospect(stored: StoredDraft, newsletter: Newsletter, *, now: datetime) -> str:
    """`Thu 2026-03-12 07:00 (Europe/London): if nobody has approved it by then, it waits`."""
    if newsletter.schedule is None:
        return _by_hand(stored, newsletter)
    local = stored.slot.at.astimezone(newsletter.timezone)
    when = f"{weekday(local)} {local:%Y-%m-%d %H:%M} ({newsletter.timezone.key})"
    if now >= stored.slot.at:
        return f"{when}, which has passed: {_late(stored)}"
    return f"{when}: {_in_time(stored, newsletter)}"


def _by_hand(stored: StoredDraft, newsletter: Newsletter) -> str:
    match stored.state:
        case DraftState.APPROVED:
            return "approved; `digest send` sends it"
        case DraftState.HELD:
            return "held until it is approved"
        case DraftState.WAITING if newsletter.timing.approval:
            return "once it is approved, `digest send` sends it"
        case DraftState.WAITING:
            return "`digest send` sends it"


def _late(stored: StoredDraft) -> str:
    if stored.state is DraftState.APPROVED:
        return "approved, and goes out at once"
    return "it waits until it is approved"


def _in_time(stored: StoredDraft, newsletter: Newsletter) -> str:
    match stored.state:
        case DraftState.APPROVED:
            return "approved, and goes out then"
        case DraftState.HELD:
            return "held until it is approved"
        case DraftState.WAITING:
            return _on_silence(newsletter)


def _on_silence(newsletter: Newsletter) -> str:
    if not newsletter.timing.approval:
        return "goes out then; nobody has to approve it"
    match newsletter.timing.on_silence:
        case OnSilence.SEND:
            return "goes out then, unless somebody holds it"
        case OnSilence.HOLD:
            return "if nobody has approved it by then, it waits"
        case OnSilence.SKIP:
            return "if nobody has approved it by then, it is left out"
