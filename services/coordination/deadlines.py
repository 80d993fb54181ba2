"""What the law, or the plan, wants next of a case, and by when. Days that the law does not name are the profile's."""

from collections.abc import Iterable
from datetime import date, timedelta

from contracts.life import Due, State
from contracts.profile import Deadlines
from services.coordination.life_terms import ACTIVE, BEFORE, JUSO, OVER, SHIEN, Life

TO_NEXT_REGULAR = "次の定例会議に付議してください。待てないときは、急ぎの会議を求めてください。"
"""M1: what waited too long goes to the next regular meeting at the latest."""
NO_DATE = "日程が決まっていなければ、付議を取り下げ、急ぎの会議を求めてください。"

TOO_FAR = "待てないときは、付議を取り下げ、「急ぎ」を付けて付議し直すと、随時の会議を求められます。"
TO_BRING = "待てないときは、「急ぎ」を付けて付議すると、随時の会議を求められます。"
ANSWER = "紹介元に、受けるか戻すかを答える"
TO_ANSWER = {
    JUSO: "「受付」の画面で、受けるか戻すかの判断を記録してください。",
    SHIEN: "「紹介元に、受けると答える」か「紹介元へ戻す」を記録してください。",
}
TO_ASK = "「受付」の「世帯」で、世帯員ごとに、言ったことを記録してください。"
BACK = "受付の判断のとおり、「紹介元へ戻す」を記録する"
BACK_FROM_MEETING = "受付の判断は「戻す」。会議の前なら付議を取り下げて「紹介元へ戻す」、会議の後なら結果を記録する"
HEARD_ALREADY = (
    "受付で「戻す」と判断されたが、会議か支援が始まっているので戻せない。"
    "「会議の結果」か終結で扱い、受付で「受ける」と判断し直す"
)
"""A case heard already is not sent back by 受付: the meeting's own results, or its end, lead on (D5, D7, D9)."""
RESULT, EARLY = "会議で協議して結果を記録する", "早期支援を会議に付議して確かめる"
RECEIPT = "同意のつなぎを受け付け、受け付けた日を記録する"
NO_RECEIPT = "つなぎがまだなら、紹介元に確かめてください。同意が確かでないときは、再開して支援会議で続けてください。"
HEARD_AT_A_MEETING = (RESULT, EARLY)
"""What only a sitting can settle: one that comes after the day is too late, and that is told before (M1, T5)."""


def due(life: Life, opened_on: date, today: date, deadlines: Deadlines) -> list[Due]:
    """The earliest first (C7, T1, T3-T6, T9, D7-D9, D11)."""
    found = list(_set_by_acts(life, today, deadlines))
    if not life.stopped:  # else nothing goes on, and what it waits for cannot be done (C11)
        found += _of_the_referrer(life, opened_on, deadlines)
    if not life.stopped and not goes_back(life):
        found += _waiting(life, max(life.since or opened_on, opened_on), deadlines)
    listed = [one.model_copy(update=_when(one, life, today)) for one in found]
    return sorted(listed, key=lambda one: (one.on, one.rule))


def _when(one: Due, life: Life, today: date) -> dict[str, object]:
    late = one.on < today
    if one.text in HEARD_AT_A_MEETING and life.meets_on and life.meets_on > one.on:
        return {
            "late": late,
            "sitting": life.meets_on,
            "next_step": TOO_FAR if life.state is State.AT_MEETING else TO_BRING,
        }
    return {"late": late, "next_step": one.next_step if late else ""}


def _guess(rule: str, text: str, since: date, days: int, next_step: str = "") -> Due:
    """Due so many days after, by the municipality's setting."""
    return Due(rule=rule, text=text, on=since + timedelta(days=days), late=False, next_step=next_step, guessed=True)


def _said(rule: str, text: str, on: date, next_step: str = "") -> Due:
    """Due on a day that somebody named."""
    return Due(rule=rule, text=text, on=on, late=False, next_step=next_step)


def goes_back(life: Life) -> bool:
    """Whether 受付 answered that the case goes back, and it still can: no plan was fixed, nothing begun early (D8)."""
    return life.told_back is not None and life.state in BEFORE and not life.fixed_before and not life.early


