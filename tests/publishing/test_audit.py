"""The audit finds what cannot be, and nothing else."""

import pytest

from digest.publishing.audit import audit
from tests.publishing.paper import NOW, Paper


@pytest.fixture
def sent(paper: Paper) -> Paper:
    paper.publish("Ferry late", "Library open")
    paper.publish("An old story", hours=100)
    paper.subscribe("ada@example.com", "ben@example.com")
    paper.sent(now=NOW)
    return paper


def test_a_ledger_in_order_has_no_breach(sent: Paper) -> None:
    result = audit(sent.settings)
    assert result.breaches == ()
    assert (result.extent.editions, result.extent.deliveries) == (1, 2)
    # The old story has its fate as well.
    assert result.extent.decisions == 3


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("delete from stories where position = 1", "a chosen article stands in its edition"),
        (
            "delete from decisions where verdict = 'too old'",
            "every article has one fate for every newsletter",
        ),
        (
            "delete from decisions where article_id = 1",
            "a story was chosen for its edition, and for no other",
        ),
        ("update editions set number = 3", "editions are numbered without gaps"),
        ("delete from deliveries where id = 2", "every edition has the deliveries it was stored"),
        ("update editions set last_delivery_id = 1", "no delivery belongs to another run of ids"),
        (
            "update deliveries set state = 'queued', finished_at = null where id = 1",
            "an edition is finished when its deliveries are",
        ),
        ("update deliveries set finished_at = null where id = 1", "what has ended has a time"),
        ("update deliveries set attempts = 0", "what was sent was attempted"),
    ],
)
def test_each_kind_of_damage_is_named(sent: Paper, damage: str, rule: str) -> None:
    sent.run("drop trigger a_chosen_article_is_not_forgotten")
    sent.run(damage)
    assert any(breach.rule.startswith(rule) for breach in audit(sent.settings).breaches)
