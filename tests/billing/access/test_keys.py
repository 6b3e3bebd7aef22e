import hmac

import pytest
from django.db import IntegrityError

from billing.access import keys
from billing.models import Account, ApiKey, Plan


def test_a_key_is_recognised_and_its_secret_is_long() -> None:
    minted = keys.mint()
    kind, live, public_id, secret = minted.token.split("_")
    assert (kind, live, public_id) == ("gwz", "live", minted.public_id)
    assert len(public_id) >= 12
    assert 62 ** len(secret) >= 2**256
    assert keys.wellformed(minted.token)
    assert minted.last4 == secret[-4:]
    assert minted.token not in repr(minted)


def test_no_two_keys_are_alike() -> None:
    assert len({keys.mint().token for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",
        lambda token: token + "\n",
        lambda token: token + "x" * 200,
        lambda token: token.replace("gwz", "sk"),
        lambda token: token[:-10],
        lambda token: token.upper(),
        lambda token: token[:-1] + "é",
        lambda token: token[:-1] + "\udcff",
        lambda token: "Bearer " + token,
    ],
)
def test_what_is_no_key_is_not_looked_up(spoil) -> None:
    assert not keys.wellformed(spoil(keys.mint().token))


def test_a_digest_needs_the_pepper_and_old_peppers_still_find_the_row(settings) -> None:
    settings.KEY_PEPPERS = ["old"]
    minted = keys.mint()
    settings.KEY_PEPPERS = ["new", "old"]
    current, older = keys.digests(minted.token)
    assert older == minted.digest == keys.digest(minted.token, "old")
    assert current != older
    assert len(current) == 64


@pytest.mark.django_db
def test_an_issued_key_keeps_only_its_digest() -> None:
    account = Account.objects.create(name="Acme", plan=Plan.objects.get(name="default"))
    row, token = ApiKey.issue(account, "laptop", allowed_models=["openai/*"])
    row.refresh_from_db()
    assert row.digest in keys.digests(token)
    assert row.value_of().permissions.models == ("openai/*",)
    secret = token.rsplit("_", 1)[1]
    assert not any(secret in str(value) for value in vars(row).values())
    with pytest.raises(IntegrityError):
        ApiKey.objects.create(account=account, public_id=row.public_id, digest="x", last4="x")


@pytest.mark.parametrize("pepper", ["p", "p" * 64, "p" * 65, "é" * 200])
def test_a_digest_is_the_keys_hmac(pepper: str) -> None:
    token = keys.mint().token
    expected = hmac.digest(pepper.encode(), token.encode(), "sha256").hex()
    assert keys.digest(token, pepper) == expected
