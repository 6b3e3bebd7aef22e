"""The adapters by the name that a provider's row carries; a new wire format is a row here."""

from collections.abc import Mapping

from providers.adapters.answers import Adapter
from providers.adapters.anthropic import Anthropic
from providers.adapters.echo import EchoAdapter
from providers.adapters.openai import OpenAI

ADAPTERS: Mapping[str, Adapter] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "echo": EchoAdapter(),
}
