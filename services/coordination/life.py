"""The table of a case's life: which step leads where, who may take it, what it needs, by which rule, and what follows.

Everything here is plain values: a ``Life`` is folded from the acts in order, ``judge`` says whether one more is lawful.
The documentation (docs/life.md) is printed from ``TABLE``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from contracts.life import STATE_TEXT, STEP_TEXT, Act, Contact, Due, LegalService, Outcome, Plan, State, Step, Way
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import Purpose

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
OVER = (State.CLOSED, State.SUSPENDED, State.RETURNED, State.WITH_REFERRER)
ACTIVE = tuple(one for one in State if one not in OVER)


@dataclass(frozen=True)
class Life:
    """What the rules ask of a case. Folded from its acts; nothing else is kept of where it stands."""

    compartment: Compartment
    state: State = State.OPENED
    plan: Plan | None = None
    purpose: Purpose | None = None
    """What it is before a meeting for, or was found fit for."""
    fixed_before: bool = False
    """A plan was fixed since it was opened or opened again: the next one is a 再プラン (T1 B)."""
    early_since: date | None = None
    fixed_plan: Plan | None = None
    """The plan in force, while another is being made."""
    to_amend: bool = False
    """A meeting found the plan fit once it is amended, and it is not yet (D5)."""
    died: bool = False
    evaluated_on: date | None = None
    monitor_on: date | None = None
    contacts: tuple[Contact, ...] = ()
    since: date | None = None
    """The day of its last act."""
    sitting_on: date | None = None
    """The day in Japan of the sitting that has heard its item. Not folded, as the next two."""
    received_on: date | None = None
    referrer: str = ""
    may_hear: frozenset[str] | None = None
    """The agencies inside the consent, or commissioned; None where nobody asked."""


@dataclass(frozen=True)
class Refusal:
    """By which rule a step is not lawful, why, and what is."""

    rule: str
    reason: str
    next_step: str


Check = Callable[[Life, Act, Profile], Refusal | None]


@dataclass(frozen=True)
class Turn:
    """A row. ``to`` is None where the case stays where it is, or the meeting's outcome decides."""

    step: Step
    source: tuple[State, ...]
    to: State | None
    by: tuple[str, ...]
    rules: tuple[str, ...]
    needs: tuple[Check, ...] = ()
    """What the act itself has to say."""
    given: tuple[Check, ...] = ()
    """What has to be there before, whatever the act says: the page tells it before anybody fills in a form."""
    where: tuple[Compartment, ...] = (JUSO, SHIEN)
    follows: str = ""


# -- what a step needs -------------------------------------------------------------------------------------------------


LONGEST_ROLE = timedelta(days=3 * 366)


def _soon(day: date | None, after_day: date) -> bool:
    """Within a year after a day (T8)."""
    return day is not None and after_day < day <= after_day + timedelta(days=366)


def _says(missing: Callable[[Life, Act], bool], rule: str, reason: str, next_step: str) -> Check:
    return lambda life, act, profile: Refusal(rule, reason, next_step) if missing(life, act) else None


