"""`digest draft`, `approve`, `hold` and `skip`, as an editor calls them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Terminal

EVENING = "2026-03-11T20:00"
SLOT = "2026-03-12T07:00"


@pytest.fixture
def desk(march: Path, run: Run) -> Path:
    """The newsroom with a slot at seven, where an editor has to approve; its working directory."""
    with (march / "digest.toml").open("a", encoding="utf-8") as config:
        config.write('schedule = "daily at 07:00"\napproval = "required"\n')
    published = "2026-03-11T12:00"
    for title, page in (("Boat runs", "boat"), ("Pool opens", "pool")):
        url = f"https://www.example.com/{page}"
        assert run("articles", "add", title, url, "--published", published).code == 0
    return march


def draft(run: Run, *arguments: object, code: int = 0) -> str:
    ran = run("draft", "--at", EVENING, *arguments)
    assert ran.code == code, ran
    return ran.out + ran.err


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_draft_is_one_text_that_says_when_it_goes_and_what_silence_means(
    desk: Path, run: Run
) -> None:
    text = draft(run)
    assert text.startswith(
        "# Example News, No. 1\n# Thu 2026-03-12 07:00 (Europe/Lisbon): if nobody has approved it"
        " by then, it waits\n"
    )
    assert f"\nDraft: daily {SLOT} written 2026-03-11T20:00:00Z\n" in text
    assert "\nLead:\n[" in text


def test_a_draft_goes_from_the_file_to_the_reader(desk: Path, run: Run) -> None:
    draft(run, "--out", "draft.txt")
    change(desk / "draft.txt", "Boat runs", "The boat is back")
    change(desk / "draft.txt", "Intro:\n", "Intro:\n    Good morning.\n")
    assert "“Example News: The boat is back”, 2 stories\n" in draft(run, "--read", "draft.txt")
    approved = run("approve", "--at", EVENING)
    assert approved.code == 0
    assert "2 stories, 2 readers\n" in approved.out
    assert "The boat is back\n" in approved.out
    assert approved.out.endswith("(Europe/Lisbon): approved; it is sent then\n")
    sent = run("send", "--at", EVENING, "--outbox", "out")
    assert sent.code == 0, sent
    message = next((desk / "out").glob("*.eml")).read_text(encoding="utf-8")
    assert "Good morning." in message
    assert "The boat is back" in message


def test_an_edited_file_is_not_written_over_unless_that_is_wanted(desk: Path, run: Run) -> None:
    draft(run, "--out", "draft.txt")
    draft(run, "--out", "draft.txt")
    change(desk / "draft.txt", "Intro:\n", "Intro:\n    Good morning.\n")
    told = draft(run, "--out", "draft.txt", code=2)
    assert "draft.txt exists and is not an unedited draft" in told
    assert "Good morning." in (desk / "draft.txt").read_text(encoding="utf-8")
    draft(run, "--out", "draft.txt", "--force")
    assert "Good morning." not in (desk / "draft.txt").read_text(encoding="utf-8")
    assert not list(desk.glob(".*.part"))


def test_all_mistakes_of_a_file_are_told_and_it_is_left_as_it_is(desk: Path, run: Run) -> None:
    draft(run, "--out", "draft.txt")
    change(desk / "draft.txt", "Lead:\n", "Lead:\n[99] Who?\nhm\n")
    before = (desk / "draft.txt").read_bytes()
    told = draft(run, "--read", "draft.txt", code=2)
    assert "error: draft.txt has 3 mistakes; the draft was not changed\n" in told
    assert "  line 14: there is no article 99\n" in told
    as_json = json.loads(run("draft", "--at", EVENING, "--read", "draft.txt", "--json").out)
    assert [one["line"] for one in as_json["mistakes"]] == [14, 15, 16]
    assert (desk / "draft.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--read", "nowhere.txt"), "nowhere.txt cannot be read: No such file or directory"),
        (("--read", "."), ". cannot be read: Is a directory"),
        (("--read", "a", "--out", "b"), "--read cannot be combined with --out"),
        (("--out", "no/draft.txt"), "there is no folder no"),
        (("--slot", "2026-03-12T08:00"), "daily has no slot 2026-03-12T08:00 to come"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    desk: Path, run: Run, arguments: tuple[str, ...], told: str
) -> None:
    assert told in draft(run, *arguments, code=2)


def test_without_a_draft_there_is_nothing_to_read_back_approve_or_hold(
    desk: Path, run: Run
) -> None:
    (desk / "draft.txt").write_text("Lead:\n[1]\n", encoding="utf-8")
    for command in (("draft", "--read", "draft.txt"), ("approve",), ("hold",)):
        ran = run(*command)
        assert ran.code == 3, ran
        assert ran.err == "skipped: no draft of daily waits; `digest draft` makes one\n"
    assert json.loads(run("approve", "--json").out)["result"] == "skipped"


def test_an_edited_file_says_itself_of_which_newsletter_and_slot_it_is(
    desk: Path, run: Run
) -> None:
    with (desk / "digest.toml").open("a", encoding="utf-8") as file:
        file.write('[newsletters.weekly]\nfrom = "Example News <news@example.com>"\n')
    draft(run, "daily")
    draft(run, "daily", "--slot", "2026-03-13T07:00", "--out", "later.txt")
    later = desk / "later.txt"
    later.write_text(later.read_text().replace("Intro:\n", "Intro:\n    Good morning.\n"))
    taken = json.loads(draft(run, "--read", "later.txt", "--json"))
    assert (taken["newsletter"], taken["slot"]) == ("daily", "2026-03-13T07:00")
    assert taken["intro"] == ["Good morning."]


def test_send_without_approval_is_held_and_says_what_to_do(desk: Path, run: Run) -> None:
    ran = run("send", "--at", EVENING, "--outbox", "out")
    assert ran.code == 4
    assert "`digest draft` makes one, `digest approve` approves it." in ran.err
    draft(run)
    ran = run("send", "--at", EVENING, "--dry-run")
    assert ran.code == 4
    assert f"the draft of daily for {SLOT} is not approved" in ran.err


def test_a_held_draft_is_not_sent_and_a_skipped_slot_has_no_draft(desk: Path, run: Run) -> None:
    draft(run)
    ran = run("hold", "--at", EVENING)
    assert (ran.code, ran.out) == (
        0,
        f"held the draft of daily for {SLOT}; `digest approve` releases it\n",
    )
    assert "held until it is approved" in draft(run)
    assert run("send", "--at", EVENING, "--outbox", "out").code == 4
    ran = run("skip", "--at", EVENING, "--reason", "public\nholiday", "--json")
    assert json.loads(ran.out) == {
        "result": "left out",
        "newsletter": "daily",
        "slot": SLOT,
        "reason": "skipped by the editor: public holiday",
    }
    told = draft(run, code=3)
    assert f"the slot {SLOT} has no edition: skipped by the editor: public holiday" in told
    assert "2026-03-13T07:00" in draft(run, "--slot", "2026-03-13T07:00")


def test_a_newsletter_without_a_schedule_has_drafts_and_no_slot_to_skip(
    newsroom: Path, run: Run
) -> None:
    ran = run("draft")
    assert ran.code == 0
    assert "# `digest send` sends it\n" in ran.out
    assert run("skip").code == 0
    ran = run("skip")
    assert (ran.code, ran.err) == (3, "skipped: daily has no upcoming slot\n")


def test_a_draft_as_json_has_what_the_text_has(desk: Path, run: Run) -> None:
    told = json.loads(draft(run, "--json"))
    assert told["slot"] == SLOT
    assert told["due_at"] == "2026-03-12T07:00:00Z"
    assert told["state"] == "waiting"
    assert [story["title"] for story in told["stories"]] == ["Boat runs", "Pool opens"]
    assert (told["intro"], told["dropped"], told["differs"]) == ([], [], [])


def test_a_terminal_gets_no_orders_from_a_title(desk: Path, run: Run, terminal: Terminal) -> None:
    run(
        "articles",
        "add",
        "Bell \x07 and \u202eoverride",
        "https://www.example.com/bell",
        "--published",
        "2026-03-11T13:00",
    )
    ran = terminal("draft", "--at", EVENING)
    assert ran.code == 0
    assert "\x07" not in ran.out
    assert "\u202e" not in ran.out
