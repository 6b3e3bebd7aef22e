import json

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Revision
from providers.models import Credential, Provider, ProviderAlias
from tests.forms import errors, save

SECRET = "sk-acme-1234567890-WXYZ"

pytestmark = pytest.mark.django_db


def provider(slug: str) -> Provider:
    return Provider.objects.get(slug=slug)


def page(row: object) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def listing(client: Client, **query: str) -> list[str]:
    response = client.get(reverse("admin:providers_provider_changelist"), query)
    return [row.slug for row in response.context["cl"].result_list]


@pytest.fixture
def stored(db) -> Credential:
    return Credential.objects.create(provider=provider("groq"), label="team", value=SECRET)


def test_an_edit_is_one_revision_in_the_admins_name(admin_client: Client) -> None:
    row = provider("huggingface")
    answer = save(
        admin_client, page(row), name="HF", aliases__0__alias="hugs", rewrites__0__value=":other"
    )
    assert errors(answer) == ""
    revision = Revision.objects.first()
    assert (revision.author, revision.parts) == ("admin", ["provider:huggingface"])
    assert Revision.objects.count() == 2
    assert provider("huggingface").rewrites.get().value == ":other"


def test_saving_an_unchanged_page_changes_no_row_below_it(admin_client: Client, stored) -> None:
    before = list(Credential.objects.values())
    assert errors(save(admin_client, page(provider("groq")))) == ""
    assert list(Credential.objects.values()) == before


def test_the_list_is_searched_by_alias_and_filtered(admin_client: Client) -> None:
    assert listing(admin_client, q="hug") == ["huggingface"]
    assert listing(admin_client, q="gemini") == ["google"]
    assert set(listing(admin_client, private_network__exact="1")) == {
        "vllm",
        "ollama",
        "llamacpp",
        "lmstudio",
    }


def test_the_slug_is_fixed_once_it_is_there(admin_client: Client) -> None:
    row = provider("groq")
    assert errors(save(admin_client, page(row), slug="other")) == ""
    assert provider("groq").pk == row.pk


def test_an_alias_of_another_provider_is_refused_by_name(admin_client: Client) -> None:
    answer = save(
        admin_client, page(provider("groq")), aliases__TOTAL_FORMS="1", aliases__0__alias="Hug"
    )
    assert "hug is an alias of Hugging Face already." in errors(answer)


def test_a_slug_of_another_provider_is_refused_as_alias(admin_client: Client) -> None:
    answer = save(
        admin_client, page(provider("groq")), aliases__TOTAL_FORMS="1", aliases__0__alias="openai"
    )
    assert "openai is the slug of the provider OpenAI." in errors(answer)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("Fast_One", "fast-one", "fast-one is another alias on this page already."),
        ("fine", "new", "new is the slug of this provider already."),
    ],
)
def test_two_new_names_of_one_form_may_not_collide(
    admin_client: Client, first: str, second: str, sentence: str
) -> None:
    answer = save(
        admin_client,
        reverse("admin:providers_provider_add"),
        slug="new",
        name="New",
        base_url="https://api.new.example/v1",
        aliases__TOTAL_FORMS="2",
        aliases__0__alias=first,
        aliases__1__alias=second,
    )
    assert sentence in errors(answer)
    assert not Provider.objects.filter(slug="new").exists()


def test_a_new_slug_that_is_an_alias_is_refused_by_name(admin_client: Client) -> None:
    answer = save(
        admin_client,
        reverse("admin:providers_provider_add"),
        slug="hug",
        name="New",
        base_url="https://api.new.example/v1",
    )
    assert "hug is an alias of Hugging Face already." in errors(answer)


def test_swapping_an_alias_within_a_form_is_no_collision(admin_client: Client) -> None:
    row = provider("openrouter")
    answer = save(
        admin_client,
        page(row),
        aliases__TOTAL_FORMS="2",
        aliases__0__DELETE="on",
        aliases__1__alias="router",
    )
    assert errors(answer) == ""
    assert [alias.alias for alias in row.aliases.all()] == ["router"]


def test_a_stored_key_is_on_no_page(admin_client: Client, stored: Credential) -> None:
    ciphertext = str(Credential.objects.get(pk=stored.pk).value)
    for url in (
        page(stored),
        page(stored.provider),
        page(stored) + "history/",
        page(stored) + "delete/",
        reverse("admin:providers_credential_changelist"),
        reverse("admin:providers_provider_changelist"),
        reverse("admin:catalog_revision_changelist"),
        reverse("admin:index"),
    ):
        text = admin_client.get(url, follow=True).content.decode()
        assert SECRET not in text
        assert ciphertext not in text
    assert "stored, ends in WXYZ" in admin_client.get(page(stored)).content.decode()


