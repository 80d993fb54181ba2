"""When something overdue is to be put to a meeting, and who is told that something is due. Plain values in and out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.directory import StaffView
from contracts.life import Due, State
from contracts.profile import Profile
from services.coordination.life_terms import ACTIVE, CITY, Life
from services.coordination.showing import Viewer

NOT_BY_A_MEETING = frozenset({"S2", "S18", "D8"})
"""S2: its meeting was held. S18: 世帯員 are asked, not met about. D8: 受付 sends it back, nobody meets about it."""
CITYS = frozenset({"D11", "S18"})
"""Rules whose step the 市町村 alone takes: nobody else could do anything about it (D2; 受付 in S18)."""


@dataclass(frozen=True)
class Before:
    """What a case was put to a meeting for already. ``coming``: one will hear it. ``last_on``: when it was last heard
    because something was overdue."""

    coming: bool = False
    times: int = 0
    last_on: date | None = None


def worst(life: Life, due: Iterable[Due], before: Before, today: date, days: int) -> Due | None:
    """What has been overdue the longest, if that is so many days or more and a meeting can help (M1).

    None while one is to hear the case anyway, or heard it for this within as many days, while its result is all that
    is missing, and once the case is over.
    """
    if life.state not in ACTIVE or life.state is State.AT_MEETING or before.coming:
        return None
    latest = today - timedelta(days=days)
    if before.last_on is not None and before.last_on > latest:
        return None
    asked = (
        NOT_BY_A_MEETING if life.state is State.OPENED else NOT_BY_A_MEETING | {"T9"}
    )  # a word to the 紹介元 is left
    helped = (one for one in due if one.on <= latest and one.rule not in asked)
    return min(helped, key=lambda one: (one.on, one.rule), default=None)


def soon(due: Iterable[Due], today: date, days: int) -> list[Due]:
    """What is to be reminded of: due within so many days, today, or overdue."""
    return [one for one in due if one.on <= today + timedelta(days=days)]


def responsible(
    one: Due, own: str | None, last: Viewer | None, staff: Sequence[StaffView], profile: Profile, today: date
) -> list[Viewer]:
    """Who is to be told, the first who may see the case.

    Whoever acted on it last and still is where that was; then who stands in for its 多機関協働事業者 (``own``), then
    the office itself. What only the 市町村 does is told nobody else.
    """
    office = [agency.code for agency in profile.agencies if agency.kind in CITY]
    agencies = office if one.rule in CITYS else [*([own] if own is not None else profile.coordinators), *office]
    here = [person for person in staff if in_post(person, today)]
    named = [last] if last and last.agency in agencies and (last.person, last.agency) in _places(here) else []
    return list(dict.fromkeys([*named, *(found for code in agencies for found in stands_in(code, here, profile))]))


def asked(agency: str, by: Viewer, staff: Sequence[StaffView], profile: Profile, today: date) -> list[Viewer]:
    """Who is to be told that information was asked for: of the agency, if it may see the case, else whoever asked.

    In shien an agency is asked by letter and sees no desk (F13), so there whoever asked has to ask again.
    """
    here = [person for person in staff if in_post(person, today)]
    office = [one.code for one in profile.agencies if one.kind in CITY]
    named = [by] if (by.person, by.agency) in _places(here) else []
    in_turn = [found for code in office for found in stands_in(code, here, profile)]
    return list(dict.fromkeys([*stands_in(agency, here, profile), *named, *in_turn]))


def stands_in(agency: str, staff: Iterable[StaffView], profile: Profile) -> list[Viewer]:
    """The first of an agency in the post that stands in for agencies, by the directory's own order."""
    holders = (one for one in staff if one.agency == agency and profile.secretariat_post in one.posts)
    return [Viewer(one.person, one.agency) for one in list(holders)[:1]]


def in_post(one: StaffView, today: date) -> bool:
    """Whether somebody's posts have begun and not ended on a day."""
    return (one.since is None or one.since <= today) and (one.until is None or today <= one.until)


def _places(staff: Iterable[StaffView]) -> set[tuple[object, str]]:
    return {(one.person, one.agency) for one in staff}
