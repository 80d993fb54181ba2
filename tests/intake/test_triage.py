"""Triage by the city's own criteria: shown with why, decided by a person, never in the way of an urgent referral."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.erasure import EraseReason, EraseReferral
from contracts.intake import Problem, ReferralWithConsent, TakeInSheets
from contracts.office import Done
from contracts.triage import Criteria, DecideTriage, LookAtTriage, LookAtTriageList, TriageView, Way
from services import intake
from services.intake.reception_tables import showing, triage_decision
from services.settings import ProfileInvalid, read_profile
from tests.intake.agreeing import record, take
from tests.intake.officers import CITY, COLLEAGUE, OUTSIDE, REFERRER, STRANGER, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "kobayashi"
CRITERIA = Criteria.model_validate(tomllib.loads((EXAMPLE / "triage.toml").read_text("utf-8")))
TOWN = TOWN_WITH_COORDINATOR.model_copy(update={"triage": CRITERIA})
SIMPLE = {"problems": (Problem.ELDER_CARE,), "agencies": ()}
REASON = "包括だけで支援を続けられる。主治医とも話がついている。"


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town with 小林市's criteria."""
    return stage(intake.service, profile=TOWN)


def look(desk: Stage, key: UUID, **how: Any) -> TriageView:
    answer: TriageView = desk.ask(LookAtTriage.model_validate({"by": CITY, "referral": key} | how))
    return answer


def decide(desk: Stage, key: UUID, way: Way = Way.COORDINATE, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "referral": key, "after": 0, "edition": "1", "way": way, "reason": REASON}
    answer: Done = desk.ask(DecideTriage.model_validate(asked | changes))
    return answer


def send_back(desk: Stage, key: UUID, **changes: Any) -> Done:
    talked = {"talked_on": date(2026, 11, 20), "counterpart": "houkatsu"}
    return decide(desk, key, Way.RETURN, **(talked | changes))


def matched(found: TriageView) -> dict[str, str]:
    return {one.criterion: one.why for one in found.matched}


# -- the criteria ------------------------------------------------------------------------------------------------------


def test_what_applies_is_shown_with_why_and_what_does_not_is_shown_too(desk: Stage) -> None:
    key = take(desk, sheet(problems=(Problem.DEBT, Problem.HOUSING, Problem.VIOLENCE), agencies=("jiritsu",)))
    found = look(desk, key)
    assert matched(found) == {
        "many-fields": "お困りごと3分野(支出・滞納・借金、住まい、DV・虐待)",
        "violence-and-more": "「DV・虐待」がある、関わる機関2か所",
    }
    assert {one.criterion for one in found.unmet if one.asked} == {"nobody-in-charge", "deadlock", "advice-is-enough"}
    assert {one.criterion for one in found.unmet} | set(matched(found)) == {one.id for one in CRITERIA.criteria}
    assert (found.advice, found.edition, found.number) == (Way.COORDINATE, "1", "0000123")


def test_the_referrer_counts_once_among_the_agencies(desk: Stage) -> None:
    key = take(desk, sheet(problems=(Problem.ELDER_CARE,), agencies=("houkatsu",)))
    assert matched(look(desk, key)) == {"one-field": "お困りごと1分野(介護)、関わる機関1か所"}
    assert look(desk, key).advice is Way.RETURN


def test_criteria_that_disagree_and_none_at_all_give_no_advice(desk: Stage) -> None:
    key = take(desk, sheet(**SIMPLE))
    assert look(desk, key, declared=("deadlock",)).advice is None
    two = take(desk, sheet(number="2", problems=(Problem.DEBT, Problem.HOUSING), agencies=("jiritsu",)))
    found = look(desk, two)
    assert (found.matched, found.advice) == ((), None)


def test_what_only_a_person_can_tell_applies_when_a_person_says_so(desk: Stage) -> None:
    key = take(desk, sheet(problems=(Problem.DEBT, Problem.HOUSING), agencies=("jiritsu",)))
    found = look(desk, key, declared=("nobody-in-charge", "many-fields", "no-such"))
    assert list(matched(found)) == ["nobody-in-charge"], "a threshold is not a matter of saying"


