"""RRULE (RFC 5545 3.3.10) in and out, as far as a body meets by one: days of a month, or every so many weeks.

What a cadence cannot say is refused with the part's name; nothing is guessed and nothing is expanded here, so a rule
without end or with ten thousand instances costs nothing.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from contracts.series import Cadence

TOKYO = ZoneInfo("Asia/Tokyo")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR")
LARGEST = 300
"""Characters of a rule that is read."""
MOST_COUNTED = 1_000
"""How many times ``COUNT`` may name."""
_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "BYSETPOS", "UNTIL", "COUNT", "WKST"})
_ORDINAL = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


def read_rrule(text: str, since: date | None = None) -> dict[str, Any]:
    """The fields of the cadence that a rule says. ``since``: its DTSTART, needed where it counts from there.

    Raises ValueError, in Japanese, naming the part that a body cannot meet by.
    """
    parts = _parts(text)
    months = _numbers(parts, "BYMONTH", 1, 12)
    interval = (_numbers(parts, "INTERVAL", 1, 99) or (1,))[0]
    frequency = parts.get("FREQ", "")
    if frequency == "WEEKLY":
        fields = _weekly(parts, interval, since)
    elif frequency == "MONTHLY":
        fields = {"months": _every(interval, months, since)} | _within_month(parts)
    elif frequency == "YEARLY":
        if interval != 1 or not months:
            raise ValueError("RRULE の FREQ=YEARLY には BYMONTH が要り、INTERVAL は1だけです。")
        fields = {"months": months} | _within_month(parts)
    else:
        raise ValueError("RRULE の FREQ は WEEKLY、MONTHLY、YEARLY のどれかにしてください。")
    if since is not None:
        fields["since"] = since
    return fields | _end(parts, since)


def _parts(text: str) -> dict[str, str]:
    if len(text) > LARGEST:
        raise ValueError(f"RRULE は{LARGEST}字までです。")
    pairs = [one.partition("=") for one in text.strip().removeprefix("RRULE:").upper().split(";") if one]
    names = [name for name, _, _ in pairs]
    for name, _, value in pairs:
        if name not in _PARTS or not value or names.count(name) > 1:
            shown = name if re.fullmatch(r"[A-Z]{1,12}", name) else "形"
            raise ValueError(f"RRULE の {shown} は使えないか、値がないか、2度あります。")
    return {name: value for name, _, value in pairs}


def _numbers(parts: dict[str, str], name: str, least: int, most: int) -> tuple[int, ...]:
    if name not in parts:
        return ()
    found = [int(one) for one in parts[name].split(",") if re.fullmatch(r"[+-]?[0-9]{1,3}", one)]
    if len(found) != len(parts[name].split(",")) or any(not least <= one <= most or one == 0 for one in found):
        raise ValueError(f"RRULE の {name} は {least} から {most} の数にしてください。")
    return tuple(dict.fromkeys(found))


def _weekly(parts: dict[str, str], interval: int, since: date | None) -> dict[str, Any]:
    if since is None:
        raise ValueError("RRULE の FREQ=WEEKLY には、初回の日(since)が要ります。")
    if {"BYMONTH", "BYMONTHDAY", "BYSETPOS"} & parts.keys():
        raise ValueError("RRULE の FREQ=WEEKLY に、BYMONTH、BYMONTHDAY、BYSETPOS は使えません。")
    if since.weekday() > 4 or parts.get("BYDAY", WEEKDAYS[since.weekday()]) != WEEKDAYS[since.weekday()]:
        raise ValueError("RRULE の FREQ=WEEKLY の BYDAY は、初回の日と同じ平日1つにしてください。")
    return {"every_weeks": interval}


def _every(interval: int, months: tuple[int, ...], since: date | None) -> tuple[int, ...]:
    if interval == 1:
        return months or tuple(range(1, 13))
    if 12 % interval or months or since is None:
        raise ValueError(
            "RRULE の INTERVAL は、初回の日(since)があり BYMONTH がないときだけ、2・3・4・6・12にできます。"
        )
    return tuple(month for month in range(1, 13) if (month - since.month) % interval == 0)


def _within_month(parts: dict[str, str]) -> dict[str, Any]:
    days, places = _numbers(parts, "BYMONTHDAY", -1, 31), _numbers(parts, "BYSETPOS", -1, 5)
    if days and not {"BYDAY", "BYSETPOS"} & parts.keys():
        return {"monthdays": days}
    named = [_ORDINAL.fullmatch(one) for one in parts.get("BYDAY", "").split(",")]
    found = [(int(one[1] or 0), one[2]) for one in named if one]
    if days or len(found) != len(named) or len({day for _, day in found}) != 1 or found[0][1] not in WEEKDAYS:
        raise ValueError("RRULE の BYDAY は、平日1つ(3TH、1TU,3TU など)か、代わりに BYMONTHDAY にしてください。")
    nth = tuple(dict.fromkeys(number for number, _ in found))
    if nth == (0,):
        nth = places or (1, 2, 3, 4, 5)
    elif places or any(number not in (-1, 1, 2, 3, 4, 5) for number in nth):
        raise ValueError("RRULE の BYDAY の番号は 1 から 5 か -1 で、BYSETPOS とは併用できません。")
    return {"nth": nth, "weekday": WEEKDAYS.index(found[0][1])}


def _end(parts: dict[str, str], since: date | None) -> dict[str, Any]:
    if "COUNT" in parts and (since is None or "UNTIL" in parts):
        raise ValueError("RRULE の COUNT には初回の日(since)が要り、UNTIL とは併用できません。")
    if "COUNT" in parts:
        return {"times": _numbers(parts, "COUNT", 1, MOST_COUNTED)[0]}
    if "UNTIL" not in parts:
        return {}
    try:
        if "T" not in parts["UNTIL"]:
            return {"until": datetime.strptime(parts["UNTIL"], "%Y%m%d").replace(tzinfo=TOKYO).date()}
        instant = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("RRULE の UNTIL は 20270331 か 20270331T145959Z の形にしてください。") from None
    return {"until": instant.astimezone(TOKYO).date()}


def rrule_of(cadence: "Cadence", until: date | None = None) -> str:
    """A cadence as the value of RRULE, up to the end of a day in Japan; what is moved off closed days is not in it."""
    if cadence.every_weeks is not None and cadence.since is not None:
        parts = ["FREQ=WEEKLY", f"INTERVAL={cadence.every_weeks}", f"BYDAY={WEEKDAYS[cadence.since.weekday()]}"]
    else:
        every = tuple(sorted(set(cadence.months)))
        parts = ["FREQ=MONTHLY"] + ([] if len(every) == 12 else [f"BYMONTH={_joined(every)}"])
        if cadence.monthdays:
            parts.append(f"BYMONTHDAY={_joined(cadence.monthdays)}")
        else:
            day = WEEKDAYS[cadence.weekday or 0]
            parts.append(f"BYDAY={','.join(f'{n}{day}' for n in cadence.nth)}")
    last = min((one for one in (until, cadence.until) if one), default=None)
    if last is not None:
        ends = datetime.combine(last + timedelta(days=1), time(), TOKYO).astimezone(UTC) - timedelta(seconds=1)
        parts.append(f"UNTIL={ends:%Y%m%dT%H%M%SZ}")
    return ";".join(parts)


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(str(one) for one in numbers)
