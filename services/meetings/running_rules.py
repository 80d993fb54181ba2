"""The rules of running a sitting: is one more act lawful now? Plain values in, plain values out.

What depends on a consent or a commission is decided by the policy besides (``conducting.py``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.life import Outcome
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.running import Move, Proceeding
from contracts.text import Refused, check_text, is_written
from services.meetings.running import Room, Stay
from services.meetings.scheduling import TOKYO
from services.meetings.seating import MUST_ATTEND

OPENS_BEFORE = timedelta(minutes=30)
"""How long before its time a sitting can be opened, so that who comes can be noted."""
KIND_TEXT = {"municipality": "市町村", "coordinator": "多機関協働事業者"}
DECIDING = (Outcome.FIT, Outcome.FIT_AMENDED)


@dataclass(frozen=True)
class Refusal:
    """Why an act is not lawful, by which rule, and what is to be done instead."""

    rule: str
    reason: str
    next_step: str


@dataclass(frozen=True)
class Called:
    """The sitting as it was called. ``coordinators``: by item on its agenda, who carries the case."""

    starts: datetime
    compartment: Compartment
    body: str
    coordinators: Mapping[UUID, str | None] = field(default_factory=dict)
    follows: bool = False
    """Whether another block of the body is held before it (M5)."""
    bylaw: bool = False
    """Whether the city's own 要綱 binds it to secrecy on its day (S15)."""

    @property
    def secret(self) -> bool:
        """Whether secrecy has to be explained before an item: by the law, or by the 要綱 (S14, S15)."""
        return self.bylaw or self.compartment is Compartment.SHIEN


def judge(room: Room, move: Move, called: Called, profile: Profile, now: datetime) -> Refusal | None:
    """None if the act is lawful now, so far as the sitting itself goes; the policy is asked besides."""
    if refusal := possible(room, move.what, called, profile, now):
        return refusal
    match move.what:
        case Proceeding.TURN:
            return _turned_in_time(move, called, now)
        case Proceeding.ENTER | Proceeding.LEAVE:
            return _timely(room, move, now)
        case Proceeding.CALL:
            return _callable(room, move, called, profile)
        case Proceeding.RECORD | Proceeding.CORRECT:
            return _recordable(room, move, called, profile)
        case _:
            return None


def possible(room: Room, what: Proceeding, called: Called, profile: Profile, now: datetime) -> Refusal | None:
    """Whether the sitting has come to where such an act belongs."""
    if what in (Proceeding.OPEN, Proceeding.TURN):
        return _openable(room, what, called, now)
    if what is Proceeding.ADMIT and room.opened is None:
        return _on_the_day(called, now)
    if room.opened is None:
        return Refusal("M5", "まだ開会していません。", "先に「開会する」を行ってください。")
    after = (Proceeding.CORRECT, Proceeding.APPROVE)
    if room.closed is not None and what not in after:
        return Refusal("M5", "この会議は閉会しています。", "会議録を直すか、承認してください。")
    match what:
        case Proceeding.EXPLAIN:
            return _explainable(room, called)
        case Proceeding.JUDGE | Proceeding.GIVE_UP:
            return _judgeable(room, what, called, profile, now)
        case Proceeding.CALL | Proceeding.RECORD | Proceeding.CLOSE:
            return _in_session(room, what, called, now)
        case Proceeding.CORRECT | Proceeding.APPROVE:
            return _fixable(room, what)
        case _:
            return None


def _openable(room: Room, what: Proceeding, called: Called, now: datetime) -> Refusal | None:
    if room.opened is not None:
        return Refusal("M5", "もう開会しています。", "画面を読み直して、続きを記録してください。")
    if what is Proceeding.TURN and not called.follows:
        return Refusal("M5", "この会議の前には、区切りがありません。", "そのまま開会してください。")
    if what is Proceeding.TURN and room.turned is not None:
        return Refusal("M5", "前の区切りは、もう閉じています。", "開会してください。")
    if what is Proceeding.OPEN and called.follows and room.turned is None:
        reason = "前の区切りを閉じたことが、まだ記録されていません。"
        door = "退室する人と残る人を確かめ、「前の区切りを閉じて、この区切りを開き直す」を記録してください。"
        return Refusal("M5", reason, door)
    return _on_the_day(called, now)


