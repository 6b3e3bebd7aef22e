"""How pages of /account/ write money and large numbers."""

from django import template

from billing import money

register = template.Library()
register.filter("usd", money.written)


@register.filter
def grouped(number: int) -> str:
    return f"{number:,}"
