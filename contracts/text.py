"""What a text field may hold, wherever it comes from: a file, a form, a page. Pure.

A message says what to do and never repeats the value: it may name a person.
"""

import re
import unicodedata

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\uf8f0-\uf8f3\ud800-\udfff]")
"""Control signs, signs that turn the direction of text, halves of signs (no encoding writes them), and what Python
makes of bytes that CP932 does not have."""
_LINE_BREAK = re.compile(r"[\t\n\r\u2028\u2029]")
_TWELVE_DIGITS = re.compile(r"(?<![0-9+])[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}(?![0-9])")


class Refused(Exception):
    """A value cannot be taken in. Carries the rule and what to do, never the value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule, self.message = rule, message


def check_text(text: str, lines: bool) -> None:
    """Refuse what no printed sheet can hold, line breaks unless ``lines``, and a 個人番号. Raises Refused."""
    if _UNPRINTABLE.search(text):
        raise Refused("control-sign", "目に見えない制御文字か、文字コードにない文字があります。打ち直してください。")
    if not lines and _LINE_BREAK.search(text):
        raise Refused("line-break", "改行やタブがあります。1行で書いてください。")
    if without_my_number(text) is not None:
        raise Refused("my-number", "個人番号と思われる12桁の数字があります。消してください。個人番号は扱いません。")


def without_my_number(text: str) -> str | None:
    """The text with each 個人番号 in it replaced by 〓, or None if it holds none."""
    if len(text) < 12:
        return None
    plain = unicodedata.normalize("NFKC", text)
    cleaned = _TWELVE_DIGITS.sub(
        lambda found: "〓" if is_my_number(re.sub("[^0-9]", "", found[0])) else found[0], plain
    )
    return cleaned if cleaned != plain else None


def is_my_number(digits: str) -> bool:
    """Whether twelve digits end in the check digit of a 個人番号 (番号法: weights 2-7, 2-6 from the right, modulo 11).

    Three zeros in front mark a shorter number filled up, as in many a 宛名番号: there the digit fits by chance,
    once in eleven lines, while only one 個人番号 in a thousand begins so.
    """
    if digits.startswith("000"):
        return False
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Signs that are letters or symbols by their category, and show nothing."""


def is_written(text: str) -> bool:
    """Whether there is anything to read: white space, signs without width and blanks that pass for letters are not."""
    unseen = ("Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")
    return any(sign not in _BLANKS and unicodedata.category(sign) not in unseen for sign in text)


def squeeze(text: str) -> str:
    """NFKC without any white space: what names of agencies and labels are compared by."""
    return "".join(unicodedata.normalize("NFKC", text).split())