def _on_the_day(called: Called, now: datetime) -> Refusal | None:
    if now < called.starts - OPENS_BEFORE:
        return Refusal("M5", "まだ開会できません。", "始まる時刻の30分前から開会できます。")
    if now.astimezone(TOKYO).date() != called.starts.astimezone(TOKYO).date():
        reason = "会議の日が過ぎています。だれが聞いたかは、その時に記録するものなので、後からは開会できません。"
        return Refusal("M5", reason, "紙で行った会議の結果は、事案の画面の「進み具合」で記録してください。")
    return None


def _turned_in_time(move: Move, called: Called, now: datetime) -> Refusal | None:
    """The block before was closed today, and not in the future."""
    at = move.at or now
    if at > now:
        return Refusal("M5", "前の区切りを閉じた時刻が、今より後です。", "実際に閉じた時刻を入れてください。")
    if at.astimezone(TOKYO).date() != called.starts.astimezone(TOKYO).date():
        return Refusal("M5", "前の区切りを閉じた時刻が、この会議の日ではありません。", "時刻を入れ直してください。")
    return None


def _explainable(room: Room, called: Called) -> Refusal | None:
    if not called.secret:
        reason = "守秘義務の説明は、支援会議か、要綱が守秘義務を定める会議で行います。"
        return Refusal("S14", reason, "そのまま成立を判定してください。")
    if room.explained is not None:
        return Refusal("S14", "もう説明しています。", "成立を判定してください。")
    return None


def _judgeable(room: Room, what: Proceeding, called: Called, profile: Profile, now: datetime) -> Refusal | None:
    if room.verdict is not None:
        return Refusal("P1", "もう成立しています。", "議題に入ってください。")
    missing = lacking(room.there, called.compartment, profile)
    if what is Proceeding.GIVE_UP:
        if not missing:
            return Refusal("P1", "必須の機関がそろっています。", "「成立を判定する」を行ってください。")
        if now <= called.starts:
            return Refusal("P1", "まだ始まる時刻の前です。", "来る人を待ってください。")
        return None
    if called.secret and room.explained is None:
        return Refusal(
            "S14",
            "守秘義務と罰則の説明が済んでいません。",
            "画面の文を読み上げ、全員が確認したことを記録してください。",
        )
    if missing:
        rule = "P1" if called.compartment is Compartment.JUSO else "S1"
        reason = f"{'と'.join(missing)}がいないので、会議は成立しません。"
        return Refusal(
            rule,
            reason,
            "遅れて来る人を待つか、「ケース会議として記録する」を選んでください。議題は次の会議に送ります。",
        )
    return None


def lacking(there: Iterable[Stay], compartment: Compartment, profile: Profile) -> tuple[str, ...]:
    """Which kinds of agency have to be in the room and are not, in words (P1, P2, S1)."""
    kinds = {agency.code: agency.kind for agency in profile.agencies}
    present = {kinds.get(one.agency) for one in there}
    return tuple(KIND_TEXT[kind] for kind in MUST_ATTEND[compartment] if kind not in present and kind in kinds.values())


def _in_session(room: Room, what: Proceeding, called: Called, now: datetime) -> Refusal | None:
    if room.verdict is None:
        return Refusal("P1", "成立を判定していません。", "必須の機関がそろったら、成立を判定してください。")
    if what is Proceeding.RECORD:
        return None
    if room.current is not None:
        return Refusal("M6", "前の議題が終わっていません。", "その議題の結果を先に記録してください。")
    if what is Proceeding.CLOSE and now <= called.starts:
        return Refusal("M5", "まだ始まる時刻の前です。", "始まる時刻の後に閉会してください。")
    return None


def _fixable(room: Room, what: Proceeding) -> Refusal | None:
    if room.minutes == 0:
        return Refusal("S13", "会議録がありません。", "議題の結果を記録してください。")
    if what is Proceeding.APPROVE and room.closed is None:
        return Refusal("S13", "まだ閉会していません。", "閉会してから承認してください。")
    if what is Proceeding.APPROVE and room.approved is not None:
        return Refusal("S13", "会議録はもう承認されています。", "直したときは、改めて承認してください。")
    return None