def test_a_city_without_criteria_gets_a_list_without_advice(stage: Callable[..., Stage]) -> None:
    desk = stage(intake.service, profile=TOWN_WITH_COORDINATOR)
    found = look(desk, take(desk, sheet()))
    assert (found.done, found.matched, found.unmet, found.advice, found.edition) == (True, (), (), None, "0")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('[[criteria]]\nid = "a"\ntext = "何でもよい"\nleads_to = "coordinate"', "criterion a"),
        (
            '[[criteria]]\nid = "a"\ntext = "何でもよい"\nleads_to = "coordinate"\nasked = true\nproblems_at_least = 2',
            "a",
        ),
        ('[[criteria]]\nid = "a"\ntext = "何でもよい"\nleads_to = "elsewhere"\nasked = true', "leads_to"),
        ('[[criteria]]\nid = "a"\ntext = "何でもよい"\nleads_to = "return"\nproblem_at_most = 2', "problem_at_most"),
        ("edition = ", "triage.toml"),
    ],
)
def test_a_criteria_file_with_a_mistake_stops_the_start_and_says_where(tmp_path: Path, wrong: str, named: str) -> None:
    (tmp_path / "profile.toml").write_bytes((EXAMPLE / "profile.toml").read_bytes())
    (tmp_path / "triage.toml").write_text(wrong, "utf-8")
    with pytest.raises(ProfileInvalid, match="triage") as refused:
        read_profile(tmp_path)
    assert named in str(refused.value)


def test_the_example_reads_its_criteria() -> None:
    assert read_profile(EXAMPLE).triage == CRITERIA


# -- who sees it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ConsentState.GIVEN, ConsentState.REFUSED])
def test_the_referrer_sees_its_own_referral_and_no_others(desk: Stage, state: ConsentState) -> None:
    mine = sheet() if state is ConsentState.GIVEN else without_consent(state)
    key = take(desk, mine)
    assert look(desk, key, by=REFERRER).done
    by_number = LookAtTriage(by=REFERRER, referrer="houkatsu", number="0000123")
    assert desk.ask(by_number).referral == key
    assert look(desk, key, by=STRANGER) == look(desk, uuid4(), by=STRANGER)
    assert not look(desk, key, by=STRANGER).done


def test_an_outside_coordinator_sees_what_the_consent_names_it_for_and_nothing_of_shien(desk: Stage) -> None:
    juso = take(desk, sheet())
    narrowed = take(desk, sheet(number="2", consent=ConsentState.NARROWED))
    shien = take(desk, without_consent(ConsentState.REFUSED, number="3"))
    held = take(desk, without_consent(ConsentState.WITHDRAWN, number="4"))
    assert look(desk, juso, by=OUTSIDE).done
    nothing = look(desk, uuid4(), by=OUTSIDE)
    assert [look(desk, key, by=OUTSIDE) for key in (narrowed, shien, held)] == [nothing] * 3
    assert [one.referral for one in desk.ask(LookAtTriageList(by=OUTSIDE)).waiting] == [juso]
    assert {one.referral for one in desk.ask(LookAtTriageList(by=CITY)).waiting} == {juso, narrowed, shien, held}
    assert not desk.ask(LookAtTriageList(by=REFERRER)).done
    assert record(desk, juso, 1, state=ConsentState.WITHDRAWN).done
    assert look(desk, juso, by=OUTSIDE) == nothing
    assert look(desk, juso, by=REFERRER).done, "what it sent itself"


def test_what_an_outside_coordinator_is_refused_does_not_depend_on_what_there_is(desk: Stage) -> None:
    shien = take(desk, without_consent(ConsentState.REFUSED))
    assert decide(desk, shien, by=OUTSIDE) == decide(desk, uuid4(), by=OUTSIDE)
    assert decide(desk, shien, by=STRANGER).rule == "S1"


def test_each_look_is_registered_with_its_ground(desk: Stage) -> None:
    key = take(desk, sheet())
    for by in (CITY, OUTSIDE, REFERRER, STRANGER):
        look(desk, key, by=by)
    rows = desk.do(lambda tx: tx.execute(select(showing)).all())
    assert {row.agency: row.rule for row in rows if row.agency != "kyodo"} == {
        "kenko": "reception",
        "houkatsu": "referrer",
    }
    (ground,) = [row.rule for row in rows if row.agency == "kyodo"]
    assert ground not in ("reception", "referrer", ""), "a row of the policy"


# -- decided by a person -----------------------------------------------------------------------------------------------


def test_a_decision_keeps_who_why_and_on_which_criteria_of_which_edition(desk: Stage) -> None:
    key = take(desk, sheet())
    assert decide(desk, key, declared=("deadlock",)).done
    (one,) = look(desk, key).decisions
    assert (one.number, one.way, one.edition, one.reason) == (1, Way.COORDINATE, "1", REASON)
    assert one.criteria == ("many-agencies", "deadlock")
    assert (one.by, one.agency, one.at) == (CITY.person, "kenko", desk.time)
    assert desk.ask(LookAtTriageList(by=CITY)).waiting == ()


