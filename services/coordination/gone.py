"""Agencies that are no more: which of those that a plan, a roster or a waiting item names, and until when they were.

A profile says of an agency that ends its last day (``until``) and keeps its name for what was. One that was taken out
of the profile altogether is told by its code, because nothing else is left of it.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select

from contracts.profile import Profile
from services.coordination.life_terms import Life
from services.coordination.portions import portions
from services.coordination.tables import case_agency, roster
from services.service import Tx


def no_more(profile: Profile, codes: Iterable[str], day: date) -> dict[str, str]:
    """Of these agencies those that are no more on a day, each with its name and its last day, in order."""
    known = {one.code: one for one in profile.agencies}
    found = {}
    for code in dict.fromkeys(codes):
        one = known.get(code)
        if one is None:
            found[code] = f"市町村の設定にない機関({code})"
        elif one.until is not None and one.until < day:
            found[code] = f"{one.name}({one.until.year}年{one.until.month}月{one.until.day}日まで)"
    return found


def still_there(profile: Profile, day: date) -> Profile:
    """The profile with those agencies only that are there on a day: whom a roster can call."""
    there = tuple(one for one in profile.agencies if one.until is None or day <= one.until)
    return profile if len(there) == len(profile.agencies) else profile.model_copy(update={"agencies": there})


def named_in(now: Life, table: Collection[str]) -> list[str]:
    """The agencies with a role in the plan before the meeting or the one in force, and those of the case's table."""
    plans = [plan for plan in (now.plan, now.fixed_plan) if plan]
    return [*(role.agency for plan in plans[:1] for role in plan.roles), *table]


def tables_of(cases: Iterable[UUID], tx: Tx) -> Mapping[UUID, list[str]]:
    """By case, the agencies of its table: those of the newest roster, before there is one those of the case."""
    found: dict[UUID, list[str]] = {}
    for part in portions(cases):
        listed = select(case_agency).where(case_agency.c.case.in_(part)).order_by(case_agency.c.place)
        for row in tx.execute(listed):
            found.setdefault(row.case, []).append(row.agency)
        chosen = select(roster.c.case, roster.c.codes).where(roster.c.case.in_(part)).order_by(roster.c.number)
        for row in tx.execute(chosen):
            found[row.case] = [seat["agency"] for seat in row.codes["seats"]]
    return found
