import pytest

from providers.transport.encoding import encode_request
from providers.transport.targets import parse_target

TARGET = parse_target("https://api.example.com/v1/chat?a=b")


def test_a_url_says_where_a_request_goes():
    assert (TARGET.origin, TARGET.authority) == ((True, "api.example.com", 443), "api.example.com")
    assert TARGET.path == "/v1/chat?a=b"
    local = parse_target("http://[::1]:8000")
    assert (local.host, local.port, local.authority, local.path) == ("::1", 8000, "[::1]:8000", "/")
    assert parse_target("HTTP://Example.com:80/").authority == "example.com"


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd"),
        *("http://", "http:///path", "http://:80/", "http://a:99999/", "http://a:0/"),
        *("http://user@a/", "http://user:secret@a/", "http://a/#part", "http://a/#"),
        *("http://a/\r\nx: y", "http://a/ b", "http://a\t/", "http://ä.de/", "http://[::1/"),
    ],
)
def test_a_url_that_could_be_misread_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        parse_target(url)


def test_a_request_is_one_piece_with_its_host_and_length():
    request = encode_request("POST", TARGET, (("X-A", "1"), ("x-b", "é")), b"{}")
    assert request == (
        b"POST /v1/chat?a=b HTTP/1.1\r\nhost: api.example.com\r\n"
        b"X-A: 1\r\nx-b: \xe9\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_an_empty_get_has_no_length_and_an_empty_post_has():
    assert encode_request("GET", TARGET, (), b"").endswith(b"api.example.com\r\n\r\n")
    assert encode_request("POST", TARGET, (), b"").endswith(b"\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "a\u20ac", "a\u560a"])
def test_a_header_value_cannot_inject(value):
    with pytest.raises(ValueError, match=r"x-a|latin-1"):
        encode_request("POST", TARGET, (("x-a", value),), b"")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "é", "Host", "Content-Length"])
def test_a_header_name_cannot_inject_or_replace_ours(name):
    with pytest.raises(ValueError, match=r"header name|set by"):
        encode_request("POST", TARGET, ((name, "1"),), b"")


@pytest.mark.parametrize("method", ["", "GET /", "G\r\n", "HEAD", "CONNECT"])
def test_a_method_is_one_word_and_one_that_we_can_answer_for(method):
    with pytest.raises(ValueError, match="method"):
        encode_request(method, TARGET, (), b"")


def test_a_refused_value_is_not_in_the_error():
    with pytest.raises(ValueError, match="authorization") as caught:
        encode_request("POST", TARGET, (("authorization", "Bearer sk-secret\n"),), b"")
    assert "sk-secret" not in str(caught.value)
