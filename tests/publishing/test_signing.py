"""Signing as `send` does it, with the keys of the settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest.composer.dkim import DkimSigner
from digest.errors import ConfigError
from digest.publishing.delivery import signing
from digest.publishing.delivery.signing import signer_of
from digest.publishing.preview import Preview, preview
from tests.composer.judges import verdicts
from tests.composer.keys import both_keys
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport


@pytest.fixture
def signed_paper(paper: Paper, tmp_path: Path) -> Paper:
    made = Paper(replace(paper.settings, dkim=both_keys(tmp_path)))
    made.publish("Ferry runs again", "Pool opens")
    made.subscribe("ada@example.com", "bo@example.com", "cleo@example.com")
    return made


def signer(paper: Paper) -> DkimSigner:
    found = signer_of(paper.settings, paper.newsletter)
    assert found is not None
    return found


@pytest.mark.parametrize("cores", [1, 2])
def test_every_reader_gets_a_signed_message(
    signed_paper: Paper, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "_CORES", cores)
    transport = RecordingTransport()
    signed_paper.send(transport)
    messages = [bytes(attempt.message) for attempt in transport.accepted]
    assert len({message.split(b"\r\nTo: ")[1] for message in messages}) == 3
    assert [verdicts(message, signer(signed_paper)) for message in messages] == [[True, True]] * 3


def test_without_a_key_nobody_is_mailed(signed_paper: Paper) -> None:
    (signed_paper.settings.folder / "rsa.pem").unlink()
    transport = RecordingTransport()
    with pytest.raises(ConfigError, match="No such file or directory"):
        signed_paper.send(transport)
    assert transport.accepted == []


def test_a_preview_needs_no_key_and_a_test_message_is_signed(signed_paper: Paper) -> None:
    settings, newsletter = signed_paper.settings, signed_paper.newsletter
    test = preview(settings, newsletter, now=NOW, test_address="me@example.com", signed=True)
    assert isinstance(test, Preview)
    assert verdicts(test.message, signer(signed_paper)) == [True, True]

    (settings.folder / "rsa.pem").unlink()
    looked_at = preview(settings, newsletter, now=NOW)
    assert isinstance(looked_at, Preview)
    assert b"DKIM-Signature" not in looked_at.message


def test_without_the_table_nothing_is_signed(paper: Paper) -> None:
    assert signer_of(paper.settings, paper.newsletter) is None
