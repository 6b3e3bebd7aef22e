"""Rows of keys: kinds, scopes, rotation, and that an edit changes what it names."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing.access import keys
from billing.access.lastuse import touch
from billing.access.lookup import find_key
from billing.books.records import Record
from billing.models import Account, ApiKey, Plan
from catalog.asks import EVERYTHING, Permissions
from catalog.models import Revision
from providers.models import Provider, ProviderAlias
from tests.billing.ledgers import account

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def acme(db: None) -> Account:
    return account()


def found(token: str) -> tuple[bool, float | None]:
    """Return whether a request with `token` finds a key, and when that ends."""
    key, _ = find_key(keys.digests(token))
    return key is not None, key.expires_at if key else None


def test_a_key_says_its_kind(acme: Account) -> None:
    live, live_token = ApiKey.issue(acme)
    test, test_token = ApiKey.issue(acme, is_test=True)
    assert live_token.startswith(f"gwz_live_{live.public_id}_")
    assert test_token.startswith(f"gwz_test_{test.public_id}_")
    assert keys.wellformed(test_token)
    assert test.value_of().is_test
    assert test.value_of().markup == 0
    assert live.value_of().permissions is EVERYTHING


def test_after_a_rotation_both_secrets_are_good_until_the_stated_moment(acme: Account) -> None:
    row, first = ApiKey.issue(acme)
    second = row.rotate(DAY)
    assert second.startswith(f"gwz_live_{row.public_id}_")
    assert found(second) == (True, None)
    assert found(first) == (True, row.old_valid_until.timestamp())
    assert abs(row.old_valid_until - timezone.now() - DAY) < timedelta(minutes=1)
    assert Revision.objects.first().parts == [f"key:{row.public_id}"]


def test_a_key_that_ends_sooner_than_its_grace_ends_with_both_secrets(acme: Account) -> None:
    end = timezone.now() + timedelta(hours=1)
    row, first = ApiKey.issue(acme, expires_at=end)
    row.rotate(DAY)
    assert found(first) == (True, end.timestamp())


def test_a_second_rotation_ends_the_first_secret(acme: Account) -> None:
    row, first = ApiKey.issue(acme)
    second = row.rotate(DAY)
    third = row.rotate(DAY)
    assert [found(token)[0] for token in (first, second, third)] == [False, True, True]


def test_without_grace_the_secret_ends_at_once(acme: Account) -> None:
    row, first = ApiKey.issue(acme)
    second = row.rotate(timedelta(0))
    assert [found(token)[0] for token in (first, second)] == [False, True]


def test_a_secret_made_under_an_older_pepper_rotates_too(acme: Account, settings) -> None:
    row, first = ApiKey.issue(acme)
    settings.KEY_PEPPERS = ["newer", *settings.KEY_PEPPERS]
    second = row.rotate(DAY)
    assert found(first) == (True, row.old_valid_until.timestamp())
    assert found(second) == (True, None)


@pytest.mark.parametrize("over", ["revoked", "expired"])
def test_a_key_that_is_over_is_not_rotated(acme: Account, over: str) -> None:
    row, _ = ApiKey.issue(acme)
    at = timezone.now() - DAY
    ApiKey.objects.filter(pk=row.pk).update(**{f"{over.replace('expired', 'expires')}_at": at})
    with pytest.raises(ValidationError, match="make a new one"):
        row.rotate(DAY)


def test_revoking_ends_both_secrets(acme: Account) -> None:
    row, first = ApiKey.issue(acme)
    second = row.rotate(DAY)
    ApiKey.objects.filter(pk=row.pk).revoke()
    for token in (first, second):
        key, _ = find_key(keys.digests(token))
        assert key is not None
        assert key.revoked


def test_providers_are_kept_by_their_slugs(acme: Account) -> None:
    hub = Provider.objects.get(slug="huggingface")
    assert ProviderAlias.objects.filter(provider=hub, alias="hug").exists()
    row = ApiKey(account=acme, allowed_providers=["Hug", "hf", "groq"], denied_providers=["HF"])
    row.mint()
    row.full_clean()
    assert row.allowed_providers == ["huggingface", "groq"]
    assert row.denied_providers == ["huggingface"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"denied_providers": ["grog"]}, "No provider is called grog. There are: "),
        ({"allowed_endpoints": ["chat", "video"]}, "No endpoint is called video. There are: chat"),
        ({"allowed_ips": ["10.0.0.1/8"]}, "host bits set; write 203.0.113.0/24"),
        ({"allowed_ips": [7]}, "Enter a list of strings"),
        ({"allowed_models": "gpt"}, "Enter a list of strings"),
        ({"allowed_models": ["x" * 251]}, "at most 250 characters"),
        ({"denied_models": ["a\0"]}, "characters that no name has"),
        ({"denied_models": ["a"] * 201}, "At most 200 entries"),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused(
    acme: Account, fields: dict[str, object], sentence: str
) -> None:
    row = ApiKey(account=acme, **fields)
    row.mint()
    with pytest.raises(ValidationError, match=sentence):
        row.full_clean()


def test_the_plans_lists_hold_beside_the_keys(acme: Account) -> None:
    plan = Plan.objects.get(name="default")
    plan.denied_models = ["openai/*"]
    plan.save()
    _, token = ApiKey.issue(acme, denied_models=["meta/*"])
    key, _ = find_key(keys.digests(token))
    assert key is not None
    assert key.permissions == Permissions(
        denied_models=("meta/*",), plan=Permissions(denied_models=("openai/*",))
    )


def test_the_last_use_is_what_was_booked_and_only_moves_forward(acme: Account) -> None:
    row, _ = ApiKey.issue(acme)
    other, _ = ApiKey.issue(acme)
    before = Revision.objects.count()

    def used(at: float, key_id: str) -> Record:
        return Record(
            request_id="gen-1", at=at, account_id=acme.pk, key_id=key_id, endpoint="chat",
            asked_model="m",
        )  # fmt: skip

    touch([used(1_800_000_000.7, row.public_id), used(1_800_000_009.2, row.public_id)])
    touch([used(1_800_000_003, row.public_id), used(1_800_000_004, "nobody")])
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.last_used_at == datetime.fromtimestamp(1_800_000_009, UTC)
    assert other.last_used_at is None
    assert Revision.objects.count() == before, "no process needs to know"


def test_touching_many_keys_at_one_moment_is_one_query(
    acme: Account, django_assert_num_queries
) -> None:
    rows = [ApiKey.issue(acme)[0] for _ in range(5)]
    records = [
        Record(request_id=f"gen-{n}", at=1_800_000_000 + n / 10, account_id=acme.pk,
               key_id=row.public_id, endpoint="chat", asked_model="m")
        for n, row in enumerate(rows)
    ]  # fmt: skip
    with django_assert_num_queries(1):
        touch(records)
