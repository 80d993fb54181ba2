"""The service's questions to the timetable's engine: names, quorums, lines that differ. Plain values in and out."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest

from contracts.profile import Quorum, Room
from services.meetings.ranking import Reply, Search, counted, rank, seat_names, spread
from services.meetings.scheduling import TOKYO, Need, Wanted

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def seat(agency: str, *persons: UUID, need: Need = "required") -> Wanted:
    return Wanted(agency, f"{agency}課", need, persons)


def at(day: int, clock: str) -> datetime:
    return datetime.combine(date(2026, 12, day), time.fromisoformat(clock), TOKYO)


ASKED = Search(
    seats=(seat("a", A), seat("b", B, need="expected")),
    minutes=60,
    first=date(2026, 12, 1),
    last=date(2026, 12, 4),
    opens=time(9),
    closes=time(17),
    closed=(date(2026, 12, 2),),
    busy={},
    kinds={"a": "municipality", "b": "consultation", "c": "consultation"},
)


def test_every_lawful_quarter_is_ranked_and_none_on_a_closed_day_or_over_lunch() -> None:
    found = rank(ASKED).dates
    days = {one.starts.date() for one in found}
    assert days == {date(2026, 12, 1), date(2026, 12, 3), date(2026, 12, 4)}
    assert len(found) == 3 * (9 + 13)  # 9:00 to 11:00, 13:00 to 16:00
    assert all(one.ends.time() <= time(12) or one.starts.time() >= time(13) for one in found)


def test_office_hours_between_quarters_are_narrowed_not_widened() -> None:
    found = rank(replace(ASKED, opens=time(8, 50), closes=time(17, 10))).dates
    assert min(one.starts.time() for one in found) == time(9)
    assert max(one.ends.time() for one in found) == time(17)


@pytest.mark.parametrize(("choice", "first"), [("no", "10:00"), ("avoid", "10:00"), ("yes", "9:00")])
def test_an_answer_weighs_on_its_time_only(choice: str, first: str) -> None:
    reply = Reply(B, at(1, "09:00"), at(1, "10:00"), choice)
    best = rank(replace(ASKED, replies=(reply,))).dates[0]
    assert f"{best.starts.hour}:{best.starts.minute:02}" == first


def test_an_answer_of_somebody_without_a_seat_changes_nothing() -> None:
    reply = Reply(D, at(1, "09:00"), at(1, "10:00"), "no")
    assert rank(replace(ASKED, replies=(reply,))) == rank(ASKED)


def test_two_who_must_not_meet_are_never_proposed_together() -> None:
    found = rank(replace(ASKED, apart=((A, B),))).dates
    assert found
    assert all((seat("b", B, need="expected"), None) in one.chosen for one in found)
    none = rank(replace(ASKED, seats=(seat("a", A), seat("b", B)), apart=((A, B),)))
    assert none.dates == ()
    assert any("会わせてはいけない二人" in one for one in none.clashing)


def test_a_quorum_counts_each_agency_once_however_many_seats_it_has() -> None:
    seats = (seat("b", A), seat("b", B), seat("c", C))
    assert counted(Quorum(name="2", at_least=2, kinds=("consultation",)), seats, ASKED.kinds) == [0, 2]


def test_a_quorum_that_no_seats_can_reach_is_said_before_any_search() -> None:
    found = rank(replace(ASKED, quorum=(Quorum(name="包括2", at_least=2, kinds=("consultation",)),)))
    assert found.dates == ()
    assert "包括2" in found.none_because
    assert found.relax


def test_a_required_seat_without_a_holder_is_named_with_what_to_do() -> None:
    found = rank(replace(ASKED, seats=(seat("a"),)))
    assert (found.dates, found.clashing) == ((), ("a課",))
    assert "名簿" in found.none_because


def test_a_seat_without_a_holder_that_need_not_be_filled_is_named_in_the_reason() -> None:
    best = rank(replace(ASKED, seats=(seat("a", A), seat("c", need="expected")))).dates[0]
    assert "c課" in best.why
    assert (seat("c", need="expected"), None) in best.chosen


def test_a_room_that_is_taken_or_lacks_what_is_needed_is_not_offered() -> None:
    rooms = (
        Room(code="plain", name="甲", place="p", capacity=9),
        Room(code="screen", name="乙", place="p", capacity=9, equipment=("screen",)),
    )
    asked = replace(ASKED, rooms=rooms, equipment=("screen",), room_busy={"screen": [(at(1, "09:00"), at(1, "12:00"))]})
    best = rank(asked).dates[0]
    assert (best.room, best.starts) == ("screen", at(1, "13:00"))


def test_an_agency_with_two_seats_is_told_apart() -> None:
    assert seat_names((seat("a", A), seat("b", B), seat("a", C))) == ["a課", "b課", "a課(2)"]
    assert rank(replace(ASKED, seats=(seat("a", A), seat("a", C)))).dates


def test_the_lines_to_choose_from_do_not_overlap_and_few_lie_on_one_day() -> None:
    found = rank(ASKED).dates
    chosen = spread(found, 9)
    assert len(chosen) == 9
    assert chosen[0] == found[0]
    assert all(
        one.ends <= other.starts or other.ends <= one.starts for one in chosen for other in chosen if one is not other
    )
    for day in {one.starts.date() for one in chosen}:
        assert sum(one.starts.date() == day for one in chosen) == 3
    ranks = [found.index(one) for one in chosen]
    assert ranks == sorted(ranks)


def test_with_few_days_more_lines_of_one_day_are_offered() -> None:
    one_day = rank(replace(ASKED, last=ASKED.first)).dates
    assert len(spread(one_day, 12)) == len(spread(one_day, 99)) == 7  # 3 in the morning, 4 in the afternoon


def test_a_window_without_an_open_day_has_no_date_and_says_so() -> None:
    saturday = date(2026, 12, 5)
    found = rank(replace(ASKED, first=saturday, last=saturday + timedelta(days=1)))
    assert found.dates == ()
    assert "開庁時間" in found.none_because
