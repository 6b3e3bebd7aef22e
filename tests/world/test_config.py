"""Configs for tests say what is asked, and a model keeps the offers that it has."""

from tests.world.config import Declared, unique


def test_names_are_unique():
    assert unique("chat") != unique("chat")


def test_a_provider_is_private_unless_said_otherwise(upstream):
    upstream.token = "tok"
    row = Declared().provider("acme", upstream, [], priority=7)["providers"]["acme"]
    assert (row["base_url"], row["private_network"], row["priority"]) == (upstream.url, True, 7)
    assert row["credentials"] == [{"value": "tok"}]


def test_a_second_provider_adds_its_offer_to_the_model():
    declared = Declared()
    declared.provider("one", "http://127.0.0.1:1/v1", ["chat"])
    dear = {"id": "chat", "upstream_id": "chat-hd", "price": {"input": "9", "output": "9"}}
    model = declared.provider("two", "http://127.0.0.1:2/v1", [dear])["models"]["chat"]
    assert [offer["provider"] for offer in model["offers"]] == ["one", "two"]
    assert [offer["upstream_id"] for offer in model["offers"]] == ["chat", "chat-hd"]


def test_an_offer_is_replaced_by_its_own_providers():
    declared = Declared()
    for backend in ("a", "b"):
        models = [{"id": "chat", "backends": [backend]}]
        (offer,) = declared.provider("one", "http://x", models)["models"]["chat"]["offers"]
    assert offer["backends"] == ["b"]
