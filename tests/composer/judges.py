"""Judges of signatures that did not make them: dkimpy, and Perl's Mail::DKIM."""

import subprocess

import dkim
import pytest

from digest.composer.dkim import DkimSigner
from digest.composer.dkim_keys import txt_strings
from tests.publishing.name_server import NameServer


def published(signer: DkimSigner) -> dict[str, str]:
    """What DNS has to hold for a signer, by name."""
    return {f"{key.selector}._domainkey.{signer.domain}": key.record for key in signer.keys}


def verdicts(message: bytes, signer: DkimSigner) -> list[bool]:
    """What dkimpy says of each signature, the topmost first."""
    records = published(signer)

    def asked(name: bytes, timeout: int = 5) -> bytes | None:
        record = records.get(name.decode().rstrip("."))
        return record.encode() if record else None

    judge = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in judge.headers)
    return [_passes(judge, index, asked) for index in range(count)]


def _passes(judge: dkim.DKIM, index: int, asked: object) -> bool:
    try:
        return bool(judge.verify(idx=index, dnsfunc=asked))
    except dkim.DKIMException:
        return False


def mail_dkim(message: bytes, signer: DkimSigner) -> str:
    """What Mail::DKIM says of the RSA signature; the one of Debian 12 does not know Ed25519."""
    asked = subprocess.run(["perl", "-MMail::DKIM", "-e", "1"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("needs the Debian package libmail-dkim-perl")
    script = """
        use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
        my ($port) = @ARGV;
        Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
            nameservers => ["127.0.0.1"], port => $port, recurse => 1));
        my $judge = Mail::DKIM::Verifier->new;
        binmode STDIN; local $/; $judge->PRINT(<STDIN>); $judge->CLOSE;
        print $judge->result_detail;
    """
    records = {name: [txt_strings(record)] for name, record in published(signer).items()}
    with NameServer(records) as server:
        done = subprocess.run(
            ["perl", "-e", script, str(server.port)],
            input=message,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()
