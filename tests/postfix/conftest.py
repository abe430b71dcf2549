"""Postfix between a newsletter and a server. All of it ends with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scripted_server import ScriptedServer, serving
from tests.postfix.instance import Postfix, missing
from tests.postfix.line import Line
from tests.publishing.paper import paper_in


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    if why := missing():
        pytest.skip(why)
    paper = paper_in(tmp_path)
    paper.publish("Ferry runs again", "Pool opens")
    with serving(ScriptedServer()) as server, Postfix(relay_to=server.port) as postfix:
        yield Line(paper=paper, postfix=postfix, server=server)
