"""What the steps of a case's life need, check by check: rule, reason, and the lawful next step.

A check of ``given`` is also asked with a blank act, so that the page tells it before a form is filled in.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from contracts.life import Act, Contact, LegalService, Outcome, Plan
from contracts.profile import Profile
from contracts.purpose import OF_THE_LAW, Purpose
from contracts.text import is_written
from services.coordination import charge
from services.coordination.gone import no_more
from services.coordination.life_terms import JUSO, SHIEN, Check, Life, Refusal

LONGEST_ROLE = timedelta(days=3 * 366)


def _says(missing: Callable[[Life, Act], bool], rule: str, reason: str, next_step: str) -> Check:
    return lambda life, act, profile: Refusal(rule, reason, next_step) if missing(life, act) else None


def _soon(day: date | None, after_day: date) -> bool:
    """Within a year after a day (T8)."""
    return day is not None and after_day < day <= after_day + timedelta(days=366)


def _kind(profile: Profile, agency: str | None) -> str:
    return next((one.kind for one in profile.agencies if one.code == agency), "")


def _names(profile: Profile, codes: Iterable[str]) -> str:
    wanted = set(codes)
    return "、".join(one.name for one in profile.agencies if one.code in wanted)


# -- words and plans ---------------------------------------------------------------------------------------------------

words_given = _says(
    lambda life, act: not is_written(act.words), "T2", "内容が書かれていません。", "判断の理由か内容を書いてください。"
)
evaluated_on_paper = _says(
    lambda life, act: act.paper is None and not is_written(act.no_paper),
    "T2",
    "評価シートも、シートがない理由もありません。",
    "「書類」で評価シートを書いて記録するか、シートがない理由を書いてください。",
)
assessed_on_paper = _says(
    lambda life, act: act.paper is None and not is_written(act.no_paper),
    "C5",
    "アセスメントシートも、シートがない理由もありません。",
    "「書類」でアセスメントシートを書いて記録するか、シートがない理由を書いてください。",
)
plan_whole = _says(
    lambda life, act: (
        act.plan is None or not (is_written(act.plan.goals) and is_written(act.plan.policy) and act.plan.roles)
    ),
    "T2",
    "プランに目標、支援方針、役割分担のどれかがありません。",
    "目標と支援方針を書き、機関ごとの役割と期限を一つ以上入れてください。",
)
roles_say_what = _says(
    lambda life, act: act.plan is None or not all(is_written(one.does) for one in act.plan.roles),
    "T2",
    "役割分担に、内容のない行があります。",
    "機関ごとに、何をいつまでに行うかを書いてください。",
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
after_a_meeting = _says(
    lambda life, act: (
        life.compartment is SHIEN and act.plan is not None and LegalService.PARTICIPATION in act.plan.services
    ),
    "D4",
    "参加支援事業は、重層的支援会議が必要と認めた人だけが使えます。",
    "参加支援を除いてください。本人の同意を得れば、「同意を得て重層的支援会議へ移る」を記録して付議できます。",
)
early_in_plan = _says(
    lambda life, act: (
        act.plan is not None and bool(set(life.early) - set(act.plan.services)) and not is_written(act.words)
    ),
    "D3",
    "早期支援で始めた事業が、プランにありません。",
    "プランにその事業を入れるか、続けない理由を書いてください。",
)


def agencies_exist(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Every agency with a role, the lead and the counterpart exist in the municipality on the day of the act."""
    named = [*(role.agency for role in act.plan.roles)] if act.plan else []
    named += [one for one in (act.lead, act.counterpart, *act.present) if one]
    if not (past := no_more(profile, named, act.on)):
        return None
    reason = f"その日にはない機関が書かれています: {'、'.join(past.values())}。"
    return Refusal("T2", reason, "いまある機関を選び直してください。")


