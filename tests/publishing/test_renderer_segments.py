"""Templates that decide by a reader's field: everybody gets the variant of their own answer."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from digest.errors import TemplateError
from digest.model.delivery import Deferred
from digest.publishing.checks.trial_render import trial_render
from digest.publishing.preview import Preview, preview
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

LATER = {"ana@example.com": Deferred(reason="later"), "eva@example.com": Deferred(reason="later")}

BY_CITY = "{% if reader.fields.city == 'Oslo' %}Hei{% else %}Hello{% endif %}, {{ reader.name }}!"


def with_masthead(paper: Paper, text: str) -> None:
    folder = paper.settings.folder / "templates" / "email" / "partials"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "masthead.txt").write_text(text)


def put(paper: Paper, email: str, name: str = "", topics: str = "[]", **fields: str) -> None:
    paper.subscribe(email, topics=topics)
    paper.run(
        "update subscribers set name = ?, fields = ? where email = ?",
        name,
        json.dumps(fields, ensure_ascii=False),
        email,
    )


def mastheads(transport: RecordingTransport) -> dict[str, str]:
    """The first line of each reader's text."""
    return {attempt.envelope.rcpt_to: first_line(attempt.message) for attempt in transport.accepted}


def first_line(message: bytes) -> str:
    parsed: EmailMessage = message_from_bytes(message, policy=default)
    part = parsed.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).splitlines()[0]


def test_each_reader_gets_what_the_template_decides_for_them(paper: Paper) -> None:
    with_masthead(paper, BY_CITY)
    paper.publish("Ferry late", section="Town")
    put(paper, "ana@example.com", "Ana", city="Oslo")
    put(paper, "eva@example.com", "Eva", city="Koper")
    put(paper, "ida@example.com", "Ida", city="Oslo", topics='["Town"]')
    put(paper, "uma@example.com", "Uma")
    transport = RecordingTransport()
    paper.send(transport)
    assert mastheads(transport) == {
        "ana@example.com": "Hei, Ana!",
        "eva@example.com": "Hello, Eva!",
        "ida@example.com": "Hei, Ida!",
        "uma@example.com": "Hello, Uma!",
    }
    assert paper.value("select group_concat(variant, '|') from variants") == (
        'en: Town; fields.city = "Oslo"|en; fields.city = ""|en; fields.city = "Koper"|'
        'en; fields.city = "Oslo"'
    )


def test_who_moves_after_preparing_keeps_the_variant(paper: Paper) -> None:
    with_masthead(paper, BY_CITY)
    paper.publish("Ferry late")
    put(paper, "ana@example.com", "Ana", city="Oslo")
    paper.send(RecordingTransport(LATER))
    paper.run("update subscribers set name = 'Anna', fields = ?", '{"city": "Koper"}')
    transport = RecordingTransport()
    paper.send(transport)
    assert mastheads(transport) == {"ana@example.com": "Hei, Anna!"}


def test_too_many_values_are_refused_and_nothing_is_stored(paper: Paper) -> None:
    with_masthead(paper, BY_CITY)
    paper.publish("Ferry late")
    for number in range(21):
        put(paper, f"reader{number}@example.com", city=f"City {number}")
    with pytest.raises(TemplateError, match=r"reader\.fields\.city, .* 21 different .* for 20"):
        paper.sent()
    assert paper.value("select count(*) from editions") == 0
    paper.run("delete from subscriptions where subscriber_id = 1")
    assert len(paper.sent()) == 20


def test_a_preview_shows_the_readers_own_variant(paper: Paper) -> None:
    with_masthead(paper, BY_CITY)
    paper.publish("Ferry late")
    put(paper, "ana@example.com", "Ana", city="Oslo")
    put(paper, "eva@example.com", "Eva", city="Koper")

    def previewed(reader: str | None) -> str:
        made = preview(paper.settings, paper.newsletter, now=NOW, reader=reader)
        assert isinstance(made, Preview)
        return first_line(made.message)

    assert previewed("ana@example.com") == "Hei, Ana!"
    assert previewed(None) == "Hello, !"

    paper.send(RecordingTransport(LATER))
    assert previewed("ana@example.com") == "Hei, Ana!", "of the edition that was begun"
    assert previewed("eva@example.com") == "Hello, Eva!"


def test_a_trial_render_answers_for_somebody_of_whom_nothing_is_known(paper: Paper) -> None:
    with_masthead(paper, BY_CITY)
    assert trial_render(paper.settings, paper.newsletter, now=NOW).size > 0
    with_masthead(paper, "{{ {'Oslo': 1}[reader.fields.city].x }}")
    with pytest.raises(TemplateError, match=r"masthead\.txt, line 1"):
        trial_render(paper.settings, paper.newsletter, now=NOW)