words_given = _says(
    lambda life, act: not act.words.strip(), "T2", "内容が書かれていません。", "判断の理由か内容を書いてください。"
)
plan_whole = _says(
    lambda life, act: act.plan is None or not (act.plan.goals.strip() and act.plan.policy.strip() and act.plan.roles),
    "T2",
    "プランに目標、支援方針、役割分担のどれかがありません。",
    "目標と支援方針を書き、機関ごとの役割と期限を一つ以上入れてください。",
)
monitoring_set = _says(
    lambda life, act: act.plan is None or not _soon(act.plan.monitor_on, act.on),
    "T8",
    "モニタリングの時期がありません(または、プランの日の後1年以内ではありません)。",
    "3か月、6か月、1年などを目安に、モニタリングの予定日を入れてください。",
)
roles_in_time = _says(
    lambda life, act: (
        act.plan is None or not all(act.on <= one.until <= act.on + LONGEST_ROLE for one in act.plan.roles)
    ),
    "T2",
    "役割の期限が、プランの日より前か、3年より先です。",
    "期限を確かめてください。続くときは、再プランで延ばせます。",
)
next_set = _says(
    lambda life, act: not _soon(act.next_on, act.on),
    "T8",
    "次のモニタリングの日がありません(または、記録の日の後1年以内ではありません)。",
    "次の予定日を入れてください。終わるときは、評価シートを記録して終結を付議してください。",
)
evaluated = _says(
    lambda life, act: life.evaluated_on is None,
    "T2",
    "評価シートがありません。",
    "目標の達成と支援者の状況を評価シートに記録してから付議してください。",
)
outcome_given = _says(
    lambda life, act: act.outcome is None,
    "D5",
    "議題の結果がありません。",
    "適切、修正の上適切、再協議、紹介元が主担当のどれかを選んでください。",
)
_sought = (Contact.VISIT, Contact.INQUIRY)
looked_for = _says(
    lambda life, act: not any(one in _sought for one in life.contacts),
    "T3",
    "中断は、連絡が完全に取れなくなったときだけです。自宅訪問か関係機関への照会の記録がありません。",
    "自宅訪問や関係機関への照会をして、連絡の試みとして記録してください。",
)
lead_set = _says(
    lambda life, act: act.lead is None or act.follow_up is None,
    "D7",
    "主担当機関かフォローアップの方法がありません。",
    "終結の後に主に担当する機関と、フォローアップの方法を入れてください。",
)
talked_over = _says(
    lambda life, act: (
        act.counterpart is None or not act.words.strip() or act.counterpart != (life.referrer or act.counterpart)
    ),
    "D8",
    "戻すには、紹介元との協議が要ります。相手が紹介元でないか、理由がありません。",
    "紹介元と協議して、その理由を書いてください。いつでもまた依頼できることも伝えてください。",
)
with_services = _says(
    lambda life, act: life.plan is None or not life.plan.services,
    "D1",
    "このプランには法に基づく事業がありません。支援決定ではなく、了承と報告で確定します。",
    "「了承と市町村への報告を記録する」を選んでください。",
)
without_services = _says(
    lambda life, act: life.plan is not None and bool(life.plan.services),
    "D1",
    "このプランには法に基づく事業(参加支援・アウトリーチ等)があります。市町村の支援決定が要ります。",
    "「支援決定を記録する」を選んでください。",
)
contact_given = _says(
    lambda life, act: act.contact is None,
    "T3",
    "連絡の方法がありません。",
    "電話、手紙、訪問、照会のどれかを選んでください。",
)
end_given = _says(lambda life, act: act.ended is None, "T1", "死亡か転出かがありません。", "どちらかを選んでください。")
not_early = _says(
    lambda life, act: life.early_since is not None,
    "T5",
    "早期支援を始めた事案は、会議で確かめるまで戻せません。",
    "プラン案を作って会議に付議し、結果を記録してください。",
)
not_early_yet = _says(
    lambda life, act: life.early_since is not None,
    "T5",
    "早期支援はすでに始まっています。",
    "プラン案を作って、次の重層的支援会議に付議してください。",
)


never_fixed = _says(
    lambda life, act: life.fixed_before,
    "T1",
    "プランが確定した後は、戻すことも紹介元に任せることも、終結の判断になります。",
    "再プランをやめて実施・モニタリングに戻り、評価シートを記録して、終結を会議に付議してください。",
)
referrer_may_lead = _says(
    lambda life, act: act.outcome is Outcome.REFERRER_LEADS and life.fixed_before,
    "T1",
    "プランが確定した後に紹介元が主担当になるのは、終結の判断です。",
    "付議を取り下げ、再プランをやめてから、評価シートを記録して、終結を会議に付議してください。",
)
amended = _says(
    lambda life, act: life.to_amend,
    "D5",
    "会議で「修正の上適切」とされました。修正したプランがまだありません。",
    "「会議での修正をプランに入れる」で、修正したプランを記録してください。",
)
to_be_amended = _says(
    lambda life, act: not life.to_amend,
    "D5",
    "会議は修正を求めていません。会議の後に別のプランへ変えることはできません。",
    "このまま確定するか、確定しない理由を記録して、直したプランを付議してください。",
)
was_fixed = _says(
    lambda life, act: not life.fixed_before,
    "T4",
    "確定したプランがまだありません。",
    "プラン案を作って会議に付議し、確定してください。",
)
alive = _says(
    lambda life, act: life.died,
    "T7",
    "本人の死亡で終わった事案です。",
    "世帯員の事案は、新しいつなぎとして受け付けてください。",
)
after_a_meeting = _says(
    lambda life, act: (
        life.compartment is SHIEN and act.plan is not None and LegalService.PARTICIPATION in act.plan.services
    ),
    "D4",
    "参加支援事業は、重層的支援会議が必要と認めた人だけが使えます。",
    "参加支援を除いてください。本人の同意を得れば、重層的支援会議に付議できます。",
)
reasons_unless_fit = _says(
    lambda life, act: act.outcome is not Outcome.FIT and not act.words.strip(),
    "T2",
    "結果の内容が書かれていません。",
    "何を直すか、なぜ再協議か、紹介元への助言などを書いてください。",
)
sat = _says(
    lambda life, act: life.sitting_on is None or act.on < life.sitting_on,
    "T1",
    "この議題の会議は、まだ開かれていません。",
    "会議の日を待つか、付議を取り下げてください。急ぎなら随時の会議を求めてください。",
)


