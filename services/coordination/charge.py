"""Whose case it is where a city has several 多機関協働事業者, and what only one post may do. Plain values in and out.

Where there is one 多機関協働事業者 nothing here changes anything (種003 整備パターン①③④); with an agency for each field
(⑤, 名張市) or for each area (2層, 豊田市) one of them has the case, and hands it over when another one should.
"""

from collections.abc import Collection, Iterable

from contracts.coordinating import Power
from contracts.life import LegalService, Step
from contracts.profile import Profile

OTHER_COORDINATOR = "other_coordinator"
"""What a 多機関協働事業者 is to a case that is another one's: it reads it, and has a role in it at most."""

POWER_OF = {
    Step.BRING: "call",
    Step.BRING_CLOSING: "call",
    Step.BRING_SUSPENSION: "call",
    Step.RECORD_RESULT: "approve_minutes",
}
"""Which power a step exercises (S13): putting a case to a meeting calls it, its result stands in the minutes."""


def in_charge(profile: Profile, referrer: str, handed_to: str | None) -> str | None:
    """The 多機関協働事業者 whose case it is; None where the city has only one, or none of its own (直営)."""
    if len(profile.coordinators) < 2:
        return None
    return handed_to if handed_to in profile.coordinators else profile.coordinator_for(referrer)


def acts_as(profile: Profile, agency: str, own: str | None) -> str:
    """What an agency is to a case whose coordinator is ``own``: its kind, or OTHER_COORDINATOR."""
    kind = next((one.kind for one in profile.agencies if one.code == agency), "")
    return OTHER_COORDINATOR if kind == "coordinator" and own not in (None, agency) else kind


def area_of(profile: Profile, referrer: str, own: str | None) -> str | None:
    """The area whose bodies hear a case: its referrer's, as long as no coordinator of the whole city has it (1層)."""
    listed = profile.coordinating.coordinators if profile.coordinating else ()
    area = profile.area_of(referrer)
    mine = [one for one in listed if one.agency == own]
    return area if not mine or area in mine[0].areas else None


def carriers(profile: Profile, services: Iterable[LegalService]) -> tuple[str, ...]:
    """The agencies that carry these 法に基づく事業; they sit at the table in principle (P3)."""
    if profile.programmes is None:
        return ()
    by_service = {
        LegalService.PARTICIPATION: profile.programmes.participation,
        LegalService.OUTREACH: profile.programmes.outreach,
    }
    return tuple(dict.fromkeys(code for one in services for code in by_service[one]))


def is_offered(profile: Profile, service: LegalService) -> bool:
    """Whether somebody in the city carries this programme. A profile that names no programmes says nothing of it."""
    return profile.programmes is None or bool(carriers(profile, [service]))


def has_no_referral(profile: Profile, referrer: str) -> bool:
    """Whether the one-stop desk took it in itself, so that there is nobody to give it back to (③, 氷見市)."""
    one_stop = profile.coordinating is not None and profile.coordinating.pattern == "one_stop"
    return one_stop and referrer in profile.coordinators


def power_for(profile: Profile, step: Step) -> Power | None:
    """The power that a step exercises, if the city says that nobody may delegate it."""
    return next((one for one in profile.powers if one.action == POWER_OF.get(step)), None)


def holds(power: Power, agency: str, posts: Collection[str]) -> bool:
    """Whether somebody with these posts at this agency is the holder. There is no deputy: that is the rule (S13)."""
    return agency == power.agency and power.post in posts
