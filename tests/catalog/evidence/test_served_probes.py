"""Probes as an operator runs them, beside the served gateway."""

import pytest

from tests.catalog.evidence.test_traffic import ask, health, listed, until
from tests.upstreams.chat import Chat
from tests.upstreams.errors import error
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

pytestmark = pytest.mark.timeout(60)


def test_one_successful_probe_brings_a_model_back(gateway: Gateway, upstream: Upstream) -> None:
    model = unique("evidence/probed")
    slug = gateway.provider(upstream, [model])
    upstream.reply(error("novita", 404))
    for _ in range(3):
        ask(gateway, model)
    until(lambda: not listed(gateway, model))
    upstream.reply(Chat())
    assert ask(gateway, model).status_code == 404
    told = gateway.manage("probe_models", slug, "--model", model)
    assert f"{model} at {slug}: ok" in told
    assert told.endswith("1 offers probed\n")
    until(lambda: ask(gateway, model).status_code == 200)
    assert listed(gateway, model)
    assert health(gateway, model)["state"] == "up"


def test_probes_alone_take_a_model_out(gateway: Gateway, upstream: Upstream) -> None:
    model = unique("evidence/probed")
    slug = gateway.provider(upstream, [model])
    upstream.reply(error("openai", 404))
    for _ in range(3):
        assert "not found" in gateway.manage("probe_models", slug)
    until(lambda: not listed(gateway, model))


def test_the_command_says_what_it_skips_and_what_it_does_not_know(
    gateway: Gateway, upstream: Upstream
) -> None:
    model = unique("evidence/unpriced")
    slug = gateway.provider(upstream, [{"id": model, "price": {}}])
    assert "skipped, its price is not known" in gateway.manage("probe_models", slug)
    with pytest.raises(AssertionError, match="no provider is called nobody; there are"):
        gateway.manage("probe_models", "nobody")
    with pytest.raises(AssertionError, match="no offer matches"):
        gateway.manage("probe_models", slug, "--model", "no/such")
    assert upstream.requests == []
