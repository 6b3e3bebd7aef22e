"""Every style of pagination, and cursors that lead astray."""

import pytest

from providers.listings.values import ListingError, Page
from tests.providers.listings.world import URL, parser, read, sample

HUB = "https://huggingface.co/api/models?inference_provider=hf-inference"


def first(name: str, url: str = URL, **options: object) -> str:
    return parser(name, **options).first(url).url


def following(page: Page) -> str | None:
    return page.next.url if page.next else None


def linked(link: str, url: str = HUB) -> Page:
    return read("huggingface-hub", [{"id": "org/x"}], url, {"Link": link})


def test_the_hub_is_asked_for_full_pages_with_prices() -> None:
    asked = first("huggingface-hub", HUB)
    assert asked.startswith(f"{HUB}&limit=1000&")
    assert "expand%5B%5D=inferenceProviderMapping" in asked
    assert first("huggingface-hub", f"{HUB}&limit=10").count("limit=") == 1


def test_the_hubs_next_page_is_the_link_s() -> None:
    found = following(sample("huggingface/hub_models"))
    assert found is not None
    assert found.endswith("&cursor=eyIkb3IiOlt7Imxpa2VzIjoyOTQsIl9pZCI6fV19")
    assert following(linked(f'<{HUB}&p=0>; rel="prev", <{HUB}&p=2>; rel="next"')) == f"{HUB}&p=2"
    assert following(linked("</api/models?cursor=x>; rel=next")) == (
        "https://huggingface.co/api/models?cursor=x"
    )


@pytest.mark.parametrize("link", ["", f'<{HUB}&p=1>; rel="prev"', f"<{HUB}&p=1>", "nonsense"])
def test_without_a_next_link_the_list_ends(link: str) -> None:
    assert linked(link).next is None


def test_a_headers_name_has_no_case() -> None:
    link = f'<{HUB}&p=2>; rel="next"'
    assert read("huggingface-hub", [{"id": "x"}], HUB, {"LINK": link}).next is not None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/api/models?cursor=x",
        "//evil.example/api/models?cursor=x",
        "http://huggingface.co/api/models?cursor=x",
        "https://huggingface.co:8443/api/models?cursor=x",
        "https://huggingface.co.evil.example/api/models?cursor=x",
        "https://huggingface.co@evil.example/api/models?cursor=x",
        "https://user:secret@huggingface.co/api/models?cursor=x",
        "https://user@huggingface.co/api/models?cursor=x",
        "https://evil.example\\@huggingface.co/api/models?cursor=x",
        "https://huggingface.co/evil/file?cursor=x",
        "https://[::1/api/models",
        "https://huggingface.co:port/api/models",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://huggingface.co/api/models?cursor=a b",
        f"https://huggingface.co/api/models?cursor={'x' * 7990}",
        "",
        "https://huggingface.co/api/models?a=<b",
        HUB,
    ],
)
def test_a_cursor_that_leads_elsewhere_or_nowhere_is_refused(target: str) -> None:
    with pytest.raises(ListingError):
        linked(f'<{target}>; rel="next"')


def test_openrouters_next_page_is_in_the_envelope() -> None:
    answer = {"data": [], "links": {"next": "/v1/models?offset=500"}, "total_count": 700}
    page = read("openrouter", answer)
    assert following(page) == "https://api.example.com/v1/models?offset=500"
    assert page.total == 700
    with pytest.raises(ListingError, match="another host"):
        read("openrouter", {"data": [], "links": {"next": "https://evil.example/v1/models?a=1"}})


def featherless(number: int, pages: object, rows: int = 1) -> Page:
    answer = {
        "data": [{"id": f"org/{place}"} for place in range(rows)],
        "pagination": {"total_pages": pages, "total_items": 16546},
    }
    return read("featherless", answer, f"{URL}?page={number}&per_page=1000")


def test_numbered_pages_go_on_to_the_last() -> None:
    assert first("featherless") == f"{URL}?page=1&per_page=1000"
    assert following(featherless(1, 17)) == f"{URL}?per_page=1000&page=2"
    assert featherless(1, 17).total == 16546
    assert featherless(17, 17).next is None
    assert featherless(18, 17).next is None