def inside(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Whoever was present or has a role is inside the consent or commissioned: else nobody may tell them.

    The policy has decided for each (C3, S6); here its first refusal is given with the names of all.
    """
    named = {*act.present, *(role.agency for role in act.plan.roles)} if act.plan else set(act.present)
    return _outside(life, named, profile)


def _outside(life: Life, named: Iterable[str], profile: Profile) -> Refusal | None:
    refused = {one: life.outside[one] for one in sorted(named) if one in life.outside}
    if not refused:
        return None
    first = next(iter(refused.values()))
    return Refusal(first.rule, f"{_names(profile, refused)}: {first.reason}", first.next_step)


def plan_still_stands(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Nobody with a role in the plan was dissolved, or lost its ground, since it was drafted (T2, C3, S6)."""
    roles = {role.agency for role in life.plan.roles} if life.plan else set()
    past = no_more(profile, sorted(roles), date.min) | {code: life.gone[code] for code in roles & life.gone.keys()}
    if past:
        reason = f"プランで役割のある機関がなくなりました: {'、'.join(past.values())}。"
        return Refusal("T2", reason, "役割を別の機関に替えたプランを作り、付議し直してください。")
    return _outside(life, roles, profile)


for_a_purpose_of_the_law = _says(
    lambda life, act: act.purpose is not None and (life.compartment is not SHIEN or act.purpose not in OF_THE_LAW),
    "S10",
    "この会議の目的には選べません。",
    "支援会議は、気になる事案の情報共有、見守り・支援方針の理解、緊急対応のどれかで付議してください。"
    "ほかの会議の目的は、手順から決まります。",
)

# -- meetings ----------------------------------------------------------------------------------------------------------

outcome_given = _says(
    lambda life, act: act.outcome is None,
    "D5",
    "議題の結果がありません。",
    "適切、修正の上適切、再協議、紹介元が主担当、扱わなかった、次の会議体へ上げるのどれかを選んでください。",
)
reasons_unless_fit = _says(
    lambda life, act: act.outcome is not Outcome.FIT and not is_written(act.words),
    "T2",
    "結果の内容が書かれていません。",
    "何を直すか、なぜ再協議か、なぜ扱わなかったか、紹介元への助言などを書いてください。",
)
sat = _says(
    lambda life, act: life.sitting_on is None or act.on < life.sitting_on,
    "T1",
    "この議題の会議は、まだ終わっていません。",
    "会議が終わってから記録してください。急ぎなら、付議を取り下げて随時の会議を求めてください。",
)
not_begun = _says(
    lambda life, act: life.begun or life.sitting_on is not None,
    "D5",
    "この議題の会議は、もう始まっています。",
    "会議の結果を記録してください。扱われなかったときは「扱わなかった(持ち越し)」を選んでください。",
)
first_sat = _says(
    lambda life, act: life.first_on is None or act.on < life.first_on,
    "T1",
    "結果を待っている会議は、ありません。",
    "会議が終わってから記録してください。プランの会議の結果は、付議してから記録します。",
)
referrer_may_lead = _says(
    lambda life, act: act.outcome is Outcome.REFERRER_LEADS and life.fixed_before,
    "T1",
    "プランが確定した後に紹介元が主担当になるのは、終結の判断です。",
    "別の結果を選んでください。再プランをやめてから、評価シートを記録して、終結を会議に付議できます。",
)


of_first = _says(
    lambda life, act: act.outcome not in (None, Outcome.NOT_HEARD),
    "T1",
    "プランの前の会議では、プランや終結の適否は決まりません。",
    "話し合った内容を書いてください。適否は、付議した会議の結果として記録します。",
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
    if act.outcome is Outcome.NOT_HEARD:
        return None
    kinds = {_kind(profile, code) for code in act.present}
    wanted = {"municipality": "市町村"} | ({"coordinator": "多機関協働事業者"} if life.compartment is JUSO else {})
    has = {agency.kind for agency in profile.agencies} | {"municipality"}
    own = charge.in_charge(profile, life.referrer, life.handed_to)
    if life.compartment is JUSO and own is not None and own not in act.present:  # another coordinator is a guest here
        kinds.discard("coordinator")
        wanted["coordinator"] = f"多機関協働の担当({profile.agency(own).name})"
    lacking = [name for kind, name in wanted.items() if kind not in kinds and kind in has]
    if not lacking:
        return None
    rule = "P1" if life.compartment is JUSO else "S1"
    reason = f"{'と'.join(lacking)}が出席していないので、会議の結果として記録できません。"
    return Refusal(rule, reason, "「扱わなかった(持ち越し)」と記録して、そろう日に改めて付議してください。")


# -- deciding ----------------------------------------------------------------------------------------------------------

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
    "市町村が「支援決定を記録する」を行います。",
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
decided_as_written = _says(
    lambda life, act: set(act.services) != set(life.plan.services if life.plan else ()),
    "D3",
    "決定する事業が、プランに書かれた事業と違います。",
    "プランのとおりに選んでください。一部だけにするときは、確定しない理由を記録し、直したプランを付議してください。",
)
rest_confirmed = _says(
    lambda life, act: life.plan is not None and life.plan.other_support and not act.rest_confirmed,
    "D1",
    "プランには、法に基づく事業のほかの支援もあります。その確認がありません。",
    "ほかの支援も同じ会議で確認したことを、記録してください。",
)
decision_in_order = _says(
    lambda life, act: (
        act.drafted_on is None
        or not (life.heard_on or act.drafted_on) <= act.drafted_on <= act.on
        or (act.notified_on is not None and act.notified_on < act.on)
    ),
    "D11",
    "起案日がないか、会議、起案、決裁、通知の順になっていません。",
    "起案日は会議の日から決裁日まで、通知日は決裁日の後にしてください。まだ通知していなければ空けておきます。",
)


def decider_may(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """D2: the decision is the 市町村's own, by somebody who held the post on that day."""
    if act.decider is None or act.decider_post is None:
        return Refusal("D2", "決裁者がありません。", "市町村の決裁者を、職の名とともに選んでください。")
    if life.deciders is None:
        return None
    who = life.deciders.get(act.decider)
    if who is None or act.decider_post not in who.posts:
        reason = "その人は市町村の職員でないか、その職にありません。"
        return Refusal("D2", reason, "いまその職にある市町村の人を選んでください。")
    if (who.since and act.on < who.since) or (who.until and who.until < act.on):
        reason = "決裁日に、その人はその職にありませんでした。"
        return Refusal("D2", reason, "決裁日を確かめるか、その日にその職にあった人を選んでください。")
    return None


def reported_to_the_city(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """D1: a plan without 法に基づく事業 is reported to the 市町村, whoever writes that down."""
    if _kind(profile, act.counterpart) == "municipality":
        return None
    return Refusal("D1", "報告した相手が、市町村ではありません。", "報告した市町村の担当課を選んでください。")


to_be_notified = _says(
    lambda life, act: life.decided_on is None,
    "D11",
    "通知を待っている支援決定はありません。",
    "支援決定を記録してください。通知日も決定と一緒に記録できます。",
)
notified_after = _says(
    lambda life, act: life.decided_on is not None and act.on < life.decided_on,
    "D11",
    "通知日が、決裁日より前です。",
    "通知日を確かめてください。",
)

# -- monitoring, ending, coming back -----------------------------------------------------------------------------------

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
_SOUGHT = (Contact.VISIT, Contact.INQUIRY)
looked_for = _says(
    lambda life, act: not any(one in _SOUGHT for one in life.contacts),
    "T3",
    "中断は、連絡が完全に取れなくなったときだけです。自宅訪問か関係機関への照会の記録がありません。",
    "自宅訪問や関係機関への照会をして、連絡の試みとして記録してください。",
)
still_lost = _says(
    lambda life, act: not any(one in _SOUGHT for one in life.contacts),
    "T3",
    "会議の後に、本人と連絡がつきました。",
    "市町村が「確定しない(理由を返す)」を記録して、支援を続けてください。",
)
contact_given = _says(
    lambda life, act: act.contact is None,
    "T3",
    "連絡の方法がありません。",
    "電話、手紙、訪問、照会のどれかを選んでください。",
)
follow_up_set = _says(
    lambda life, act: act.follow_up in (None, "none") or not _soon(act.next_on, act.on),
    "D7",
    "フォローアップの方法か、その日がありません(日は1年以内です)。",
    "電話、訪問、会議のどれで、いつ様子を確かめるかを入れてください。",
)
try_again_set = _says(
    lambda life, act: not _soon(act.next_on, act.on),
    "T3",
    "次に連絡を試みる日がありません(または、1年以内ではありません)。",
    "中断の後も連絡を試みます。その日を入れてください。",
)
next_if_any = _says(
    lambda life, act: act.next_on is not None and not _soon(act.next_on, act.on),
    "D7",
    "次のフォローアップの日が、記録の日の後1年以内ではありません。",
    "日を確かめてください。フォローアップを終えるときは空けておきます。",
)


def lead_set(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """D7: one of the 支援関係機関 leads from now on; the 多機関協働事業者 itself ends as main supporter.

    It may lead only where the plan gives it a role of its own besides coordinating, and somebody says why.
    """
    if act.lead is None:
        return Refusal("D7", "主担当機関がありません。", "終結の後に主に担当する支援関係機関を選んでください。")
    if refusal := _outside(life, [act.lead], profile):
        return refusal
    plan = life.fixed_plan or life.plan or Plan()
    own_role = act.lead in {role.agency for role in plan.roles} and is_written(act.words)
    if _kind(profile, act.lead) != "coordinator" or own_role:
        return None
    return Refusal(
        "D7",
        "多機関協働事業者は、主たる支援者としての関わりを終えます。",
        "ほかの支援関係機関を選んでください。プランに自らの役割があって続けるときは、その理由を書いてください。",
    )


end_given = _says(lambda life, act: act.ended is None, "T1", "死亡か転出かがありません。", "どちらかを選んでください。")
never_fixed = _says(
    lambda life, act: life.fixed_before,
    "T1",
    "プランが確定した後は、戻すことも紹介元に任せることも、終結の判断になります。",
    "評価シートを記録して、終結を会議に付議してください。",
)
was_fixed = _says(
    lambda life, act: not life.fixed_before,
    "T4",
    "確定したプランがまだありません。",
    "プラン案を作って会議に付議し、確定してください。",
)
alive = _says(
    lambda life, act: life.ended == "died",
    "T7",
    "本人の死亡で終わった事案です。",
    "世帯員の事案は、新しいつなぎとして受け付けてください。誤記のときは、市町村が取り消せます。",
)

# -- early support -----------------------------------------------------------------------------------------------------

early_named = _says(
    lambda life, act: not act.services or bool(set(act.services) & set(life.early)),
    "T5",
    "始める事業がないか、すでに始まっています。",
    "参加支援かアウトリーチ等か、新しく始める事業を選んでください。",
)
not_all_early = _says(
    lambda life, act: set(life.early) == set(LegalService),
    "T5",
    "早期支援はすでに始まっています。",
    "プラン案を作って、次の重層的支援会議に付議してください。",
)
early_without_consent = _says(
    lambda life, act: life.compartment is SHIEN and LegalService.PARTICIPATION in act.services,
    "D4",
    "参加支援は、本人の同意がない事案では始められません。",
    "アウトリーチ等を選ぶか、本人の同意を得てください。",
)
not_early = _says(
    lambda life, act: bool(life.early),
    "T5",
    "早期支援を始めた事案は、会議で確かめるまで戻せません。",
    "プラン案を作って会議に付議し、結果を記録してください。",
)
