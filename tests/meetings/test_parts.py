"""The agenda of a sitting: who comes for a part comes once, waits least, and is told times and nothing else."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from contracts.meetings import LookAtLink
from contracts.message import Compartment
from contracts.preparing import RosterAccepted
from contracts.profile import Agency, Profile
from contracts.purpose import Purpose
from contracts.series import Lengths
from services.meetings.ordering import Box, Heard, boxes, in_order, part_of
from services.meetings.tables import agenda, disclosure, notice, seat
from tests.meetings.sitting_hands import Chair
from tests.meetings.stand_in import Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_domain import with_body
from tests.meetings.test_meetings import at, everything, placed, rows

JUSO = Compartment.JUSO
Building = Callable[..., Hands]
NOON = datetime(2026, 12, 17, 3, tzinfo=UTC)
ALWAYS = frozenset({"fukushi", "shakyo"})


def heard(n: int, *calls: str, minutes: int = 10) -> Heard:
    return Heard(UUID(int=n), minutes, frozenset(calls))


def seats(*agencies: str) -> dict[UUID, str]:
    return {person(agency): agency for agency in agencies}


def waits(items: list[Heard], order: tuple[UUID, ...], agencies: tuple[str, ...]) -> int:
    """Minutes waited by everybody together, counted anew."""
    by_ref = {one.item: one for one in items}
    ordered = [by_ref[one] for one in order]
    found = 0
    for agency in agencies:
        mine = [n for n, one in enumerate(ordered) if agency in one.calls]
        if mine:
            found += sum(one.minutes for one in ordered[mine[0] : mine[-1] + 1] if agency not in one.calls)
    return found


# -- the order ---------------------------------------------------------------------------------------------------------


def test_whoever_comes_for_two_items_finds_them_next_to_each_other() -> None:
    items = [heard(1, "gakko"), heard(2, "byouin"), heard(3, "gakko")]
    order = in_order(items, seats("fukushi", "gakko", "byouin"), ALWAYS)
    assert waits(items, order, ("gakko", "byouin")) == 0


def test_without_outsiders_the_agenda_stays_as_it_was_written() -> None:
    items = [heard(3), heard(1), heard(2)]
    assert in_order(items, seats("fukushi", "shakyo"), ALWAYS) == tuple(one.item for one in items)
    assert in_order([], seats("fukushi"), ALWAYS) == ()


@pytest.mark.parametrize("seed", range(12))
def test_nobody_could_wait_less_in_any_other_order(seed: int) -> None:
    dice = random.Random(seed)
    agencies = ("gakko", "byouin", "minsei", "hokenjo", "jutaku")
    items = [heard(n, *dice.sample(agencies, dice.randint(0, 3)), minutes=dice.choice((5, 11, 20))) for n in range(6)]
    everybody = seats(*ALWAYS, *agencies)

    def entries(order: tuple[UUID, ...]) -> int:
        by_ref = {one.item: one for one in items}
        calls = [frozenset(agencies) & by_ref[one].calls for one in order]
        return sum(len(now - before) for before, now in zip([frozenset[str](), *calls], calls, strict=False))

    def cost(order: tuple[UUID, ...]) -> tuple[int, int]:
        return entries(order), waits(items, order, agencies)

    best = min(cost(tuple(one.item for one in order)) for order in permutations(items))
    assert cost(in_order(items, everybody, ALWAYS)) == best


def test_boxes_follow_each_other_and_a_part_runs_from_the_first_to_the_last_of_ones_items() -> None:
    items = [heard(1, minutes=15), heard(2, "gakko", minutes=20), heard(3, minutes=5), heard(4, "gakko")]
    plan = boxes(items, NOON)
    assert plan[0] == Box(UUID(int=1), NOON, NOON + timedelta(minutes=15))
    assert [one.ends for one in plan[:-1]] == [one.starts for one in plan[1:]]
    part = part_of("gakko", items, plan, ALWAYS)
    assert part
    assert (part.starts, part.ends, part.waits) == (NOON + timedelta(minutes=15), NOON + timedelta(minutes=50), 5)
    assert part_of("byouin", items, plan, ALWAYS) is None
    whole = part_of("fukushi", items, plan, ALWAYS)
    assert whole
    assert (whole.starts, whole.ends) == (plan[0].starts, plan[-1].ends)


@pytest.mark.rule("M6", "C3")
def test_a_member_outside_a_consent_has_no_part_in_that_item() -> None:
    closed = Heard(UUID(int=1), 10, frozenset({"gakko"}), frozenset({"fukushi"}))
    plan = boxes([closed], NOON)
    assert part_of("shakyo", [closed], plan, ALWAYS) is None
    assert part_of("gakko", [closed], plan, ALWAYS) is None


# -- the sitting -------------------------------------------------------------------------------------------------------

OUTSIDE = ("gakko", "jutaku", "byouin", "minsei", "hokenjo", "hellowork", "saposute", *(f"iin-{n}" for n in range(9)))
"""Sixteen agencies without a seat on the roster of the 定例会議; with its ten members they are twenty-six."""


@pytest.fixture
def large(kobayashi: Profile) -> Profile:
    """小林市 with nine clinics more, whose 定例会議 takes in the agencies of a case (P10)."""
    clinics = tuple(Agency(code=f"iin-{n}", name=f"第{n}医院", kind="medical") for n in range(9))
    city = kobayashi.model_copy(update={"agencies": kobayashi.agencies + clinics})
    return with_body(city, "teirei", by_case=True)


async def tell(hands: Hands) -> None:
    await hands.run_errand("tell_parts")
    await hands.run_errand("send_notices")


@pytest.mark.rule("M5", "M6", "P10")
async def test_eight_cases_and_twenty_six_people_of_whom_nobody_waits_longer_than_one_item(
    hands: Building, large: Profile
) -> None:
    juso = hands(JUSO, large)
    pairs = [(OUTSIDE[n], OUTSIDE[n + 8]) for n in range(8)]
    # seven of them also call an agency of the next case, one a clinic of the next but one; they come in no good order
    more = [*((OUTSIDE[n + 1],) for n in range(7)), ()]
    more[5] += (OUTSIDE[15],)
    items = [put_forward(*pair, *more[n]) for n, pair in enumerate(pairs)]
    await placed(juso, *(items[n] for n in (0, 4, 1, 5, 2, 6, 3, 7)))
    (found,) = everything(juso).sittings
    assert len(found.items) == 8
    assert len({row.person for row in rows(juso, seat)}) == 26
    before = {one: juso.town.mails[one] for one in juso.town.mails}
    assert {(one.starts, one.ends) for one in before.values()} == {(found.starts, found.ends)}, "nothing moves yet"

    juso.stage.time = at(2026, 12, 10, "23:59")
    await tell(juso)
    assert len(juso.town.mails) == len(before), "the agenda is still open"
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await tell(juso)
    told = {
        one.person: one for one in juso.town.mails.values() if one.notice not in {m.notice for m in before.values()}
    }
    assert set(told) == {person(agency) for agency in OUTSIDE}, "the members stay throughout and are told nothing"
    chair = Chair(juso, found.sitting)
    view = await chair.look()
    longest = max(one.box_ends - one.box_starts for one in view.items if one.box_starts and one.box_ends)
    for agency in OUTSIDE:
        mine = [one for one in view.items if agency in one.comes]
        assert mine
        starts = min(one.box_starts for one in mine if one.box_starts)
        ends = max(one.box_ends for one in mine if one.box_ends)
        heard_for = sum((one.box_ends - one.box_starts for one in mine if one.box_ends and one.box_starts), timedelta())
        assert ends - starts - heard_for <= longest, agency
        mail = told[person(agency)]
        assert (mail.starts, mail.ends, mail.sequence) == (starts, ends, 1)
    await tell(juso)
    again = {one.notice for one in juso.town.mails.values()} - {
        one.notice for one in (*before.values(), *told.values())
    }
    assert again == set(), "told once"


@pytest.mark.rule("C11", "P5")
async def test_who_was_called_for_an_item_that_is_withdrawn_is_called_off(hands: Building, large: Profile) -> None:
    juso = hands(JUSO, large)
    one, two = put_forward("gakko"), put_forward("byouin")
    await placed(juso, one, two)
    juso.hear(withdrawn(one))
    await juso.work()
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await tell(juso)
    off = {row.person for row in rows(juso, seat) if row.cancelled_at is not None}
    assert off == {person("gakko")}
    assert {row.person for row in rows(juso, notice) if row.kind == "cancellation"} == {person("gakko")}


@pytest.mark.rule("C3", "P5")
async def test_an_agency_the_consent_leaves_out_gets_no_seat_for_the_item(hands: Building, large: Profile) -> None:
    juso, one = hands(JUSO, large), put_forward("gakko", "byouin")
    roster = [seat.agency for body in large.bodies if body.code == "teirei" for seat in body.roster]
    juso.hear(consented(one, *roster, "byouin"))
    await placed(juso, one)
    agencies = {row.agency for row in rows(juso, seat)}
    assert "byouin" in agencies
    assert "gakko" not in agencies


@pytest.mark.rule("P5", "M6")
async def test_who_comes_for_one_item_is_invited_to_no_other(hands: Building, large: Profile) -> None:
    juso, one, two = hands(JUSO, large), put_forward("gakko"), put_forward("byouin")
    await placed(juso, one, two)
    shown = {(row.agency, row.item) for row in rows(juso, disclosure) if row.agency in OUTSIDE}
    assert shown == {("gakko", one.about), ("byouin", two.about)}


async def test_an_agenda_is_full_when_its_minutes_are(hands: Building, kobayashi: Profile) -> None:
    body = kobayashi.body("teirei")
    assert body
    long = body.blocks[0].model_copy(update={"lengths": Lengths(other=40, closing=10)})
    juso = hands(JUSO, with_body(kobayashi, "teirei", blocks=(long,)))
    items = [put_forward(), put_forward(), put_forward(), put_forward(purpose=Purpose.CLOSING)]
    await placed(juso, *items)
    held = {found.starts.date(): {one.item for one in found.items} for found in everything(juso).sittings}
    first, second = held[date(2026, 12, 17)], held[date(2027, 2, 18)]
    assert len(first) <= 3, "90 minutes hold two of 40 and one of 10, whatever the capacity in cases says"
    assert first | second == {one.about for one in items}
    assert len(first - {items[3].about}) == 2


async def test_an_order_is_kept_for_good(hands: Building, large: Profile) -> None:
    juso = hands(JUSO, large)
    a, b, c = (put_forward(*calls) for calls in (("gakko",), ("byouin",), ("gakko",)))
    await placed(juso, a, b, c)
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await tell(juso)
    kept = [row.item for row in sorted(rows(juso, agenda), key=lambda row: row.position)]
    assert kept.index(b.about) != 1, "the school hears its two cases one after the other"
    await tell(juso)
    assert [row.item for row in sorted(rows(juso, agenda), key=lambda row: row.position)] == kept
    assert {a.about, b.about, c.about} == set(kept)


@pytest.mark.rule("P5")
async def test_a_roster_accepted_later_calls_its_agencies_and_calls_off_those_it_strikes(
    hands: Building, large: Profile
) -> None:
    juso, one, two = hands(JUSO, large), put_forward("gakko"), put_forward("byouin")
    await placed(juso, one, two)
    named = {"agencies": ("jutaku",), "required": (), "optional": ()}
    told = RosterAccepted.model_validate({"about": one.about, "version": 2, "case": one.case} | named)
    juso.stage.give(told)
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await tell(juso)
    here = {row.agency for row in rows(juso, seat) if row.cancelled_at is None}
    assert "jutaku" in here
    assert "gakko" not in here
    await tell(juso)
    parts = {row.person: (row.starts, row.ends) for row in rows(juso, notice) if row.kind == "invitation"}
    assert parts[person("jutaku")][0] is not None, "told the time of its part at once"


async def test_the_answer_window_shows_the_time_of_one_s_part(hands: Building, large: Profile) -> None:
    juso, one, two = hands(JUSO, large), put_forward("gakko"), put_forward("byouin")
    await placed(juso, one, two)
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await tell(juso)
    (mail,) = [m for m in juso.town.mails.values() if m.person == person("gakko") and m.sequence == 1]
    shown = juso.stage.ask(LookAtLink(link=mail.link))
    assert (shown.starts, shown.ends) == (mail.starts, mail.ends)
    assert mail.ends - mail.starts == timedelta(minutes=11)


@pytest.mark.rule("S1", "S8")
async def test_the_same_holds_for_a_shien_whose_roster_names_no_host(hands: Building, yasu: Profile) -> None:
    """Nobody who has to be there by law is taken for somebody called for an item."""
    bare = with_body(yasu, "chosei", by_case=True, roster=(), chairs=())
    shien = hands(Compartment.SHIEN, bare)
    await placed(
        shien, put_forward("gakko", consent=None, member=None), put_forward("jutaku", consent=None, member=None)
    )
    (found,) = everything(shien).sittings
    shien.stage.time = found.starts - timedelta(days=2)
    await tell(shien)
    here = {row.agency for row in rows(shien, seat) if row.cancelled_at is None}
    assert here == {"shimin", "gakko", "jutaku"}
