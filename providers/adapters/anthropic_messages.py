"""An OpenAI conversation as Anthropic's: system apart, roles in turn, tools as content blocks."""

import re
from collections.abc import Iterator

import msgspec

from providers.errors import BadRequest

Block = dict[str, object]
Turn = dict[str, object]


NULL = msgspec.Raw(b"null")  # of an absent member: msgspec has no optional Raw


class Image(msgspec.Struct):
    url: str


class File(msgspec.Struct):
    file_data: str = ""


class Part(msgspec.Struct):
    type: str
    text: str = ""
    refusal: str = ""
    image_url: Image | str | None = None
    file: File | None = None
    cache_control: msgspec.Raw = NULL


class Function(msgspec.Struct):
    name: str
    arguments: str = ""


class ToolCall(msgspec.Struct):
    id: str
    function: Function


class Message(msgspec.Struct):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str = ""
    cache_control: msgspec.Raw = NULL


DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,")
NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def translate(messages: list[Message]) -> tuple[list[Block], list[Turn]]:
    """Return the system blocks and the turns; raises BadRequest naming the part at fault."""
    system: list[Block] = []
    turns: list[Turn] = []
    for place, message in enumerate(messages):
        path = f"messages[{place}]"
        if message.role in ("system", "developer"):
            system += _parts(message, path)
        elif message.role == "user":
            _add(turns, "user", list(_parts(message, path)))
        elif message.role == "assistant":
            _add(turns, "assistant", [*_parts(message, path), *_uses(message, path)])
        elif message.role == "tool":
            _add(turns, "user", [_result(message, path)])
        else:
            raise BadRequest(f"This provider knows no role {message.role!r}.", param=f"{path}.role")
    _trim_last(turns)
    if not turns:
        raise BadRequest("There is no message with content to answer.", param="messages")
    return system, turns


def _add(turns: list[Turn], role: str, blocks: list[Block]) -> None:
    """Append to the turn under way if it is the same speaker's: roles must alternate."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        said = turns[-1]["content"]
        assert isinstance(said, list)
        said += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _trim_last(turns: list[Turn]) -> None:
    """An answer that the client began must not end in white space: Anthropic refuses that."""
    if not turns or turns[-1]["role"] != "assistant":
        return
    blocks = turns[-1]["content"]
    assert isinstance(blocks, list)
    if blocks[-1]["type"] == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip()
        if not blocks[-1]["text"]:
            blocks.pop()
    if not blocks:
        turns.pop()


def _parts(message: Message, path: str) -> Iterator[Block]:
    """Yield the content's blocks. Empty texts are left out: Anthropic refuses them."""
    if isinstance(message.content, str):
        if message.content:
            yield marked({"type": "text", "text": message.content}, message.cache_control)
        return
    for place, part in enumerate(message.content or ()):
        block = _part(part, f"{path}.content[{place}]")
        if block.get("text") != "":
            yield marked(block, part.cache_control)


def _part(part: Part, path: str) -> Block:
    if part.type == "text":
        return {"type": "text", "text": part.text}
    if part.type == "refusal":
        return {"type": "text", "text": part.refusal}
    if part.type == "image_url" and part.image_url is not None:
        url = part.image_url if isinstance(part.image_url, str) else part.image_url.url
        return {"type": "image", "source": _source(url, f"{path}.image_url")}
    if part.type == "file" and part.file is not None and part.file.file_data:
        return {"type": "document", "source": _source(part.file.file_data, f"{path}.file")}
    raise BadRequest(f"This provider takes no {part.type!r} part.", param=f"{path}.type")


def _source(url: str, path: str) -> Block:
    found = DATA_URL.match(url)
    if found:
        media_type = "image/jpeg" if found[1] == "image/jpg" else found[1]
        return {"type": "base64", "media_type": media_type, "data": url[found.end() :]}
    if url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    raise BadRequest("Expected an http(s) address or a base64 data: URL.", param=path)


def _uses(message: Message, path: str) -> Iterator[Block]:
    for place, call in enumerate(message.tool_calls or ()):
        arguments = call.function.arguments.strip() or "{}"
        try:
            _object(arguments)
        except (msgspec.DecodeError, RecursionError) as problem:
            where = f"{path}.tool_calls[{place}].function.arguments"
            raise BadRequest("Expected a JSON object, as a string.", param=where) from problem
        yield {
            "type": "tool_use",
            "id": _tool_id(call.id),
            "name": call.function.name,
            "input": msgspec.Raw(arguments.encode()),
        }


def _result(message: Message, path: str) -> Block:
    if not message.tool_call_id:
        raise BadRequest("A tool's message names its call.", param=f"{path}.tool_call_id")
    block: Block = {"type": "tool_result", "tool_use_id": _tool_id(message.tool_call_id)}
    if isinstance(message.content, str):
        block["content"] = message.content
    elif message.content:
        block["content"] = list(_parts(message, path))
    return marked(block, message.cache_control)


def _tool_id(text: str) -> str:
    """Other providers' ids may hold what Anthropic's may not (`functions.f:0`)."""
    return NOT_IN_AN_ID.sub("_", text)


def marked(block: Block, cache_control: msgspec.Raw) -> Block:
    """Return `block` with the client's cache mark, if it set one."""
    if cache_control != NULL:
        block["cache_control"] = cache_control
    return block
