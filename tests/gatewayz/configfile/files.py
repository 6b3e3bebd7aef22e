"""Config files that the tests share, and the two verbs on them."""

from textwrap import dedent

from catalog import revisions
from catalog.models import Model, ModelAlias, Variant
from gatewayz.configfile.applying import Outcome, apply
from gatewayz.configfile.problems import Invalid
from providers.models import Provider

EXAMPLE = """\
version: 1
providers:
  huggingface:
    name: Hugging Face
    adapter: openai                 # wire format
    base_url: https://router.huggingface.co/v1
    site_url: https://huggingface.co
    aliases: [hug, hf]
    enabled: true
    priority: 50                    # lower is tried first
    private_network: false          # true allows loopback and private addresses
    headers: {X-HF-Bill-To: my-org}
    credentials:
      - {env: HF_TOKEN}             # or {value: …} on input; export never prints a value
    limits: {concurrency: 200}
    timeouts: {connect: 5, first_byte: 120, idle: 60, total: 600}      # seconds
    drop_params: [logit_bias]       # parameters this provider rejects
    rewrites:                       # in order
      - {action: append_suffix, value: ":hf-inference", unless_suffixed: true, when_backend: hf-inference}
    listing:
      - {parser: huggingface-hub, url: "https://huggingface.co/api/models?inference_provider=hf-inference", auth: optional}
      - {parser: huggingface-router, url: "https://router.huggingface.co/v1/models", auth: none}
    guards: {min_models: 100, max_drop_percent: 50}
models:                             # by hand, for what no listing has; syncs never undo them
  acme/chat-1:
    name: Acme Chat
    capabilities: [chat]            # chat, completions, embeddings, images, audio, rerank, moderations
    context_length: 131072
    offers:
      - {provider: acme, upstream_id: chat-1, backends: [], price: {input: "0.50", output: "1.50"}}   # USD per 1M tokens
aliases:
  gpt-4o: openai/gpt-4o
variants:
  floor: {order_by: price}          # price, latency, throughput, priority
  nitro: {order_by: throughput}
blocks:
  - {pattern: "katanemo/*", provider: huggingface, reason: "router model, not chat", expires: 2026-12-31}
plans:
  default: {markup: "1.00", requests_per_minute: 600, tokens_per_minute: 1000000, concurrency: 50}
"""  # noqa: E501 - it is the design's, to the letter

ACME = """\
version: 1
providers:
  acme: {name: Acme, base_url: "https://acme.example/v1"}
"""

WORLD = """\
version: 1
providers:
  t-north:
    name: North
    base_url: https://north.example/v1
    site_url: https://north.example
    aliases: [t-n, T_Nord]
    priority: 7
    auth_header: "x-api-key: {key}"
    key_optional: true
    passes_suffixes: [fast]
    listing: [{parser: x, url: u, extra: [1, 0.5, 1e5, "1e5", yes, null, {a: b}]}]
    stream_usage: no
    allow_unlisted: yes
    resend_maybe_billed: true
    limits: {concurrency: null}
    timeouts: {connect: 0.5}
    credentials:
      - {env: NORTH_KEY, label: spare, priority: 90, enabled: false}
      - {env: NORTH_KEY_2}
    rewrites:
      - {action: strip_prefix, value: "t/"}
      - {action: replace, value: a, replacement: b, keep: ["x*"], enabled: false}
    guards: {min_models: 1, ratio: 0.5}
  t-tiers: {name: Tiers, base_url: https://tiers.example/v1}
  t-south: {name: "South, \\"the\\" one", base_url: https://south.example/v1, headers: {X-Number: "007"}}
models:
  t/Chat-1:
    name: Chat
    description: "two\\nlines, é, 1e5, and \\U0001F600"
    capabilities: [chat, embeddings]
    hidden: true
    offers:
      - {provider: t-south, upstream_id: chat, price: {input: 0.1, output: "2", cached_input: 0}}
      - {provider: T-NORD, upstream_id: "1e5", backends: [x], capabilities: [chat], context_length: 10, enabled: no}
  t/other:
    offers:
      - provider: t-tiers
        upstream_id: tiers
        price:
          input: "3"
          output: "15"
          cache_write: "3.75"
          cache_write_1h: 6.0
          reasoning: "15.000001"
          audio_input: "40"
          audio_output: "80"
          image_input: "0.1"
          image_output: "0"
          request: "0.000000000001"
          web_search: "0.01"
          image: "0.02"
          tiers:
            - {min_prompt_tokens: 200000, input: "6", output: "22.50"}
            - {utc_start: "1630", utc_end: "0030", input: 1.5, request: "0.005"}
aliases:
  t-short: t/Chat-1
  t-far: t-north/t/other
variants:
  t-cheap: {order_by: price}
blocks:
  - {pattern: "t/bad*", reason: broken, evidence: "seen", author: me, expires: "2031-05-06T07:08:09+02:00"}
  - {pattern: "t/bad*", provider: t-north, reason: broken, enabled: false}
plans:
  t-gold: {markup: "1.2345", requests_per_minute: 1, tokens_per_minute: 2, concurrency: 3, unpriced: refuse, default_input_price: "1.5", default_output_price: 0, default_max_output_tokens: 9}
"""  # noqa: E501


def put(text: str, **options: bool) -> Outcome:
    return apply(dedent(text).encode(), **options)


def complaints(text: str | bytes, **options: bool) -> list[str]:
    """Return the problems of a file, after making sure that it changed nothing."""
    before = revisions.current()
    try:
        apply(text if isinstance(text, bytes) else dedent(text).encode(), **options)
    except Invalid as problem:
        assert revisions.current() == before
        return [str(item) for item in problem.problems]
    raise AssertionError("the file was accepted")


def forget_everything() -> None:
    """Leave the database as it is before any seed."""
    for table in (Variant, ModelAlias, Model, Provider):
        table.objects.all().delete()
