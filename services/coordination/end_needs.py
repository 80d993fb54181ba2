"""What moving on, ending without a consent and taking an end back need: checks as in ``life_needs.py``."""

from contracts.life import STEP_TEXT, Act, State, Step
from contracts.profile import Profile
from contracts.text import is_written
from services.coordination.life_needs import alive, never_fixed
from services.coordination.life_terms import Life, Refusal

WITHOUT_CONSENT = (Step.NOTIFY, Step.END, Step.STOP, Step.CORRECT)
"""What is still recorded of a juso case whose consent is not in force, in codes and days: what has to end, ends."""

STOPPED = Refusal(
    "C11",
    "有効な同意がないので、進められません。",
    "担当課か推進員が、改めて同意を得るか、支援会議で扱う必要性を判断してください。支援をやめるときは、市町村が終わりを記録します。",
)


def stopped(life: Life, step: Step) -> Refusal | None:
    """C11: without a consent in force nothing goes on, but what has to end can be ended."""
    return STOPPED if life.stopped and step not in WITHOUT_CONSENT else None


def bare(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """C11: of a case that nobody may see no text is kept, and no agency is named."""
    said = (act.words, act.minutes, act.evidence, act.no_paper, act.form)
    named = (act.plan, act.paper, act.lead, act.counterpart, act.outcome, act.decider)
    if not life.stopped or not (any(said) or any(one is not None for one in named) or act.present or act.services):
        return None
    return Refusal(
        "C11", "有効な同意がない事案には、文章も機関の名前も残せません。", "日付と区分だけを記録してください。"
    )


def told_why(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """T2: the reason stands with it, unless no text may be kept (C11)."""
    if life.stopped or is_written(act.words):
        return None
    return Refusal("T2", "内容が書かれていません。", "判断の理由か内容を書いてください。")


# -- ending what nobody may see ----------------------------------------------------------------------------------------


def without_consent(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """C11: whoever consents ends by a meeting (T1 C)."""
    if life.stopped:
        return None
    reason = "本人の同意は有効です。"
    return Refusal("C11", reason, "評価シートを記録して、終結を会議に付議してください。")


def person_told(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """D11: a decision that nobody was told of is told first."""
    if life.decided_on is None:
        return None
    reason = "支援決定の通知が、まだ記録されていません。"
    return Refusal("D11", reason, f"本人と事業者に通知し、市町村が「{STEP_TEXT[Step.NOTIFY]}」を行います。")


# -- moving on by consent ----------------------------------------------------------------------------------------------


def consent_told(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """C9, C10: what makes it lawful is the person's consent, on a day and with something that shows it."""
    if act.consent_on is None or act.consent_on > act.on:
        reason = "本人が同意した日がないか、移る日より後です。"
        return Refusal(
            "C9", reason, "本人が同意した日を入れてください。同意がなければ、支援会議で支援を続けてください。"
        )
    if not is_written(act.evidence):
        reason = "同意の確かめ方が書かれていません。"
        return Refusal("C10", reason, "同意書、口頭の同意と立ち会った人など、何で確かめたかを書いてください。")
    return None


def receipt_awaited(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """C10: once for each time that a case moved on."""
    if life.moved_on is not None:
        return None
    return Refusal("C10", "同意のつなぎの受付は、もう記録されています。", "様子が変わっていたら、再開してください。")


def only_a_day(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """C10, consent.md 8.1: of the new referral nothing but the day stands here, not its number either."""
    if not (act.words or act.minutes or act.evidence):
        return None
    return Refusal(
        "C10", "支援会議の側には、新しいつなぎの番号も内容も残せません。", "受け付けた日だけを記録してください。"
    )


# -- an end that was none ----------------------------------------------------------------------------------------------


def ended_by_record(life: Life, act: Act, profile: Profile) -> Refusal | None:
    """T7: only a 死亡・転出 that was written down by mistake is taken back; any other end is opened again."""
    if life.before_end is not None and life.state is State.CLOSED:
        return None
    return Refusal("T7", "取り消す死亡・転出の記録がありません。", "ほかの終わり方は、再開で続けられます。")


LASTING = (never_fixed, alive, without_consent)
"""What no step of the case changes, so that it is told wherever the case stands: nobody is led to what stays shut."""
