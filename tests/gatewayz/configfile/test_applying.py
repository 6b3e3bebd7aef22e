"""What a config file does to the database."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.models import Account, Plan
from catalog import revisions
from catalog.models import BlockRule, Model, ModelAlias, Offer, Revision, Variant
from gatewayz.configfile.exporting import export
from providers.models import Credential, Provider, ProviderAlias
from tests.gatewayz.configfile.files import (
    ACME,
    EXAMPLE,
    WORLD,
    complaints,
    forget_everything,
    put,
)

pytestmark = pytest.mark.django_db
NORTH = "version: 1\nproviders:\n  t-north:\n    name: N\n    base_url: https://n.example/v1\n"


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "as migrated"])
def test_the_designs_example_applies(empty):
    if empty:
        forget_everything()
    put(ACME)
    put(EXAMPLE)
    hugging = Provider.objects.get(slug="huggingface")
    assert hugging.headers == {"X-HF-Bill-To": "my-org"}
    assert (hugging.concurrency, hugging.first_byte_timeout_s) == (200, 120)
    assert [row["parser"] for row in hugging.listing] == ["huggingface-hub", "huggingface-router"]
    assert hugging.guards == {"min_models": 100, "max_drop_percent": 50}
    assert sorted(row.alias for row in hugging.aliases.all()) == ["hf", "hug"]
    assert [row.env for row in hugging.credentials.all()] == ["HF_TOKEN"]
    rule = hugging.rewrites.get()
    assert (rule.value, rule.when_backend, rule.unless_suffixed) == (
        ":hf-inference",
        "hf-inference",
        True,
    )
    offer = Offer.objects.get(model__model_id="acme/chat-1")
    assert (offer.provider.slug, offer.input_price) == ("acme", Decimal("0.50"))
    assert ModelAlias.objects.get(alias="gpt-4o").target == "openai/gpt-4o"
    assert Variant.objects.get(name="nitro").order_by == "throughput"
    block = BlockRule.objects.get(pattern="katanemo/*", provider=hugging)
    assert block.expires_at == datetime(2026, 12, 31, tzinfo=UTC)
    assert Plan.objects.get(name="default").concurrency == 50


def test_an_offer_of_a_provider_that_nobody_described_is_refused():
    Provider.objects.filter(slug="acme").delete()
    line = EXAMPLE[: EXAMPLE.index("{provider: acme")].count("\n") + 1
    problem = complaints(EXAMPLE)[0]
    assert problem.startswith(f"line {line}: models.acme/chat-1.offers[0].provider: no provider")


@pytest.mark.parametrize("text", [WORLD, ACME + EXAMPLE.removeprefix("version: 1\nproviders:\n")])
def test_the_second_apply_changes_nothing(text, django_assert_max_num_queries):
    put(text)
    before = revisions.current(), list(Revision.objects.values_list())
    with django_assert_max_num_queries(20):
        outcome = put(text)
    assert outcome.lines == []
    assert (revisions.current(), list(Revision.objects.values_list())) == before


def test_an_apply_is_one_revision_by_apply():
    before = revisions.current()
    outcome = put(WORLD)
    made = Revision.objects.filter(number__gt=before).get()
    assert (made.number, made.author) == (outcome.revision, "apply")
    assert made.summary == f"applied file: {outcome.summary}"
    parts = {"model:t/Chat-1", "aliases", "variants", "blocks", "provider:t-north"}
    assert parts | {"offers:t-south"} <= set(made.parts)


def test_keys_that_the_file_leaves_out_keep_what_they_have():
    put(WORLD)
    outcome = put("version: 1\nproviders:\n  t-north: {priority: 8, timeouts: {idle: 9}}\n")
    assert outcome.lines == [
        "~ provider t-north.priority: 7 → 8",
        "~ provider t-north.timeouts.idle: 60 → 9",
    ]
    north = Provider.objects.get(slug="t-north")
    assert (north.name, north.connect_timeout_s, north.aliases.count()) == ("North", 0.5, 2)


def test_a_list_replaces_the_list():
    put(WORLD)
    outcome = put(
        """
        version: 1
        providers:
          t-north:
            aliases: [t-n]
            credentials: [{env: NORTH_KEY_2}]
            rewrites: [{action: strip_prefix, value: "z/"}]
        models:
          t/Chat-1: {offers: [{provider: t-south, upstream_id: chat}]}
        """
    )
    assert sorted(outcome.lines) == [
        "- credential spare at t-north",
        "- offer t/Chat-1 at t-north",
        "- provider alias t-nord of t-north",
        "- rewrite 2 at t-north",
        "~ offer t/Chat-1 at t-south.price.cached_input: 0 → none",
        "~ offer t/Chat-1 at t-south.price.input: 0.1 → none",
        "~ offer t/Chat-1 at t-south.price.output: 2 → none",
        "~ rewrite 1 at t-north.value: t/ → z/",
    ]
    assert put("version: 1\nproviders: {t-north: {aliases: [t-n]}}").lines == []


def test_rewrites_are_added_after_those_that_are_there():
    put(WORLD)
    north = Provider.objects.get(slug="t-north")
    north.rewrites.filter(action="replace").update(position=500)
    rules = [f"{{action: add_prefix, value: {letter}}}" for letter in "abcd"]
    put(f"version: 1\nproviders: {{t-north: {{rewrites: [{', '.join(rules)}]}}}}")
    assert [rule.value for rule in north.rewrites.all()] == ["a", "b", "c", "d"]


def test_prices_are_exact():
    put(WORLD)
    offer = Offer.objects.get(model__model_id="t/Chat-1", provider__slug="t-south")
    offer.refresh_from_db()
    assert (offer.input_price, offer.cached_input_price) == (Decimal("0.1"), Decimal(0))


def test_an_alias_moves_when_both_lists_say_so():
    put(WORLD)
    move = "version: 1\nproviders:\n  t-south: {aliases: [t-n]}\n"
    assert complaints(move) == [
        "line 3: providers.t-south.aliases[0]: t-n is an alias of t-north already"
    ]
    outcome = put(move + "  t-north: {aliases: []}\n")
    assert outcome.lines[:2] == [
        "- provider alias t-nord of t-north",
        "~ provider alias t-n of t-north.provider: t-north → t-south",
    ]
    assert ProviderAlias.objects.get(alias="t-n").provider.slug == "t-south"


def test_a_stored_value_is_kept_and_a_new_one_replaces_it():
    first = NORTH + "    credentials: [{value: sk-aaaaaaaaaaaa1111, label: team}]\n"
    put(first)
    before = Credential.objects.get(provider__slug="t-north")
    assert before.last4 == "1111"
    assert put(first).lines == []
    outcome = put(first.replace("1111", "2222"))
    assert outcome.lines == ["~ credential team at t-north.value: replaced"]
    after = Credential.objects.get(provider__slug="t-north")
    assert (after.pk, after.last4, after.secret().token) == (
        before.pk,
        "2222",
        "sk-aaaaaaaaaaaa2222",
    )


def test_a_reference_keeps_what_is_stored():
    put(NORTH + "    credentials: [{value: sk-aaaaaaaaaaaa1111}, {value: sk-aaaaaaaaaaaa2222}]\n")
    outcome = put(NORTH + "    credentials: [{stored: true, last4: 2222, label: new}]\n")
    assert outcome.lines == [
        "- credential …1111 at t-north",
        "~ credential …2222 at t-north.label: none → new",
    ]
    again = put(NORTH + "    credentials: [{stored: true, last4: 9999, label: new}]\n")
    assert (again.lines, again.notes) == ([], [])


def test_a_reference_to_what_is_not_stored_is_noted():
    outcome = put(NORTH + "    credentials: [{stored: true, last4: 2222}]\n")
    assert outcome.lines == ["+ provider t-north"]
    assert outcome.notes[0].startswith("line 6: providers.t-north.credentials[0]: the stored")


def test_a_plan_says_what_apply_then_does():
    before = revisions.current()
    planned = put(WORLD, dry=True)
    assert revisions.current() == before
    assert not Provider.objects.filter(slug="t-north").exists()
    assert planned.lines == put(WORLD).lines
    changed = WORLD.replace("priority: 7", "priority: 9").replace('markup: "1.2345"', "markup: 2")
    planned = put(changed, dry=True)
    assert planned.lines == [
        "~ provider t-north.priority: 7 → 9",
        "~ plan t-gold.markup: 1.2345 → 2",
    ]
    assert planned.lines == put(changed).lines


def test_prune_removes_what_the_files_sections_do_not_name():
    put(WORLD)
    outcome = put("version: 1\nproviders:\n  t-south: {}\nvariants: {}\nblocks: []\n", prune=True)
    assert {
        "- provider t-north",
        "- provider alias t-n of t-north",
        "- credential spare at t-north",
        "- offer t/Chat-1 at t-north",
        "- variant t-cheap",
        "- block t/bad* at all",
        "- block t/bad* at t-north",
    } <= set(outcome.lines)
    assert [row.slug for row in Provider.objects.all()] == ["t-south"]
    assert Model.objects.filter(model_id="t/other").exists()
    assert ModelAlias.objects.filter(alias="t-short").exists()
    assert Plan.objects.filter(name="t-gold").exists()


def test_without_prune_nothing_goes():
    put(WORLD)
    assert put("version: 1\nproviders: {}\nblocks: []\nmodels: {}\n").lines == []


def test_a_plan_with_accounts_is_not_pruned():
    put(WORLD)
    Account.objects.create(name="Acme", plan=Plan.objects.get(name="t-gold"))
    text = "version: 1\nvariants: {}\nplans:\n  default: {}\n"
    assert complaints(text, prune=True) == [
        "line 3: plans.t-gold: cannot be removed: 1 account on this plan"
    ]
    assert Variant.objects.filter(name="t-cheap").exists()


def test_json_applies_too():
    put(
        '{"version": 1,\n\t"plans": {"t-json": {"markup": 1.5}},\n'
        '"models": {"t/j": {"name": "\\ud83d\\ude00"}}}'
    )
    assert Plan.objects.get(name="t-json").markup == Decimal("1.5")
    assert Model.objects.get(model_id="t/j").name == "\U0001f600"


def test_aliases_of_yaml_work_within_reason():
    put("version: 1\nproviders:\n  t-a: &a {name: A, base_url: https://a.example}\n  t-b: *a\n")
    assert Provider.objects.get(slug="t-b").name == "A"


def test_an_alias_to_a_model_that_is_not_there_yet_is_noted():
    outcome = put("version: 1\naliases:\n  t-x: t/nowhere\n")
    assert outcome.notes == ["line 3: aliases.t-x: no model is called t/nowhere yet"]


def test_a_plans_providers_are_kept_by_slug_and_a_second_apply_changes_nothing():
    text = (
        "version: 1\nplans:\n  t-school:\n    allowed_models: ['meta-llama/*']\n"
        "    denied_models: ['*:free']\n    allowed_providers: [Hug, hf]\n"
        "    denied_providers: [groq]\n"
    )
    put(text)
    plan = Plan.objects.get(name="t-school")
    assert plan.allowed_models == ["meta-llama/*"]
    assert plan.denied_models == ["*:free"]
    assert (plan.allowed_providers, plan.denied_providers) == (["huggingface"], ["groq"])
    before = Revision.objects.count()
    put(text)
    assert Revision.objects.count() == before
    assert "denied_providers" in export()


def test_a_plan_that_names_nobody_is_refused_with_the_line():
    text = "version: 1\nplans:\n  t-school:\n    allowed_providers: [grog]\n"
    [complaint] = complaints(text)
    place = "line 4: plans.t-school.allowed_providers"
    assert complaint == f"{place}: no provider is called grog; did you mean groq?"
    assert not Plan.objects.filter(name="t-school").exists()
