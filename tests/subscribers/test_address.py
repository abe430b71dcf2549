import pytest
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from hypothesis import example, given
from hypothesis import strategies as st

from digest.errors import SubscriberError
from digest.subscribers import address
from digest.subscribers.address import for_people, normalise, typed_address


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("eva@example.com", "eva@example.com"),
        ("  eva@example.com\n", "eva@example.com"),
        ("Eva.Sa+News@EXAMPLE.Com", "Eva.Sa+News@example.com"),
        ("eva@bücher.example", "eva@xn--bcher-kva.example"),
        ("eva@BÜCHER.example", "eva@xn--bcher-kva.example"),
        ("eva@XN--BCHER-KVA.example", "eva@xn--bcher-kva.example"),
        ("ÉVA@example.com", "éva@example.com"),
        ("E\u0301va@example.com", "éva@example.com"),
        ("Info@example.com", "info@example.com"),
        ("o'neil@mail.example.org", "o'neil@mail.example.org"),
    ],
)
def test_an_address_has_one_form(typed: str, form: str) -> None:
    assert normalise(typed) == form


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "eva",
        "@example.com",
        "eva@",
        "eva@example",
        "eva@@example.com",
        "eva@example..com",
        "eva@-example.com",
        "eva@example-.com",
        ".eva@example.com",
        "eva.@example.com",
        "e..va@example.com",
        "eva sa@example.com",
        "eva@exam ple.com",
        "eva@example.com,ida@example.com",
        "eva@example.com; ida@example.com",
        "<eva@example.com>",
        "Eva <eva@example.com>",
        '"eva sa"@example.com',
        "eva@[192.0.2.1]",
        "eva@192.0.2.1",
        "eva@example.c0",
        "eva@localhost",
        "eva@printer.local",
        "eva@list.invalid",
        "eva@mail.test",
        "eva@exa_mple.com",
        "eva@ab--cd.example",
        "eva@xn--zzzzzzzz99.example",
        "eva@example.com\r\nBcc: ida@example.com",
        "eva\x00@example.com",
        "eva\x1b[31m@example.com",
        "eva@exam\u202eple.com",
        "eva＠example.com",
        "x" * 65 + "@example.com",
        "eva@" + "a" * 64 + ".com",
        "eva@" + ".".join(["a" * 60] * 5) + ".com",
        "x" * 100_000 + "@example.com",
        "\ud800@example.com",
    ],
)
def test_what_is_no_address_is_refused_with_what_was_found(typed: str) -> None:
    with pytest.raises(SubscriberError) as refusal:
        normalise(typed)
    assert len(refusal.value.message) < 600
    assert refusal.value.message.isprintable()


def test_a_refusal_names_what_was_found_and_what_was_expected() -> None:
    with pytest.raises(SubscriberError) as refusal:
        normalise("eva.example.com")
    assert refusal.value.message.startswith("'eva.example.com' is not an e-mail address:")
    assert refusal.value.hint == "Expected one such as name@example.com."


_LABELS = st.text("abcXYZ019-_.", min_size=0, max_size=8)
_LOCALS = st.one_of(
    st.text("abcXYZ019.+-_'!#/=?\"\\ ()é", min_size=0, max_size=70),
    st.sampled_from([*CASE_INSENSITIVE_MAILBOX_NAMES, "INFO", "Postmaster", "a" * 64, "a" * 65]),
)
_DOMAINS = st.one_of(
    st.lists(_LABELS, min_size=1, max_size=4).map(".".join),
    st.sampled_from(
        [
            "example.com",
            "EXAMPLE.org",
            "xn--bcher-kva.example",
            "bücher.example",
            "ab--c.example",
            "a.test",
            "test.example",
            "onion",
            "x.ARPA",
            "localhost.example",
            "a" * 63 + ".example",
            "a" * 64 + ".example",
            ".".join(["a" * 61] * 4) + ".ex",
            "1.2.3.4",
            "a.b1",
        ]
    ),
)


@given(local=_LOCALS, domain=_DOMAINS)
@example(local="a", domain="b.c")
@example(local="WWW", domain="Example.COM")
@example(local="a" * 64, domain=".".join(["b" * 61, "c" * 61, "d" * 61, "ef"]))
def test_the_fast_path_agrees_with_the_validator(local: str, domain: str) -> None:
    typed = f"{local}@{domain}"
    fast = address._plain(typed)
    if fast is None:
        return
    valid = validate_email(typed, strict=True, check_deliverability=False)
    assert fast == f"{valid.local_part}@{valid.ascii_domain}" == valid.normalized


@given(local=_LOCALS, domain=_DOMAINS)
def test_an_ordinary_address_that_the_validator_takes_needs_no_validator(
    local: str, domain: str
) -> None:
    typed = f"{local}@{domain}"
    try:
        valid = validate_email(typed, strict=True, check_deliverability=False)
    except EmailNotValidError:
        assert address._plain(typed) is None
        return
    if typed.isascii() and "xn--" not in domain.lower() and '"' not in local:
        assert address._plain(typed) == valid.normalized


@given(st.one_of(st.builds("{}@{}".format, _LOCALS, _DOMAINS), st.emails(), st.text()))
@example("ΣΑΣ@example.com")
@example("İ" * 60 + "@example.com")
def test_the_form_of_an_address_is_its_own_form(typed: str) -> None:
    try:
        form = normalise(typed)
    except SubscriberError:
        return
    assert normalise(form) == form
    local, _, domain = form.rpartition("@")
    assert domain.isascii()
    assert domain == domain.lower()
    assert form.isprintable()
    assert local


@given(st.text("aéçñя", min_size=1, max_size=10))
def test_case_makes_no_second_subscriber(local: str) -> None:
    lower, upper = normalise(f"{local}@example.com"), normalise(f"{local.upper()}@EXAMPLE.COM")
    # The database compares ASCII without case.
    assert lower == upper or (local.isascii() and lower.lower() == upper.lower())


@pytest.mark.parametrize(
    ("typed", "name", "email"),
    [
        ("eva@example.com", "", "eva@example.com"),
        ("Eva Sá <eva@example.com>", "Eva Sá", "eva@example.com"),
        ('"Sá, Eva" <eva@example.com>', "Sá, Eva", "eva@example.com"),
        (r'"The \"Boss\"" <eva@example.com>', 'The "Boss"', "eva@example.com"),
        ("<eva@example.com>", "", "eva@example.com"),
    ],
)
def test_a_person_may_type_a_name_around_the_address(typed: str, name: str, email: str) -> None:
    found = typed_address(typed)
    assert (found.name, found.email) == (name, email)


@pytest.mark.parametrize("typed", ["Eva <eva>", "Eva <>", "a <b@example.com> <c@example.com>"])
def test_a_name_does_not_make_an_address_good(typed: str) -> None:
    with pytest.raises(SubscriberError):
        typed_address(typed)


def test_people_read_a_domain_in_its_own_script() -> None:
    assert for_people("eva@xn--bcher-kva.example") == "eva@bücher.example"
    assert for_people("eva@example.com") == "eva@example.com"
    assert for_people("eva@xn--.example") == "eva@xn--.example"
