"""Background work: schedules live in the database, are the admin's, and run under `serve`."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gatewayz.test_crash import wait_until
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

CHAT = "/v1/chat/completions"
SCHEDULES = """
    SELECT t.name, t.task, t.enabled, i.every, i.period FROM django_celery_beat_periodictask t
    JOIN django_celery_beat_intervalschedule i ON i.id = t.interval_id
    WHERE t.name LIKE 'Expire%' ORDER BY t.name
"""
EVERY_SECOND = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every = IntervalSchedule.objects.get_or_create(every=1, period="seconds")[0]
task = PeriodicTask.objects.get(name="Expire block rules")
task.interval = every
task.save()
task = PeriodicTask.objects.get(name="Expire API keys")
task.enabled = False
task.description = "switched off by an admin"
task.save()
"""
BLOCK = """
from datetime import timedelta
from django.utils import timezone
from catalog.models import BlockRule
soon = timezone.now() + timedelta(seconds={seconds})
BlockRule.objects.create(pattern="{model}", reason="a test", expires_at=soon)
"""


def shell(gateway: Gateway, code: str) -> None:
    gateway.manage("shell", "--no-imports", "-c", code)


def schedules(gateway: Gateway) -> dict[str, tuple[Any, ...]]:
    rows = gateway.rows(SCHEDULES)
    return {row["name"]: (row["task"], bool(row["enabled"]), row["every"]) for row in rows}


def status(gateway: Gateway, model: str) -> int:
    chat = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return gateway.http.post(CHAT, json=chat).status_code


def expires_a_block(gateway: Gateway, up: Upstream, seconds: float = 3) -> None:
    """Block a model for a moment; AssertionError unless it comes back and its rule goes off."""
    model = unique("blocked")
    gateway.provider(up, [model])
    assert status(gateway, model) == 200
    shell(gateway, BLOCK.format(model=model, seconds=seconds))
    wait_until(lambda: status(gateway, model) == 404)
    wait_until(lambda: status(gateway, model) == 200, 30)  # no probe may be sent: it simply ends
    rule = "SELECT enabled FROM catalog_blockrule WHERE pattern = ?"
    wait_until(lambda: not gateway.rows(rule, model)[0]["enabled"], 30)
    revision = "SELECT summary FROM catalog_revision ORDER BY number DESC LIMIT 1"
    assert "block rules" in gateway.rows(revision)[0]["summary"]


def test_the_first_schedules_are_there(gateway: Gateway) -> None:
    assert set(schedules(gateway)) == {"Expire block rules", "Expire API keys"}


def test_an_expired_block_goes_off_without_any_broker(gateway: Gateway, upstream: Upstream) -> None:
    shell(gateway, EVERY_SECOND)
    expires_a_block(gateway, upstream)


@pytest.mark.timeout(180)
def test_edits_and_old_secrets_outlive_a_restart(
    gateways: Callable[..., Gateway], valkey_url: str, upstream: Upstream
) -> None:
    """With Valkey as the broker, and to tell of changes: processes would look once a minute.

    The secrets are rotated while the gateway is stopped.
    """
    seldom = {"GATEWAYZ_POLL_INTERVAL_S": "60"}
    gateway, model = gateways(redis_url=valkey_url, env=seldom), unique("chat")
    upstream.token = "sk-stored-under-the-old-key"
    gateway.provider(upstream, [model])
    shell(gateway, EVERY_SECOND)
    edited = schedules(gateway)
    assert edited["Expire block rules"] == ("catalog.expire_block_rules", True, 1)
    assert edited["Expire API keys"] == ("billing.expire_keys", False, 60)
    assert gateway.stop() == 0

    for name in ("GATEWAYZ_KEY_PEPPERS", "GATEWAYZ_ENCRYPTION_KEYS"):
        gateway.env[name] = f"a-new-one-in-front,{gateway.env[name]}"
    gateway.run("migrate")
    gateway.start()
    assert schedules(gateway) == edited
    expires_a_block(gateway, upstream)
    assert schedules(gateway) == edited

    assert status(gateway, model) == 200
    assert upstream.requests[-1].token == "sk-stored-under-the-old-key"
    fresh = gateway.issue_key()
    answer = gateway.http.get("/v1/models", headers={"authorization": f"Bearer {fresh}"})
    assert answer.status_code == 200