@pytest.mark.rule("D8")
def test_a_return_needs_a_talk_and_tells_the_referrer_why_and_to_ask_again(desk: Stage) -> None:
    key = take(desk, sheet(**SIMPLE))
    for lacking in ({"talked_on": None}, {"counterpart": None}):
        answer = send_back(desk, key, **lacking)
        assert (answer.done, answer.rule) == (False, "D8")
    answer = send_back(desk, key)
    assert answer.done
    assert "いつでもまた依頼" in answer.next_step
    assert "紹介元へ戻す" in answer.next_step
    found = look(desk, key, by=REFERRER)
    assert found.decisions[-1].reason == REASON
    assert found.decisions[-1].way is Way.RETURN
    assert "いつでもまた依頼" in found.note


@pytest.mark.rule("M1")
def test_an_urgent_referral_goes_on_before_anybody_decides_and_is_not_sent_back_here(desk: Stage) -> None:
    key = take(desk, sheet(urgent=True, **SIMPLE))
    assert isinstance(desk.told()[-1], ReferralWithConsent), "told when it was taken in"
    assert "待たずに" in look(desk, key).note
    answer = send_back(desk, key)
    assert (answer.done, answer.rule) == (False, "M1")
    assert "紹介元へ戻す" in answer.reason
    assert desk.ask(LookAtTriageList(by=CITY)).waiting[0].referral == key
    assert decide(desk, key).done


def test_no_referral_waits_for_triage(desk: Stage) -> None:
    (result,) = desk.ask(TakeInSheets(sheets=(sheet(**SIMPLE),))).results
    assert result.outcome == "accepted"
    assert isinstance(desk.told()[-1], ReferralWithConsent)


def test_a_decision_is_changed_by_a_later_one_and_the_earlier_stays(desk: Stage) -> None:
    key = take(desk, sheet(**SIMPLE))
    send_back(desk, key)
    late = decide(desk, key, by=COLLEAGUE)
    assert (late.done, late.rule) == (False, "decided-meanwhile")
    assert decide(desk, key, after=1, by=COLLEAGUE).done
    assert [one.way for one in look(desk, key).decisions] == [Way.RETURN, Way.COORDINATE]
    assert look(desk, key).note == ""


def test_the_same_request_twice_is_one_decision(desk: Stage) -> None:
    key, request = take(desk, sheet()), uuid4()
    for _ in range(2):
        assert decide(desk, key, request=request).done
    assert len(look(desk, key).decisions) == 1
    assert decide(desk, key, request=request, reason="別の理由で受けることにした。").rule == "request-taken"


@pytest.mark.parametrize(
    ("changes", "label", "rule"),
    [
        ({"reason": "あ" * 10_000}, "", ""),
        ({"reason": " はい "}, "理由", "required"),
        ({"reason": "1234 5678 9018 の人なので"}, "理由", "my-number"),
        ({"edition": "2"}, "基準の版", "triage-edition"),
        ({"declared": ("many-fields",)}, "当てはまる基準", "triage-criterion"),
        ({"counterpart": "nowhere"}, "協議の相手", "agency-unknown"),
        ({"talked_on": date(2026, 11, 25)}, "協議日", "date-range"),
        ({"talked_on": date(2024, 2, 29)}, "協議日", "date-range"),
    ],
)
def test_a_decision_that_cannot_be_recorded_names_field_and_rule(
    desk: Stage, changes: dict[str, Any], label: str, rule: str
) -> None:
    key = take(desk, sheet(**SIMPLE))
    answer = send_back(desk, key, **changes)
    assert answer.done is not bool(label)
    if label:
        assert (answer.rule, answer.reason.startswith(f"{label}: ")) == (rule, True)
    assert len(look(desk, key).decisions) == (0 if label else 1)


def test_no_sql_changes_what_was_decided_and_only_its_words_can_be_erased(desk: Stage) -> None:
    key = take(desk, sheet(**SIMPLE))
    send_back(desk, key)
    row = triage_decision
    for change in (
        update(row).values(way="coordinate"),
        update(row).values(talked_on=None),
        update(row).values(counterpart="kenko"),
        update(row).values(reason=b"\x01" + b"0" * 40),
        delete(row),
    ):
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, change=change: tx.execute(change).rowcount)
    assert desk.ask(EraseReferral(referral=key, reason=EraseReason.REQUEST)).done
    (left,) = desk.do(lambda tx: tx.execute(select(row)).all())
    assert (left.way, left.reason, left.counterpart) == ("return", None, "houkatsu")
    assert not look(desk, key).done
