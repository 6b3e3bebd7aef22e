"""How much a chat's body can put into a prompt, found without decoding it. Pure.

Pictures, sound and files in base64 count by the piece, everything else by its bytes.
"""

from collections.abc import Iterator
from itertools import islice

from billing.costs.estimates import LEAST_BYTES_PER_TOKEN, Bounds

IMAGE_TOKENS = 6_000  # of an image, whether its bytes or its address is here
MOST_TOKENS = 100_000  # of a sound or file; a short one has no more than bytes
BASE64 = b";base64,"
DATA = b'"data"'
IMAGE = b'"image_url"'
LONGEST_HEAD = 100
MOST_PIECES = 1000  # that are looked for; what comes after them counts by its bytes


def bounds(raw: bytes, size: int, limit: int | None, choices: int | None, parts: bool) -> Bounds:
    """Return the bounds of a request.

    raw: the body; size: the bytes of it that go into the prompt; limit: of the answer's tokens;
    parts: whether a message has parts, so that there may be media.
    """
    media = images = 0
    if parts:
        pieces = list(media_in(raw))
        size = max(0, size - sum(length for _, length in pieces))
        images = max(-(-raw.count(IMAGE) // 2), sum(image for image, _ in pieces))
        others = sum(min(MOST_TOKENS, length) for image, length in pieces if not image)
        media = images * IMAGE_TOKENS + others
    return Bounds(
        text=-(-size // LEAST_BYTES_PER_TOKEN),
        media=media,
        images=images,
        output=None if limit is None else max(0, limit),
        choices=max(1, choices or 1),
    )


def media_in(raw: bytes) -> Iterator[tuple[bool, int]]:
    """Yield of each piece in base64 whether it is an image, and its length in bytes."""
    for start, end in islice(strings_after(raw, BASE64, b""), MOST_PIECES):
        if is_base64(raw[start:end]):
            place = start - len(BASE64)
            head = raw[max(0, place - LONGEST_HEAD) : place].rpartition(b'"')[2]
            yield head.startswith(b"data:image"), end - start
    for start, end in islice(strings_after(raw, DATA, b'"'), MOST_PIECES):
        piece = raw[start:end]
        if BASE64 not in piece and is_base64(piece):
            yield False, end - start


def strings_after(raw: bytes, marker: bytes, opening: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the text up to the next quote is after each marker, and after `opening`."""
    place = raw.find(marker)
    while place >= 0:
        start = raw.find(opening, place + len(marker)) + len(opening)
        end = raw.find(b'"', start)
        if end < start or start < len(marker):
            return
        yield start, end
        place = raw.find(marker, end)


def is_base64(piece: bytes) -> bool:
    """Whether it can be; text is not, so that no text is taken for media."""
    return bool(piece) and piece.isascii() and b" " not in piece and b"\\n" not in piece
