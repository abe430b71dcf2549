"""The editor's hand on an edition, from the draft to the message, against a real database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

import pytest

from digest.errors import Held, LedgerError, UsageError
from digest.lib.timestamps import to_text
from digest.model.draft import DraftContents, DraftState
from digest.model.edition import Edition, Placement
from digest.model.newsletter import Rules
from digest.model.schedule import OnSilence, Timing
from digest.model.slot import HoldKind, SkippedBy, Slot, SlotRecord, SlotState
from digest.publishing.delivery.run import Report
from digest.publishing.drafts.draft_file import DraftFile, write
from digest.publishing.drafts.editing import (
    ApprovedDraft,
    SkippedSlot,
    apply_draft_file,
    approve,
    hold,
    show,
    skip,
)
from digest.publishing.drafts.lifecycle import Wait, decide, make_draft
from digest.publishing.editions.build import EditionBuild, Skipped
from digest.publishing.editions.store import store_edition
from digest.publishing.maintenance import audit
from digest.publishing.preview import DryRun, Preview, dry_run, preview
from digest.schedule.parse import parse_schedule
from digest.schedule.timetable import slots_after
from digest.storage import slots
from digest.storage.database import open_database
from tests.composer.parts import part, seen
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

#: London's eight o'clock on the day of NOW, an hour later; the day after.
TODAY = Slot(newsletter="daily", name="2026-03-12T08:00", at=NOW + timedelta(hours=1))
TOMORROW = Slot(newsletter="daily", name="2026-03-13T08:00", at=NOW + timedelta(hours=25))
AT_SLOT = TODAY.at

Scheduled = Callable[..., Paper]


def scheduled(paper: Paper, on_silence: OnSilence | None = OnSilence.HOLD) -> Paper:
    """The paper with a slot at eight; without `on_silence` nobody has to approve anything."""
    timing = Timing(approval=on_silence is not None, on_silence=on_silence or OnSilence.HOLD)
    changed = replace(paper.newsletter, schedule=parse_schedule(["daily at 08:00"]), timing=timing)
    return Paper(replace(paper.settings, newsletters={changed.key: changed}))


@pytest.fixture
def desk(paper: Paper) -> Paper:
    """A paper that wants approval, with three articles (1 leads) and two readers."""
    paper.publish("Ferry runs again", "Pool opens", "Market moves", section="Town")
    paper.subscribe("ada@example.com", "bo@example.com")
    return scheduled(paper)


def shown(paper: Paper, *, now: datetime = NOW, anew: bool = False) -> DraftFile:
    coming = slots_after(paper.newsletter, now)
    result = show(paper.settings, paper.newsletter, coming, now=now, anew=anew)
    assert isinstance(result, DraftFile), result
    return result


def edit(paper: Paper, *changes: tuple[str, str], now: datetime = NOW) -> DraftFile:
    """Write the draft out, change the text, and read it back."""
    text = write(shown(paper, now=now), paper.newsletter, now=now)
    for old, new in changes:
        assert old in text, text
        text = text.replace(old, new)
    result = apply_draft_file(paper.settings, paper.newsletter, text.encode(), now=now)
    assert isinstance(result, DraftFile), result
    return result


def approved(paper: Paper, *, now: datetime = NOW) -> ApprovedDraft:
    result = approve(paper.settings, paper.newsletter, now=now)
    assert isinstance(result, ApprovedDraft), result
    return result


def decided(
    paper: Paper, *, now: datetime = AT_SLOT, slot: Slot = TODAY
) -> EditionBuild | Wait | Skipped:
    with open_database(paper.settings.database) as db:
        return decide(db, paper.settings, paper.newsletter, slot, now=now)


def frozen(paper: Paper, *, now: datetime = AT_SLOT) -> Edition:
    """The edition of today's slot, made as the clock makes it."""
    with open_database(paper.settings.database) as db:
        going = decide(db, paper.settings, paper.newsletter, TODAY, now=now)
        assert isinstance(going, EditionBuild), going
        edition = store_edition(db, paper.settings, paper.newsletter, going, now=now, slot=TODAY)
        assert isinstance(edition, Edition), edition
        return edition


