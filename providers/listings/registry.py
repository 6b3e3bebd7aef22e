"""The one table of parsers, by the name that listing entries carry."""

from collections.abc import Mapping

from providers.listings import aggregators, deepinfra, huggingface, makers, markets, openai
from providers.listings.shape import Shape

SHAPES: Mapping[str, Shape] = {
    "openai": openai.OPENAI,
    "groq": openai.GROQ,
    "portkey": openai.PORTKEY,
    "chutes": openai.CHUTES,
    "nebius": openai.NEBIUS,
    "sambanova": openai.SAMBANOVA,
    "hyperbolic": openai.HYPERBOLIC,
    "moonshot": openai.MOONSHOT,
    "vercel": openai.VERCEL,
    "vllm": openai.VLLM,
    "llamacpp": openai.LLAMACPP,
    "ollama": openai.OLLAMA,
    "ollama-tags": openai.OLLAMA_TAGS,
    "lmstudio": openai.LMSTUDIO,
    "openrouter": aggregators.OPENROUTER,
    "featherless": aggregators.FEATHERLESS,
    "together": aggregators.TOGETHER,
    "novita": aggregators.NOVITA,
    "fireworks": aggregators.FIREWORKS,
    "fireworks-control": aggregators.FIREWORKS_CONTROL,
    "anthropic": makers.ANTHROPIC,
    "cerebras": makers.CEREBRAS,
    "cohere": makers.COHERE,
    "google": makers.GOOGLE,
    "google-openai": makers.GOOGLE_OPENAI,
    "mistral": makers.MISTRAL,
    "xai": makers.XAI,
    "deepinfra": deepinfra.DEEPINFRA,
    "deepinfra-openai": deepinfra.DEEPINFRA_OPENAI,
    "near": markets.NEAR,
    "aimo": markets.AIMO,
    "huggingface-hub": huggingface.HUB,
    "huggingface-router": huggingface.ROUTER,
}
