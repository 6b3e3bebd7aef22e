"""One way to fold a provider's name, used wherever one is written or looked up."""

import re

SLUG = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def fold(name: str) -> str:
    """Return the form under which names are compared: `Hugging_Face ` is `hugging-face`."""
    return name.strip().casefold().replace("_", "-")
