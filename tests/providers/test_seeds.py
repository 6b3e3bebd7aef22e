import pytest
from django.core.management import call_command

from catalog import seeding as catalog_seeding
from catalog.models import Model, Offer, Revision, Variant
from providers import names, seeding
from providers.models import Credential, Provider, ProviderAlias, RewriteRule, SeedRecord
from providers.rewriting import rewrite

GATEWAYS = {
    *("openrouter", "portkey", "featherless", "fireworks", "together", "huggingface", "deepinfra"),
    *("chutes", "google", "xai", "nebius", "groq", "cerebras", "novita"),
}
OTHERS = {
    *("openai", "anthropic", "mistral", "deepseek"),
    *("vllm", "ollama", "llamacpp", "lmstudio", "echo"),
}

pytestmark = pytest.mark.django_db


def provider(slug: str) -> Provider:
    return Provider.objects.get(slug=slug)


def test_a_migrated_database_has_every_gateway() -> None:
    assert set(Provider.objects.values_list("slug", flat=True)) == GATEWAYS | OTHERS


@pytest.mark.parametrize("model", [Provider, ProviderAlias, Credential, RewriteRule, Model, Offer])
def test_every_seeded_row_is_valid(model: type) -> None:
    for row in model.objects.all():
        row.full_clean()


def test_no_name_is_anothers() -> None:
    slugs = list(Provider.objects.values_list("slug", flat=True))
    taken = [*slugs, *ProviderAlias.objects.values_list("alias", flat=True)]
    assert len({names.fold(name) for name in taken}) == len(taken)


def test_everything_in_the_file_was_planted() -> None:
    wanted = {seed.key for seed in [*seeding.seeds(seeding.read()), *catalog_seeding.seeds()]}
    assert set(SeedRecord.objects.filter(planted=True).values_list("key", flat=True)) == wanted


def test_seeding_is_one_revision() -> None:
    revision = Revision.objects.get()
    assert {"provider:groq", "model:echo", "offers:echo", "variants"} <= set(revision.parts)


def test_migrating_again_changes_nothing() -> None:
    rows = list(Provider.objects.values()) + list(Credential.objects.values())
    call_command("migrate", verbosity=0)
    assert list(Provider.objects.values()) + list(Credential.objects.values()) == rows
    assert Revision.objects.count() == 1


def test_an_admins_change_and_removal_outlive_the_next_migrate() -> None:
    Provider.objects.filter(slug="groq").update(base_url="https://proxy.example.com/v1")
    ProviderAlias.objects.get(alias="hug").delete()
    provider("portkey").delete()
    RewriteRule.objects.filter(provider__slug="huggingface").update(value=":other")
    call_command("migrate", verbosity=0)
    assert provider("groq").base_url == "https://proxy.example.com/v1"
    assert not ProviderAlias.objects.filter(alias="hug").exists()
    assert not Provider.objects.filter(slug="portkey").exists()
    assert provider("huggingface").rewrites.get().value == ":other"


ACME = {
    "acme": {
        "name": "Acme",
        "base_url": "https://api.acme.example/v1",
        "aliases": ["acme-ai"],
        "credentials": ["ACME_API_KEY"],
        "rewrites": [{"action": "strip_prefix", "value": "acme/"}],
    }
}


def test_a_later_release_adds_only_what_is_new() -> None:
    before = Revision.objects.count()
    grown = {**seeding.read(), **ACME}
    assert seeding.plant(seeding.seeds(grown)) == 4
    assert seeding.plant(seeding.seeds(grown)) == 0
    assert Revision.objects.count() == before + 1
    assert Revision.objects.first().parts == ["provider:acme"]


def test_a_new_alias_reaches_a_provider_that_was_seeded_before() -> None:
    seeding.plant(seeding.seeds(ACME))
    more = {"acme": {**ACME["acme"], "aliases": ["acme-ai", "acme-cloud"]}}
    assert seeding.plant(seeding.seeds(more)) == 1


def test_a_provider_that_an_admin_made_first_stays_the_admins() -> None:
    Provider.objects.create(slug="acme", name="Mine", base_url="https://mine.example/v1")
    assert seeding.plant(seeding.seeds(ACME)) == 0
    assert provider("acme").name == "Mine"
    assert not provider("acme").credentials.exists()


def test_an_alias_that_an_admin_gave_away_is_left_there() -> None:
    ProviderAlias.objects.create(provider=provider("groq"), alias="acme-ai")
    assert seeding.plant(seeding.seeds(ACME)) == 3
    assert ProviderAlias.objects.get(alias="acme-ai").provider.slug == "groq"


def test_the_alternative_variables_come_after_the_customary_one() -> None:
    envs = [row.env for row in provider("huggingface").credentials.all()]
    assert envs[0] == "HF_TOKEN"
    assert len(envs) == 4


@pytest.mark.parametrize(
    ("slug", "asked", "backends", "sent"),
    [
        ("huggingface", "org/x", ("hf-inference",), "org/x:hf-inference"),
        ("huggingface", "org/x:groq", ("hf-inference",), "org/x:groq"),
        ("huggingface", "org/x", (), "org/x"),
        ("groq", "groq/compound-mini", (), "groq/compound-mini"),
        ("groq", "groq/llama-3.1-8b", (), "llama-3.1-8b"),
        ("openrouter", "openrouter/auto", (), "openrouter/auto"),
        ("fireworks", "deepseek-v3p1", (), "accounts/fireworks/models/deepseek-v3p1"),
        ("fireworks", "accounts/me/models/x", (), "accounts/me/models/x"),
        ("google", "models/gemini-2.5-flash", (), "gemini-2.5-flash"),
        ("xai", "x-ai/grok-3", (), "grok-3"),
    ],
)
def test_ids_are_rewritten_as_the_provider_wants(
    slug: str, asked: str, backends: tuple[str, ...], sent: str
) -> None:
    assert rewrite(provider(slug).endpoint().rewrites, asked, backends=backends) == sent


def test_local_servers_need_no_key_and_may_be_private() -> None:
    for slug in ("vllm", "ollama", "llamacpp", "lmstudio"):
        row = provider(slug)
        assert row.private_network
        assert row.key_optional
        assert row.secrets()


def test_a_provider_without_its_variable_has_no_secret(settings) -> None:
    settings.ENVIRONMENT = {}
    assert provider("groq").secrets() == ()
    settings.ENVIRONMENT = {"GROQ_API_KEY": "gsk_1234567890"}
    assert [secret.token for secret in provider("groq").secrets()] == ["gsk_1234567890"]


def test_the_echo_model_answers_for_nothing() -> None:
    price = Offer.objects.get(model__model_id="echo").value_of().price
    assert (price.input, price.output) == (0, 0)
    assert dict(Variant.objects.values_list("name", "order_by")) == {
        "floor": "price",
        "nitro": "throughput",
    }
