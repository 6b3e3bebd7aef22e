"""How a model id becomes the provider's: an ordered list of rules, applied without side effects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One rule. `value` is the suffix, prefix or text; `replacement` serves `replace` alone.

    keep: glob patterns of ids that the rule leaves alone (`groq/compound*`).
    """

    action: str
    value: str
    replacement: str = ""
    unless_suffixed: bool = False
    when_backend: str = ""
    keep: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"{self.value} → {self.replacement}" if self.action == "replace" else self.value
        return f"{self.action} {what}"


def append_suffix(rule: Rewrite, upstream_id: str) -> str:
    return upstream_id if upstream_id.endswith(rule.value) else upstream_id + rule.value


def add_prefix(rule: Rewrite, upstream_id: str) -> str:
    return upstream_id if upstream_id.startswith(rule.value) else rule.value + upstream_id


def strip_prefix(rule: Rewrite, upstream_id: str) -> str:
    return upstream_id.removeprefix(rule.value) or upstream_id


def replace(rule: Rewrite, upstream_id: str) -> str:
    return upstream_id.replace(rule.value, rule.replacement) or upstream_id


ACTIONS: dict[str, Callable[[Rewrite, str], str]] = {
    "append_suffix": append_suffix,
    "add_prefix": add_prefix,
    "strip_prefix": strip_prefix,
    "replace": replace,
}


def skipped(rule: Rewrite, upstream_id: str, suffix: str, backends: Sequence[str]) -> str:
    """Say why `rule` does not apply, or return the empty string."""
    if rule.unless_suffixed and (suffix or ":" in upstream_id):
        return "the id has a suffix already"
    if rule.when_backend and rule.when_backend not in backends:
        return f"the offer has no {rule.when_backend} backend"
    if any(fnmatchcase(upstream_id, pattern) for pattern in rule.keep):
        return "the id is on the rule's keep list"
    return ""


def rewrite(
    rules: Sequence[Rewrite],
    upstream_id: str,
    suffix: str = "",
    backends: Sequence[str] = (),
    note: Callable[[str, str], None] | None = None,
) -> str:
    """Return the id that the provider wants: through `rules`, then with the client's `suffix`.

    `note(rule, outcome)` hears of every rule, applied or not.
    """
    for rule in rules:
        reason = skipped(rule, upstream_id, suffix, backends)
        if not reason:
            before, upstream_id = upstream_id, ACTIONS[rule.action](rule, upstream_id)
            reason = "no change" if before == upstream_id else f"{before} → {upstream_id}"
        if note is not None:
            note(str(rule), reason)
    return upstream_id + suffix
