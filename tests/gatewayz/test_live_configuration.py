"""A saved row is live in every worker within a second, whole, and under load."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from tests.upstreams.chat import Chat
from tests.upstreams.server import Upstream
from tests.world.browser import Browser
from tests.world.config import provider_row
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

SOON_S = 1.0
SLACK_S = 0.5  # for asking four workers on a busy machine, one after the other
MESSAGES = [{"role": "user", "content": "hi"}]
EDITS = 40

pytestmark = [pytest.mark.timeout(90), pytest.mark.alone]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, migrated) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("four")
    with Gateway(folder, workers=4, template=migrated) as gateway:
        yield gateway


def soon(holds: Callable[[], bool], since: float) -> bool:
    """Whether something holds within the second that began at `since`."""
    while not (held := holds()) and time.monotonic() - since < SOON_S + SLACK_S:
        time.sleep(0.02)
    return held


def ask(line: httpx.Client, model: str, **options: object) -> httpx.Response:
    body = {"model": model, "messages": MESSAGES, **options}
    return line.post("/v1/chat/completions", json=body)


def places(lines: Mapping[int, httpx.Client], model: str) -> set[str]:
    """Return the upstream ids that the workers send `model` under, or their refusals' codes."""
    answers = [ask(line, model) for line in lines.values()]
    return {
        answer.headers.get("x-gatewayz-model") or answer.json()["error"]["code"]
        for answer in answers
    }


def test_an_applied_file_is_live_in_every_worker(four: Gateway, upstream: Upstream) -> None:
    four.provider(upstream, ["m-one", "m-two"], slug="acme")
    with line_per_worker(four) as lines:
        assert len(lines) == 4
        for target in ("m-one", "m-two", "m-one"):
            four.apply({"version": 1, "aliases": {"latest": target}}, settle=False)
            saved = time.monotonic()
            assert soon(lambda: places(lines, "latest") == {target}, saved)  # noqa: B023


def test_a_row_saved_in_the_admin_is_live_in_every_worker(
    four: Gateway, upstream: Upstream
) -> None:
    rule = {"action": "append_suffix", "value": ":one"}
    four.provider(upstream, ["m-admin"], slug="edited", rewrites=[rule])
    (row,) = four.rows("SELECT id FROM providers_rewriterule WHERE value = ':one'")
    admin = Browser(four)
    with line_per_worker(four) as lines:
        assert places(lines, "m-admin") == {"m-admin:one"}
        admin.save(f"/admin/providers/rewriterule/{row['id']}/change/", value=":two")
        saved = time.monotonic()
        assert soon(lambda: places(lines, "m-admin") == {"m-admin:two"}, saved)
        admin.save("/admin/catalog/blockrule/add/", pattern="m-admin", reason="not now")
        saved = time.monotonic()
        assert soon(lambda: places(lines, "m-admin") == {"model_not_available"}, saved)
    admin.close()


def test_a_revoked_key_is_refused_by_every_worker(four: Gateway, upstream: Upstream) -> None:
    four.provider(upstream, ["m-key"], slug="keyed")
    token = four.issue_key("tests", "1")
    bearer = {"Authorization": f"Bearer {token}"}
    with line_per_worker(four) as lines:

        def statuses() -> set[int]:
            body = {"model": "m-key", "messages": MESSAGES}
            answers = [
                line.post("/v1/chat/completions", json=body, headers=bearer)
                for line in lines.values()
            ]
            return {answer.status_code for answer in answers}

        assert statuses() == {200}
        code = "from billing.models import ApiKey; ApiKey.objects.filter(public_id={!r}).revoke()"
        four.manage("shell", "-c", code.format(token.split("_")[2]))
        revoked = time.monotonic()
        assert soon(lambda: statuses() == {401}, revoked)


@dataclass
class Load:
    """Threads that ask for one alias, whole and streamed, on old and on fresh connections."""

    gateway: Gateway
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(8)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(20)

    def run(self, number: int) -> None:
        bearer = {"Authorization": f"Bearer {self.gateway.key}"}
        options = {"base_url": self.gateway.url, "headers": bearer, "trust_env": False}
        while not self.stopped.is_set():
            with httpx.Client(timeout=20, **options) as line:
                for turn in range(10):
                    self.note(line, stream=(turn + number) % 2 == 0)

    def note(self, line: httpx.Client, stream: bool) -> None:
        try:
            answer = ask(line, "flip", stream=stream)
        except httpx.HTTPError as problem:
            self.wrong.append(repr(problem))
            return
        ended = answer.text.endswith("data: [DONE]\n\n") if stream else '"choices"' in answer.text
        if answer.status_code != 200 or not ended:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
        self.answered += 1


def test_under_load_no_request_fails_and_none_is_half_configured(four: Gateway) -> None:
    """Each edit moves an alias, a rewrite rule and the provider's address together."""
    with Upstream() as one, Upstream() as two:
        sides = {"a": one, "b": two}
        for upstream in sides.values():
            upstream.reply(Chat("to be or not"))

        def edit(side: str, settle: bool) -> None:
            rules = [{"action": "append_suffix", "value": f":{side}"}]
            rows = {"flipped": provider_row(sides[side], rewrites=rules)}
            four.apply(
                {"version": 1, "providers": rows, "aliases": {"flip": f"m-{side}"}}, settle=settle
            )

        four.provider(one, ["m-a", "m-b"], slug="flipped")
        edit("a", True)
        with Load(four) as load:
            for side in itertools.islice(itertools.cycle("ba"), EDITS):
                edit(side, False)
            saved = time.monotonic()
            with line_per_worker(four) as lines:
                assert soon(lambda: places(lines, "flip") == {"m-a:a"}, saved)
        assert load.wrong == []
        seen = {side: {r.model for r in up.requests} for side, up in sides.items()}
        assert seen == {"a": {"m-a:a"}, "b": {"m-b:b"}}
        assert load.answered > 5 * EDITS
        assert len(one.requests) + len(two.requests) >= load.answered