def _of_the_referrer(life: Life, opened_on: date, days: Deadlines) -> Iterable[Due]:
    """The answer to the 紹介元, counted from the day it referred; only an answer ends the wait (T9)."""
    if life.state not in ACTIVE:
        return
    if not life.answered:
        yield _guess("T9", ANSWER, life.received_on or opened_on, days.answer_days, TO_ANSWER[life.compartment])
    elif life.told_back is not None:
        waits = BACK_FROM_MEETING if life.state is State.AT_MEETING else HEARD_ALREADY
        text = BACK if goes_back(life) else waits
        yield _guess("D8", text, life.told_back, days.fix_days)


def _waiting(life: Life, since: date, days: Deadlines) -> Iterable[Due]:
    """What the state waits for, since the last act."""
    if life.state is State.OPENED and life.compartment is JUSO:
        yield _guess("T1", "アセスメントとプラン案を作る", since, days.assess_days, TO_NEXT_REGULAR)
    elif life.state is State.OPENED:
        yield _guess("S10", "見守りと支援の方針を考える", since, days.assess_days, TO_NEXT_REGULAR)
    elif life.state is State.ASSESSED:
        yield _guess("T1", "プラン案を作る", since, days.plan_days, TO_NEXT_REGULAR)
    elif life.state is State.PLANNED:
        yield _guess("T1", "プランを会議に付議する", since, days.bring_days, TO_NEXT_REGULAR)
    elif life.state is State.AT_MEETING:
        yield _guess("T1", RESULT, since, days.result_days, NO_DATE)
    elif life.state is State.AGREED:
        yield _guess("D11", "会議の結果を確定する", since, days.fix_days)


def _set_by_acts(life: Life, today: date, days: Deadlines) -> Iterable[Due]:
    """What an act set going, whatever the state since."""
    if life.decided_on:
        yield _guess("D11", "支援決定を本人と事業者に通知する", life.decided_on, days.notify_days)
    if life.stopped:
        return
    if life.gone and life.state in ACTIVE:
        text = f"なくなった機関を、プランと会議の名簿で別の機関に替える: {'、'.join(life.gone.values())}"
        yield _said("T2", text, today)
    if life.first_on and life.state in BEFORE:
        yield _guess("S2", "プランの前の会議の結果を記録する", life.first_on, days.fix_days)
    if life.anxious_since and life.state in ACTIVE and (life.talked_on or date.min) < life.anxious_since:
        yield _guess("C7", "本人の不安について、面談か同行支援を調整する", life.anxious_since, days.talk_days)
    if life.unasked_since and life.state in ACTIVE:
        yield _ask_members(life, life.unasked_since, days)
    if life.early_since and life.state in ACTIVE:
        yield _guess("T5", EARLY, life.early_since, days.early_days, TO_NEXT_REGULAR)
    if life.fixed_before and life.state in ACTIVE and life.monitor_on:
        yield _said("T4", "モニタリングをする", life.monitor_on)
    if life.state not in OVER:
        return
    if life.tell_end:
        yield _guess("T6", "死亡・転出による終了を、次の会議で報告する", life.tell_end, days.report_end_days)
    if life.moved_on:
        yield _guess("C10", RECEIPT, life.moved_on, days.answer_days, NO_RECEIPT)
    if life.back_in_touch:
        yield _said("T7", "連絡がついたので、再開する", life.back_in_touch)
    if life.follow_up_on:
        yield _follow_up(life, life.follow_up_on)


def _ask_members(life: Life, since: date, days: Deadlines) -> Due:
    """Before the meeting at the latest: what nobody agreed to cannot be heard there (S18, C1)."""
    text = f"世帯員{life.unasked}人に、自分の情報を共有してよいかを尋ねる"
    by_setting = since + timedelta(days=days.ask_members_days)
    if life.meets_on and since <= life.meets_on < by_setting:
        return _said("S18", text, life.meets_on, TO_ASK)
    return _guess("S18", text, since, days.ask_members_days, TO_ASK)


def _follow_up(life: Life, on: date) -> Due:
    if life.state is State.SUSPENDED:
        return _said("T3", "本人との連絡を試みる", on)
    if life.state is State.WITH_REFERRER:
        return _said("D9", "紹介元に助言し、様子を確かめる", on)
    return _said("D7", "フォローアップをする", on)
