"""What is wrong with a filled-in form, by the labels its reader sees."""

from collections.abc import Mapping

from pydantic import ValidationError

_UNITS = {"string_too_long": "字", "too_long": "件"}


def flaw_text(error: ValidationError, labels: Mapping[str, str]) -> str:
    """Which fields are wrong, and how long one may be; never what was typed in."""
    too_long, malformed = dict[str, None](), dict[str, None]()
    for fault in error.errors(include_input=False, include_url=False):
        field = "の".join(labels[str(one)] for one in fault["loc"] if str(one) in labels) or "入力"
        if unit := _UNITS.get(fault["type"]):
            too_long[f"{field}({fault['ctx']['max_length']:,}{unit}まで)"] = None
        else:
            malformed[field] = None
    said = [f"{'、'.join(too_long)}が長すぎます。"] if too_long else []
    said += [f"{'、'.join(malformed)}の形が正しくありません。"] if malformed else []
    return f"{''.join(said)}確かめて、もう一度入れてください。"
