from hypothesis import given
from hypothesis import strategies as st

from digest.ingest.normalize import identified
from digest.model.article import NewArticle


def article(title: str, url: str, guid: str | None = None) -> NewArticle:
    return NewArticle(
        identity="", source="paper", url=url, canonical_url=url, title=title, guid=guid
    )


def identity(told: NewArticle, source: str = "feed") -> str:
    return identified([told], source)[0].identity


def test_a_guid_comes_first_and_means_something_within_its_source_only() -> None:
    told = article("Ferry", "https://example.com/f", "7")
    assert identity(told, "a") == "guid:a:7"
    assert identity(told, "b") == "guid:b:7"


def test_without_a_guid_it_is_the_link() -> None:
    assert identity(article("Ferry", "https://example.com/f")) == "url:https://example.com/f"


def test_a_homepage_is_no_identity_so_it_is_title_and_source() -> None:
    home = "https://example.com/"
    ferry = identity(article("Ferry", home))
    assert ferry.startswith("title:")
    assert ferry != identity(article("Bridge", home))
    assert ferry != identity(article("Ferry", home), "another")
    assert ferry == identity(article("FERRY", home))


def test_a_link_that_several_titles_share_identifies_none_of_them() -> None:
    live = "https://example.com/live"
    told = [article("One", live), article("Two", live), article("Three", "https://example.com/3")]
    found = identified(told, "feed")
    assert [a.url_identifies for a in found] == [False, False, True]
    assert len({a.identity for a in found}) == 3


def test_a_guid_of_any_length_makes_an_identity_of_a_few_hundred_characters() -> None:
    long = identity(article("Ferry", "https://example.com/f", "x" * 2_000))
    assert len(long) < 600
    assert long != identity(article("Ferry", "https://example.com/f", "x" * 1_999))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "C"]),
            st.sampled_from(["https://example.com/", "https://example.com/1"]),
            st.sampled_from([None, "1", "2"]),
        ),
        max_size=6,
    )
)
def test_the_identity_of_a_reading_does_not_depend_on_its_order(
    items: list[tuple[str, str, str | None]],
) -> None:
    told = [article(*item) for item in items]
    forwards = {a.identity for a in identified(told, "feed")}
    backwards = {a.identity for a in identified(reversed(told), "feed")}
    assert forwards == backwards
