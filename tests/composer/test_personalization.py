"""Logic on a reader's name or field: one rendering for each answer, found out by rendering."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from digest.composer.links import reader_links
from digest.composer.personalization import (
    Placeholder,
    PlaceholderMarkers,
    SegmentFieldNeeded,
    require_few,
    value_of,
    with_segment_field,
)
from digest.composer.render import render
from digest.composer.templates import Templates, open_templates
from digest.errors import TemplateError
from digest.model.edition import RenderedVariant, VariantKey
from digest.model.subscriber import Recipient, answers_of
from tests.composer.editions import ANA, NEWSLETTER, SITE, minimal
from tests.composer.parts import plain_text
from tests.composer.test_templates import site

CITIES = ("Koper", "Oslo", "Trieste", "")


def reader(city: str = "", name: str = "", **fields: str) -> Recipient:
    return Recipient(
        email="reader@example.com", token="t", name=name, fields={"city": city, **fields}
    )


def result_of(
    templates: Templates, one: Recipient, segment_fields: Sequence[str]
) -> RenderedVariant | SegmentFieldNeeded | None:
    answers = answers_of(segment_fields, one.name, one.fields)
    return render(
        minimal(),
        VariantKey(language="en", fields=tuple(zip(segment_fields, answers, strict=True))),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=templates,
    )


def rendered(
    templates: Templates, one: Recipient, segment_fields: Sequence[str]
) -> RenderedVariant:
    """What this reader gets, whose templates decide by nothing but these fields."""
    variant = result_of(templates, one, segment_fields)
    assert isinstance(variant, RenderedVariant)
    return variant


def segment_fields_of(templates: Templates, readers: Sequence[Recipient]) -> tuple[str, ...]:
    """What the templates decide by for these readers."""
    fields: tuple[str, ...] = ()
    while True:
        results = [result_of(templates, one, fields) for one in readers]
        needed = [result for result in results if isinstance(result, SegmentFieldNeeded)]
        if not needed:
            return fields
        fields = with_segment_field(fields, needed[0].segment_field)


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
    fields = segment_fields_of(templates, (ana, nobody))
    assert fields
    assert first_line(rendered(templates, ana, fields), ana) == for_ana
    assert first_line(rendered(templates, nobody, fields), nobody) == for_nobody


def test_there_is_one_variant_for_each_value_and_what_is_only_printed_makes_none(
    tmp_path: Path,
) -> None:
    templates = masthead(
        tmp_path,
        "{{ reader.name }}: {% if reader.fields.city == 'Oslo' %}Hei{% else %}Hello{% endif %}",
    )
    readers = [reader(city, f"Reader {n}") for n in range(5) for city in CITIES]
    fields = segment_fields_of(templates, readers)
    variants = {rendered(templates, one, fields).key: one for one in readers}
    assert fields == ("fields.city",)
    assert sorted(key.name for key in variants) == [
        'en; fields.city = ""',
        'en; fields.city = "Koper"',
        'en; fields.city = "Oslo"',
        'en; fields.city = "Trieste"',
    ]
    shown = {first_line(rendered(templates, one, fields), one) for one in readers}
    assert shown == {f"Reader {n}: {word}" for n in range(5) for word in ("Hei", "Hello")}


@pytest.mark.parametrize(
    "printing",
    [
        "{% set n = reader.name %}{{ n }}{{ n }}",
        "{% macro hello(name) %}Hello {{ name }}{% endmacro %}{{ hello(reader.name) }}",
        "{% macro hello(who) %}Hello {{ who.name }}{% endmacro %}{{ hello(reader) }}",
        "{% for key in ['city', 'plan'] %}{{ reader.fields[key] }}{% endfor %}",
        "{% with r = reader %}{{ r.name }}{% endwith %}",
        "{{ say('greeting_named', name=reader.name) }}",
        "{{ caption|default(reader.name) }}",
        "{% if false %}{{ reader.name|upper }}{% endif %}x",
    ],
)
def test_a_value_that_is_only_printed_divides_nobody_whatever_it_goes_through(
    tmp_path: Path, printing: str
) -> None:
    assert segment_fields_of(masthead(tmp_path, printing), [reader("Koper", "Ana")]) == ()


@pytest.mark.parametrize(
    ("deciding", "segment_fields"),
    [
        ("{% set n = reader.name %}{% if n == 'Ana' %}x{% endif %}", ("name",)),
        (
            "{% macro hi(n) %}{% if n %}x{% endif %}{% endmacro %}{{ hi(reader.name) }}",
            ("has name",),
        ),
        ("{% macro hi(r) %}{{ r.name|upper }}{% endmacro %}{{ hi(reader) }}", ("name",)),
        ("{% for key in ['city'] %}{{ reader.fields[key]|lower }}{% endfor %}", ("fields.city",)),
        ("{% include 'part' ~ 's.txt' %}", ("fields.city",)),
        ("{% from 'macros.txt' import hi %}{{ hi(reader) }}", ("has fields.city",)),
    ],
)
def test_a_decision_is_found_wherever_it_is_taken(
    tmp_path: Path, deciding: str, segment_fields: tuple[str, ...]
) -> None:
    folder = site(
        tmp_path,
        partials__masthead_txt=deciding,
        parts_txt="{% if reader.fields.city == 'Koper' %}x{% endif %}",
        macros_txt="{% macro hi(r) %}{% if r.fields.city %}x{% endif %}{% endmacro %}",
    )
    assert segment_fields_of(open_templates(folder), [reader("Koper", "Ana")]) == segment_fields


def test_whether_there_is_a_value_takes_two_variants_however_many_values_there_are(
    tmp_path: Path,
) -> None:
    templates = masthead(tmp_path, "{% if reader.name %}Dear {{ reader.name }}{% endif %}")
    readers = [reader(name=f"Reader {n}") for n in range(30)] + [reader()]
    fields = segment_fields_of(templates, readers)
    assert fields == ("has name",)
    names = {rendered(templates, one, fields).key.name for one in readers}
    assert names == {'en; has name = "yes"', 'en; has name = "no"'}


def test_a_decision_behind_another_is_found_where_readers_come_to_it(tmp_path: Path) -> None:
    templates = masthead(
        tmp_path,
        "{% if reader.fields.city == 'Oslo' %}{{ reader.fields.plan|upper }}{% endif %}x",
    )
    assert segment_fields_of(templates, [reader("Koper")]) == ("fields.city",)
    both = segment_fields_of(templates, [reader("Koper"), reader("Oslo", plan="gold")])
    assert both == ("fields.city", "fields.plan")


def test_with_the_value_it_is_known_whether_there_is_one() -> None:
    assert with_segment_field(("fields.city", "has name"), "name") == ("fields.city", "name")
    assert with_segment_field(("name",), "fields.a") == ("fields.a", "name")
    assert with_segment_field(("has fields.a",), "has name") == ("has fields.a", "has name")


def test_a_field_may_be_called_like_a_segment_field() -> None:
    one = reader(**{"has name": "x", "": "y"})
    segment_fields = ("fields.has name", "has fields.has name", "fields.")
    assert answers_of(segment_fields, one.name, one.fields) == ("x", "yes", "y")


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
    html = rendered(templates, one, segment_fields_of(templates, [one])).html
    assert "&lt;b&gt;" in html
    assert "{{ 7 * 7 }}" in html
    assert "slotx6e616d65x</p>" in html


def test_what_a_template_decides_by_is_named_with_file_and_line(tmp_path: Path) -> None:
    templates = masthead(tmp_path, "\n{% if reader.fields.city == 'Oslo' %}x{% endif %}")
    needed = result_of(templates, ANA, ())
    assert isinstance(needed, SegmentFieldNeeded)
    assert needed.segment_field == "fields.city"
    assert needed.place.endswith("masthead.txt, line 2")
    with pytest.raises(TemplateError) as refused:
        require_few(needed, answers=21, together=21)
    assert "masthead.txt, line 2: the template decides by reader.fields.city" in (
        refused.value.message
    )


def test_too_many_answers_are_refused_with_their_count_and_the_bound() -> None:
    needed = SegmentFieldNeeded(segment_field="fields.city", place="footer.txt, line 3")
    require_few(needed, answers=20, together=100)
    with pytest.raises(TemplateError) as refused:
        require_few(needed, answers=1204, together=2408)
    assert refused.value.message == (
        "footer.txt, line 3: the template decides by reader.fields.city, of which the readers have"
        " 1,204 different values; an edition can be rendered for 20"
    )
    assert "{% if reader.fields.city %}" in (refused.value.hint or "")
    with pytest.raises(TemplateError, match=r"140 different values in combination .* for 100"):
        require_few(needed, answers=7, together=140)


def test_answers_of_a_reader_are_the_readers_own_words() -> None:
    answers = answers_of(("name", "fields.city", "has fields.zip"), ANA.name, {"city": " Koper\n"})
    assert answers == ("Ana Novak", " Koper\n", "no")


def test_placeholders_are_written_and_read_as_stored_editions_have_them() -> None:
    markers = PlaceholderMarkers.of("5e1f0c9a7d2b4836")
    stored = "slotc8a1e9105e1203b0x756e7375627363726962655f75726cx"
    assert markers.marker(Placeholder("unsubscribe_url")) == stored
    assert markers.cut(f"<{stored}>") == ("<", Placeholder("unsubscribe_url"), ">")
    links = reader_links(SITE, NEWSLETTER, 42)
    assert value_of(Placeholder("unsubscribe_url"), ANA, links) == (
        "https://news.example.com/u/t0ken-of-Ana_1"
    )
    assert value_of(Placeholder("view_url"), ANA, links) == "https://news.example.com/e/daily/42"
