"""The draft file: what is written comes back as it was, and all errors are told at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.lib.text import plain
from digest.model.article import Article, Verdict
from digest.model.draft import Draft, DraftContents, DraftItem, DraftState
from digest.model.edition import Edition, Placement
from digest.model.newsletter import Rules
from digest.model.slot import Slot
from digest.publishing.drafts.draft_file import DraftFile, is_unedited, write
from digest.publishing.drafts.draft_file_parser import MOST, DraftFileError, parse
from digest.publishing.drafts.draft_file_validator import Validation
from digest.selection.from_draft import arrange
from digest.selection.placement import deck_of
from digest.storage.drafts import ArticleStatus
from tests.composer.editions import NEWSLETTER

MADE = datetime(2026, 3, 12, 4, tzinfo=UTC)
SLOT = Slot(newsletter="daily", name="2026-03-12T07:00", at=datetime(2026, 3, 12, 6, tzinfo=UTC))

HOSTILE = (
    "[7] Not a story",
    "- [8] Nor this",
    "# no remark",
    "Lead:",
    "Section: Town",
    "Dropped:",
    "two\nlines",
    "\u202eover\u202d and out",
    "\u2066isolated",
    "  spaces  ",
    "a\u2028b\x85c\x0bd",
    "word " * 200,
    "x" * 5_000,
    "نشرة الميناء",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)).filter(lambda t: bool(plain(t)))
words = texts.map(plain)


def article(id_: int, title: str, summary: str = "") -> Article:
    return Article(
        id=id_,
        source="Post",
        url=f"https://news.example/{id_}",
        title=title,
        summary=summary,
        published_at=MADE - timedelta(hours=1),
        first_seen_at=MADE - timedelta(hours=1),
    )


def draft_file_of(contents: DraftContents, articles: Mapping[int, Article]) -> DraftFile:
    selection = arrange(
        contents,
        {one.article_id: articles[one.article_id] for one in contents.placed},
        tuple(articles.values()),
        Rules(),
        cutoff=SLOT.at,
    )
    assert selection is not None
    waiting = [d.article_id for d in selection.decisions if d.verdict is Verdict.WAITING]
    return DraftFile(
        draft=Draft(slot=SLOT, contents=contents, state=DraftState.WAITING, made_at=MADE),
        edition=Edition(
            newsletter="daily",
            slot=SLOT.name,
            number=12,
            cutoff=SLOT.at,
            since=SLOT.at - timedelta(days=2),
            nonce="n",
            subject=contents.subject or f"Daily: {selection.stories[0].title}",
            stories=selection.stories,
            intro=contents.intro,
        ),
        waiting=tuple(articles[id_] for id_ in waiting),
        dropped=tuple(articles[id_] for id_ in contents.dropped),
    )


def read(content: bytes, file: DraftFile, articles: Mapping[int, Article]) -> object:
    statuses = {
        id_: ArticleStatus(article=one, verdict=None, edition=None) for id_, one in articles.items()
    }
    return Validation(parse(content), file, NEWSLETTER, statuses, SLOT.at).result()


@st.composite
def drafts(draw: st.DrawFn) -> tuple[DraftContents, dict[int, Article]]:
    ids = range(1, draw(st.integers(2, 8)))
    articles = {id_: article(id_, draw(texts), draw(st.text(max_size=400))) for id_ in ids}
    order = draw(st.permutations(list(ids)))
    fates = {id_: draw(st.sampled_from(["in", "in", "in", "dropped", "out"])) for id_ in ids}
    inside = [id_ for id_ in order if fates[id_] == "in"]
    assume(inside)
    sections = draw(st.lists(st.one_of(st.none(), words), min_size=1, max_size=3, unique=True))
    places: list[tuple[Placement, str | None]] = [(Placement.RELATED, None)]
    for section in sections:
        places += [(Placement.SECTION, section), (Placement.HEADLINE, section)]
    drawn = sorted(draw(st.sampled_from(range(len(places)))) for _ in inside[1:])
    where = [(Placement.LEAD, None), *(places[index] for index in drawn)]
    placed = tuple(
        own_words(draw, articles[id_], placement, section)
        for id_, (placement, section) in zip(inside, where, strict=True)
    )
    proposal = DraftContents(
        placed=placed,
        dropped=tuple(id_ for id_ in order if fates[id_] == "dropped"),
        subject=draw(st.one_of(st.none(), words)),
        intro=tuple(draw(st.lists(words, max_size=3))),
        edited=True,
    )
    return proposal, articles


def own_words(
    draw: st.DrawFn, one: Article, placement: Placement, section: str | None
) -> DraftItem:
    title = draw(st.one_of(st.none(), words))
    shows_deck = placement in (Placement.LEAD, Placement.SECTION)
    deck = draw(st.one_of(st.none(), st.just(""), words)) if shows_deck else None
    return DraftItem(
        article_id=one.id,
        placement=placement,
        section=section,
        title=None if title == plain(one.title) else title,
        deck=None if deck == plain(deck_of(one.summary, one.title)) else deck,
    )


@given(drafts())
def test_a_file_that_nobody_touched_comes_back_as_the_draft(
    made: tuple[DraftContents, dict[int, Article]],
) -> None:
    proposal, articles = made
    assume(len(" ".join(proposal.intro)) <= 2_000)
    file = draft_file_of(proposal, articles)
    text = write(file, NEWSLETTER, now=MADE)
    assert read(text.encode(), file, articles) == proposal
    assert read(text.replace("\n", "\r\n").encode("utf-8-sig"), file, articles) == proposal
    assert is_unedited(text)


PIECES = (
    "Draft: daily 2026-03-12T07:00 written 2026-03-12T04:00:00Z",
    "Subject: Hello",
    "Intro:",
    "Lead:",
    "Section: Town",
    "Section:",
    "No section:",
    "Waiting:",
    "Dropped:",
    "[1] One",
    "- [2] Two",
    "[3]",
    "- [4]",
    "[99999999999999999999999]",
    "    indented",
    "",
    "# remark",
    "stray",
)


@given(st.one_of(st.binary(), st.lists(st.sampled_from(PIECES)).map("\n".join).map(str.encode)))
def test_whatever_a_file_holds_it_is_a_draft_or_its_errors(content: bytes) -> None:
    articles = {id_: article(id_, f"Article {id_}") for id_ in (1, 2, 3, 4)}
    file = draft_file_of(SIMPLE, articles)
    result = read(content, file, articles)
    if not isinstance(result, DraftContents):
        assert isinstance(result, tuple)
        assert result
        assert all(isinstance(one, DraftFileError) and one.line > 0 for one in result)


SIMPLE = DraftContents(
    placed=(
        DraftItem(article_id=1, placement=Placement.LEAD),
        DraftItem(article_id=2, placement=Placement.SECTION, section="Town"),
        DraftItem(article_id=3, placement=Placement.HEADLINE, section="Town"),
    )
)
ARTICLES = {
    1: article(1, "Ferry runs again", "From Monday on."),
    2: article(2, "Pool opens", "The water is cold."),
    3: article(3, "Market moves"),
    4: article(4, "Cat found"),
}
HEAD = "Draft: daily 2026-03-12T07:00 written 2026-03-12T04:00:00Z\n"


def understood(body: str, head: str = HEAD) -> object:
    return read((head + body).encode(), draft_file_of(SIMPLE, ARTICLES), ARTICLES)


def complaints(body: str, head: str = HEAD) -> list[str]:
    result = understood(body, head)
    assert isinstance(result, tuple), result
    return [str(one) for one in result]


def test_an_editor_moves_renames_drops_and_says_good_morning() -> None:
    result = understood(
        "Subject: Swim!\nIntro: Good morning.\n\n    It is\n    cold.\n"
        "Lead:\n[2] The pool is open\n    The water is cold.\n- [1]\n"
        "Section: Late news\n[4] Cat found\n    She was in the tree.\n"
        "Dropped:\n- [3] Market moves\n"
    )
    assert result == DraftContents(
        placed=(
            DraftItem(article_id=2, placement=Placement.LEAD, title="The pool is open"),
            DraftItem(article_id=1, placement=Placement.RELATED),
            DraftItem(
                article_id=4,
                placement=Placement.SECTION,
                section="Late news",
                deck="She was in the tree.",
            ),
        ),
        dropped=(3,),
        subject="Swim!",
        intro=("Good morning.", "It is cold."),
        edited=True,
    )


def test_a_subject_that_was_not_touched_follows_the_lead() -> None:
    result = understood("Subject: Daily: Ferry runs again\nLead:\n[2] Pool opens\n")
    assert isinstance(result, DraftContents)
    assert result.subject is None


def test_a_deck_that_was_deleted_is_gone_and_a_number_alone_takes_the_articles_words() -> None:
    result = understood("Lead:\n[1] Ferry runs again\nNo section:\n[2]\n")
    assert isinstance(result, DraftContents)
    assert [(one.title, one.deck) for one in result.placed] == [(None, ""), (None, None)]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("Lead:\n[9] Who?\n", "line 3: there is no article 9"),
        ("Lead:\n[1] One\nWaiting:\n- [9]\n", "line 5: there is no article 9"),
        ("Lead:\n[1] One\nNo section:\n- [1] One\n", "line 5: article 1 is on line 3 already"),
        ("Lead:\n[1] One\nDropped:\n- [1] One\n", "line 5: article 1 is on line 3 already"),
        (
            "Lead:\nNo section:\n[1] One\n",
            "line 4: there is no lead: put one story under `Lead:`",
        ),
        (
            "Lead:\n- [1] One\n[2] Two\n",
            "line 3: the lead comes first, and has no dash before it",
        ),
        (
            "Lead:\n[1] One\n[2] Two\n",
            "line 4: one story leads; those related to it have a dash before them",
        ),
        (
            "No section:\n[2] Two\nLead:\n[1] One\n",
            "line 5: `Lead:` comes first, before all sections",
        ),
        ("Lead:\n", "line 1: no story is left; `digest skip` leaves the slot out"),
        (
            "Lead:\n[1] One\nNo section:\n- [2] Two\n    Deck.\n    More.\n",
            "line 6: a headline has no deck; take the dash away from [2] to show it with one",
        ),
        (
            "Lead:\n[1] One\nSection: Town\n- [2] Two\n[3] Three\n",
            "line 6: the stories of a section come before its headlines; move this one up, or put a"
            " dash before it",
        ),
        (
            "Lead:\n[1] One\nSection: A\nNo section:\nSection: A\n- [2] Two\n",
            "line 6: `Section: A` is on line 4 already; put the two together",
        ),
        (
            "[2] Two\nLead:\n[1] One\n",
            "line 2: a story stands under `Lead:`, a section, or `No section:`",
        ),
        (
            "Intro:\nGood morning\nLead:\n[1] One\n",
            "line 3: the lines of the intro are indented; begin this one with four spaces",
        ),
        (
            "Lead:\n    One\n[1] One\n",
            "line 3: this line is indented, and there is no story above it",
        ),
        (
            "Lead:\n[1] " + "x" * 301 + "\n",
            "line 3: the title has 301 characters, and at most 300 are shown",
        ),
        (
            "Lead:\n[1] One\n    " + "x" * 401 + "\n",
            "line 3: the deck has 401 characters, and at most 400 are shown",
        ),
        (
            "Subject: " + "x" * 151 + "\nLead:\n[1] One\n",
            "line 2: the subject has 151 characters, and at most 150 are shown",
        ),
        (
            "Intro: " + "x" * 2_001 + "\nLead:\n[1] One\n",
            "line 2: the intro has 2,001 characters, and at most 2,000 are shown",
        ),
        (
            "Lead:\n[1] One\nLead: now\n",
            "line 4: `Lead:` is on line 2 already; put the two together",
        ),
        ("Lead:\n[1] One\nDropped: all\n", "line 4: `Dropped:` stands alone on its line"),
        (
            "Lead:\n[1] One\nSection:\n",
            "line 4: a section has a title: `Section: Harbour`, or `No section:`",
        ),
    ],
)
def test_each_mistake_has_its_line_and_its_advice(body: str, complaint: str) -> None:
    assert complaints(body) == [complaint]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    assert complaints("Lead:\n[9] Who?\nSection:\n[1] One\nand so on\n- [1] Again\n") == [
        "line 3: there is no article 9",
        "line 4: a section has a title: `Section: Harbour`, or `No section:`",
        "line 6: this is neither a story such as `[12] Title` nor a heading such as `Lead:`; a"
        " line that continues the one above begins with four spaces, a comment with #",
        "line 7: article 1 is on line 5 already",
    ]


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        ("", "line 1: the line `Draft: daily 2026-03-12T07:00 …` is missing"),
        (
            "Draft: weekly 2026-03-12T07:00 written 2026-03-12T04:00:00Z\n",
            "line 1: this file is of another draft; expected daily 2026-03-12T07:00",
        ),
        (
            "Draft: daily 2026-03-12T07:00 written today\n",
            "line 1: the line does not say when the file was written",
        ),
    ],
)
def test_a_file_of_another_draft_is_refused(head: str, complaint: str) -> None:
    assert complaints("Lead:\n[1] One\n", head) == [complaint]


def test_a_file_in_another_encoding_is_refused_at_its_line() -> None:
    result = read(
        f"{HEAD}Lead:\n[1] Fähre\n".encode("latin-1"), draft_file_of(SIMPLE, ARTICLES), {}
    )
    assert result == (
        DraftFileError(line=3, message="this is not UTF-8 text; save the file as UTF-8"),
    )


def test_a_file_that_is_far_too_large_is_not_even_read() -> None:
    [error] = parse(b"\n" * (MOST + 1)).errors
    assert error.message.endswith("is it the right one?")


def test_a_correction_that_came_after_the_file_was_written_is_not_undone_by_it() -> None:
    corrected = replace(ARTICLES[1], title="Ferry stops", edited_at=MADE + timedelta(minutes=5))
    articles = ARTICLES | {1: corrected}
    content = f"{HEAD}Lead:\n[1] Ferry runs again\n    From Monday on.\n".encode()
    assert read(content, draft_file_of(SIMPLE, articles), articles) == (
        DraftFileError(
            line=3,
            message="article 1 was corrected after this file was written; a line `[1]` alone takes"
            " its words as they are now",
        ),
    )


def test_an_edited_file_is_told_from_one_as_it_was_written() -> None:
    text = write(draft_file_of(SIMPLE, ARTICLES), NEWSLETTER, now=MADE)
    assert is_unedited(text)
    assert not is_unedited(text.replace("Ferry", "Fairy"))
    assert not is_unedited("My shopping list\n")
    assert not is_unedited("")


def test_a_file_names_what_cannot_be_in_it_and_a_part_of_what_waits() -> None:
    many = {id_: article(id_, f"Story {id_}") for id_ in range(1, 60)}
    made = replace(draft_file_of(SIMPLE, many), unusable=("article 77 was withdrawn",))
    text = write(made, NEWSLETTER, now=MADE)
    assert "\n# No longer in it: article 77 was withdrawn\n" in text
    assert text.count("\n- [") == 1 + 40
    assert "\n# … and 16 more\n" in text
    result = read(text.encode(), made, many)
    assert result == replace(SIMPLE, edited=True)
