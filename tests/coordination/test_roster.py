"""Who should sit at a case's table, by which rule, and what a decision on it has to say."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.intake import Problem
from contracts.message import Compartment
from contracts.preparing import Attendance, Choice, Door, Need, Outside, Proposal, Reason, RosterSeat, Struck
from contracts.profile import Agency, Profile
from services.coordination.roster import Fault, Round, judge, may_decide, proposal

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
CENTRES = frozenset({"houkatsu-kobayashi", "houkatsu-seibu", "houkatsu-nojiri", "kikan", "jiritsu", "kodomo-katei"})
EVERYBODY = CENTRES | {"fukushi", "kodomo", "choju", "kenko", "shakyo", "gakko", "jutaku", "byouin", "minsei"}
EVERYBODY |= {"hokenjo", "hellowork", "saposute"}
CASE = Round(
    compartment=JUSO,
    referrer="houkatsu-kobayashi",
    may_hear=EVERYBODY,
    named=("houkatsu-kobayashi", "jiritsu"),
    problems=(Problem.ELDER_CARE, Problem.HOUSING, Problem.ILLNESS),
)


def needs(found: Proposal) -> dict[str, Need]:
    return {one.agency: one.need for one in found.seats}


def rules(found: Proposal, agency: str) -> list[str]:
    return [why.rule for one in found.seats if one.agency == agency for why in one.why]


def outside(found: Proposal) -> dict[str, Outside]:
    return {one.agency: one for one in found.outside}


def choice(found: Proposal, **changes: Any) -> Choice:
    """The proposal as it stands, accepted; 本人 stays away."""
    seats = tuple(RosterSeat(agency=one.agency, need=one.need) for one in found.seats)
    said = {"seats": seats, "attendance": Attendance.NO, "attendance_words": "人が多い場では話せないと言っている。"}
    return Choice.model_validate(said | changes)


def without(found: Proposal, agency: str) -> tuple[RosterSeat, ...]:
    return tuple(one for one in choice(found).seats if one.agency != agency)


def fault(found: Fault | None) -> Fault:
    assert found is not None
    assert found.next_step
    return found


@pytest.mark.rule("P1", "P2")
@pytest.mark.parametrize("problems", [(), (Problem.CHILD,), tuple(Problem)])
def test_municipality_and_coordinator_are_always_proposed_as_required(
    kobayashi: Profile, problems: tuple[Problem, ...]
) -> None:
    found = proposal(replace(CASE, problems=problems, named=()), kobayashi)
    assert [one.agency for one in found.seats if one.need == "required"] == ["fukushi", "shakyo"]
    assert rules(found, "fukushi")[0] == "P2"
    assert rules(found, "shakyo")[0] == "P1"


@pytest.mark.rule("P1")
def test_of_several_coordinators_the_one_whose_case_it_is_has_to_be_there(kobayashi: Profile) -> None:
    other = Agency.model_validate({"code": "npo", "name": "NPO法人ひなた", "kind": "coordinator"})
    profile = kobayashi.model_copy(update={"agencies": (*kobayashi.agencies, other)})
    case = replace(CASE, may_hear=EVERYBODY | {"npo"}, coordinator="npo")
    found = proposal(case, profile)
    assert [one.agency for one in found.seats if one.need == "required"] == ["fukushi", "npo"]
    gone = choice(found, seats=(*without(found, "npo"), RosterSeat(agency="shakyo", need="required", words="詳しい。")))
    assert fault(judge(gone, case, profile)).rule == "P1"


@pytest.mark.rule("S1")
def test_a_meeting_without_consent_requires_the_municipality_alone(kobayashi: Profile) -> None:
    found = proposal(replace(CASE, compartment=SHIEN), kobayashi)
    assert [one.agency for one in found.seats if one.need == "required"] == ["fukushi"]
    assert rules(found, "fukushi")[0] == "S1"
    assert needs(found)["shakyo"] == "expected"


@pytest.mark.rule("P4")
def test_the_referrer_is_proposed_in_principle_before_all_that_need_not_be_there(kobayashi: Profile) -> None:
    for referrer in ("houkatsu-kobayashi", "hellowork"):
        found = proposal(replace(CASE, referrer=referrer, named=()), kobayashi)
        assert found.seats[2].agency == referrer
        assert (needs(found)[referrer], rules(found, referrer)[0]) == ("expected", "P4")


@pytest.mark.rule("P3", "P5")
def test_of_the_consultation_centres_those_of_the_case_attend_and_not_those_of_the_other_areas(
    kobayashi: Profile,
) -> None:
    found = needs(proposal(CASE, kobayashi))
    assert found["houkatsu-kobayashi"] == found["jiritsu"] == "expected"
    assert not {"houkatsu-seibu", "houkatsu-nojiri", "kikan", "kodomo-katei"} & set(found)


@pytest.mark.rule("P3")
def test_where_no_centre_has_to_do_with_the_case_those_that_know_its_problems_are_asked_else_all(
    kobayashi: Profile,
) -> None:
    case = replace(CASE, referrer="hellowork", named=(), problems=(Problem.CHILD,))
    centres = {one.code for one in kobayashi.agencies if one.kind == "consultation"}
    assert centres & set(needs(proposal(case, kobayashi))) == {"kodomo-katei"}
    assert centres <= set(needs(proposal(replace(case, problems=(Problem.OTHER,)), kobayashi)))


@pytest.mark.rule("P3")
@pytest.mark.parametrize(("kind", "reason"), [("participation", "participation"), ("outreach", "outreach")])
def test_who_runs_participation_support_or_outreach_attends_in_principle(
    kobayashi: Profile, kind: str, reason: str
) -> None:
    runs = Agency.model_validate({"code": "npo", "name": "NPO法人ひなた", "kind": kind})
    profile = kobayashi.model_copy(update={"agencies": (*kobayashi.agencies, runs)})
    found = proposal(replace(CASE, may_hear=EVERYBODY | {"npo"}), profile)
    assert needs(found)["npo"] == "expected"
    assert [(why.rule, why.reason) for one in found.seats if one.agency == "npo" for why in one.why] == [
        ("P3", Reason(reason))
    ]


@pytest.mark.rule("P5")
def test_an_agency_comes_for_a_problem_that_nobody_of_the_case_knows(kobayashi: Profile) -> None:
    found = proposal(CASE, kobayashi)
    assert needs(found)["byouin"] == "optional", "病気: neither 包括 nor 生活自立 knows it"
    assert [why.problem for one in found.seats if one.agency == "byouin" for why in one.why] == [Problem.ILLNESS]
    assert "jutaku" not in needs(found), "生活自立 knows about housing, and is of the case"
    assert "jutaku" in needs(proposal(replace(CASE, named=()), kobayashi))


@pytest.mark.rule("T2")
def test_who_has_a_role_in_the_plan_is_proposed(kobayashi: Profile) -> None:
    found = proposal(replace(CASE, roles=("saposute",)), kobayashi)
    assert (needs(found)["saposute"], rules(found, "saposute")[0]) == ("expected", "T2")


@pytest.mark.rule("C3", "S6")
@pytest.mark.parametrize(
    ("kind", "door", "rule", "word"), [(JUSO, Door.CONSENT, "C3", "同意"), (SHIEN, Door.COMMISSION, "S6", "委嘱")]
)
def test_who_may_not_hear_the_case_is_not_proposed_but_shown_with_the_door(
    kobayashi: Profile, kind: Compartment, door: Door, rule: str, word: str
) -> None:
    found = proposal(replace(CASE, compartment=kind, may_hear=EVERYBODY - {"jiritsu", "byouin"}), kobayashi)
    assert not {"jiritsu", "byouin"} & set(needs(found))
    assert {one: (at.door, at.rule) for one, at in outside(found).items() if one in ("jiritsu", "byouin")} == {
        "jiritsu": (door, rule),
        "byouin": (door, rule),
    }
    assert word in outside(found)["jiritsu"].next_step
    assert outside(found)["jiritsu"].why, "why it should be there stands with it"


@pytest.mark.rule("P5")
def test_more_agencies_than_the_municipality_wants_are_pointed_out(kobayashi: Profile) -> None:
    case = replace(CASE, named=tuple(sorted(EVERYBODY)))
    assert [one.text for one in proposal(case, kobayashi).hints if one.rule == "P5"] == [
        "18機関は、目安の12を超えています。機動性と事務の負担を考えて絞ってください。"
    ]
    assert [one for one in proposal(CASE, kobayashi).hints if one.rule == "P5"] == []


@pytest.mark.rule("P6")
def test_it_is_pointed_out_that_nobody_can_look_at_the_assessment_from_outside_the_case(kobayashi: Profile) -> None:
    (hint,) = proposal(replace(CASE, problems=(Problem.ELDER_CARE,)), kobayashi).hints
    assert hint.rule == "P6"
    assert "にしもろ基幹相談支援センター、小林保健所" in hint.text
    assert proposal(CASE, kobayashi).hints == (), "the health office comes for 病気, and has no part in the case"
    inside = replace(CASE, referrer="kikan", may_hear=EVERYBODY - {"hokenjo"})
    assert "同意か委嘱のある機関の中にはいません" in proposal(inside, kobayashi).hints[-1].text


def test_a_proposal_accepted_as_it_stands_is_accepted(kobayashi: Profile) -> None:
    for kind in Compartment:
        case = replace(CASE, compartment=kind)
        assert judge(choice(proposal(case, kobayashi)), case, kobayashi) is None


@pytest.mark.rule("P1", "P2", "S1")
@pytest.mark.parametrize(
    ("kind", "agency", "rule"), [(JUSO, "fukushi", "P2"), (JUSO, "shakyo", "P1"), (SHIEN, "fukushi", "S1")]
)
def test_nobody_can_strike_who_has_to_be_there_whatever_the_reason(
    kobayashi: Profile, kind: Compartment, agency: str, rule: str
) -> None:
    case = replace(CASE, compartment=kind)
    found = proposal(case, kobayashi)
    gone = choice(found, seats=without(found, agency), struck=(Struck(agency=agency, words="忙しい。"),))
    assert fault(judge(gone, case, kobayashi)).rule == rule
    weaker = choice(found, seats=(*without(found, agency), RosterSeat(agency=agency, need="optional")))
    assert fault(judge(weaker, case, kobayashi)).rule == rule


@pytest.mark.rule("C3", "S6", "P1")
@pytest.mark.parametrize(("kind", "missing", "rule"), [(JUSO, "shakyo", "C3"), (SHIEN, "fukushi", "S6")])
def test_without_who_has_to_be_there_inside_the_ground_no_roster_is_accepted(
    kobayashi: Profile, kind: Compartment, missing: str, rule: str
) -> None:
    case = replace(CASE, compartment=kind, may_hear=EVERYBODY - {missing})
    assert fault(judge(choice(proposal(case, kobayashi)), case, kobayashi)).rule == rule


@pytest.mark.rule("C3", "S6")
@pytest.mark.parametrize(("kind", "rule"), [(JUSO, "C3"), (SHIEN, "S6")])
def test_nobody_outside_consent_or_commission_is_added_whatever_the_reason(
    kobayashi: Profile, kind: Compartment, rule: str
) -> None:
    case = replace(CASE, compartment=kind, may_hear=EVERYBODY - {"saposute"})
    found = proposal(case, kobayashi)
    more = (*choice(found).seats, RosterSeat(agency="saposute", need="optional", words="就労の相談。"))
    refused = fault(judge(choice(found, seats=more), case, kobayashi))
    assert (refused.rule, "地域若者サポートステーション" in refused.reason) == (rule, True)


@pytest.mark.rule("P4", "P5")
def test_who_is_struck_or_added_stands_there_with_a_reason(kobayashi: Profile) -> None:
    found = proposal(CASE, kobayashi)
    gone = without(found, "houkatsu-kobayashi")
    for struck in ((), (Struck(agency="houkatsu-kobayashi", words="  "),)):
        assert fault(judge(choice(found, seats=gone, struck=struck), CASE, kobayashi)).rule == "P4"
    struck = (Struck(agency="houkatsu-kobayashi", words="担当が替わり、事前に文書で確かめた。"),)
    assert judge(choice(found, seats=gone, struck=struck), CASE, kobayashi) is None
    for words, ok in (("", False), ("若者の就労に詳しい。", True)):
        more = (*choice(found).seats, RosterSeat(agency="saposute", need="optional", words=words))
        assert (judge(choice(found, seats=more), CASE, kobayashi) is None) is ok
    both = choice(found, struck=struck)
    assert "両方" in fault(judge(both, CASE, kobayashi)).reason


@pytest.mark.rule("P7")
@pytest.mark.parametrize("attendance", list(Attendance))
def test_whether_the_person_takes_part_is_decided_with_a_reason(kobayashi: Profile, attendance: Attendance) -> None:
    found = proposal(CASE, kobayashi)
    assert judge(choice(found, attendance=attendance), CASE, kobayashi) is None
    unsaid = choice(found, attendance=attendance, attendance_words=" ")
    assert fault(judge(unsaid, CASE, kobayashi)).rule == "P7"


@pytest.mark.rule("P5")
def test_more_than_the_threshold_wants_a_reason_and_the_municipality_sets_it(kobayashi: Profile) -> None:
    few = kobayashi.model_copy(update={"roster_warns_above": 3})
    found = proposal(CASE, few)
    assert found.warns_above == 3
    assert fault(judge(choice(found), CASE, few)).rule == "P5"
    assert judge(choice(found, size_words="世帯の三人に、それぞれ別の機関が関わる。"), CASE, few) is None
    assert judge(choice(found), CASE, kobayashi) is None


@pytest.mark.parametrize(
    ("seats", "words"),
    [
        ((RosterSeat(agency="naimono", need="optional", words="要る。"),), "設定にない"),
        ((RosterSeat(agency="byouin", need="optional", words="要る。"),), "二度"),
    ],
)
def test_an_agency_that_does_not_exist_or_is_written_twice_is_refused(
    kobayashi: Profile, seats: tuple[RosterSeat, ...], words: str
) -> None:
    found = proposal(CASE, kobayashi)
    odd = choice(found, seats=(*choice(found).seats, *seats))
    assert words in fault(judge(odd, CASE, kobayashi)).reason


@pytest.mark.rule("S1", "P9")
def test_the_office_decides_and_in_a_meeting_without_consent_the_municipality_alone(kobayashi: Profile) -> None:
    assert {one for one in EVERYBODY if may_decide(one, JUSO, kobayashi)} == {"fukushi", "shakyo"}
    assert {one for one in EVERYBODY if may_decide(one, SHIEN, kobayashi)} == {"fukushi"}
    assert not may_decide("", JUSO, kobayashi)
