"""An OpenAI chat request's members as those of Anthropic's body."""

import re
from typing import Any

import msgspec

from providers.adapters.answers import Fields
from providers.adapters.anthropic_messages import NULL, Block, Message, Turn, marked, translate
from providers.errors import BadRequest

MAX_TOKENS = 4096  # Anthropic requires a number; this one every model of its takes
LEAST_THINKING = 1024
THINKING = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}
NO_FORMAT = "This provider takes no JSON response_format: ask for JSON in a message, or use a tool."


class Declared(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL


class Tool(msgspec.Struct):
    function: Declared
    type: str = "function"
    cache_control: msgspec.Raw = NULL


class Named(msgspec.Struct):
    name: str


class Choice(msgspec.Struct):
    type: str = "function"
    function: Named | None = None


class Format(msgspec.Struct):
    type: str = "text"


class Options(msgspec.Struct):
    """The members of the client's body, besides `messages`, that have a meaning here."""

    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    reasoning_effort: str | None = None
    thinking: dict[str, Any] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    n: int | None = None
    modalities: list[str] | None = None


# What changes the answer and cannot be said; a provider's `drop_params` leaves it out instead.
UNSAID = ("logprobs", "top_logprobs", "logit_bias", "functions", "function_call", "audio")
EMPTY = (b"null", b"false", b"0", b"{}", b"[]", b'"none"', b'"auto"')
PLACE = re.compile(r" - at `\$\.?(.*)`$")

_options = msgspec.json.Decoder(Options).decode
_messages = msgspec.json.Decoder(list[Message]).decode
_encode = msgspec.json.Encoder().encode


def body_of(fields: Fields) -> dict[str, object]:
    """Return the members of Anthropic's body, without `model`; raises BadRequest."""
    for name in UNSAID:
        if name in fields and bytes(fields[name]) not in EMPTY:
            raise BadRequest(f"This provider takes no {name}.", param=name)
    options = options_of(fields)
    system, turns = translate(messages_of(fields))
    body: dict[str, object] = {"messages": turns}
    if system:
        body["system"] = system
    body.update(limits(options))
    body.update(tools(options))
    thinking = thinking_of(options, body, turns)
    body.update(thinking or sampling(options))
    return body


def options_of(fields: Fields) -> Options:
    known = {name: fields[name] for name in Options.__struct_fields__ if name in fields}
    try:
        options = _options(_encode(known))
    except (msgspec.DecodeError, RecursionError) as problem:
        raise misread(problem, "") from problem
    if options.n not in (None, 1):
        raise BadRequest("This provider gives one answer: n must be 1.", param="n")
    if options.response_format is not None and options.response_format.type != "text":
        raise BadRequest(NO_FORMAT, param="response_format")
    if "audio" in (options.modalities or ()):
        raise BadRequest("This provider does not speak.", param="modalities")
    return options


def messages_of(fields: Fields) -> list[Message]:
    try:
        return _messages(fields.get("messages", b"null"))
    except (msgspec.DecodeError, RecursionError) as problem:
        raise misread(problem, "messages") from problem


def misread(problem: Exception, within: str) -> BadRequest:
    """Return msgspec's complaint with the parameter's path as OpenAI writes it."""
    text = str(problem)
    found = PLACE.search(text)
    path = within + (found[1] if found else "")
    return BadRequest(f"{path or 'The body'}: {PLACE.sub('', text)}", param=path or None)


def limits(options: Options) -> dict[str, object]:
    """Return what bounds the answer, and for whom it is."""
    asked = options.max_completion_tokens or options.max_tokens
    body: dict[str, object] = {"max_tokens": asked or MAX_TOKENS}
    stop = [options.stop] if isinstance(options.stop, str) else options.stop
    if stop and not all(text.strip() for text in stop):
        raise BadRequest("This provider cannot stop at white space.", param="stop")
    if stop:
        body["stop_sequences"] = stop
    if options.user:
        body["metadata"] = {"user_id": options.user}
    return body


def sampling(options: Options) -> dict[str, object]:
    """Return temperature, at most 1 here, and its like.

    Newer models refuse temperature beside top_p: the one that changes nothing is left out.
    """
    temperature, top_p = options.temperature, options.top_p
    if temperature is not None:
        temperature = min(max(temperature, 0.0), 1.0)
    if temperature is not None and top_p is not None:
        temperature, top_p = (temperature, None) if top_p >= 1 else (temperature, top_p)
        temperature = None if temperature == 1 and top_p is not None else temperature
    said = {"temperature": temperature, "top_p": top_p, "top_k": options.top_k}
    return {name: value for name, value in said.items() if value is not None}


def tools(options: Options) -> dict[str, object]:
    if not options.tools:
        return {}
    body: dict[str, object] = {
        "tools": [tool_of(tool, place) for place, tool in enumerate(options.tools)]
    }
    choice = choice_of(options.tool_choice)
    if options.parallel_tool_calls is False and choice != {"type": "none"}:
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice
    return body


def tool_of(tool: Tool, place: int) -> Block:
    if tool.type != "function":
        raise BadRequest("This provider takes functions only.", param=f"tools[{place}].type")
    declared = tool.function
    schema = declared.parameters
    if bytes(schema) in (b"null", b"{}"):
        schema = msgspec.Raw(b'{"type":"object","properties":{}}')
    block: Block = {"name": declared.name, "input_schema": schema}
    if declared.description:
        block["description"] = declared.description
    return marked(block, tool.cache_control)


def choice_of(choice: str | Choice | None) -> Block | None:
    if choice is None:
        return None
    if isinstance(choice, Choice) and choice.type == "function" and choice.function is not None:
        return {"type": "tool", "name": choice.function.name}
    kinds = {"auto": "auto", "none": "none", "required": "any"}
    if isinstance(choice, str) and choice in kinds:
        return {"type": kinds[choice]}
    raise BadRequest("Expected auto, none, required or a function.", param="tool_choice")


def thinking_of(options: Options, body: dict[str, object], turns: list[Turn]) -> dict[str, object]:
    """Return how much to think. With it, max_tokens has room for it, and sampling is left alone.

    An effort is a wish: it is passed over where Anthropic would refuse to think, that is with a
    forced tool, with less than 1,024 tokens of room, and where the conversation goes on after a
    tool's result or a begun answer, since the thoughts before are not in it.
    """
    if options.thinking is not None:
        return thinking_as_told(options, options.thinking)
    effort = options.reasoning_effort
    if effort is None or effort == "none":
        return {}
    if effort not in THINKING:
        raise BadRequest(f"Expected one of none, {', '.join(THINKING)}.", param="reasoning_effort")
    budget = THINKING[effort]
    if not (options.max_completion_tokens or options.max_tokens):
        room = MAX_TOKENS + budget
    else:
        room = options.max_completion_tokens or options.max_tokens or 0
        budget = min(budget, room - room // 4)
    if budget < LEAST_THINKING or forced(body) or goes_on(turns):
        return {}
    thinking = {"type": "enabled", "budget_tokens": budget}
    return {"max_tokens": room, "thinking": thinking}


def thinking_as_told(options: Options, thinking: dict[str, Any]) -> dict[str, object]:
    """Return Anthropic's own `thinking` as the client sent it, with room for it."""
    said: dict[str, object] = {"thinking": thinking, **sampling(options)}
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and not (options.max_completion_tokens or options.max_tokens):
        said["max_tokens"] = MAX_TOKENS + budget
    return said


def forced(body: dict[str, object]) -> bool:
    choice = body.get("tool_choice")
    return isinstance(choice, dict) and choice["type"] in ("any", "tool")


def goes_on(turns: list[Turn]) -> bool:
    content = turns[-1]["content"]
    assert isinstance(content, list)
    return turns[-1]["role"] == "assistant" or content[0]["type"] == "tool_result"
