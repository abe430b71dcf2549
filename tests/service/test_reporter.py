import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from digest.config import LogForm
from digest.model.delivery import Rejected, Reply, Unknown
from digest.service.log import Log
from digest.service.reporter import Reporter
from digest.service.state import ServiceState
from tests.recording_transport import RecordingTransport
from tests.scheduler.ticking import service_in


def test_whoever_was_not_served_is_told_by_the_id_of_the_delivery_and_never_by_address(
    tmp_path: Path,
) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall to be rebuilt")
    service.paper.subscribe("ada@example.com", "bob@example.com", "eve@example.com")
    gone = Reply(code=550, enhanced="5.1.1", text="<bob@example.com> is not known here")
    service.transport = RecordingTransport(
        {
            "bob@example.com": Rejected(reason="refused", reply=gone),
            "eve@example.com": Unknown(reason="the line was lost after the final dot"),
        }
    )
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:00Z")
    lines = StringIO()
    log = Log(LogForm.JSON, lambda: datetime(2026, 3, 12, 7, tzinfo=UTC), stream=lines)
    reporter = Reporter(log, ServiceState())

    for event in service.events:
        reporter.report(event)

    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    missed = {line["event"]: line for line in told if line["event"].startswith("delivery-")}
    assert missed.keys() == {"delivery-rejected", "delivery-unknown"}
    assert (missed["delivery-rejected"]["delivery"], missed["delivery-rejected"]["edition"]) == (
        2,
        1,
    )
    assert missed["delivery-rejected"]["message"] == "550 5.1.1 …"
    assert missed["delivery-unknown"]["delivery"] == 3
    assert "example.com" not in lines.getvalue()
