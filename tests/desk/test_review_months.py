"""A plan's review is chosen as 3, 6 or 12 months after the plan's day, or as a day (T8)."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from starlette.datastructures import FormData

from contracts.life import Step
from contracts.review_months import REVIEW_MONTHS, months_after
from services.desk.step_forms import act_of
from tests.coordination.test_life import act
from tests.desk.standin import CASE, JUSO, StandIn, browser, sign_in

Desk = Callable[..., StandIn]


@pytest.mark.rule("T8")
@pytest.mark.parametrize(("after", "day"), [("3", (2027, 2, 24)), ("6", (2027, 5, 24)), ("12", (2027, 11, 24))])
def test_the_review_is_counted_in_months_from_the_days_of_plan_and_monitoring(
    after: str, day: tuple[int, int, int]
) -> None:
    drafted = act_of(FormData({"step": Step.DRAFT, "on": "2026-11-24", "monitor_on_after": after}))
    assert drafted.plan is not None
    assert drafted.plan.monitor_on == date(*day)
    monitored = act_of(FormData({"step": Step.MONITOR, "on": "2026-11-24", "next_on_after": after}))
    assert monitored.next_on == date(*day)


@pytest.mark.rule("T8")
def test_months_that_were_chosen_count_before_the_day_that_a_plan_before_left_in_the_field() -> None:
    said = {"step": Step.DRAFT, "on": "2026-11-24", "monitor_on": "2026-12-10", "monitor_on_after": "6"}
    drafted = act_of(FormData(said))
    assert drafted.plan is not None
    assert drafted.plan.monitor_on == date(2027, 5, 24)
    any_day = act_of(FormData(said | {"monitor_on_after": ""}))
    assert any_day.plan is not None
    assert any_day.plan.monitor_on == date(2026, 12, 10)


@pytest.mark.rule("T8")
async def test_the_forms_of_plan_and_monitoring_offer_three_six_and_twelve_months(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(step) for step in (Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"/cases/{CASE}/life")).text
    for name in ("monitor_on_after", "next_on_after"):
        offered = text.split(f'name="{name}"')[1].split("</select>")[0]
        assert re.findall(r'value="([0-9]*)"', offered) == ["", "3", "6", "12"], name


@pytest.mark.parametrize("after", ["", "4", "-3", "三"])
def test_months_that_are_no_choice_are_no_day(after: str) -> None:
    assert act_of(FormData({"step": Step.MONITOR, "on": "2026-11-24", "next_on_after": after})).next_on is None


def test_a_month_without_that_day_ends_on_its_last_one() -> None:
    assert months_after(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_after(date(2026, 3, 31), 3) == date(2026, 6, 30)
    assert all(months_after(date(2026, 3, 31), int(code)) > date(2026, 3, 31) for code in REVIEW_MONTHS)
