"""The rules of households: what may happen to one, what a 世帯員 may be recorded to have said, who sets 秘匿. Pure."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from uuid import UUID

from contracts.consent import ConsentState
from contracts.household import Change, ChangeHousehold, Detail, NoteDetail, RecordMemberConsent, SetSecrecy
from services.intake.domain import Flaw
from services.intake.members import Spell
from services.intake.secrecy import Secret
from services.intake.signal_rules import reason_flaws, text_flaws

HOUSEHOLD_LABELS = {
    "after": "前の記録",
    "members": "世帯員",
    "newcomer": "加わる人",
    "other": "もう一つの世帯のつなぎ",
    "on": "変わった日",
    "state": "同意の状態",
    "obtained_by": "確かめた人",
    "obtained_on": "確かめた日",
    "note": "覚え書き",
    "text": "内容",
    "ground": "秘匿の事由",
    "viewers": "見てよい人",
    "review_on": "見直しの日",
    "secret": "秘匿",
    "reason": "理由",
}
LARGEST = 100
"""世帯員 of one household; one more is a slip of the pen."""
LONGEST_DETAIL = 500
LONGEST_NOTE = 10_000
_SAYABLE = (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.COULD_NOT_ASK, ConsentState.WITHDRAWN)
MEANWHILE = Flaw("after", "decided-meanwhile", "ほかの人が先に記録しました。読んでから、もう一度記録してください。")


def change_flaws(asked: ChangeHousehold, here: Sequence[Spell], there: Sequence[Spell], today: date) -> Iterator[Flaw]:
    """Why a household cannot change so. ``here``: who lives in it now; ``there``: in the other one."""
    if asked.on > today:
        yield Flaw("on", "date-future", "変わった日が今日より後です。その日になってから記録してください。")
    if asked.change is Change.JOIN:
        yield from _newcomer_flaws(asked)
    if asked.change in (Change.LEAVE, Change.SPLIT):
        if not asked.members:
            yield Flaw("members", "required", "離れる世帯員を選んでください。")
        if not set(asked.members) <= {one.member for one in here}:
            yield Flaw("members", "S18", "いまこの世帯にいない人があります。世帯員を確かめてください。")
    if asked.change is Change.SPLIT and {one.member for one in here} <= set(asked.members):
        yield Flaw("members", "split-all", "全員が分かれると、元の世帯に人が残りません。残る人を外してください。")
    if asked.change is Change.MERGE and not there:
        message = "もう一つの世帯のつなぎがないか、同じ世帯です。受付番号と参照を確かめてください。"
        yield Flaw("other", "household-unknown", message)
    if len(here) + len(there) + bool(asked.newcomer) > LARGEST:
        yield Flaw("members", "household-large", f"一つの世帯は{LARGEST}人までです。世帯員を確かめてください。")
    moving = [one for one in here if one.member in asked.members] if asked.change is not Change.MERGE else there
    if asked.change is not Change.JOIN and any(asked.on <= one.since for one in moving):
        message = "その人がこの世帯にいる記録の最初の日(つなぎの受付日など)より、後の日にしてください。"
        yield Flaw("on", "date-order", message)


def _newcomer_flaws(asked: ChangeHousehold) -> Iterator[Flaw]:
    if asked.newcomer is None or not asked.newcomer.name.strip():
        yield Flaw("newcomer", "required", "加わる人の氏名を書いてください。分からないときは「不詳」と書いてください。")
        return
    yield from text_flaws("newcomer", asked.newcomer.name, lines=False)
    yield from text_flaws("newcomer", asked.newcomer.relation, lines=False)


def consent_flaws(asked: RecordMemberConsent, place: int, now: ConsentState) -> Iterator[Flaw]:
    """Why what a 世帯員 said cannot be recorded so. ``now``: what the record says until then."""
    if place == 0:
        message = "本人の同意は、世帯員としてではなく kasane consent record か withdraw で記録してください。"
        yield Flaw("state", "C11", message)
    if asked.state not in _SAYABLE:
        message = "世帯員については、同意する・同意しない・確認できない・撤回のどれかで記録してください。"
        yield Flaw("state", "S18", message)
    if asked.state is ConsentState.WITHDRAWN and now is not ConsentState.GIVEN:
        yield Flaw(
            "state", "C11", "この世帯員の同意がないので、撤回するものがありません。いまの状態を確かめてください。"
        )
    if len(asked.note) > LONGEST_NOTE:
        yield Flaw("note", "length", f"{LONGEST_NOTE:,}字までです。短く書き直してください。")
    yield from text_flaws("note", asked.note, lines=True)


def detail_flaws(asked: NoteDetail) -> Iterator[Flaw]:
    """Why a detail cannot be kept."""
    if len(asked.text) > LONGEST_DETAIL:
        yield Flaw("text", "length", f"{LONGEST_DETAIL}字までです。短く書き直してください。")
    yield from text_flaws("text", asked.text, lines=asked.detail is Detail.WHEREABOUTS)


def secrecy_flaws(asked: SetSecrecy, now: Secret, today: date) -> Iterator[Flaw]:
    """Why 秘匿 cannot be set, changed or lifted so."""
    if now.hides_from(asked.by.person):
        message = "秘匿を変えられるのは、いま見てよい人だけです。その人か、支援措置の担当課に依頼してください。"
        yield Flaw("secret", "S18", message)
    if not asked.secret:
        if not now.secret:
            yield Flaw("secret", "S18", "この世帯員は秘匿になっていません。いまの状態を確かめてください。")
        yield from (Flaw("note", one.rule, one.message) for one in reason_flaws(asked.note, LONGEST_NOTE))
        return
    if asked.ground is None:
        yield Flaw("ground", "required", "秘匿の事由を選んでください。")
    if not asked.viewers:
        yield Flaw("viewers", "required", "見てよい人を一人以上、職員番号で指定してください。")
    if asked.review_on is not None and asked.review_on <= today:
        yield Flaw("review_on", "date-range", "見直しの日は、明日より後の日にしてください(支援措置はふつう1年)。")
    if len(asked.note) > LONGEST_NOTE:
        yield Flaw("note", "length", f"{LONGEST_NOTE:,}字までです。短く書き直してください。")
    yield from text_flaws("note", asked.note, lines=True)


def hidden_details(
    spell: Spell, home: Collection[UUID], hides: Collection[UUID], of_home: Collection[Detail]
) -> tuple[Detail, ...]:
    """What of a member is hidden from a viewer: all of one who is 秘匿, the door of whoever lives with one."""
    if spell.member in hides:
        return tuple(Detail)
    return tuple(kind for kind in Detail if kind in of_home) if set(home) & set(hides) else ()