def titles(edition: Edition) -> list[str]:
    return [story.title for story in edition.stories]


def verdicts(paper: Paper) -> dict[int, tuple[str, str]]:
    with open_database(paper.settings.database) as db:
        return {
            row["article_id"]: (row["verdict"], row["reason"])
            for row in db.rows("select * from decisions")
        }


def slot_of(paper: Paper, slot: Slot = TODAY) -> SlotRecord:
    with open_database(paper.settings.database) as db:
        found = slots.find(db, slot.newsletter, slot.name)
    assert found is not None
    return found


def correct(paper: Paper, article_id: int, title: str) -> None:
    paper.run(
        "update articles set title = ?, edited_at = ? where id = ?",
        title,
        to_text(NOW + timedelta(minutes=10)),
        article_id,
    )


# --- from the draft to the message ---


def test_readers_get_the_editors_order_lead_words_and_intro_in_both_parts(desk: Paper) -> None:
    edit(
        desk,
        ("Subject: The Morning Tide: Ferry runs again", "Subject: A day for swimming"),
        ("Intro:\n", "Intro:\n    Good morning. Bring a towel & a friend.\n"),
        ("Lead:\n[1] Ferry runs again\n    A deck.\n", "Lead:\n[2] The pool is open\n    Cold!\n"),
        ("[2] Pool opens\n    A deck.\n", "[1] Ferry runs again\n    A deck.\n"),
        ("[3] Market moves\n    A deck.\n", ""),
        ("Dropped:\n", "Dropped:\n- [3] Market moves\n"),
    )
    approved(desk)
    edition = frozen(desk)
    assert titles(edition) == ["The pool is open", "Ferry runs again"]
    transport = RecordingTransport()
    desk.send(transport, now=AT_SLOT)
    assert len(transport.accepted) == 2
    message = bytes(transport.accepted[0].message)
    assert b"Subject: A day for swimming" in message
    for text in (seen(part(message, "html")).text, part(message, "plain")):
        words = " ".join(text.split())
        order = [
            words.index(told)
            for told in (
                "Good morning. Bring a towel & a friend.",
                "The pool is open",
                "Cold!",
                "Ferry runs again",
            )
        ]
        assert order == sorted(order)
        assert "Market" not in words
    assert verdicts(desk)[3] == ("dropped", "by the editor")
    assert slot_of(desk).state is SlotState.PREPARED
    assert audit(desk.settings).breaches == ()


def test_what_is_taken_out_waits_and_what_came_since_waits_too(desk: Paper) -> None:
    edit(desk, ("[3] Market moves\n    A deck.\n", ""))
    desk.publish("Late news", hours=0.5)
    approved(desk)
    assert titles(frozen(desk)) == ["Ferry runs again", "Pool opens"]
    waits = ("waiting", "not in the editor's draft")
    assert [verdicts(desk)[id_] for id_ in (3, 4)] == [waits, waits]


def test_the_editors_choice_stands_over_the_limits(desk: Paper) -> None:
    narrow = desk.with_rules(Rules(max_items=1))
    assert titles(shown(narrow).edition) == ["Ferry runs again"]
    edit(
        narrow,
        ("Waiting:\n", "No section:\n[3]\n- [2]\n\nWaiting:\n"),
        ("- [2] Pool opens\n", ""),
        ("- [3] Market moves\n", ""),
    )
    approved(narrow)
    assert titles(frozen(narrow)) == ["Ferry runs again", "Market moves", "Pool opens"]


def test_the_same_headline_from_elsewhere_is_a_duplicate_of_the_one_that_is_in(desk: Paper) -> None:
    shown(desk)
    desk.publish("Ferry runs again", hours=0.5)
    approved(desk)
    frozen(desk)
    assert verdicts(desk)[4] == ("duplicate", "same headline as article 1")


