from pathlib import Path

import pytest

from digest.lib.language_tags import SHIPPED, canonical, has_words

WORDS = Path(__file__).parents[2] / "templates" / "email" / "words"


@pytest.mark.parametrize(
    ("tag", "usual"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-1996", "de-1996"),
        ("english", None),
        ("e", None),
        ("", None),
        ("en-", None),
        ("../en", None),
        ("en\n", None),
    ],
)
def test_a_language_tag_has_the_shape_of_rfc_5646(tag: str, usual: str | None) -> None:
    assert canonical(tag) == usual


def test_a_region_is_served_by_the_words_of_its_language(tmp_path: Path) -> None:
    assert has_words("de-AT", tmp_path)
    assert not has_words("da", tmp_path)


def test_the_languages_said_to_be_shipped_are_shipped() -> None:
    assert sorted(file.stem for file in WORDS.glob("*.toml")) == sorted(SHIPPED)
