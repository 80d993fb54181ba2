"""What a step needs because a city is set up as it is: several coordinators, a body above, one stop, its programmes.

Checks as in ``life_needs.py``; in a city that is set up the plain way none of them refuses anything.
"""

from contracts.life import SERVICE_TEXT, Act, Outcome, State
from contracts.profile import Profile
from contracts.text import is_written
from services.coordination import charge
from services.coordination.life_terms import Life, Refusal


def talked_over(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """With the referrer, and why (D8). Where the one-stop desk took it in itself, with whoever carries on."""
    if charge.has_no_referral(profile, life.referrer):
        if act.counterpart is not None and act.counterpart not in profile.coordinators and is_written(act.words):
            return None
        reason = "総合相談窓口が直接受けた事案なので、紹介元がありません。支援を続ける機関か、理由がありません。"
        return Refusal("D8", reason, "支援を続ける機関と協議して、その機関を相手に選び、理由を書いてください。")
    if act.counterpart and act.counterpart == (life.referrer or act.counterpart) and is_written(act.words):
        return None
    return Refusal(
        "D8",
        "戻すには、紹介元との協議が要ります。相手が紹介元でないか、理由がありません。",
        "紹介元と協議して、その理由を書いてください。いつでもまた依頼できることも伝えてください。",
    )


def to_be_answered(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Once, and only where somebody referred the case (T9)."""
    if charge.has_no_referral(profile, life.referrer):
        reason = "総合相談窓口が直接受けた事案なので、答える紹介元がありません。"
        return Refusal("T9", reason, "そのままアセスメントと支援方針に進んでください。")
    if not life.answered:
        return None
    reason = "紹介元には、もう答えています。"
    return Refusal("T9", reason, "様子が変わったら、「連絡の試みを記録する」や会議で紹介元と共有してください。")


def somebody_referred(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """No referrer can lead where there was no referral (D9)."""
    if act.outcome is not Outcome.REFERRER_LEADS or not charge.has_no_referral(profile, life.referrer):
        return None
    reason = "総合相談窓口が直接受けた事案なので、主担当になる紹介元がありません。"
    return Refusal("D9", reason, "プランの役割分担を決めて確定し、主担当機関を定めて終結してください(D7)。")


def decided_here(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """A body that only talks a case over finds no plan fit and no case at its end (D6)."""
    body = profile.body(life.heard_by)
    if body is None or body.decides or act.outcome not in (Outcome.FIT, Outcome.FIT_AMENDED):
        return None
    above = profile.body(body.escalates_to)
    decider = above.name if above else "別の会議"
    reason = f"{body.name}は情報共有と検討の会議です。プランの適切性と終結は{decider}で決めます。"
    return Refusal("D6", reason, "結果を「次の会議体へ上げる」にして、検討の内容を書いてください。")


def can_be_raised(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Only from a body that has one above it (M10)."""
    body = profile.body(life.heard_by)
    if act.outcome is not Outcome.RAISE or (body is not None and body.escalates_to is not None):
        return None
    reason = "この会議体には、事案を上げる先がありません。"
    return Refusal("M10", reason, "「再協議」にして、プランを直すか、出席する機関を増やして付議し直してください。")


def several_coordinators(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Where there is one 多機関協働事業者 there is nobody to hand a case over to."""
    if len(profile.coordinators) > 1:
        return None
    reason = "この市町村の多機関協働事業者は一つなので、引き継ぐ先がありません。"
    return Refusal("P1", reason, "役割が決まったら、主担当機関を定めて終結してください(D7)。")


def result_recorded(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """Who was in charge when a sitting heard the case records what it found (D5)."""
    if life.state is not State.AT_MEETING or not (life.begun or life.sitting_on):
        return None
    reason = "会議が開かれましたが、結果がまだ記録されていません。"
    return Refusal("D5", reason, "会議に出席した担当のうちに結果を記録し、その後に引き継いでください。")


def taken_over(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """By another 多機関協働事業者, with the reason, and only by one to whom the case may be told (P1, C3, S6)."""
    own = charge.in_charge(profile, life.referrer, life.handed_to)
    if act.counterpart not in profile.coordinators or act.counterpart == own:
        reason = "引き継ぐ先がないか、多機関協働事業者でないか、いまの担当です。"
        return Refusal("P1", reason, "ほかの多機関協働事業者を選んでください。")
    if not is_written(act.words):
        return Refusal("P1", "引き継ぐ理由がありません。", "理由と申し送りを書いてください。")
    found = life.outside.get(act.counterpart)
    name = profile.agency(act.counterpart).name
    return Refusal(found.rule, f"{name}: {found.reason}", found.next_step) if found else None


def offered(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """A plan can only use a programme that somebody in the city carries (D3)."""
    wanted = act.plan.services if act.plan else ()
    names = [SERVICE_TEXT[one] for one in wanted if not charge.is_offered(profile, one)]
    if not names:
        return None
    reason = f"この市町村には、{'、'.join(names)}を行う機関がありません。"
    return Refusal("D3", reason, "この事業を除き、ほかの支援としてプランに書いてください。")
