"""Logic on a reader's field: one rendering for each answer, found out by rendering."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from digest.composer.personalization import (
    PlaceholderMarkers,
    answers_of,
    require_few,
    with_question,
)
from digest.composer.render import render
from digest.composer.templates import Templates, open_templates
from digest.errors import QuestionAsked, TemplateError
from digest.model.edition import RenderedVariant, VariantKey
from digest.model.subscriber import Recipient
from tests.composer.editions import ANA, NEWSLETTER, SITE, minimal
from tests.composer.parts import plain_text
from tests.composer.test_templates import site

CITIES = ("Koper", "Oslo", "Trieste", "")


def reader(city: str = "", name: str = "", **fields: str) -> Recipient:
    return Recipient(
        email="reader@example.com", token="t", name=name, fields={"city": city, **fields}
    )


def rendered(templates: Templates, one: Recipient, questions: Sequence[str]) -> RenderedVariant:
    """What this reader gets. Raises QuestionAsked for what is not among the questions."""
    made = render(
        minimal(),
        VariantKey(language="en", fields=answers_of(questions, one)),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=templates,
    )
    assert made is not None
    return made


def questions_of(templates: Templates, readers: Sequence[Recipient]) -> tuple[str, ...]:
    """What the templates ask these readers."""
    questions: tuple[str, ...] = ()
    while True:
        try:
            for one in readers:
                rendered(templates, one, questions)
        except QuestionAsked as asked:
            questions = with_question(questions, asked.question)
        else:
            return questions


def masthead(tmp_path: Path, text: str) -> Templates:
    return open_templates(site(tmp_path, partials__masthead_txt=text))


def first_line(variant: RenderedVariant, one: Recipient) -> str:
    text = plain_text(variant, one, edition=minimal(), site=SITE, newsletter=NEWSLETTER)
    return text.splitlines()[0]


@pytest.mark.parametrize(
    ("logic", "for_ana", "for_nobody"),
    [
        ("{% if reader.fields.city == 'Koper' %}Near{% else %}Far{% endif %}", "Near", "Far"),
        ("{% if reader.name %}Dear {{ reader.name }}{% else %}Hi{% endif %}", "Dear Ana", "Hi"),
        ("{{ reader.name|upper }}!", "ANA!", "!"),
        ("{{ reader.name or 'friend' }}", "Ana", "friend"),
        ("{{ reader.name|default('friend', true) }}", "Ana", "friend"),
        ("{{ 'x' ~ reader.name }}", "xAna", "x"),
        ("{{ reader.name|length }}", "3", "0"),
        ("{{ reader.name|replace('a', 'o') }}.", "Ano.", "."),
        ("{{ '%s!'|format(reader.name) }}", "Ana!", "!"),
        ("{{ reader.name[0]|default('-') }}", "A", "-"),
        ("{{ reader.name in ['Ana', 'Eva'] }}", "True", "False"),
        ("{{ [reader.name, reader.fields.city]|join('-') }}", "Ana-Koper", "-"),
        ("{{ reader.name.startswith('A') }}", "True", "False"),
        ("{{ {'Koper': 'Port', '': 'Home'}[reader.fields.city] }}", "Port", "Home"),
        ("{{ reader.fields['city']|lower }}.", "koper.", "."),
        ("{{ say('greeting_named', name=reader.name|trim) }}", "Hello Ana,", "Hello ,"),
        (
            "{% if reader.name and reader.fields.city == 'Koper' %}{{ reader.name }} of"
            " {{ reader.fields.city }}{% else %}Hi{% endif %}",
            "Ana of Koper",
            "Hi",
        ),
    ],
)
def test_a_template_may_decide_by_a_readers_name_and_fields(
    tmp_path: Path, logic: str, for_ana: str, for_nobody: str
) -> None:
    ana, nobody = reader("Koper", "Ana"), reader()
    templates = masthead(tmp_path, logic)
    questions = questions_of(templates, (ana, nobody))
    assert questions
    assert first_line(rendered(templates, ana, questions), ana) == for_ana
    assert first_line(rendered(templates, nobody, questions), nobody) == for_nobody


def test_there_is_one_variant_for_each_value_and_what_is_only_printed_makes_none(
    tmp_path: Path,
) -> None:
    templates = masthead(
        tmp_path,
        "{{ reader.name }}: {% if reader.fields.city == 'Oslo' %}Hei{% else %}Hello{% endif %}",
    )
    readers = [reader(city, f"Reader {n}") for n in range(5) for city in CITIES]
    questions = questions_of(templates, readers)
    variants = {rendered(templates, one, questions).key: one for one in readers}
    assert questions == ("fields.city",)
    assert sorted(key.name for key in variants) == [
        'en; fields.city = ""',
        'en; fields.city = "Koper"',
        'en; fields.city = "Oslo"',
        'en; fields.city = "Trieste"',
    ]
    shown = {first_line(rendered(templates, one, questions), one) for one in readers}
    assert shown == {f"Reader {n}: {word}" for n in range(5) for word in ("Hei", "Hello")}


def test_whether_there_is_a_value_takes_two_variants_however_many_values_there_are(
    tmp_path: Path,
) -> None:
    templates = masthead(tmp_path, "{% if reader.name %}Dear {{ reader.name }}{% endif %}")
    readers = [reader(name=f"Reader {n}") for n in range(30)] + [reader()]
    questions = questions_of(templates, readers)
    assert questions == ("has name",)
    names = {rendered(templates, one, questions).key.name for one in readers}
    assert names == {'en; has name = "yes"', 'en; has name = "no"'}


def test_a_question_behind_another_is_found_where_readers_come_to_it(tmp_path: Path) -> None:
    templates = masthead(
        tmp_path,
        "{% if reader.fields.city == 'Oslo' %}{{ reader.fields.plan|upper }}{% endif %}x",
    )
    assert questions_of(templates, [reader("Koper")]) == ("fields.city",)
    both = questions_of(templates, [reader("Koper"), reader("Oslo", plan="gold")])
    assert both == ("fields.city", "fields.plan")


def test_who_tells_the_value_is_not_asked_whether_there_is_one() -> None:
    assert with_question(("fields.city", "has name"), "name") == ("fields.city", "name")
    assert with_question(("name",), "fields.a") == ("fields.a", "name")
    assert with_question(("has fields.a",), "has name") == ("has fields.a", "has name")


def test_a_field_may_be_called_like_a_question() -> None:
    one = reader(**{"has name": "x", "": "y"})
    assert answers_of(("fields.has name", "has fields.has name", "fields."), one) == (
        ("fields.has name", "x"),
        ("has fields.has name", "yes"),
        ("fields.", "y"),
    )


def test_an_answer_is_printed_as_text_whatever_it_holds(tmp_path: Path) -> None:
    forged = PlaceholderMarkers.of(minimal().nonce).key
    evil = f'<b>"{{{{ 7 * 7 }}}}"</b>\r\n\x00slot{forged}x6e616d65x'
    one = reader(evil)
    templates = open_templates(
        site(
            tmp_path,
            partials__masthead_html="{% if reader.fields.city != 'x' %}"
            "<p>{{ reader.fields.city }}</p>{% endif %}",
        )
    )
    html = rendered(templates, one, questions_of(templates, [one])).html
    assert "&lt;b&gt;" in html
    assert "{{ 7 * 7 }}" in html
    assert "slotx6e616d65x</p>" in html


def test_the_question_names_the_file_and_the_line(tmp_path: Path) -> None:
    templates = masthead(tmp_path, "\n{% if reader.fields.city == 'Oslo' %}x{% endif %}")
    with pytest.raises(QuestionAsked) as asked:
        rendered(templates, ANA, ())
    assert asked.value.question == "fields.city"
    assert asked.value.message.endswith(
        "masthead.txt, line 2: the template decides by reader.fields.city"
    )


def test_too_many_answers_are_refused_with_their_count_and_the_bound() -> None:
    asked = QuestionAsked(
        "footer.txt, line 3: the template decides by reader.fields.city", question="fields.city"
    )
    require_few(asked, answers=20, together=100)
    with pytest.raises(TemplateError) as refused:
        require_few(asked, answers=1204, together=2408)
    assert refused.value.message == (
        "footer.txt, line 3: the template decides by reader.fields.city, of which the readers have"
        " 1,204 different values; an edition can be rendered for 20"
    )
    assert "{% if reader.fields.city %}" in (refused.value.hint or "")
    with pytest.raises(TemplateError, match=r"140 different values in combination .* for 100"):
        require_few(asked, answers=7, together=140)


def test_answers_of_a_reader_are_the_readers_own_words() -> None:
    one = replace(ANA, fields={"city": " Koper\n"})
    assert answers_of(("name", "fields.city", "has fields.zip"), one) == (
        ("name", "Ana Novak"),
        ("fields.city", " Koper\n"),
        ("has fields.zip", "no"),
    )
