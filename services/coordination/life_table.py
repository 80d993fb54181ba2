"""The table of a case's life: which step leads where, who may take it, what it needs, by which rule, what follows.

The documentation (docs/life.md) is printed from it. Sources: 種000 別添5 1(3)エ-キ and 種003 §2, by the ids of
contracts/rules.py.
"""

from contracts.life import State, Step
from contracts.purpose import Purpose
from services.coordination import city_needs, end_needs
from services.coordination import life_needs as needs
from services.coordination.life_terms import ACTIVE, BEFORE, CITY, FREE, JUSO, OFFICE, OVER, SHIEN, Turn

_A_PLAN = (
    needs.plan_whole,
    needs.roles_say_what,
    needs.roles_in_time,
    needs.monitoring_set,
    needs.after_a_meeting,
    city_needs.offered,
)
_OF_A_PLAN = needs.brought(Purpose.PLAN, Purpose.REPLAN)

TABLE: tuple[Turn, ...] = (
    Turn(
        Step.ASSESS, (State.OPENED, State.ASSESSED), State.ASSESSED, OFFICE, ("C5",),
        (needs.words_given, needs.assessed_on_paper),
        follows="プラン案を作る。早く要る支援は早期支援として始められる。",
    ),
    Turn(
        Step.START_EARLY, BEFORE, None, OFFICE, ("T5", "D4"),
        (needs.early_without_consent, needs.early_named, needs.words_given), (needs.not_all_early,),
        follows="次の重層的支援会議に付議する。同意がないときは、支援会議で確かめる。",
    ),
    Turn(
        Step.RECORD_FIRST, BEFORE, None, OFFICE, ("S2", "S10", "P1", "P2"),
        (needs.first_sat, needs.of_first, needs.words_given, needs.both_present), (needs.first_sat,),
        follows="話し合った方針をもとに、アセスメントとプラン案に進む。",
    ),
    Turn(
        Step.DRAFT, (State.ASSESSED, State.PLANNED, State.UNDERWAY), State.PLANNED, OFFICE, ("T1", "T2", "D3"),
        (*_A_PLAN, needs.early_in_plan), follows="会議に付議する。",
    ),
    Turn(
        Step.BRING, (State.PLANNED,), State.AT_MEETING, OFFICE, ("T1", "C1", "C9", "S10"),
        (needs.for_a_purpose_of_the_law,), (needs.plan_still_stands,),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.EVALUATE, FREE, None, OFFICE, ("T2",), (needs.words_given, needs.evaluated_on_paper),
        follows="終結を付議する、またはプラン案を作り直す。",
    ),
    Turn(
        Step.BRING_CLOSING, FREE, State.AT_MEETING, OFFICE, ("T1", "T2"), (), (needs.evaluated,),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.BRING_SUSPENSION, FREE, State.AT_MEETING, OFFICE, ("T1", "T3"), (), (needs.looked_for,),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.RECORD_RESULT, (State.AT_MEETING,), None, OFFICE, ("D5", "P1", "P2", "D9", "D6", "M10", "S13"),
        (
            needs.sat, needs.outcome_given, needs.reasons_unless_fit, needs.referrer_may_lead,
            city_needs.somebody_referred, needs.next_if_any, needs.both_present, city_needs.decided_here,
            city_needs.can_be_raised,
        ),
        (needs.sat,),
        follows="適切なら確定・終結・中断へ。再協議や持ち越しなら、付議の前に戻る。次の会議体へ上げたら、その会議を待つ。",
    ),
    Turn(
        Step.HAND_OVER, ACTIVE, None, OFFICE, ("P1", "C3", "S6"), (city_needs.taken_over,),
        (city_needs.several_coordinators, city_needs.result_recorded),
        follows="引き継いだ多機関協働事業者が進める。待っている会議には、その機関が呼ばれる。",
    ),
    Turn(
        Step.TAKE_BACK, (State.AT_MEETING,), None, OFFICE, ("T1",), (needs.words_given,), (needs.not_begun,),
        follows="直して、改めて付議する。",
    ),
    Turn(
        Step.AMEND, (State.AGREED,), None, OFFICE, ("D5", "T2", "D3"), _A_PLAN, (needs.to_be_amended,),
        follows="支援決定か、了承と報告で確定する。",
    ),
    Turn(
        Step.DECLINE, (State.AGREED,), None, CITY, ("D11",), (needs.words_given,),
        follows="プランは直して付議し直す。終結・中断は行わず、支援を続ける。",
    ),
    Turn(
        Step.DROP_REPLAN, (State.PLANNED,), State.UNDERWAY, OFFICE, ("T1",), (needs.words_given,), (needs.was_fixed,),
        follows="前に確定したプランで続ける。",
    ),
    Turn(
        Step.DECIDE, (State.AGREED,), State.UNDERWAY, CITY, ("D1", "D2", "D3", "D11", "T1"),
        (
            needs.decider_may, needs.decided_as_written, needs.rest_confirmed, needs.decision_in_order,
            needs.words_given,
        ),
        (_OF_A_PLAN, needs.amended, needs.with_services, needs.plan_still_stands), (JUSO,),
        follows="本人と事業者に通知し、支援を始める。",
    ),
    Turn(
        Step.REPORT, (State.AGREED,), State.UNDERWAY, OFFICE, ("D1", "T1"),
        (needs.reported_to_the_city, needs.words_given),
        (_OF_A_PLAN, needs.amended, needs.without_services, needs.plan_still_stands), (JUSO,),
        follows="支援を始める。",
    ),
    Turn(
        Step.CONFIRM, (State.AGREED,), State.UNDERWAY, CITY, ("S1", "S2", "C9"), (needs.words_given,),
        (needs.brought(Purpose.WATCH), needs.amended, needs.plan_still_stands), (SHIEN,),
        follows="見守りと働きかけを続ける。同意が得られたら「同意を得て重層的支援会議へ移る」を記録する。",
    ),
    Turn(
        Step.NOTIFY, (State.UNDERWAY, State.PLANNED, State.AT_MEETING, State.AGREED), None, CITY, ("D11",),
        (needs.notified_after,), (needs.to_be_notified,), (JUSO,), follows="支援を続け、モニタリングをする。",
    ),
    Turn(
        Step.MONITOR, (State.UNDERWAY, State.PLANNED, State.AT_MEETING, State.AGREED), None, OFFICE, ("T4", "T8"),
        (needs.words_given, needs.next_set), (needs.was_fixed,),
        follows="次の日まで続ける。変化があれば再プラン。",
    ),
    Turn(
        Step.CONTACT, tuple(State), None, OFFICE, ("T3", "C7"), (needs.contact_given, needs.words_given),
        (needs.alive,),
        follows="訪問や照会をしても連絡が完全に取れないときは、中断を付議できる。中断の後に連絡がつけば再開する。",
    ),
    Turn(
        Step.TALK, ACTIVE, None, OFFICE, ("C7",), (needs.words_given,), (needs.alive,),
        follows="不安が残るときは、また面談や同行支援を行う。",
    ),
    Turn(
        Step.CLOSE, (State.AGREED,), State.CLOSED, OFFICE, ("T1", "D7"), (needs.lead_set, needs.follow_up_set),
        (needs.brought(Purpose.CLOSING),), follows="主担当機関がフォローアップする。変化があればすぐ再開する。",
    ),
    Turn(
        Step.SUSPEND, (State.AGREED,), State.SUSPENDED, OFFICE, ("T1", "T3"), (needs.try_again_set,),
        (needs.brought(Purpose.SUSPENSION), needs.still_lost), follows="連絡を試み続け、取れたら再開する。",
    ),
    Turn(
        Step.ANSWER, ACTIVE, None, OFFICE, ("T9",), (needs.words_given,), (city_needs.to_be_answered,), (SHIEN,),
        follows="多機関協働として支援を続ける。戻すときは、協議して「紹介元へ戻す」を記録する。",
    ),
    Turn(
        Step.GIVE_BACK, BEFORE, State.RETURNED, OFFICE, ("D8", "T9"), (city_needs.talked_over,),
        (needs.never_fixed, needs.not_early), follows="紹介元が支援を続ける。いつでもまた依頼できる。",
    ),
    Turn(
        Step.END, tuple(State), State.CLOSED, OFFICE, ("T1", "T6"), (needs.end_given, end_needs.told_why),
        (needs.alive,),
        follows="次の会議に報告し、始まっている事業を止める。世帯員の事案は別に続く。転出先へは、本人の同意を得て引き継ぐ。",
    ),
    Turn(
        Step.STOP, ACTIVE, State.CLOSED, CITY, ("C11", "T1"), (),
        (end_needs.without_consent, end_needs.person_told), (JUSO,),
        follows="始まっている事業を止める。改めて同意が得られたら、同じ番号で再開できる。",
    ),
    Turn(
        Step.CORRECT, (State.CLOSED,), None, CITY, ("T7", "T6"), (end_needs.told_why,),
        (end_needs.ended_by_record,),
        follows="記録の前の状態に戻る。取り下げた議題は戻らないので、改めて付議する。",
    ),
    Turn(
        Step.MOVE_ON, ACTIVE, State.TO_JUSO, OFFICE, ("C9", "C10"), (end_needs.consent_told, needs.words_given), (),
        (SHIEN,),
        follows=(
            "同意を付けたつなぎを受け付けると、重層的支援会議の事案が新しく開く。受け付けた日をここに記録する。"
            "支援会議の記録は移らない。"
            "要るものは kasane gate で一件ずつ判断して移し、早期支援は次の重層的支援会議に付議する。"
        ),
    ),
    Turn(
        Step.RECEIVE, (State.TO_JUSO,), None, OFFICE, ("C10",), (end_needs.only_a_day,),
        (end_needs.receipt_awaited,), (SHIEN,), follows="重層的支援会議の事案で支援を続ける。",
    ),
    Turn(
        Step.FOLLOW_UP, OVER, None, OFFICE, ("D7", "T7"), (needs.words_given, needs.next_if_any),
        follows="様子が変わっていたら再開する。続けて確かめるときは、次の日を入れる。",
    ),
    Turn(
        Step.REOPEN, OVER, State.OPENED, OFFICE, ("T7", "D9"), (needs.words_given,), (needs.alive,),
        follows="同じ番号で続ける。",
    ),
)  # fmt: skip
_ROWS = {turn.step: turn for turn in TABLE}


def row(step: Step) -> Turn:
    """The row of a step."""
    return _ROWS[step]
