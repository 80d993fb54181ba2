"""全国地方公共団体コード: six digits, the last one a check digit (総務省)."""


def check_digit(first_five: str) -> str:
    """The sixth digit for a five-digit JIS X 0402 code: 11 minus the weighted sum modulo 11, last digit."""
    total = sum(int(digit) * weight for digit, weight in zip(first_five, (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def is_municipality_code(text: str) -> bool:
    """Whether ``text`` is a well-formed code with its check digit. Zeros in front count: it is text, not a number."""
    return len(text) == 6 and text.isascii() and text.isdigit() and check_digit(text[:5]) == text[5]
