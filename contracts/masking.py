"""Free text without what leads to somebody who is 秘匿 (DV等支援措置, S18). Pure: texts in, texts out."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MASK = "〔秘匿〕"
SHORTEST_HIDDEN = 4
"""Letters and digits: a shorter text would be found in words that have nothing to do with it."""
_BETWEEN = r"[\s\-‐−–ー()・,、の]*"
_PHONE = re.compile(r"(?<!\d)0[\d\s\-‐−–ー()]{8,16}\d")


def mask(text: str, hidden: Iterable[str]) -> str:
    """The text without these: width, blanks, hyphens and brackets make no difference. Unchanged where none is in it."""
    plain = unicodedata.normalize("NFKC", text)
    masked = plain
    for value in sorted(set(hidden), key=len, reverse=True):
        letters = [letter for letter in unicodedata.normalize("NFKC", value) if letter.isalnum()]
        if len(letters) >= SHORTEST_HIDDEN:
            masked = re.sub(_BETWEEN.join(map(re.escape, letters)), MASK, masked, flags=re.IGNORECASE)
    return masked if masked != plain else text


def clues(value: object) -> Iterator[str]:
    """The texts of a concealed answer to look for elsewhere: the whole, each line of it, each telephone number."""
    if isinstance(value, str):
        yield value
        yield from value.splitlines()
        yield from _PHONE.findall(unicodedata.normalize("NFKC", value))
    elif isinstance(value, dict):
        for one in value.values():
            yield from clues(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from clues(one)
