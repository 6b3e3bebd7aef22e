"""What every page of an organisation needs to know of its reader's role."""

from django.http import HttpRequest

from billing.organisations.roles import May


def permissions(request: HttpRequest) -> dict[str, bool]:
    """Return `may_…` for each thing that the member may do; for templates."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {}
    return {f"may_{what.name.lower()}": membership.may(what) for what in May} | {
        "may_keys": membership.may(May.OWN_KEYS)
    }
