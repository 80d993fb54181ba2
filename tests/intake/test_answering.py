"""T9 at intake: juso is told of the answer to the 紹介元, and of nothing that is decided without a consent."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from contracts.consent import ConsentState
from contracts.intake import LookAtConsent, ReferralWithConsent
from contracts.message import Event
from contracts.triage import ReferralAnswered, Way
from services import intake
from tests.intake.agreeing import record, scope_of, take
from tests.intake.officers import CITY
from tests.intake.paper import sheet, without_consent
from tests.intake.test_triage import TOWN, decide, send_back
from tests.stage import Stage


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    return stage(intake.service, profile=TOWN)


def answers(events: list[Event]) -> list[ReferralAnswered]:
    return [one for one in events if isinstance(one, ReferralAnswered)]


def consent(desk: Stage, key: UUID, after: int) -> bool:
    """The client agrees, on paper."""
    client = desk.ask(LookAtConsent(referral=key)).members[0][0]
    scope = scope_of(client, agencies=("houkatsu", "kenko"))
    return record(desk, key, after, state=ConsentState.GIVEN, scope=scope, evidence="福祉-118").done


@pytest.mark.rule("T9")
def test_juso_is_told_which_way_when_and_by_whom_and_no_reason(desk: Stage) -> None:
    key = take(desk, sheet())
    (case,) = [one.about for one in desk.told() if isinstance(one, ReferralWithConsent)]
    assert decide(desk, key).done
    (told,) = answers(desk.told())
    assert (told.about, told.number, told.way) == (case, 1, Way.COORDINATE)
    assert (told.answered_on, told.by, told.agency) == (date(2026, 11, 24), CITY.person, CITY.agency)
    assert send_back(desk, key, after=1).done
    (second,) = answers(desk.told())
    assert (second.number, second.way) == (2, Way.RETURN)


@pytest.mark.rule("T9", "C4")
def test_of_a_referral_without_consent_juso_hears_nothing_until_there_is_one(desk: Stage) -> None:
    key: UUID = take(desk, without_consent(ConsentState.NOT_ASKED))
    desk.told()
    assert decide(desk, key).done
    assert desk.told() == []
    assert consent(desk, key, 1)
    told = desk.told()
    assert [type(one) for one in told][-2:] == [ReferralWithConsent, ReferralAnswered], "the answer comes with the case"
    assert told[-1].about == told[-2].about


@pytest.mark.rule("T9", "C11")
def test_what_is_decided_after_a_withdrawal_juso_hears_only_with_the_next_consent(desk: Stage) -> None:
    key = take(desk, sheet())
    assert record(desk, key, 1, state=ConsentState.WITHDRAWN).done
    desk.told()
    assert decide(desk, key).done
    assert desk.told() == []
    assert consent(desk, key, 2)
    assert len(answers(desk.told())) == 1
