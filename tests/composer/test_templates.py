"""Templates: a site's own over ours, and what is said when one is wrong."""

from pathlib import Path

import pytest

from digest.composer.templates import open_templates
from digest.errors import TemplateError
from digest.model.edition import Edition
from digest.model.newsletter import Site
from tests.composer.editions import (
    ANA,
    NEWSLETTER,
    SITE,
    SITE_WITH_PAGES,
    minimal,
    ordinary_day,
)
from tests.composer.test_message import variant_of


def site(tmp_path: Path, **files: str) -> Path:
    """A site that overrides these files; `__` in a name is a folder, `_html` its ending."""
    for name, content in files.items():
        path, _, ending = name.replace("__", "/").rpartition("_")
        file = tmp_path / "templates" / "email" / f"{path}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path


def html_of(folder: Path, edition: Edition | None = None) -> str:
    return variant_of(edition or minimal(), open_templates(folder)).html


def test_a_site_overrides_one_file_and_keeps_the_others(tmp_path: Path) -> None:
    html = html_of(site(tmp_path, partials__masthead_html="<tr><td><h1>Ours alone</h1></td></tr>"))
    assert "<h1>Ours alone</h1>" in html
    assert "Unsubscribe by e-mail to editors@example.com" in html


def test_a_site_overrides_the_styles(tmp_path: Path) -> None:
    html = html_of(
        site(tmp_path, styles_css=".ink { color: #123456; } @media print { p { margin: 0 } }")
    )
    assert 'style="color:#123456"' in html
    assert "@media print" in html


@pytest.mark.parametrize(
    ("broken", "meaning", "hint"),
    [
        ("<tr>\n{% if %}", "line 2: Expected an expression", None),
        ("<tr>\n\n{{ newslettr.title }}", "line 3: 'newslettr' is undefined", "newsletter"),
        ("{{ lead.titel }}", "line 1: lead has no `titel`", "Did you mean title?"),
        ("{{ site['nmae'] }}", "line 1: site has no `nmae`", "Did you mean name?"),
        ("{% set it = lead %}{{ (it).zzz }}", "line 1: this value has no `zzz`", None),
        ('\n{% include "nowhere.html" %}', "line 2: there is no template 'nowhere.html'", None),
        ('{% include ["a.html", "b.html"] %}', "none of these templates exists", None),
        ("\n{{ lead.title + 1 }}", "line 2: can only concatenate str", None),
        ("{{ lead.title|nofilter }}", "line 1: No filter named 'nofilter'", None),
        ("{{ say('nothing') }}", "line 1: ", None),
        ("{{ ''.__class__.__mro__ }}", "line 1: access to attribute '__class__'", None),
        ("{% for x in range(10000000) %}{% endfor %}", "line 1: Range too big", None),
        ('{% include "partials/masthead.html" %}', "line 1: maximum recursion", None),
    ],
)
def test_a_wrong_template_is_told_with_file_line_and_name(
    tmp_path: Path, broken: str, meaning: str, hint: str | None
) -> None:
    with pytest.raises(TemplateError) as refused:
        html_of(site(tmp_path, partials__masthead_html=broken))
    assert "templates/email/partials/masthead.html, line" in refused.value.message
    assert meaning in refused.value.message
    assert hint is None or hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    "logic",
    [
        "{% if reader.greeting %}x{% endif %}",
        "{{ reader.email|upper }}",
        "{% if reader.unsubscribe_url == '' %}{% endif %}",
        "{{ reader.fields|length }}",
        "{% for field in reader.fields %}{% endfor %}",
        "{% if 'city' in reader.fields %}{% endif %}",
        "{% filter upper %}{{ reader.name }}{% endfilter %}",
        "{% set name %}{{ reader.name }}{% endset %}{{ name|truncate(9) }}",
    ],
)
def test_what_differs_for_every_reader_can_be_printed_and_nothing_else(
    tmp_path: Path, logic: str
) -> None:
    with pytest.raises(TemplateError):
        html_of(site(tmp_path, partials__masthead_html=logic))


def test_a_link_of_a_site_with_pages_can_be_asked_for_and_not_be_compared(tmp_path: Path) -> None:
    asked = "{% if reader.view_url %}[there is one]{% endif %}"
    templates = open_templates(site(tmp_path, partials__masthead_html=asked))
    assert "[there is one]" in variant_of(minimal(), templates, site=SITE_WITH_PAGES).html
    compared = "{% if reader.view_url == '' %}{% endif %}"
    templates = open_templates(site(tmp_path, partials__masthead_html=compared))
    with pytest.raises(TemplateError, match=r"reader\.view_url differs from reader to reader"):
        variant_of(minimal(), templates, site=SITE_WITH_PAGES)


@pytest.mark.parametrize(
    ("publisher", "links"),
    [(SITE, "unsubscribe "), (SITE_WITH_PAGES, "unsubscribe preferences view ")],
)
def test_asking_which_links_there_are_needs_no_segment_field(
    tmp_path: Path, publisher: Site, links: str
) -> None:
    asked = "".join(
        f"{{% if reader.{name}_url %}}{name} {{% endif %}}"
        for name in ("unsubscribe", "preferences", "view")
    )
    templates = open_templates(site(tmp_path, partials__masthead_html=f"<p>[{asked}]</p>"))
    assert f"[{links}]" in variant_of(minimal(), templates, site=publisher).html


def test_the_refusal_names_the_value_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as refused:
        html_of(site(tmp_path, partials__masthead_html="{% if reader.email %}x{% endif %}"))
    assert "line 1: reader.email differs from reader to reader" in refused.value.message
    assert refused.value.hint == "Print it as it is, or take the condition out."


def test_a_readers_value_may_be_kept_and_printed_later(tmp_path: Path) -> None:
    html_of(site(tmp_path, partials__masthead_html="{% set n = reader.name %}{{ n }}{{ n }}"))


def test_an_unknown_value_of_the_reader_is_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="reader has no `nmae`"):
        html_of(site(tmp_path, partials__masthead_html="{{ reader.nmae }}"))


def test_templates_are_parsed_before_they_are_needed(tmp_path: Path) -> None:
    open_templates().check()
    with pytest.raises(TemplateError, match=r"extra\.txt, line 1"):
        open_templates(site(tmp_path, extra_txt="{% if %}")).check()


def test_a_template_that_has_no_room_for_a_headline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="with the lead's headline alone"):
        html_of(site(tmp_path, partials__masthead_html="x" * 90_000), ordinary_day(None))


def test_names_of_the_fixtures_are_what_the_templates_print() -> None:
    html = html_of(Path("no-such-site"))
    assert NEWSLETTER.title in html
    assert SITE.name in html
    assert ANA.name not in html