def _timely(room: Room, move: Move, now: datetime) -> Refusal | None:
    """When somebody came or went is neither in the future nor before what was noted since."""
    at, stay = move.at or now, next((one for one in room.there if one.person == move.person), None)
    if move.person is None:
        return Refusal("P1", "だれが出入りしたかが選ばれていません。", "人を選んでください。")
    if at > now:
        return Refusal("P1", "時刻が今より後です。", "実際の時刻を入れてください。")
    if move.what is Proceeding.LEAVE:
        if stay is None:
            return Refusal("P1", "その人は、いま室内にいません。", "画面を読み直してください。")
        if at < stay.entered:
            return Refusal("P1", "退室の時刻が、入室より前です。", "実際の時刻を入れてください。")
        return None
    if stay is not None:
        return Refusal("P1", "その人は、もう室内にいます。", "画面を読み直してください。")
    if room.turned is not None and at < room.turned:
        reason = "入室の時刻が、前の区切りを閉じた時刻より前です。"
        return Refusal("M5", reason, "この区切りに入った時刻を入れてください。")
    gone = [one.left for one in room.stays if one.person == move.person and one.left]
    earliest = max([*gone, *([room.last_turn] if room.last_turn else [])], default=None)
    if earliest is not None and at < earliest:
        reason = "入室の時刻が、前の退室か、議題の区切りより前です。聞いた議題の記録が合わなくなります。"
        return Refusal("M6", reason, "いま入室したものとして記録してください。")
    return None


def _callable(room: Room, move: Move, called: Called, profile: Profile) -> Refusal | None:
    if move.item is None or move.item not in called.coordinators:
        reason = "この議題は、いまの次第にありません。同意の撤回や取下げで下ろされたかもしれません。"
        return Refusal("C11", reason, "画面を読み直して、理由と次の手順を確かめてください。")
    if move.item in room.hearings:
        return Refusal("M6", "この議題は、もう扱いました。", "次の議題に入ってください。")
    own = called.coordinators[move.item]
    missing = list(lacking(room.there, called.compartment, profile))
    known = {agency.code: agency.name for agency in profile.agencies}
    if called.compartment is Compartment.JUSO and own in known and own not in {one.agency for one in room.there}:
        missing = [one for one in missing if one != KIND_TEXT["coordinator"]]
        missing.append(f"多機関協働の担当({known[own]})")
    if not missing:
        return None
    rule = "P1" if called.compartment is Compartment.JUSO else "S1"
    reason = f"{'と'.join(missing)}がいないので、この議題は扱えません。"
    return Refusal(rule, reason, "来るのを待つか、扱わずに閉会してください。議題は次の会議に送ります。")


def _recordable(room: Room, move: Move, called: Called, profile: Profile) -> Refusal | None:
    """What the minutes have to say (T2), and what this body may find (D6, M10)."""
    result, hearing = move.result, room.hearings.get(move.item) if move.item else None
    if result is None or hearing is None or (move.what is Proceeding.RECORD and room.current != move.item):
        return Refusal("T2", "いま扱っている議題ではないか、結果がありません。", "画面を読み直してください。")
    if move.what is Proceeding.CORRECT and hearing.done is None:
        return Refusal("T2", "この議題の結果は、まだ記録されていません。", "先に結果を記録してください。")
    changed = move.what is Proceeding.CORRECT and result.outcome is not hearing.outcome
    if changed and room.closed is not None:
        reason = "閉会した後に、議題の結果は変えられません。直せるのは、内容・役割・次の日です。"
        return Refusal("S13", reason, "結果を変えるときは、改めて会議に付議してください。")
    if move.item not in called.coordinators and move.what is Proceeding.RECORD:
        if result.outcome is not Outcome.NOT_HEARD:
            reason = "話し合いの途中で、同意の撤回か取下げにより、この議題は下ろされました。"
            return Refusal("C11", reason, "「扱わなかった(持ち越し)」と記録して、次の議題に移ってください。")
        return _written(result.words, [role.does for role in result.roles])
    body = profile.body(called.body)
    if body is not None and not body.decides and result.outcome in DECIDING:
        return Refusal(
            "D6", "この会議体では、適否を決めません。", "「次の会議体へ上げる」か「再協議」を選んでください。"
        )
    if result.outcome is Outcome.RAISE and (body is None or body.escalates_to is None):
        return Refusal("M10", "この会議体には、上げる先がありません。", "別の結果を選んでください。")
    if result.outcome is not Outcome.FIT and not is_written(result.words):
        return Refusal("T2", "結果の内容が書かれていません。", "何を直すか、なぜそうなったかを書いてください。")
    return _written(result.words, [role.does for role in result.roles])


def _written(words: str, duties: Sequence[str]) -> Refusal | None:
    """Nothing that no record can hold: control signs, a 個人番号."""
    try:
        for text in (words, *duties):
            check_text(text, lines=True)
    except Refused as refused:
        return Refusal("T2", f"会議録の内容: {refused.message}", "直して、もう一度記録してください。")
    return None
