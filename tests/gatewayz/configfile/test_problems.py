"""Broken files: each problem is named with its line and path, all at once, and nothing changes."""

import pytest

from gatewayz.configfile.exporting import export
from tests.gatewayz.configfile.files import WORLD, complaints, put

pytestmark = pytest.mark.django_db

P = "version: 1\nproviders:\n  t-x:\n    name: X\n    base_url: https://x.example\n    "
M = "version: 1\nmodels:\n  t/m:\n    offers:\n      - {provider: t-north, upstream_id: u, price: "
BROKEN = {
    "unknown section": ("version: 1\nprovider: {}", "line 2: provider: unknown key; did you mean"),
    "unknown key": (P + "base_ulr: x", "line 6: providers.t-x.base_ulr: unknown key; did you mean"),
    "unknown nested key": (P + "limits: {conc: 1}", "line 6: providers.t-x.limits.conc: unknown"),
    "key outside its group": (P + "concurrency: 1", "line 6: providers.t-x.concurrency: unknown"),
    "dotted key": (P + "limits.concurrency: 1", "line 6: providers.t-x.limits.concurrency: unk"),
    "unknown field in a list": (
        P + "rewrites:\n    - {with: x}",
        "line 7: providers.t-x.rewrites[0]",
    ),
    "text for a number": (P + "priority: high", "line 6: providers.t-x.priority: expected a whole"),
    "a number too big": (P + "priority: 32768", "line 6: providers.t-x.priority: expected a whole"),
    "an absurd number": (
        P + f"limits: {{concurrency: {'9' * 5000}}}",
        "line 6: providers.t-x.limits.c",
    ),
    "text for a truth": (P + 'enabled: "true"', "line 6: providers.t-x.enabled: expected true"),
    "a list for text": (
        P + "site_url: [a]",
        "line 6: providers.t-x.site_url: expected text, found a",
    ),
    "truth for text": (P + "site_url: true", "line 6: providers.t-x.site_url: expected text (in"),
    "nothing for text": (
        P + "site_url:",
        "line 6: providers.t-x.site_url: expected text, found not",
    ),
    "text for a list": (P + "aliases: hug", "line 6: providers.t-x.aliases: expected a list"),
    "a mapping in strings": (
        P + "drop_params: [a, {}]",
        "line 6: providers.t-x.drop_params[1]: exp",
    ),
    "numbers as headers": (
        P + "headers: {a: [1]}",
        "line 6: providers.t-x.headers.a: expected text",
    ),
    "a header with a break": (
        P + 'headers: {a: "b\\r\\nc: d"}',
        "line 6: providers.t-x.headers: A he",
    ),
    "timeouts of NaN": (
        P + "timeouts: {idle: .nan}",
        "line 6: providers.t-x.timeouts.idle: expected",
    ),
    "a timeout of zero": (P + "timeouts: {idle: 0}", "line 6: providers.t-x.timeouts.idle: Ensure"),
    "a bad address": (
        P.replace("https://x.example", "ftp://x"),
        "line 5: providers.t-x.base_url: Ent",
    ),
    "a bad host": (P.replace("x.ex", "[x.ex"), "line 5: providers.t-x.base_url: Enter an address"),
    "a bad port": (
        P.replace(".example", ".example:99999"),
        "line 5: providers.t-x.base_url: Enter",
    ),
    "a bad adapter": (
        P + "adapter: soap",
        "line 6: providers.t-x.adapter: No adapter is called soap",
    ),
    "no address": (
        "version: 1\nproviders:\n  t-x: {name: X}",
        "line 3: providers.t-x.base_url: missing",
    ),
    "an alias taken": (
        P + "aliases: [T_N]",
        "line 6: providers.t-x.aliases[0]: t-n is an alias of t-no",
    ),
    "an alias that is a slug": (
        P + "aliases: [t-south]",
        "line 6: providers.t-x.aliases[0]: t-south is",
    ),
    "a slug that is an alias": (
        P.replace("t-x", "t-n"),
        "line 3: providers.t-n: t-n is an alias of t-no",
    ),
    "an alias twice": (
        P + "aliases: [q, Q]",
        "line 6: providers.t-x.aliases[1]: line 6 (providers.t-x.a",
    ),
    "a bad slug": (P.replace("t-x", "T X"), "line 3: providers.T X: Use a-z"),
    "no form of credential": (
        P + "credentials: [{label: a}]",
        "line 6: providers.t-x.credentials[0]: giv",
    ),
    "two forms": (
        P + "credentials: [{env: A, value: b}]",
        "line 6: providers.t-x.credentials[0]: give ex",
    ),
    "a bad action": (
        P + "rewrites: [{action: eat, value: a}]",
        "line 6: providers.t-x.rewrites[0].action",
    ),
    "a bad guard": (
        P + "guards: {min_models: lots}",
        "line 6: providers.t-x.guards.min_models: expected",
    ),
    "a bad listing": (
        P + "listing: [https://x]",
        "line 6: providers.t-x.listing[0]: expected a mapping",
    ),
    "a negative price": (
        M + "{input: -1}}",
        "line 5: models.t/m.offers[0].price.input: expected a price",
    ),
    "a price of NaN": (
        M + "{input: NaN}}",
        "line 5: models.t/m.offers[0].price.input: expected a price",
    ),
    "an infinite price": (
        M + "{input: .inf}}",
        "line 5: models.t/m.offers[0].price.input: expected a pri",
    ),
    "an exponent": (
        M + "{input: 1e999999}}",
        "line 5: models.t/m.offers[0].price.input: expected a price",
    ),
    "a huge price": (
        M + "{input: 1234567890123}}",
        "line 5: models.t/m.offers[0].price.input: Ensure",
    ),
    "too fine a price": (
        M + '{input: "0.1234567"}}',
        "line 5: models.t/m.offers[0].price.input: Ensure",
    ),
    "a negative price of the cache": (
        M + "{cache_write: -1}}",
        "line 5: models.t/m.offers[0].price.cache_write: a price is USD per million tokens",
    ),
    "too fine a price of a request": (
        M + '{request: "0.0000000000001"}}',
        "line 5: models.t/m.offers[0].price.request: a price is USD each",
    ),
    "an unknown price": (
        M + "{cache_wirte: 1}}",
        "line 5: models.t/m.offers[0].price.cache_wirte: unknown key; did you mean cache_write?",
    ),
    "tiers without a list": (
        M + "{tiers: {input: 1}}}",
        "line 5: models.t/m.offers[0].price.tiers: expected a list of tiers",
    ),
    "a tier without a condition": (
        M + "{tiers: [{input: 1}]}}",
        "line 5: models.t/m.offers[0].price.tiers[0]: a tier has a condition",
    ),
    "a tier without a price": (
        M + "{tiers: [{min_prompt_tokens: 1}]}}",
        "line 5: models.t/m.offers[0].price.tiers[0]: a tier has at least one price",
    ),
    "a tier from a negative size": (
        M + "{tiers: [{min_prompt_tokens: -1, input: 1}]}}",
        "line 5: models.t/m.offers[0].price.tiers[0].min_prompt_tokens: expected a whole number",
    ),
    "a tier with an unknown condition": (
        M + "{tiers: [{max_prompt_tokens: 1, input: 1}]}}",
        "line 5: models.t/m.offers[0].price.tiers[0].max_prompt_tokens: there is no such",
    ),
    "half a window of time": (
        M + '{tiers: [{utc_start: "1630", input: 1}]}}',
        "line 5: models.t/m.offers[0].price.tiers[0]: a window has a utc_start and a utc_end",
    ),
    "no time of day": (
        M + '{tiers: [{utc_start: "2460", utc_end: "0030", input: 1}]}}',
        "line 5: models.t/m.offers[0].price.tiers[0].utc_start: a time of day in UTC",
    ),
    "prices as a number": (M + "1}", "line 5: models.t/m.offers[0].price: expected a mapping"),
    "an unknown provider": (
        "version: 1\nmodels:\n  t/m:\n    offers: [{provider: t-nort, upstream_id: x}]",
        "line 4: models.t/m.offers[0].provider: no provider is called t-nort; did you mean t-nor",
    ),
    "two offers of one provider": (
        "version: 1\nmodels:\n  t/m:\n    offers:\n    - {provider: t-n, upstream_id: x}\n"
        "    - {provider: t-north, upstream_id: y}",
        "line 6: models.t/m.offers[1]: line 5 (models.t/m.offers[0]) has this already",
    ),
    "a model that is an alias": (
        "version: 1\nmodels:\n  t-short: {}",
        "line 3: models.t-short: this is an",
    ),
    "an alias that is a model": (
        "version: 1\naliases:\n  t/other: x",
        "line 3: aliases.t/other: this is",
    ),
    "an alias of itself": (
        "version: 1\naliases:\n  t-q: t-q",
        "line 3: aliases.t-q: An alias cannot",
    ),
    "a capability": (
        "version: 1\nmodels:\n  t/m: {capabilities: [fly]}",
        "line 3: models.t/m.capabilities",
    ),
    "an order": (
        "version: 1\nvariants:\n  v: {order_by: luck}",
        "line 3: variants.v.order_by: Value",
    ),
    "a block without reason": (
        "version: 1\nblocks:\n- {pattern: x}",
        "line 3: blocks[0].reason: missing",
    ),
    "a date": (
        "version: 1\nblocks:\n- {pattern: x, reason: y, expires: soon}",
        "line 3: blocks[0].expires",
    ),
    "no such day": (
        "version: 1\nblocks:\n- {pattern: x, reason: y, expires: 2026-02-30}",
        "line 3: blocks",
    ),
    "out of the calendar": (
        'version: 1\nblocks:\n- {pattern: x, reason: y, expires: "0001-01-01T00:00:00+14:00"}',
        "line 3: blocks[0].expires: expected a date",
    ),
    "a markup": (
        "version: 1\nplans:\n  default: {markup: -1}",
        "line 3: plans.default.markup: expected",
    ),
    "a section of nothing": ("version: 1\nproviders:", "line 2: providers: expected a mapping"),
    "a section of the wrong kind": ("version: 1\nblocks: {}", "line 2: blocks: expected a list"),
    "a row of nothing": ("version: 1\nplans:\n  t-p:", "line 3: plans.t-p: expected a mapping"),
    "a key twice": (P + "name: Y", "line 6: providers.t-x.name: this key is here twice"),
    "a merge key": (
        "version: 1\nplans:\n  a: {<<: {}}",
        "line 3: plans.a.<<: merge keys are not used",
    ),
    "a tag": ("version: 1\nplans: !!python/object:os.x {}", "line 2: plans: tags such as"),
    "no version": ("plans: {}", "line 1: version: missing"),
    "another version": ("plans: {}\nversion: 2", "line 2: version: expected 1"),
    "nothing": ("", "line 1: expected a mapping"),
    "a list": ("- 1\n- 2", "line 1: expected a mapping"),
    "two documents": ("version: 1\n---\nversion: 1", "line 2: a second document"),
    "no yaml": ("version: 1\nplans: {a: [}", "line 2: invalid YAML"),
    "an open quote": ('version: 1\n"plans: {}', "line 2: invalid YAML"),
    "tabs": ("version: 1\nplans:\n\ta: {}", "line 3: invalid YAML"),
    "a control character": ("version: 1\n\x07: 1", "line 2: invalid YAML: the character '\\x07'"),
    "a NUL in text": (
        'version: 1\nmodels:\n  a: {name: "\\0"}',
        "line 3: models.a.name: a character",
    ),
    "no such anchor": ("version: 1\nplans: *x", "line 2: nothing is named &x"),
    "an endless anchor": ("version: 1\nplans: &x {a: *x}", "line 2: nothing is named &x yet"),
    "a list as key": ("version: 1\nplans: {[a]: 1}", "line 2: plans: a key must be text"),
    "depths": ("version: 1\nplans: " + "[" * 100_000, "line 2: deeper than 40 levels"),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_told_where_it_breaks(text, expected):
    put(WORLD)
    before = export()
    found = complaints(text)
    assert [line for line in found if line.startswith(expected)], found
    assert len(found) == 1 or text.startswith("version: 1\nproviders:\n  t-x") or len(found) < 3, (
        found
    )
    assert export() == before


def test_every_problem_comes_at_once():
    put(WORLD)
    text = """\
    version: 2
    providers:
      t-bad: {name: X, base_url: nonsense, priority: low, colour: red}
      t-north: {auth_header: nothing, aliases: [t-south]}
    models:
      t/x: {offers: [{provider: nowhere, upstream_id: a, price: {input: -1}}]}
    plans:
      default: {markup: x}
    """
    assert [line.partition(": ")[2].partition(": ")[0] for line in complaints(text)] == [
        "version",
        "providers.t-bad.priority",
        "providers.t-bad.colour",
        "providers.t-bad.base_url",
        "providers.t-north.aliases[0]",
        "providers.t-north.auth_header",
        "models.t/x.offers[0].price.input",
        "models.t/x.offers[0].provider",
        "plans.default.markup",
    ]


def test_a_secret_is_in_no_message():
    text = P + 'credentials: [{value: [sk-very-secret]}, {value: "sk-very\\nsecret"}]\n'
    assert not [line for line in complaints(text) if "very" in line]


def test_a_bomb_of_aliases_is_refused():
    lines = ["version: 1", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert complaints("\n".join(lines))[0].endswith("aliases repeat more than 100,000 values")


def test_bytes_that_are_no_text_are_refused_with_their_line():
    assert complaints(b"version: 1\n\xff\xfe") == ["line 2: the file is not UTF-8"]
    assert complaints(b"#" * (20 * 1024 * 1024 + 1)) == ["the file is larger than 20 MB"]
