"""Calendar feeds: the held times of one person, for whoever has the token, until it is made anew or ended."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.directory import Release, Reserve
from contracts.feeds import EndFeed, LookAtFeed, MakeFeed, Sat
from services.directory import service
from services.directory.tables import feed
from tests.directory.test_directory import ARIMA, HIDAKA, HOUR, NINE, TAKAHASHI, Office
from tests.stage import Stage

SITTING, OTHER = UUID(int=0xA1), UUID(int=0xA2)


@pytest.fixture
def office(stage: Callable[..., Stage], tmp_path: Path) -> Office:
    made = Office(stage(service), tmp_path)
    made.start(TAKAHASHI, HIDAKA, busy=("0101,2026-12-02 09:00,2026-12-02 10:00",))
    return made


def hold(office: Office, name: str, hold: UUID, **later: float) -> None:
    at = NINE + timedelta(**later)
    office.stage.ask(Reserve(hold=hold, persons=(office.people()[name],), starts=at, ends=at + HOUR))


def test_a_feed_shows_ones_own_held_times_and_neither_anothers_nor_what_the_calendar_has_already(
    office: Office,
) -> None:
    hold(office, "髙橋 美穂", SITTING)
    hold(office, "日髙 友恵", OTHER, hours=3)
    made = office.stage.ask(MakeFeed(person=office.people()["髙橋 美穂"]))
    found = office.stage.ask(LookAtFeed(token=made.token))
    assert found.found
    assert found.times == (Sat(starts=NINE, ends=NINE + HOUR),)
    office.stage.ask(Release(hold=SITTING))
    assert office.stage.ask(LookAtFeed(token=made.token)).times == ()


def test_it_ends_when_it_is_made_anew_or_ended_or_its_holder_leaves(office: Office) -> None:
    who = office.people()["髙橋 美穂"]
    first = office.stage.ask(MakeFeed(person=who)).token
    second = office.stage.ask(MakeFeed(person=who)).token
    assert first != second
    assert not office.stage.ask(LookAtFeed(token=first)).found
    assert office.stage.ask(LookAtFeed(token=second)).found
    assert [office.stage.ask(EndFeed(person=who)).had for _ in range(2)] == [True, False]
    assert not office.stage.ask(LookAtFeed(token=second)).found
    third = office.stage.ask(MakeFeed(person=who)).token
    office.start(HIDAKA, ARIMA)
    assert not office.stage.ask(LookAtFeed(token=third)).found


def test_the_token_itself_is_not_kept(office: Office) -> None:
    made = office.stage.ask(MakeFeed(person=office.people()["髙橋 美穂"]))
    rows = office.stage.do(lambda tx: [tuple(row) for row in tx.execute(select(feed))])
    assert len(rows) == 1
    assert made.token not in str(rows)
