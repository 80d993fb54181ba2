"""When the city's office is open: no weekend, no national holiday, none of the city's own closed days. Pure."""

from collections.abc import Collection
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from contracts.profile import Profile

JAPAN = ZoneInfo("Asia/Tokyo")


@cache
def national_holidays(year: int) -> frozenset[date]:
    """国民の祝日 with 振替休日 and 国民の休日."""
    return frozenset(_named_holidays(year))


@cache
def _named_holidays(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("JP", years=year, language="ja"))


def is_closed(day: date, closed_days: Collection[str]) -> bool:
    """Whether the city's office is closed: weekend, national holiday or one of its own closed days.

    The latter are of every year (MM-DD) or of one (YYYY-MM-DD).
    """
    own = f"{day:%m-%d}" in closed_days or day.isoformat() in closed_days
    return day.weekday() >= 5 or own or day in national_holidays(day.year)


def why_closed(day: date, closed_days: Collection[str]) -> str:
    """What closes the office on that day, in Japanese; empty if it is open."""
    if name := _named_holidays(day.year).get(day):
        return name
    if (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
        return "年末年始" if is_closed(day, closed_days) else ""
    if day.weekday() >= 5:
        return "土日"[day.weekday() - 5] + "曜日"
    return "市町村の閉庁日" if is_closed(day, closed_days) else ""


def in_office_hours(profile: Profile, moment: datetime) -> bool:
    """Whether the office is open at an aware moment; at closing time it no longer is."""
    there = moment.astimezone(JAPAN)
    if is_closed(there.date(), profile.closed_days):
        return False
    return profile.office_opens <= there.time() < profile.office_closes