def brought(*purposes: Purpose) -> Check:
    """That a meeting found the case fit for one of these purposes (T1)."""
    names = {Purpose.CLOSING: "終結", Purpose.SUSPENSION: "中断"}
    what = names.get(purposes[0], "プラン")
    return _says(
        lambda life, act: life.purpose not in purposes,
        "T1",
        f"会議で確認されたのは、{what}ではありません。",
        f"{what}を会議に付議し、結果を記録してください。",
    )


def both_present(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """P1, P2: without the 市町村 and the 多機関協働事業者 it was no 重層的支援会議, and decides nothing."""
    kinds = {agency.kind for agency in profile.agencies if agency.code in act.present}
    wanted = {"municipality": "市町村", "coordinator": "多機関協働事業者"} if life.compartment is JUSO else {}
    lacking = [name for kind, name in wanted.items() if kind not in kinds and _has(profile, kind)]
    if life.compartment is SHIEN and "municipality" not in kinds:
        lacking = ["市町村"]
    if not lacking:
        return None
    rule = "P1" if life.compartment is JUSO else "S1"
    reason = f"{'と'.join(lacking)}が出席していないので、会議の結果として記録できません。"
    return Refusal(rule, reason, "ケース会議として経過に残し、そろう日に改めて付議してください。")


def inside(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Whoever was present, or has a role, is inside the consent or commissioned: else nobody may tell them (C3, S6)."""
    named = {*act.present, *(role.agency for role in act.plan.roles)} if act.plan else set(act.present)
    if life.may_hear is None or not (outside := sorted(named - life.may_hear)):
        return None
    names = "、".join(agency.name for agency in profile.agencies if agency.code in outside)
    if life.compartment is SHIEN:
        return Refusal("S6", f"{names}は委嘱されていません。", "先に委嘱するか、協力依頼にとどめてください。")
    return Refusal("C3", f"{names}は、本人の同意の範囲にありません。", "同意にこの機関を加えてから記録してください。")


def roles_exist(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Every agency with a role, the lead and the counterpart exist in the municipality now."""
    known = {agency.code for agency in profile.agencies}
    named = [*(role.agency for role in act.plan.roles)] if act.plan else []
    named += [one for one in (act.lead, act.counterpart, *act.present) if one]
    if all(one in known for one in named):
        return None
    return Refusal(
        "T2", "市町村の設定にない(またはなくなった)機関が書かれています。", "いまある機関を選び直してください。"
    )


def _has(profile: Profile, kind: str) -> bool:
    return any(agency.kind == kind for agency in profile.agencies)


# -- the table ---------------------------------------------------------------------------------------------------------

OFFICE = ("municipality", "coordinator")
"""市町村 and 多機関協働事業者 carry a case; other agencies read it and have roles in it."""
CITY = ("municipality",)
BEFORE = (State.OPENED, State.ASSESSED, State.PLANNED)

TABLE: tuple[Turn, ...] = (
    Turn(
        Step.ASSESS, (State.OPENED, State.ASSESSED), State.ASSESSED, OFFICE, ("C5",), (words_given,),
        follows="プラン案を作る。早く要る支援は早期支援として始められる。",
    ),
    Turn(
        Step.START_EARLY, BEFORE, None, OFFICE, ("T5", "D4"), (words_given,), (not_early_yet,),
        follows="次の会議に付議する。",
    ),
    Turn(
        Step.DRAFT, (State.ASSESSED, State.PLANNED, State.UNDERWAY), State.PLANNED, OFFICE, ("T1", "T2", "D3"),
        (plan_whole, roles_in_time, monitoring_set, after_a_meeting), follows="会議に付議する。",
    ),
    Turn(
        Step.BRING, (State.PLANNED,), State.AT_MEETING, OFFICE, ("T1", "C1", "C9"),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.EVALUATE, (State.UNDERWAY,), None, OFFICE, ("T2",), (words_given,),
        follows="終結か中断を付議する、またはプラン案を作り直す。",
    ),
    Turn(
        Step.BRING_CLOSING, (State.UNDERWAY,), State.AT_MEETING, OFFICE, ("T1", "T2"), (), (evaluated,),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.BRING_SUSPENSION, (State.UNDERWAY,), State.AT_MEETING, OFFICE, ("T1", "T3"), (), (looked_for,),
        follows="会議を開き、結果を記録する。",
    ),
    Turn(
        Step.RECORD_RESULT, (State.AT_MEETING,), None, OFFICE, ("D5", "P1", "P2", "D9"),
        (sat, outcome_given, reasons_unless_fit, referrer_may_lead, both_present), (sat,),
        follows="適切なら確定・終結・中断へ。再協議なら元へ戻る。",
    ),
    Turn(
        Step.TAKE_BACK, (State.AT_MEETING,), None, OFFICE, ("T1",), (words_given,),
        follows="プラン案を直して、改めて付議する。",
    ),
    Turn(
        Step.AMEND, (State.AGREED,), None, OFFICE, ("D5", "T2", "D3"),
        (plan_whole, roles_in_time, monitoring_set, after_a_meeting), (to_be_amended,),
        follows="支援決定か、了承と報告で確定する。",
    ),
    Turn(
        Step.DECLINE, (State.AGREED,), None, CITY, ("D11",), (words_given,),
        follows="プランは直して付議し直す。終結・中断は行わず、支援を続ける。",
    ),
    Turn(
        Step.DROP_REPLAN, (State.PLANNED,), State.UNDERWAY, OFFICE, ("T1",), (words_given,), (was_fixed,),
        follows="前に確定したプランで続ける。",
    ),
    Turn(
        Step.DECIDE, (State.AGREED,), State.UNDERWAY, CITY, ("D1", "D2", "D11", "T1"), (words_given,),
        (brought(Purpose.PLAN, Purpose.REPLAN), with_services, amended), (JUSO,),
        follows="本人と事業者に通知し、支援を始める。",
    ),
    Turn(
        Step.REPORT, (State.AGREED,), State.UNDERWAY, OFFICE, ("D1", "T1"), (words_given,),
        (brought(Purpose.PLAN, Purpose.REPLAN), without_services, amended), (JUSO,),
        follows="市町村に報告し、支援を始める。",
    ),
    Turn(
        Step.CONFIRM, (State.AGREED,), State.UNDERWAY, CITY, ("S1", "S2", "C9"), (words_given,),
        (brought(Purpose.WATCH), amended), (SHIEN,),
        follows="見守りと働きかけを続ける。同意が得られたら、同意を記録する。",
    ),
    Turn(
        Step.MONITOR, (State.UNDERWAY, State.PLANNED, State.AT_MEETING, State.AGREED), None, OFFICE, ("T4", "T8"),
        (words_given, next_set), (was_fixed,),
        follows="次の日まで続ける。変化があれば再プラン。",
    ),
    Turn(
        Step.CONTACT, ACTIVE, None, OFFICE, ("T3", "C7"), (contact_given, words_given),
        follows="連絡が完全に取れないときは、中断を付議できる。",
    ),
    Turn(
        Step.CLOSE, (State.AGREED,), State.CLOSED, OFFICE, ("T1", "D7"),
        (lead_set,), (brought(Purpose.CLOSING),), follows="主担当機関がフォローアップする。変化があればすぐ再開する。",
    ),
    Turn(
        Step.SUSPEND, (State.AGREED,), State.SUSPENDED, OFFICE, ("T1", "T3"), (), (brought(Purpose.SUSPENSION),),
        follows="連絡が取れたら再開する。",
    ),
    Turn(
        Step.GIVE_BACK, BEFORE, State.RETURNED, OFFICE, ("D8", "T9"), (talked_over,), (never_fixed, not_early),
        follows="紹介元が支援を続ける。いつでもまた依頼できる。",
    ),
    Turn(
        Step.END, ACTIVE, State.CLOSED, OFFICE, ("T1",), (end_given, words_given),
        follows="世帯員の事案は別に続く。転出先へは、本人の同意を得て引き継ぐ。",
    ),
    Turn(Step.REOPEN, OVER, State.OPENED, OFFICE, ("T7", "D9"), (words_given,), (alive,), follows="同じ番号で続ける。"),
)  # fmt: skip
_ROWS = {turn.step: turn for turn in TABLE}


def row(step: Step) -> Turn:
    """The row of a step."""
    return _ROWS[step]


# -- judging and folding -----------------------------------------------------------------------------------------------


def judge(life: Life, act: Act, kind: str, today: date, profile: Profile) -> Refusal | None:
    """None if the act is lawful now. ``kind`` is what the acting agency is (profile), ``today`` the day in Japan."""
    turn = row(act.step)
    if refusal := possible(life, act.step, kind, profile):
        return refusal
    if act.on > today:
        return Refusal("T1", "日付が今日より後です。", "実際に行った日を入れてください。")
    earliest = max((day for day in (life.since, life.received_on) if day), default=None)
    if earliest is not None and act.on < earliest:
        return Refusal("T1", "日付が、受付か前の記録の日より前です。", "実際に行った日を確かめてください。")
    for check in (roles_exist, inside, *turn.needs):
        if refusal := check(life, act, profile):
            return refusal
    return None


def possible(life: Life, step: Step, kind: str, profile: Profile) -> Refusal | None:
    """Whether the step leads on from where the case stands, and whether this actor may take it, whatever it says."""
    turn = row(step)
    if life.compartment not in turn.where:
        own = "支援会議" if life.compartment is SHIEN else "重層的支援会議"
        return Refusal(turn.rules[0], f"{own}の事案では行いません。", _ways_on(life))
    if life.state not in turn.source:
        return _out_of_turn(life, turn)
    if kind not in turn.by:
        if turn.by == CITY:
            reason = "これは市町村だけが行えます。委託先や他の機関には任せられません。"
            return Refusal("D2", reason, "市町村の担当課に依頼してください。")
        return Refusal("T1", "これは市町村か多機関協働事業者が行います。", "担当課か推進員に伝えてください。")
    blank = Act(step=step, on=date.max)
    return next((refusal for check in turn.given if (refusal := check(life, blank, profile))), None)


def _out_of_turn(life: Life, turn: Turn) -> Refusal:
    """The step belongs to other states; the next step is what leads there."""
    names = "、".join(f"「{STATE_TEXT[state]}」" for state in turn.source)
    reason = f"いまは「{STATE_TEXT[life.state]}」です。これは{names}のときに行います。"
    leads = [one.step for one in TABLE if one.to in turn.source and life.state in one.source and one.to not in OVER]
    first = "、".join(f"「{STEP_TEXT[step]}」" for step in leads if step is not turn.step)
    return Refusal(
        "T1" if "T1" in turn.rules else turn.rules[0],
        reason,
        f"先に{first}を行ってください。" if first else _ways_on(life),
    )


def _ways_on(life: Life) -> str:
    """The lawful ways on, by name: every state has one."""
    open_to = [turn.step for turn in TABLE if life.state in turn.source and life.compartment in turn.where]
    return f"いまできること: {'、'.join(STEP_TEXT[step] for step in open_to)}"


def fold(compartment: Compartment, acts: Iterable[Act]) -> Life:
    """Where a case stands after these acts, in order."""
    life = Life(compartment)
    for act in acts:
        life = after(life, act)
    return life


def after(life: Life, act: Act) -> Life:
    """The life with one lawful act more."""
    target = row(act.step).to
    moved = replace(life, state=target or life.state, since=act.on)
    match act.step:
        case Step.DRAFT:
            return replace(moved, plan=act.plan, purpose=None)
        case Step.AMEND:
            return replace(moved, plan=act.plan, to_amend=False)
        case Step.DECLINE:
            return _back(moved)
        case Step.DROP_REPLAN:
            return replace(moved, plan=life.fixed_plan)
        case Step.END:
            return replace(moved, died=act.ended == "died")
        case Step.BRING | Step.BRING_CLOSING | Step.BRING_SUSPENSION:
            return replace(moved, purpose=purpose_of(life, act.step))
        case Step.RECORD_RESULT:
            return _heard(moved, act)
        case Step.TAKE_BACK:
            return _back(moved)
        case Step.DECIDE | Step.REPORT | Step.CONFIRM:
            monitor_on = life.plan.monitor_on if life.plan else None
            fixed = replace(moved, fixed_before=True, fixed_plan=life.plan, early_since=None, purpose=None)
            return replace(fixed, monitor_on=monitor_on, evaluated_on=None, contacts=())
        case Step.MONITOR:
            return replace(moved, monitor_on=act.next_on, contacts=())
        case Step.EVALUATE:
            return replace(moved, evaluated_on=act.on)
        case Step.START_EARLY:
            return replace(moved, early_since=act.on)
        case Step.CONTACT:
            tried = () if act.reached or act.contact is None else (*life.contacts, act.contact)
            return replace(moved, contacts=tried)
        case Step.REOPEN:
            return Life(life.compartment, plan=life.plan, since=act.on)
        case _:
            return moved


def purpose_of(life: Life, step: Step) -> Purpose:
    """What a step puts the case to a meeting for (T1 A-D); in shien its purpose is to understand and watch (S10)."""
    if life.compartment is SHIEN:
        return {Step.BRING_CLOSING: Purpose.CLOSING, Step.BRING_SUSPENSION: Purpose.SUSPENSION}.get(step, Purpose.WATCH)
    if step is Step.BRING:
        return Purpose.REPLAN if life.fixed_before else Purpose.PLAN
    return {Step.BRING_CLOSING: Purpose.CLOSING, Step.BRING_SUSPENSION: Purpose.SUSPENSION}[step]


def _heard(life: Life, act: Act) -> Life:
    if act.outcome in (Outcome.FIT, Outcome.FIT_AMENDED):
        plan_only = life.purpose not in (Purpose.CLOSING, Purpose.SUSPENSION)
        return replace(life, state=State.AGREED, to_amend=plan_only and act.outcome is Outcome.FIT_AMENDED)
    if act.outcome is Outcome.REFERRER_LEADS:
        return replace(life, state=State.WITH_REFERRER, purpose=None, early_since=None)
    return _back(life)


def _back(life: Life) -> Life:
    """To where it was brought from."""
    back = State.UNDERWAY if life.purpose in (Purpose.CLOSING, Purpose.SUSPENSION) else State.PLANNED
    return replace(life, state=back, purpose=None, to_amend=False)


def ways(life: Life, kind: str, profile: Profile) -> list[Way]:
    """Every step of the compartment for this actor: the open ones first, the others with the reason."""
    found = []
    for turn in TABLE:
        if life.compartment not in turn.where:
            continue
        refusal = possible(life, turn.step, kind, profile)
        rule = refusal.rule if refusal else "・".join(turn.rules)
        found.append(
            Way(
                step=turn.step,
                allowed=refusal is None,
                rule=rule,
                reason=refusal.reason if refusal else "",
                next_step=refusal.next_step if refusal else turn.follows,
            )
        )
    return sorted(found, key=lambda way: not way.allowed)


# -- deadlines ---------------------------------------------------------------------------------------------------------

PLAN_DAYS, RESULT_DAYS, EARLY_DAYS, FIX_DAYS = 30, 60, 60, 14
"""[our guess] Days after which a step that the law leaves without a number is called late; no source names one."""


def due(life: Life, opened_on: date, today: date) -> list[Due]:
    """What the law, or the plan, wants next of a case, the earliest first (T1, T4, T5, D11)."""
    since = max(life.since or opened_on, opened_on)
    first = (
        ("T1", "アセスメントとプラン案を作る") if life.compartment is JUSO else ("S10", "見守りと支援の方針を考える")
    )
    waits = {
        State.OPENED: (*first, PLAN_DAYS),
        State.ASSESSED: ("T1", "プラン案を作る", PLAN_DAYS),
        State.PLANNED: ("T1", "プランを会議に付議する", PLAN_DAYS),
        State.AT_MEETING: ("T1", "会議で協議して結果を記録する", RESULT_DAYS),
        State.AGREED: ("D11", "会議の結果を確定して通知する", FIX_DAYS),
    }
    found = []
    if waiting := waits.get(life.state):
        rule, text, days = waiting
        found.append((rule, text, since + timedelta(days=days)))
    if life.early_since and life.state in (*BEFORE, State.AT_MEETING, State.AGREED):
        found.append(("T5", "早期支援を会議に付議して確かめる", life.early_since + timedelta(days=EARLY_DAYS)))
    if life.fixed_before and life.state in ACTIVE and life.monitor_on:
        found.append(("T4", "モニタリングをする", life.monitor_on))
    return [
        Due(rule=rule, text=text, on=on, late=on < today) for rule, text, on in sorted(found, key=lambda one: one[2])
    ]
