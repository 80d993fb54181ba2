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
    return frozenset(holidays.country_holidays("JP", years=year))


def is_closed(day: date, closed_days: Collection[str]) -> bool:
    """Whether the city's office is closed: weekend, national holiday or one of its own closed days (MM-DD)."""
    return day.weekday() >= 5 or f"{day:%m-%d}" in closed_days or day in national_holidays(day.year)


def in_office_hours(profile: Profile, moment: datetime) -> bool:
    """Whether the office is open at an aware moment; at closing time it no longer is."""
    there = moment.astimezone(JAPAN)
    if is_closed(there.date(), profile.closed_days):
        return False
    return profile.office_opens <= there.time() < profile.office_closes
