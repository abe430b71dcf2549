"""A variant's name: the ledger knows variants by nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from digest.model.edition import VariantKey

TEXT = st.text(st.sampled_from('ab ,;:="\\é\n'), max_size=5)
KEYS = st.builds(
    VariantKey,
    language=st.sampled_from(["en", "de", "en-GB"]),
    topics=st.lists(TEXT, max_size=3).map(tuple),
    fields=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
)


def test_a_name_reads_like_what_its_readers_share() -> None:
    assert VariantKey(language="en").name == "en"
    assert VariantKey(language="en", topics=("Sport", "Town")).name == "en: Sport, Town"
    key = VariantKey(
        language="de", topics=("Town",), fields=(("fields.city", "Oslo"), ("has name", "no"))
    )
    assert key.name == 'de: Town; fields.city = "Oslo"; has name = "no"'


@given(KEYS, KEYS)
def test_two_variants_never_have_the_same_name(one: VariantKey, other: VariantKey) -> None:
    assert (one.name == other.name) == (one == other)
