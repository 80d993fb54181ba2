"""The rules of the table: who has a seat, who has to be there, and who stays away for want of a ground."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.policy import Decision
from contracts.profile import Body, Profile, Seat
from services.meetings.blocks import block_of
from services.meetings.ranking import counts
from services.meetings.scheduling import Need, NoSlot, Wanted

MUST_ATTEND = {
    Compartment.JUSO: ("municipality", "coordinator"),
    Compartment.SHIEN: ("municipality",),
}
"""Kinds of agency without which there is no sitting, whatever a roster says (P1, P2, S1)."""

NEEDS: tuple[Need, ...] = ("required", "expected", "optional")


def standing_seats(
    profile: Profile, body: Body, compartment: Compartment, staff: Sequence[StaffView], coordinator: str | None = None
) -> tuple[Wanted, ...]:
    """The roster's seats, and those of P1, P2 and S1 if the roster forgot them. Required seats have substitutes.

    ``coordinator``: whose case it is, where the city has several; no other one can stand in for it.
    """
    block = block_of(body, compartment)
    roster = list(body.roster_of(block) if block else body.roster)
    kinds = {agency.code: agency.kind for agency in profile.agencies}
    for kind in MUST_ATTEND[compartment]:
        of_kind = [seat for seat in roster if kinds[seat.agency] == kind]
        agency = next((agency.code for agency in profile.agencies if agency.kind == kind), None)
        if kind == "coordinator" and coordinator in kinds:
            of_kind, agency = [seat for seat in of_kind if seat.agency == coordinator], coordinator
        if any(seat.need == "required" for seat in of_kind) or agency is None:
            continue  # without an agency of its own the city itself coordinates (直営)
        forgotten = of_kind[0] if of_kind else Seat(agency=agency, post=profile.secretariat_post, need="required")
        roster = [seat for seat in roster if seat != forgotten]
        roster.insert(0, forgotten.model_copy(update={"need": "required"}))
    return tuple(filled(profile, seat, staff, substitutes=_is_counted(profile, body, seat.agency)) for seat in roster)


def _is_counted(profile: Profile, body: Body, agency: str) -> bool:
    """Whether a quorum of the body counts this agency: its seat then has substitutes, required or not."""
    kind = next((one.kind for one in profile.agencies if one.code == agency), None)
    return counts(body.quorum, agency, kind)


def filled(profile: Profile, seat: Seat, staff: Sequence[StaffView], *, substitutes: bool = False) -> Wanted:
    """A roster's seat with those who may fill it; only one that is required or counted has substitutes."""
    holders = tuple(one.person for one in staff if one.agency == seat.agency and seat.post in one.posts)
    return Wanted(
        seat.agency,
        agency_name(profile, seat.agency),
        seat.need,
        holders if substitutes or seat.need == "required" else holders[:1],
    )


def _stand_in(
    profile: Profile, agency: str, need: Need, staff: Iterable[StaffView], *, substitutes: bool = False
) -> Wanted:
    """Who stands for an agency that names nobody: its 担当者, else the first of its staff; if required, any of them."""
    people = [one for one in staff if one.agency == agency]
    able = tuple(one.person for one in sorted(people, key=lambda one: profile.secretariat_post not in one.posts))
    return Wanted(agency, agency_name(profile, agency), need, able if substitutes or need == "required" else able[:1])


def agency_name(profile: Profile, code: str) -> str:
    """The agency's name, or its code if the profile no longer knows it."""
    return next((agency.name for agency in profile.agencies if agency.code == code), code)


def called_for(agencies: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, Need]:
    """The agencies an item calls besides the standing ones, each with its need: in principle, unless said otherwise."""
    return {
        code: "required" if code in required else "optional" if code in optional else "expected" for code in agencies
    }


def one_seat_each(chosen: Iterable[tuple[Wanted, UUID]]) -> dict[UUID, Wanted]:
    """Whoever fills two seats sits once, on the one that needs him most."""
    seats: dict[UUID, Wanted] = {}
    for seat, person in sorted(chosen, key=lambda pair: NEEDS.index(pair[0].need)):
        seats.setdefault(person, seat)
    return seats


def adhoc_seats(
    profile: Profile,
    body: Body,
    compartment: Compartment,
    called: Mapping[str, Need],
    staff: Sequence[StaffView],
    coordinator: str | None = None,
) -> tuple[Wanted, ...]:
    """The standing seats, and one for each of the case's agencies without: the referrer (P4), others (P5, P10)."""
    standing = standing_seats(profile, body, compartment, staff, coordinator)
    seated = {seat.agency for seat in standing}
    return standing + tuple(
        _stand_in(profile, code, need, staff, substitutes=_is_counted(profile, body, code))
        for code, need in called.items()
        if code not in seated
    )


@dataclass(frozen=True)
class Grounded:
    """The seats that have a ground, and the names of the agencies left out for want of one."""

    seats: tuple[Wanted, ...]
    left_out: tuple[str, ...] = ()


OUTSIDE = "N5"
"""The policy's row for an agency that the consent does not name; any other refusal closes the item to everybody."""


def within_consent(wanted: Sequence[Wanted], decisions: Mapping[str, Decision]) -> Grounded | NoSlot:
    """The seats that the policy opens the item to, by agency; NoSlot if one that has to be there is refused."""
    refused = [seat for seat in wanted if not decisions[seat.agency].allowed]
    for_all = [decisions[seat.agency] for seat in refused if decisions[seat.agency].row != OUTSIDE]
    if for_all:
        return NoSlot((), for_all[0].reason + for_all[0].next_step)
    outside = tuple(dict.fromkeys(seat.name for seat in refused if seat.need == "required"))
    if outside:
        return NoSlot(outside, without_required(outside))
    left_out = tuple(dict.fromkeys(seat.name for seat in refused))
    return Grounded(tuple(seat for seat in wanted if decisions[seat.agency].allowed), left_out)


def without_required(names: Sequence[str]) -> str:
    """Why an item cannot be heard whose consent leaves out these agencies that have to be there, and what to do."""
    return f"同意が{'、'.join(names)}に及んでいません。この機関にも同意してもらえるか、本人に確かめてください(C3、P1)。"


def bound_by_secrecy(everybody: Sequence[Wanted], bound: Sequence[Wanted]) -> Grounded | NoSlot:
    """The seats whose holders are commissioned; NoSlot if one that has to be there is not (S6, S8).

    ``bound`` are the same seats as ``everybody``, filled from commissioned people only.
    """
    missing = [full for full, seat in zip(everybody, bound, strict=True) if full.persons and not seat.persons]
    required = tuple(dict.fromkeys(seat.name for seat in missing if seat.need == "required"))
    if required:
        why = f"委嘱がないため、必須の機関が出席できません: {'、'.join(required)}。"
        return NoSlot(required, why + "守秘義務を説明し、その機関か担当者を委嘱してください(S6)。")
    kept = tuple(seat for full, seat in zip(everybody, bound, strict=True) if seat.persons or not full.persons)
    return Grounded(kept, tuple(dict.fromkeys(seat.name for seat in missing)))


LEFT_OUT = {
    Compartment.JUSO: "。同意の範囲にないため呼ばない機関: {names}(同意に加われば呼べます)",
    Compartment.SHIEN: "。委嘱がないため呼ばない機関: {names}(委嘱すれば呼べます)",
}


def say_left_out(why: str, compartment: Compartment, names: Sequence[str]) -> str:
    """Why this date, and whom it was fixed without, with the door that is open to them."""
    return why + (LEFT_OUT[compartment].format(names="、".join(names)) if names else "")
