"""本人の不安 (C7): what a form says of it makes a 面談 or 同行支援 due, until somebody has been with the person."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from contracts.form_editions import in_force
from contracts.forms import Form
from contracts.life import CaseDue, Due, LookAtDue, Step
from contracts.message import Compartment
from services.forms import known_forms
from services.settings import Settings
from tests.coordination.stand_in import OFFICER, Hands
from tests.coordination.test_life import act
from tests.coordination.test_living import case_in, look, take
from tests.coordination.test_papers import answer_for, save

JUSO = Compartment.JUSO
Ready = Callable[[Compartment], Hands]
NAME = "reception_with_consent"


@pytest.fixture
def application() -> Form:
    return in_force(known_forms(Settings(var=Path("unused"))), NAME, date(2026, 11, 24))


async def filled(hands: Hands, case: UUID, form: Form, *, anxious: bool, **how: object) -> UUID:
    values = {field.id: answer_for(field) for field in form.fields} | {"anxious": anxious}
    saved = await save(hands, case, form=NAME, edition=form.edition, values=values, **how)
    assert saved.paper, saved
    return saved.paper


async def talk_due(hands: Hands, case: UUID) -> list[Due]:
    """What C7 wants of the case, where its page and the week's list say the same."""
    page = [one for one in (await look(hands, case)).due if one.rule == "C7"]
    week: tuple[CaseDue, ...] = (await hands.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))).cases
    assert [one for case_due in week for one in case_due.due if one.rule == "C7"] == page
    return page


@pytest.mark.rule("C7")
async def test_who_is_anxious_is_met_or_accompanied_and_until_then_it_is_due(hands: Ready, application: Form) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await filled(juso, case, application, anxious=True)
    (wanted,) = await talk_due(juso, case)
    assert "面談" in wanted.text
    assert (wanted.on, wanted.guessed) == (juso.now().date() + timedelta(days=7), True)
    done = await take(juso, case, act(Step.TALK, words="自宅で職員と会い、会議に何が出るかを説明した。"), 0)
    assert done.done, done
    assert await talk_due(juso, case) == []


@pytest.mark.rule("C7")
async def test_nothing_is_due_for_who_is_not_anxious_or_no_longer_is(hands: Ready, application: Form) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    paper = await filled(juso, case, application, anxious=False)
    assert await talk_due(juso, case) == []
    await filled(juso, case, application, anxious=True, paper=paper, after=1)
    assert len(await talk_due(juso, case)) == 1
    await filled(juso, case, application, anxious=False, paper=paper, after=2)
    assert await talk_due(juso, case) == [], "the newest version counts"
    await filled(juso, case, application, anxious=True)
    assert len(await talk_due(juso, case)) == 1, "another form says so now"


@pytest.mark.rule("C7")
async def test_a_talk_before_the_person_said_so_is_not_the_one_that_is_due(hands: Ready, application: Form) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await take(juso, case, act(Step.TALK), 0)
    juso.stage.time += timedelta(days=1)
    await juso.errands()
    await filled(juso, case, application, anxious=True)
    assert len(await talk_due(juso, case)) == 1