# --- approval and drift ---


def test_an_approved_draft_goes_out_at_its_slot(desk: Paper) -> None:
    shown(desk)
    told = approved(desk)
    assert told.readers == 2
    going = decided(desk)
    assert isinstance(going, EditionBuild)
    assert going.edition.slot == TODAY.name
    assert going.edition.cutoff == TODAY.at
    assert going.readers == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update articles set title = 'Ferry stops'", "the title of article 1 was corrected"),
        ("update articles set summary = 'New.'", "the summary of article 1 was corrected"),
        ("update articles set url = 'https://x.example'", "the link of article 1 changed"),
        ("update articles set image_url = 'https://x.example/i'", "the image of article 1 changed"),
        ("update articles set author = 'Ada'", "the author of article 1 changed"),
        ("update articles set section = 'Port'", "article 1 belongs to another section"),
        (
            "update articles set withdrawn_at = '2026-03-12T07:10:00Z'",
            "article 1 was withdrawn",
        ),
        (
            "update articles set expires_at = '2026-03-12T06:59:00Z'",
            "article 1 expires before this edition is sent",
        ),
    ],
)
def test_what_changed_after_approval_is_named_and_holds_the_draft(
    desk: Paper, change: str, told: str
) -> None:
    shown(desk)
    approved(desk)
    desk.run(f"{change} where id = 1")
    reason = f"{told} after it was approved; `digest approve` approves it as it is now"
    assert decided(desk) == Wait(kind=HoldKind.CHANGED, reason=reason)