def test_an_empty_page_ends_numbered_pages() -> None:
    assert featherless(5, 17, rows=0).next is None


def test_a_list_that_tells_no_pages_is_one_page() -> None:
    assert read("featherless", {"data": [{"id": "x"}]}).next is None


def portkey(rows: int, url: str = f"{URL}?limit=100", **envelope: object) -> Page:
    return read(
        "portkey", {"data": [{"id": f"@a/{place}"} for place in range(rows)], **envelope}, url
    )


def test_the_offset_grows_by_the_rows_that_came() -> None:
    assert first("portkey") == f"{URL}?limit=100"
    assert following(portkey(100, total=500)) == f"{URL}?limit=100&offset=100"
    capped = portkey(50, f"{URL}?limit=100&offset=100", total=500)
    assert following(capped) == f"{URL}?limit=100&offset=150"
    assert portkey(50, f"{URL}?limit=100&offset=450", total=500).next is None


def test_a_short_page_does_not_end_a_list_without_a_total() -> None:
    assert portkey(3).next is not None
    assert portkey(0).next is None


def test_refused_rows_count_for_the_offset() -> None:
    page = read("portkey", {"data": [{"id": "@a/x"}, {}, 7], "total": 10}, f"{URL}?limit=100")
    assert following(page) == f"{URL}?limit=100&offset=3"


@pytest.mark.parametrize(
    ("name", "size", "param", "field"),
    [
        ("cohere", "page_size=1000", "page_token", "next_page_token"),
        ("google", "pageSize=1000", "pageToken", "nextPageToken"),
        ("fireworks-control", "pageSize=200", "pageToken", "nextPageToken"),
    ],
)
def test_page_tokens(name: str, size: str, param: str, field: str) -> None:
    asked = first(name)
    assert asked == f"{URL}?{size}"
    page = read(name, {"models": [{"name": "x"}], field: "a/b+c="}, asked)
    assert following(page) == f"{URL}?{size}&{param}=a%2Fb%2Bc%3D"
    for end in ("", None):
        assert read(name, {"models": [{"name": "x"}], field: end}, asked).next is None
    assert read(name, {"models": [{"name": "x"}]}, asked).next is None
    for wrong in (7, ["x"], "x" * 4001, "a\r\nHost: b", "\udc00"):
        with pytest.raises(ListingError):
            read(name, {"models": [{"name": "x"}], field: wrong}, asked)


def test_a_token_cannot_change_the_address() -> None:
    answer = {"models": [{"name": "x"}], "nextPageToken": "&key=1#@evil.example/"}
    page = read("google", answer, f"{URL}?pageSize=1000")
    assert following(page) == f"{URL}?pageSize=1000&pageToken=%26key%3D1%23%40evil.example%2F"


def test_a_token_that_repeats_is_refused() -> None:
    answer = {"models": [{"name": "x"}], "nextPageToken": "a"}
    second = read("google", answer).next
    assert second is not None
    with pytest.raises(ListingError, match="this page"):
        read("google", answer, second.url)


def anthropic(**envelope: object) -> Page:
    return read("anthropic", {"data": [{"id": "a"}, {"id": "b"}], **envelope}, f"{URL}?limit=1000")


def test_anthropic_goes_on_after_the_last_id() -> None:
    assert first("anthropic") == f"{URL}?limit=1000"
    assert following(anthropic(has_more=True, last_id="b")) == f"{URL}?limit=1000&after_id=b"
    assert anthropic(has_more=False, last_id="b").next is None
    with pytest.raises(ListingError, match="no cursor"):
        anthropic(has_more=True, last_id=None)


def test_a_page_size_can_be_set() -> None:
    assert first("portkey", page_size=50) == f"{URL}?limit=50"
    assert "limit=10&" in first("huggingface-hub", page_size=10)


@pytest.mark.parametrize(
    "url", ["", "ftp://x/y", "https://", "https://[", "https://a:b@c/d", "x y"]
)
def test_an_address_that_cannot_be_fetched_is_refused(url: str) -> None:
    with pytest.raises(ListingError):
        first("openai", url)
