"""Who explained a つなぎ to the client, and when: asked for, never waited for, and due until somebody has said (C6)."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.coordination import TakeInClient
from contracts.erasure import EraseReason, EraseReferral
from contracts.explained import explanation_due
from contracts.intake import ClientForGate, ClientOf, Particulars, Sheet, SheetResult, TakeInSheets
from contracts.office import Done
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList, TriageView
from services import intake
from services.intake import domain, handlers
from services.intake.tables import juso_case, referral
from tests.intake.agreeing import take
from tests.intake.officers import CITY, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

UNTOLD: dict[str, Any] = {"explained_by": "", "explained_on": None}
WHO, DAY = "日髙 奈緒", date(2026, 10, 30)


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    return stage(intake.service, profile=TOWN_WITH_COORDINATOR)


def taken_in(desk: Stage, one: Sheet) -> SheetResult:
    (result,) = desk.ask(TakeInSheets(sheets=(one,))).results
    return result


def look(desk: Stage, key: UUID) -> TriageView:
    found: TriageView = desk.ask(LookAtTriage(by=CITY, referral=key))
    return found


def decide(desk: Stage, key: UUID, after: int = 0, **said: Any) -> Done:
    decided = {"request": uuid4(), "by": CITY, "referral": key, "after": after, "edition": "0", "way": "coordinate"}
    done: Done = desk.ask(DecideTriage.model_validate(decided | {"reason": "本人が会議を望んでいる。"} | said))
    return done


def unexplained(desk: Stage) -> list[bool]:
    return [one.unexplained for one in desk.ask(LookAtTriageList(by=CITY)).waiting]


def on_the_case(desk: Stage) -> Particulars:
    found: Particulars = desk.ask(ClientOf(case=juso_case_of(desk)))
    return found


def juso_case_of(desk: Stage) -> UUID:
    case: UUID = desk.do(lambda tx: tx.execute(select(juso_case.c.case_ref)).scalar_one())
    return case


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    "one",
    [
        sheet(**UNTOLD),
        without_consent(ConsentState.REFUSED, **UNTOLD),
        without_consent(ConsentState.WITHDRAWN, **UNTOLD),
    ],
)
def test_a_sheet_that_does_not_say_who_explained_it_is_taken_in_and_told_what_is_due(desk: Stage, one: Sheet) -> None:
    result = taken_in(desk, one)
    assert result.outcome in ("accepted", "held")
    assert "説明者・説明日がありません" in result.message
    assert result.message.endswith("(C6)。")
    assert unexplained(desk) == [True]


@pytest.mark.rule("C6")
def test_a_sheet_that_says_it_is_shown_with_it_at_reception_and_on_the_case(desk: Stage) -> None:
    key = take(desk, sheet())
    found = look(desk, key)
    assert (found.explained_by, found.explained_on, found.explanation_due) == (WHO, DAY, "")
    assert unexplained(desk) == [False]
    assert (on_the_case(desk).explained_by, on_the_case(desk).explained_on) == (WHO, DAY)
    assert taken_in(desk, sheet(number="2", resident_number=None)).message == ""


@pytest.mark.rule("C6")
def test_the_case_of_the_other_kind_of_meeting_is_handed_it_with_who_it_is_about(desk: Stage) -> None:
    take(desk, without_consent(ConsentState.REFUSED))
    ((case, who),) = desk.do(handlers._waiting)
    told = TakeInClient(case=case, particulars=who).particulars
    assert (told.explained_by, told.explained_on) == (WHO, DAY)


@pytest.mark.rule("C6")
def test_the_gate_learns_nothing_of_it(desk: Stage) -> None:
    take(desk, sheet())
    who = desk.ask(ClientForGate(case=juso_case_of(desk)))
    assert (who.name, who.explained_by, who.explained_on) == ("髙橋 キヨ子", "", None)


@pytest.mark.rule("C6")
def test_what_the_referrer_says_later_is_written_down_with_a_decision_and_no_longer_due(desk: Stage) -> None:
    key = take(desk, sheet(**UNTOLD))
    assert "説明者・説明日" in look(desk, key).explanation_due
    assert decide(desk, key, explained_by=" 日髙 奈緒\u3000").done
    assert look(desk, key).explanation_due.startswith("説明日がありません")
    assert decide(desk, key, after=1).done, "a decision without it leaves it due"
    assert look(desk, key).explained_by == WHO
    assert decide(desk, key, after=2, explained_on=DAY).done
    found = look(desk, key)
    assert (found.explained_by, found.explained_on, found.explanation_due) == (WHO, DAY, "")
    assert (on_the_case(desk).explained_by, on_the_case(desk).explained_on) == (WHO, DAY)


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"explained_on": date(2099, 1, 1)}, "説明日: "),
        ({"explained_on": date(1990, 1, 1)}, "説明日: "),
        ({"explained_by": "日髙\n奈緒"}, "説明者: "),
        ({"explained_by": "\u202e奈緒"}, "説明者: "),
    ],
)
def test_what_cannot_be_so_is_refused_with_its_field_and_nothing_is_stored(
    desk: Stage, said: dict[str, Any], field: str
) -> None:
    key = take(desk, sheet(**UNTOLD))
    refused = decide(desk, key, **said)
    assert not refused.done
    assert refused.reason.startswith(field)
    assert (look(desk, key).explained_by, look(desk, key).decisions) == ("", ())
    bad = taken_in(desk, sheet(number="2", resident_number=None, **said))
    assert (bad.outcome, f"{bad.field}: ") == ("refused", field)


@pytest.mark.rule("C6")
def test_nobody_can_read_it_once_the_referral_is_erased(desk: Stage) -> None:
    key = take(desk, sheet())
    assert desk.ask(EraseReferral(referral=key, reason=EraseReason.REQUEST)).done
    kept = desk.do(lambda tx: tx.execute(select(referral.c.explained_by, referral.c.explained_on)).one())
    assert tuple(kept) == (None, None)


@pytest.mark.rule("C6")
def test_a_sheet_without_the_two_is_the_same_sheet_as_before_they_were_asked_for(desk: Stage) -> None:
    older = sheet(**UNTOLD).model_dump(exclude={"explained_by", "explained_on"})
    assert domain.digest(Sheet.model_validate(older)) == domain.digest(sheet(**UNTOLD))
    take(desk, sheet(**UNTOLD))
    assert taken_in(desk, Sheet.model_validate(older)).outcome == "unchanged"


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    ("by", "on", "lacking"),
    [("", DAY, "説明者が"), ("\u3000 ", DAY, "説明者が"), (WHO, None, "説明日が"), (WHO, DAY, "")],
)
def test_what_is_due_names_what_is_lacking(by: str, on: date | None, lacking: str) -> None:
    due = explanation_due(by, on)
    assert due.startswith(lacking)
    assert bool(due) is bool(lacking)