def test_whoever_may_only_look_does_not_see_the_ciphertext(
    client: Client, django_user_model, stored: Credential
) -> None:
    from django.contrib.auth.models import Permission

    viewer = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    ciphertext = str(Credential.objects.get(pk=stored.pk).value)
    for url in (page(stored), page(stored.provider)):
        response = client.get(url)
        assert response.status_code == 200
        assert ciphertext not in response.content.decode()


def test_an_empty_input_keeps_the_stored_key(admin_client: Client, stored: Credential) -> None:
    assert errors(save(admin_client, page(stored), label="renamed")) == ""
    row = Credential.objects.get(pk=stored.pk)
    assert (row.label, row.secret().token) == ("renamed", SECRET)


def test_a_typed_key_replaces_the_stored_one(admin_client: Client, stored: Credential) -> None:
    assert errors(save(admin_client, page(stored), value="sk-other-0987654321-ABCD")) == ""
    row = Credential.objects.get(pk=stored.pk)
    assert (row.last4, row.secret().token) == ("ABCD", "sk-other-0987654321-ABCD")


def test_naming_a_variable_removes_the_stored_key(admin_client: Client, stored) -> None:
    assert errors(save(admin_client, page(stored), env="ACME_KEY")) == ""
    row = Credential.objects.get(pk=stored.pk)
    assert (row.value, row.last4, row.env) == ("", "", "ACME_KEY")


def test_a_key_typed_on_the_providers_page_is_stored_encrypted(admin_client: Client) -> None:
    row = provider("portkey")
    answer = save(
        admin_client,
        page(row),
        credentials__TOTAL_FORMS="2",
        credentials__1__value=SECRET,
        credentials__1__priority="5",
        credentials__1__enabled="on",
    )
    assert errors(answer) == ""
    assert row.credentials.first().secret().token == SECRET


def test_a_refused_key_is_not_shown_again(admin_client: Client, stored: Credential) -> None:
    answer = save(admin_client, page(stored), value=SECRET + " x")
    assert "A key has no spaces or accents." in errors(answer)
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("drop_params", '["logit_bias"', "This is not JSON: line 1, column 14"),
        ("drop_params", "logit_bias", "This is not JSON: line 1, column 1"),
        ("drop_params", "[1]", "Enter a list of strings"),
        ("drop_params", '["\\u0000"]', "No text may hold a NUL."),
        ("drop_params", "[" * 100_000, "nested too deeply"),
        ("drop_params", "9" * 5000, "too long a number"),
        ("headers", '["x"]', "Enter an object of strings"),
        ("headers", '{"x": "a\\r\\nb"}', "A header holds no line breaks."),
        ("listing", '{"parser": "openai"}', "Enter a list of objects"),
        ("guards", '{"min_models": "many"}', "Enter an object of numbers"),
        ("base_url", "https://user:pw@example.com", "holds no user"),
        ("auth_header", "Bearer", "Write it as"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    admin_client: Client, field: str, text: str, sentence: str
) -> None:
    answer = save(admin_client, page(provider("groq")), **{field: text})
    assert sentence in errors(answer).replace("&quot;", '"')


def test_an_emptied_list_is_an_empty_list(admin_client: Client) -> None:
    answer = save(admin_client, page(provider("groq")), drop_params="", guards="", headers="")
    assert errors(answer) == ""
    row = provider("groq")
    assert (row.drop_params, row.guards, row.headers) == ([], {}, {})


def test_a_credential_says_whether_its_variable_is_set(admin_client: Client, settings) -> None:
    url = reverse("admin:providers_credential_changelist")
    settings.ENVIRONMENT = {"GROQ_API_KEY": "gsk_1"}
    text = admin_client.get(url, {"q": "GROQ_API_KEY"}).content.decode()
    assert "not set in this process" not in text
    settings.ENVIRONMENT = {}
    text = admin_client.get(url, {"q": "GROQ_API_KEY"}).content.decode()
    assert "not set in this process" in text


def test_an_alias_is_stored_folded(admin_client: Client) -> None:
    answer = save(
        admin_client,
        reverse("admin:providers_provideralias_add"),
        provider=str(provider("groq").pk),
        alias="Fast_LPU",
    )
    assert errors(answer) == ""
    assert ProviderAlias.objects.get(alias="fast-lpu").provider.slug == "groq"


def test_the_listing_survives_a_save(admin_client: Client) -> None:
    before = json.dumps(provider("huggingface").listing)
    assert errors(save(admin_client, page(provider("huggingface")))) == ""
    assert json.dumps(provider("huggingface").listing) == before
