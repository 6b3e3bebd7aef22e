"""A minute of kills, an outage and full disks under load; `python -m tests.chaos` goes longer."""

import pytest

from tests.chaos.running import run


@pytest.mark.timeout(300)
def test_every_delivered_answer_is_charged_once_whatever_dies() -> None:
    report = run(seconds=60, rate=60, seed=1, outage_s=6)
    assert report.wrong == [], str(report)
    assert len(report.seen.delivered) > 300, str(report)
    assert report.seen.statuses[402], str(report)
    kinds = {"kill web", "kill bookkeeper", "full disk", "stop database", "restart all"}
    assert kinds <= set(report.faults), str(report)
