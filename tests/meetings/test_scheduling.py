"""The search for a date, held against a search that tries every slot."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.scheduling import (
    QUARTER,
    TOKYO,
    Interval,
    Need,
    NoSlot,
    Proposal,
    Wanted,
    Window,
    find_date,
    office_hours,
)
from tests.meetings.stand_in import person

MONDAY = date(2026, 11, 30)
ORIGIN = datetime(2026, 11, 30, tzinfo=TOKYO)
SLOTS = 12
PEOPLE = [person("谷口", n) for n in range(6)]


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), TOKYO)


def never_closed(day: date) -> bool:
    return False


def hours(days: int = 1) -> Window:
    last = MONDAY + timedelta(days=days - 1)
    return office_hours(MONDAY, last, time(9), time(17), never_closed)


def wanted(name: str, need: Need, *numbers: int) -> Wanted:
    return Wanted(name, name, need, tuple(PEOPLE[n] for n in numbers))


# -- against every slot tried ------------------------------------------------------------------------------------------


@dataclass
class Riddle:
    """A made-up problem: who has which seats, and who is busy in which slots."""

    seats: list[Wanted]
    busy: dict[UUID, list[Interval]]
    window: Window
    minutes: int

    def is_free(self, who: UUID, slot: int) -> bool:
        """Slow and plain: every slot of the sitting is open, and no block of this person touches it."""
        for n in range(slot, slot - (-self.minutes // 15)):
            begins = ORIGIN + n * QUARTER
            if not self.window.open >> n & 1 or any(s < begins + QUARTER and begins < e for s, e in self.busy[who]):
                return False
        return True

    def best(self) -> tuple[int, list[tuple[Wanted, UUID]]] | None:
        found = []
        for slot in range(SLOTS):
            if any(not self.window.open >> n & 1 for n in range(slot, slot - (-self.minutes // 15))):
                continue
            free = [(seat, [one for one in seat.persons if self.is_free(one, slot)]) for seat in self.seats]
            chosen = [(seat, people[0]) for seat, people in free if people]
            if all(people for seat, people in free if seat.need == "required"):
                found.append((-sum(seat.need == "expected" for seat, _ in chosen), slot, chosen))
        if not found:
            return None
        _, slot, chosen = min(found, key=lambda one: one[:2])
        return slot, chosen


@st.composite
def riddles(draw: st.DrawFn) -> Riddle:
    people = st.lists(st.integers(0, 5), max_size=3, unique=True)
    needs: st.SearchStrategy[Need] = st.sampled_from(("required", "required", "expected", "expected", "optional"))
    seats = [wanted(f"機関{n}", draw(needs), *draw(people)) for n in range(draw(st.integers(1, 6)))]
    minutes = st.integers(-30, SLOTS * 15)
    block = st.tuples(minutes, st.integers(1, 75)).map(
        lambda pair: (ORIGIN + timedelta(minutes=pair[0]), ORIGIN + timedelta(minutes=pair[0] + pair[1]))
    )
    busy = {one: draw(st.lists(block, max_size=3)) for one in PEOPLE}
    return Riddle(
        seats, busy, Window(ORIGIN, draw(st.integers(0, 2**SLOTS - 1))), draw(st.sampled_from((15, 20, 30, 45)))
    )


@given(riddles())
def test_the_date_found_is_the_one_that_trying_every_slot_finds(riddle: Riddle) -> None:
    found, best = find_date(riddle.seats, riddle.busy, riddle.window, riddle.minutes), riddle.best()
    if best is None:
        assert isinstance(found, NoSlot)
        return
    slot, chosen = best
    assert isinstance(found, Proposal)
    assert found.starts == ORIGIN + slot * QUARTER
    assert found.ends == found.starts + timedelta(minutes=riddle.minutes)
    assert list(found.chosen) == chosen
    here = {seat.name for seat, _ in chosen}
    assert [s.name for s in found.missing] == [
        s.name for s in riddle.seats if s.need == "expected" and s.name not in here
    ]


@given(riddles())
def test_whoever_is_named_as_blocking_does_block(riddle: Riddle) -> None:
    found = find_date(riddle.seats, riddle.busy, riddle.window, riddle.minutes)
    if not isinstance(found, NoSlot):
        return
    required = [seat for seat in riddle.seats if seat.need == "required"]
    alone = [s.name for s in required if Riddle([s], riddle.busy, riddle.window, riddle.minutes).best() is None]
    room = Riddle([], riddle.busy, riddle.window, riddle.minutes).best() is not None
    if any(not seat.persons for seat in required):
        assert list(found.blocking) == [seat.name for seat in required if not seat.persons]
    elif not room:
        assert found.blocking == ()
    elif alone:
        assert list(found.blocking) == alone
    elif len(found.blocking) == 1:
        others = [seat for seat in required if seat.name != found.blocking[0]]
        assert Riddle(others, riddle.busy, riddle.window, riddle.minutes).best() is not None
    else:
        for name in found.blocking:
            others = [seat for seat in required if seat.name != name]
            assert Riddle(others, riddle.busy, riddle.window, riddle.minutes).best() is None
    assert all(name in found.why for name in found.blocking)


# -- what people read --------------------------------------------------------------------------------------------------


def test_office_hours_leave_out_lunch_and_closed_days() -> None:
    window = office_hours(MONDAY, MONDAY + timedelta(days=2), time(9), time(17), lambda day: day != MONDAY)
    open_at = [window.start_of(n).astimezone(TOKYO) for n in range(96 * 3) if window.open >> n & 1]
    assert {one.date() for one in open_at} == {MONDAY}
    assert len(open_at) == 7 * 4
    assert not [one for one in open_at if one.hour in (8, 12, 17)]


def test_an_office_that_opens_within_a_quarter_is_open_from_the_next_one() -> None:
    window = office_hours(MONDAY, MONDAY, time(9, 10), time(16, 50), never_closed)
    open_at = [window.start_of(n).astimezone(TOKYO).time() for n in range(96) if window.open >> n & 1]
    assert (open_at[0], open_at[-1]) == (time(9, 15), time(16, 30))


def test_no_sitting_runs_into_lunch_or_the_evening() -> None:
    busy = {PEOPLE[0]: [(at("09:00"), at("11:30"))]}
    found = find_date([wanted("福祉課", "required", 0)], busy, hours(), 60)
    assert isinstance(found, Proposal)
    assert found.starts == at("13:00")
    assert found.starts.tzinfo is UTC
    assert isinstance(find_date([], {}, hours(), 5 * 60), NoSlot)


@pytest.mark.rule("M2")
def test_the_reason_counts_agencies_and_says_who_cannot_come() -> None:
    seats = [
        wanted("福祉課", "required", 0),
        wanted("社会福祉協議会", "required", 1),
        wanted("こども課", "expected", 2),
        wanted("学校教育課", "expected", 3),
    ]
    found = find_date(seats, {PEOPLE[3]: [(at("00:00"), at("23:59"))]}, hours(), 60)
    assert isinstance(found, Proposal)
    assert found.why == "必須2機関がそろう最も早い日時です(原則2機関中1機関が出席可)。出られない機関: 学校教育課"
    assert found.starts == at("09:00")


@pytest.mark.rule("P3")
def test_a_later_date_wins_when_more_of_the_expected_can_come_and_says_so() -> None:
    seats = [wanted("福祉課", "required", 0), wanted("こども課", "expected", 1)]
    found = find_date(seats, {PEOPLE[1]: [(at("09:00"), at("14:00"))]}, hours(), 60)
    assert isinstance(found, Proposal)
    assert found.starts == at("14:00")
    assert found.why == "必須1機関がそろい、原則参加の機関が最も多く出られる日時です(原則1機関中1機関が出席可)"


def test_a_substitute_of_the_same_post_fills_a_required_seat() -> None:
    found = find_date([wanted("福祉課", "required", 0, 1)], {PEOPLE[0]: [(at("09:00"), at("10:00"))]}, hours(), 60)
    assert isinstance(found, Proposal)
    assert (found.starts, found.chosen[0][1]) == (at("09:00"), PEOPLE[1])


def test_two_substitutes_do_not_share_one_sitting_between_them() -> None:
    busy = {PEOPLE[0]: [(at("09:30"), at("17:00"))], PEOPLE[1]: [(at("09:00"), at("09:30"))]}
    found = find_date([wanted("福祉課", "required", 0, 1)], busy, hours(), 60)
    assert isinstance(found, Proposal)
    assert (found.starts, found.chosen[0][1]) == (at("09:30"), PEOPLE[1])


@pytest.mark.rule("P1")
def test_without_a_date_the_duty_holder_who_is_never_free_is_named() -> None:
    seats = [wanted("福祉課", "required", 0), wanted("社会福祉協議会", "required", 1)]
    found = find_date(seats, {PEOPLE[1]: [(at("00:00"), at("23:59"))]}, hours(), 60)
    assert isinstance(found, NoSlot)
    assert found.blocking == ("社会福祉協議会",)
    assert found.why.startswith("必須の機関に、期間内の空きがありません: 社会福祉協議会。")


def test_of_duty_holders_who_miss_one_another_the_one_whose_leaving_opens_most_is_named() -> None:
    seats = [wanted("福祉課", "required", 0), wanted("社会福祉協議会", "required", 1)]
    busy = {PEOPLE[0]: [(at("09:00"), at("10:00"))], PEOPLE[1]: [(at("10:00"), at("17:00"))]}
    found = find_date(seats, busy, hours(), 60)
    assert isinstance(found, NoSlot)
    assert found.blocking == ("社会福祉協議会",)
    assert "社会福祉協議会のほかはそろいます" in found.why


def test_a_post_that_nobody_holds_is_named_with_what_to_do() -> None:
    found = find_date([wanted("福祉課", "required")], {}, hours(), 60)
    assert isinstance(found, NoSlot)
    assert "名簿に担当者を登録してください" in found.why