def test_send_refuses_what_drifted_until_it_is_approved_as_it_is_now(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    correct(desk, 1, "Ferry stops")
    assert shown(desk).differences == ("the title of article 1 was corrected",)
    with pytest.raises(Held, match="the title of article 1 was corrected after it") as held:
        desk.send(RecordingTransport())
    assert held.value.exit_code == 4
    assert desk.value("select count(*) from editions") == 0
    approved(desk)
    assert len(desk.sent()) == 2


def test_a_time_that_a_feed_touches_is_no_drift(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    desk.run("update articles set published_at = '2026-03-12T06:30:00Z'")
    assert isinstance(decided(desk), EditionBuild)


def test_an_image_that_travels_along_is_sealed_by_its_bytes(desk: Paper) -> None:
    picture = desk.settings.folder / "ferry.gif"
    picture.write_bytes(b"GIF89a one")
    desk.run("update articles set image_url = 'ferry.gif' where id = 1")
    shown(desk)
    approved(desk)
    assert isinstance(decided(desk), EditionBuild)
    picture.write_bytes(b"GIF89a two")
    assert isinstance(result := decided(desk), Wait)
    assert result.reason.startswith("the image of article 1 changed after")


def test_an_article_that_another_edition_took_is_named(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    scheduled_by_hand = scheduled(desk, None)
    hold(desk.settings, desk.newsletter, now=NOW)
    desk.run("update slots set state = 'skipped', reason = 'set aside'")
    scheduled_by_hand.sent(now=NOW)
    desk.run("update slots set state = 'draft'")
    result = approve(desk.settings, desk.newsletter, now=NOW)
    assert isinstance(result, Skipped)
    assert "article 1 is in No. 1 already" in result.reason


def test_a_withdrawn_story_that_was_approved_away_does_not_come_back_by_itself(desk: Paper) -> None:
    shown(desk)
    desk.run("update articles set withdrawn_at = '2026-03-12T07:10:00Z' where id = 1")
    assert approved(desk).shown.unusable == ("article 1 was withdrawn",)
    desk.run("update articles set withdrawn_at = null")
    assert titles(frozen(desk)) == ["Pool opens", "Market moves"]


# --- nobody decides ---


def test_silence_sends_the_draft_with_what_its_articles_say_by_then(desk: Paper) -> None:
    paper = scheduled(desk, OnSilence.SEND)
    shown(paper)
    correct(paper, 2, "Pool stays closed")
    paper.publish("Late news", hours=0.1)
    assert titles(frozen(paper)) == ["Ferry runs again", "Pool stays closed", "Market moves"]


def test_silence_sends_without_a_withdrawn_lead_and_the_next_one_leads(desk: Paper) -> None:
    paper = scheduled(desk, OnSilence.SEND)
    shown(paper)
    paper.run("update articles set withdrawn_at = '2026-03-12T07:10:00Z' where id = 1")
    edition = frozen(paper)
    assert titles(edition) == ["Pool opens", "Market moves"]
    assert edition.stories[0].placement is Placement.LEAD
    assert edition.subject == "The Morning Tide: Pool opens"


def test_silence_skips_what_has_become_too_thin(desk: Paper) -> None:
    paper = scheduled(desk, OnSilence.SEND).with_rules(Rules(min_items=3))
    shown(paper)
    paper.run("update articles set withdrawn_at = '2026-03-12T07:10:00Z' where id = 2")
    assert decided(paper) == Skipped(
        reason="2 of its 3 stories are left, and an edition needs 3 (min_items)"
    )
    paper.run("update articles set withdrawn_at = '2026-03-12T07:10:00Z'")
    assert isinstance(result := decided(paper), Skipped)
    assert result.reason.startswith("nothing is left of its draft: article 1 was withdrawn; ")


def test_silence_holds_or_skips_as_the_newsletter_says(desk: Paper) -> None:
    shown(desk)
    assert decided(desk) == Wait(
        kind=HoldKind.UNDECIDED,
        reason="nobody has decided on its draft; `digest approve` releases it",
    )
    assert decided(scheduled(desk, OnSilence.SKIP)) == Skipped(
        reason="nobody decided on its draft (on_silence)"
    )


def test_a_held_draft_waits_whatever_silence_means(desk: Paper) -> None:
    paper = scheduled(desk, OnSilence.SEND)
    shown(paper)
    hold(paper.settings, paper.newsletter, now=NOW)
    assert isinstance(decided(paper), Wait)
    approved(paper, now=AT_SLOT + timedelta(minutes=5))
    assert isinstance(decided(paper, now=AT_SLOT + timedelta(minutes=6)), EditionBuild)


def test_without_readers_the_slot_is_skipped(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    desk.run("update subscriptions set state = 'paused'")
    assert isinstance(decided(desk), Skipped)


def test_without_approval_a_draft_that_nobody_changed_gives_way_to_the_news(desk: Paper) -> None:
    paper = scheduled(desk, None)
    shown(paper)
    paper.publish("Late news", hours=0.5, section="Town")
    assert "Late news" in titles(frozen(paper))


def test_without_approval_a_draft_that_was_changed_goes_out_as_it_is(desk: Paper) -> None:
    paper = scheduled(desk, None)
    edit(paper, ("[3] Market moves\n    A deck.\n", ""))
    paper.publish("Late news", hours=0.5, section="Town")
    assert titles(frozen(paper)) == ["Ferry runs again", "Pool opens"]


# --- making, reading back, holding, skipping ---


def test_the_clock_makes_a_draft_once_and_leaves_it_alone(desk: Paper) -> None:
    with open_database(desk.settings.database) as db:
        slots.add(db, SlotRecord(slot=TODAY, state=SlotState.DUE), NOW)
        first = make_draft(db, desk.settings, desk.newsletter, TODAY, now=NOW)
        assert isinstance(first, DraftContents)
        desk.publish("Late news", hours=0.5)
        assert make_draft(db, desk.settings, desk.newsletter, TODAY, now=NOW) == first
    assert slot_of(desk).state is SlotState.DRAFT


def test_no_draft_is_made_of_too_few_articles(paper: Paper) -> None:
    desk = scheduled(paper)
    desk.publish("Only one")
    few = desk.with_rules(Rules(min_items=2))
    with open_database(few.settings.database) as db:
        result = make_draft(db, few.settings, few.newsletter, TODAY, now=NOW)
    assert result == Skipped(reason="1 new story, and an edition needs 2 (min_items)")
    assert few.value("select count(*) from slots") == 0


def test_a_draft_reaches_what_is_dated_before_its_slot_though_not_yet_out(desk: Paper) -> None:
    desk.publish("Embargoed until half past seven", hours=-0.5)
    assert "Embargoed until half past seven" in titles(shown(desk).edition)
    approved(desk)
    with pytest.raises(Held, match="is dated 2026-03-12 07:30, after the cutoff of this edition"):
        desk.send(RecordingTransport(), now=NOW)
    assert "Embargoed until half past seven" in titles(frozen(desk))


def test_a_draft_can_be_selected_again(desk: Paper) -> None:
    edit(desk, ("[3] Market moves\n    A deck.\n", ""))
    desk.publish("Late news", hours=0.5, section="Town")
    assert "Late news" not in titles(shown(desk).edition)
    assert "Late news" in titles(shown(desk, anew=True).edition)
    assert not shown(desk).draft.contents.edited


def test_mistakes_change_nothing(desk: Paper) -> None:
    before = shown(desk).draft
    text = write(shown(desk), desk.newsletter, now=NOW).replace("[2]", "[77]")
    result = apply_draft_file(desk.settings, desk.newsletter, text.encode(), now=NOW)
    assert isinstance(result, tuple)
    assert "there is no article 77" in str(result[0])
    assert shown(desk).draft == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update articles set withdrawn_at = '2026-03-12T06:00:00Z'", "article 4 was withdrawn"),
        (
            "update articles set expires_at = '2026-03-12T06:00:00Z'",
            "article 4 expires before this edition is sent",
        ),
        (
            "update articles set published_at = '2026-03-13T06:00:00Z'",
            "article 4 is dated 2026-03-13 06:00, after the cutoff of this edition",
        ),
    ],
)
def test_an_article_that_cannot_be_in_it_is_refused(desk: Paper, change: str, told: str) -> None:
    desk.publish("Late news", hours=0.5)
    desk.run(f"{change} where id = 4")
    text = write(shown(desk), desk.newsletter, now=NOW)
    text = text.replace("[2] Pool opens", "[4]")
    result = apply_draft_file(desk.settings, desk.newsletter, text.encode(), now=NOW)
    assert isinstance(result, tuple)
    assert [one.message for one in result] == [told]


def test_an_article_of_an_earlier_edition_is_refused(desk: Paper) -> None:
    scheduled(desk, None).sent(now=NOW)
    desk.publish("Late news", hours=0.5)
    later = NOW + timedelta(minutes=1)
    text = write(shown(desk, now=later), desk.newsletter, now=later)
    text = text.replace("Dropped:\n", "Dropped:\n- [1]\n").replace(
        "Waiting:\n", "No section:\n[2]\n"
    )
    result = apply_draft_file(desk.settings, desk.newsletter, text.encode(), now=later)
    assert isinstance(result, tuple)
    assert [one.message for one in result] == [
        "article 2 is in No. 1 already",
        "article 1 is in No. 1 already",
    ]


def test_a_changed_draft_has_to_be_approved_again_and_an_unchanged_one_has_not(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    assert edit(desk).draft.state is DraftState.APPROVED
    assert edit(desk, ("Pool opens", "Pool opens!")).draft.state is DraftState.WAITING


def test_past_its_slot_a_changed_draft_waits_to_be_approved(desk: Paper) -> None:
    paper = scheduled(desk, OnSilence.SKIP)
    shown(paper)
    approved(paper)
    correct(paper, 1, "Ferry stops")
    late = AT_SLOT + timedelta(minutes=20)
    edit(paper, ("Pool opens", "Pool opens!"), now=late)
    assert isinstance(decided(paper, now=late), Wait)
    approved(paper, now=late)
    assert isinstance(decided(paper, now=late), EditionBuild)


def test_a_decision_has_the_clock_look_again_at_once(desk: Paper) -> None:
    shown(desk)
    waits = SlotRecord(
        slot=TODAY,
        state=SlotState.DRAFT,
        reason="nobody has decided",
        hold_kind=HoldKind.UNDECIDED,
        next_try_at=AT_SLOT + timedelta(hours=1),
    )
    with open_database(desk.settings.database) as db:
        slots.settle(db, waits, AT_SLOT)
    approved(desk, now=AT_SLOT + timedelta(minutes=1))
    assert slot_of(desk) == SlotRecord(slot=TODAY, state=SlotState.DRAFT)


def test_a_skipped_draft_leaves_its_slot_and_its_articles_wait(desk: Paper) -> None:
    shown(desk)
    result = skip(desk.settings, desk.newsletter, (), reason="public holiday", now=NOW)
    assert result == SkippedSlot(slot=TODAY, reason="skipped by the editor: public holiday")
    assert slot_of(desk).state is SlotState.SKIPPED
    assert slot_of(desk).reason == "skipped by the editor: public holiday"
    assert slot_of(desk).skipped_by is SkippedBy.EDITOR
    assert verdicts(desk) == {}
    assert isinstance(approve(desk.settings, desk.newsletter, now=NOW), Skipped)


def coming(paper: Paper, most: int = 5) -> list[Slot]:
    return list(islice(slots_after(paper.newsletter, NOW), most))


def test_a_slot_that_is_to_come_can_be_skipped_without_a_draft_and_once(desk: Paper) -> None:
    paper = scheduled(desk, None)
    first = skip(paper.settings, paper.newsletter, coming(paper), reason="", now=NOW)
    assert first == SkippedSlot(slot=TODAY, reason="skipped by the editor")
    again = skip(paper.settings, paper.newsletter, coming(paper), reason="", now=NOW)
    assert again == Skipped(
        reason="the slot 2026-03-12T08:00 has no edition: skipped by the editor;"
        " --slot names another slot"
    )
    other = skip(
        paper.settings, paper.newsletter, coming(paper), reason="", now=NOW, slot=TOMORROW.name
    )
    assert other == SkippedSlot(slot=TOMORROW, reason="skipped by the editor")


def test_a_slot_that_never_comes_cannot_be_skipped(desk: Paper) -> None:
    with pytest.raises(UsageError, match="daily has no slot 2026-03-12T09:00 to come"):
        skip(
            desk.settings,
            desk.newsletter,
            coming(desk),
            reason="",
            now=NOW,
            slot="2026-03-12T09:00",
        )


def test_a_slot_with_its_edition_is_neither_held_nor_skipped(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    frozen(desk)
    assert isinstance(hold(desk.settings, desk.newsletter, now=NOW), Skipped)
    result = skip(desk.settings, desk.newsletter, [TODAY], reason="", now=NOW, slot=TODAY.name)
    assert result == Skipped(reason="the slot 2026-03-12T08:00 has its edition")


# --- sending by hand ---


def test_where_approval_is_required_send_wants_a_draft_that_was_approved(desk: Paper) -> None:
    with pytest.raises(Held, match="is sent only after approval, and there is no draft"):
        desk.send(RecordingTransport())
    shown(desk)
    with pytest.raises(Held, match="the draft of daily for 2026-03-12T08:00 is not approved"):
        desk.send(RecordingTransport())
    approved(desk)
    assert desk.sent() == ["ada@example.com", "bo@example.com"]
    assert slot_of(desk).state is SlotState.PREPARED
    with pytest.raises(Held, match="there is no draft"):
        desk.send(RecordingTransport(), now=AT_SLOT)


def test_an_edition_under_way_is_finished_though_the_next_one_is_not_approved(desk: Paper) -> None:
    shown(desk)
    approved(desk)
    frozen(desk)
    assert isinstance(desk.send(RecordingTransport(), now=AT_SLOT), Report)


def test_a_held_draft_is_not_sent_by_hand(desk: Paper) -> None:
    paper = scheduled(desk, None)
    shown(paper)
    hold(paper.settings, paper.newsletter, now=NOW)
    with pytest.raises(Held, match="held by the editor"):
        paper.send(RecordingTransport())


def test_send_leaves_a_draft_for_its_slot_that_nobody_has_changed(desk: Paper) -> None:
    paper = scheduled(desk, None)
    shown(paper)
    assert len(paper.sent()) == 2
    assert slot_of(paper).state is SlotState.DRAFT


def test_a_newsletter_without_a_schedule_sends_what_the_editor_made(paper: Paper) -> None:
    paper.publish("Ferry runs again", "Pool opens")
    paper.subscribe("ada@example.com")
    by_hand = Slot(newsletter="daily", name="2026-03-12T07:00", at=NOW)
    assert isinstance(show(paper.settings, paper.newsletter, [by_hand], now=NOW), DraftFile)
    later = NOW + timedelta(hours=3)
    paper.publish("Late news", hours=-1)
    edit(
        paper,
        ("[2] Pool opens", "[2] Pool open"),
        ("Waiting:\n- [3] Late news\n", ""),
        ("Dropped:", "[3]\n\nDropped:"),
        now=later,
    )
    transport = RecordingTransport()
    paper.send(transport, now=later)
    text = part(bytes(transport.accepted[0].message), "plain")
    assert "Pool open\n" in text
    assert "Late news" in text


def test_the_clock_leaves_a_draft_alone_that_goes_out_by_hand(paper: Paper) -> None:
    paper.publish("Ferry runs again")
    paper.subscribe("ada@example.com")
    by_hand = Slot(newsletter="daily", name="2026-03-12T07:00", at=NOW)
    assert isinstance(show(paper.settings, paper.newsletter, [by_hand], now=NOW), DraftFile)
    assert decided(paper, slot=by_hand) == Wait(
        kind=HoldKind.BY_HAND, reason="daily is sent by hand: `digest send` sends its draft"
    )


def test_an_approved_draft_is_sent_though_an_earlier_one_is_held(desk: Paper) -> None:
    shown(desk)
    hold(desk.settings, desk.newsletter, now=NOW)
    assert isinstance(
        show(desk.settings, desk.newsletter, [TOMORROW], now=NOW, slot=TOMORROW.name), DraftFile
    )
    result = approve(desk.settings, desk.newsletter, now=NOW, slot=TOMORROW.name)
    assert isinstance(result, ApprovedDraft)
    assert len(desk.sent()) == 2
    assert slot_of(desk, TOMORROW).state is SlotState.PREPARED
    assert slot_of(desk).state is SlotState.DRAFT


def test_preview_and_dry_run_show_the_draft_that_would_be_sent(desk: Paper) -> None:
    edit(desk, ("Intro:\n", "Intro:\n    Good morning.\n"))
    made = preview(desk.settings, desk.newsletter, now=NOW)
    assert isinstance(made, Preview)
    assert "Good morning." in made.page
    with pytest.raises(Held):
        dry_run(desk.settings, desk.newsletter, now=NOW)
    approved(desk)
    ahead = dry_run(desk.settings, desk.newsletter, now=NOW)
    assert isinstance(ahead, DryRun)
    assert not ahead.begun


def test_an_intro_is_stored_with_its_edition(desk: Paper) -> None:
    edit(desk, ("Intro:\n", "Intro:\n    One.\n\n    Two.\n"))
    approved(desk)
    frozen(desk)
    made = preview(desk.settings, desk.newsletter, now=AT_SLOT)
    assert isinstance(made, Preview)
    assert made.begun
    assert made.edition.intro == ("One.", "Two.")


def test_a_lost_draft_is_said_to_be_lost(desk: Paper) -> None:
    shown(desk)
    desk.run("delete from drafts")
    with pytest.raises(LedgerError, match="the draft of daily for 2026-03-12T08:00 is missing"):
        decided(desk)
