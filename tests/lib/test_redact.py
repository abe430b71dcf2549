import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.lib.redact import without_login


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ana:secret@example.com/feed", "https://***@example.com/feed"),
        ("http://ghp_SECRET@127.0.0.1/feed.xml", "http://***@127.0.0.1/feed.xml"),
        ("https://ana:se/cr@et@example.com/feed", "https://***@example.com/feed"),
        ("https://ana:se?cr#et@example.com/feed", "https://***@example.com/feed"),
        ("smtp://ana:it's@example.com", "smtp://***@example.com"),
        ("read 'https://a:b@example.com' now", "read 'https://***@example.com' now"),
        ("'ana:secret@mail.example.com'", "'***@mail.example.com'"),
        ("https://social.example/@ana.rss", "https://social.example/@ana.rss"),
        ("https://social.example:8443/feed/@ana", "https://social.example:8443/feed/@ana"),
        ("https://ana:x@social.example/@ana", "https://***@ana"),
        ("found news@example.com", "found news@example.com"),
        ("https://example.com/feed", "https://example.com/feed"),
        ("", ""),
    ],
)
def test_a_login_is_masked_and_nothing_else(text: str, shown: str) -> None:
    assert without_login(text) == shown


_LOGINS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@given(user=_LOGINS, password=_LOGINS, before=st.sampled_from(["", "'", "read ", "<"]))
def test_no_login_is_ever_shown(user: str, password: str, before: str) -> None:
    user = user.replace("/", "")
    shown = f"{before}https://***@example.org/feed: it is not there"
    text = f"{before}https://{user}:{password}@example.org/feed: it is not there"
    assert without_login(text) == shown
    assert without_login(shown) == shown
