"""Fills a database far beyond what anybody has: providers, offers, rules, keys, in bulk.

Its rows bypass the configuration's announcements, so fill before the gateway starts.
"""

from dataclasses import dataclass

from tests.world.gateway import Gateway

CATALOGUE = """
from django.db import models, transaction
from catalog.models import BlockRule, Model, ModelAlias, Offer
from providers.models import Credential, Provider, ProviderAlias, RewriteRule

PROVIDERS, OFFERS, MODELS = {providers}, {offers}, {models}

def made(model, rows):
    return models.QuerySet(model).bulk_create(rows, batch_size=5000)

with transaction.atomic():
    made(Provider, [Provider(slug=f"crowd-{{n}}", name=f"Crowd {{n}}", adapter="openai",
                             enabled=True, base_url=f"https://crowd-{{n}}.example/v1")
                    for n in range(PROVIDERS)])
    them = list(Provider.objects.filter(slug__startswith="crowd-").order_by("pk"))
    made(ProviderAlias, [ProviderAlias(provider=p, alias=f"c-{{p.slug}}") for p in them])
    made(Credential, [Credential(provider=p, label="one", env="CROWD_KEY") for p in them])
    made(RewriteRule, [RewriteRule(provider=p, position=n, action="append_suffix", value=f":s{{n}}",
                                   unless_suffixed=True, when_backend=f"b{{n}}")
                       for p in them for n in range(3)])
    made(BlockRule, [BlockRule(pattern=f"blocked-{{p.pk}}/*", provider=p, reason="crowd")
                     for p in them])
    ids = [f"org-{{n % 700}}/Crowd-{{n}}-70B-Instruct" for n in range(MODELS)]
    made(Model, [Model(model_id=i, name=i.partition("/")[2], context_length=131072,
                       description="A model of the crowd. " * 3) for i in ids])
    made(ModelAlias, [ModelAlias(alias=f"alias-{{n}}", target=i) for n, i in enumerate(ids[:5000])])
    rows = list(Model.objects.filter(model_id__contains="/Crowd-").order_by("pk"))
    made(Offer, [Offer(model=rows[n % MODELS], provider=them[(n + n // MODELS) % PROVIDERS],
                       upstream_id=rows[n % MODELS].model_id, input_price="0.5", output_price="1.5")
                 for n in range(OFFERS)])
print(Offer.objects.count())
"""
# A key's secret follows from its number, so that the load can send any of them.
KEYS = """
from django.conf import settings
from django.db import connection, models
from billing.access.keys import digest
from billing.models import ApiKey

def token(n):
    return "gwz_live_%016d_%043d" % (n, n)

known = ApiKey.objects.order_by("pk").first()
own = [f.column for f in ApiKey._meta.concrete_fields if not f.primary_key]
same = [c for c in own if c not in ("public_id", "digest", "last4")]
with connection.cursor() as cursor:
    cursor.execute("CREATE TEMP TABLE crowd (public_id text, digest text)")
    with cursor.copy("COPY crowd FROM STDIN") as copy:
        for n in range({keys}):
            copy.write_row(("%016d" % n, digest(token(n), settings.KEY_PEPPERS[0])))
    columns = ", ".join(f'"{{c}}"' for c in same)
    cursor.execute(
        f'INSERT INTO billing_apikey (public_id, digest, last4, {{columns}}) '
        f"SELECT c.public_id, c.digest, '0000', {{columns}} "
        f"FROM crowd c CROSS JOIN (SELECT {{columns}} FROM billing_apikey WHERE id = %s) k",
        [known.pk])
    cursor.execute("ANALYZE")
print(ApiKey.objects.count())
"""


@dataclass(frozen=True)
class Crowd:
    """How many of each. A model has `offers / models` offers."""

    providers: int = 1_000
    models: int = 50_000
    offers: int = 100_000
    keys: int = 1_000_000


def token(number: int) -> str:
    return f"gwz_live_{number:016d}_{number:043d}"


def fill_catalogue(gateway: Gateway, crowd: Crowd) -> int:
    """Add the catalogue; return how many offers there are."""
    sizes = {"providers": crowd.providers, "offers": crowd.offers, "models": crowd.models}
    return last_number(gateway.run("shell", "-v", "0", "-c", CATALOGUE.format(**sizes)).stdout)


def fill_keys(gateway: Gateway, crowd: Crowd) -> int:
    """Add keys like the first there is; return how many there are. PostgreSQL only."""
    return last_number(gateway.run("shell", "-v", "0", "-c", KEYS.format(keys=crowd.keys)).stdout)


def last_number(told: str) -> int:
    return int(told.split()[-1])
