"""The rules of the ledger: what a consent on a sheet reaches, and which next version may be recorded. Pure, no clock.

Refusals are Flaws: the field, the rule and what to do, never a value.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.consent import OPEN_STATES, ConsentState, Obtained, Scope, Signer
from contracts.intake import RecordConsent, Sheet
from contracts.legal_basis import BASIS_OF
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.text import Refused, check_text
from services.intake.domain import CONSENT_PURPOSES, Flaw, consent_agencies

JAPAN = ZoneInfo("Asia/Tokyo")
LONGEST_YEARS = 5
"""A consent for longer is doubtful: nobody can foresee what it would be used for (C2)."""
LISTENERS = ("coordination@juso", "meetings@juso")
"""Who keeps a replica of the ledger and acknowledges what it learnt."""
_STANDING_KINDS = frozenset({"municipality", "coordinator"})
_UNASKED = frozenset({ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK})
_LOST = frozenset({ConsentState.WITHDRAWN, ConsentState.EXPIRED})


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a consent as the ledger keeps it. ``case``: juso's reference, once there is a case."""

    consent: UUID
    version: int
    referral: UUID
    case: UUID | None
    state: ConsentState
    scope: Scope | None
    text_version: str
    obtained: Obtained | None
    obtained_by: str
    obtained_on: date | None
    signer: Signer = Signer.PERSON
    signer_name: str = ""
    evidence_digest: str = ""
    evidence: str = ""
    note: str = ""
    recorded_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether its state lets anything be shared at all; its period is another question."""
        return self.state in OPEN_STATES


# -- version 1, from a sheet -------------------------------------------------------------------------------------------


def standing_agencies(profile: Profile) -> tuple[str, ...]:
    """会議構成員 of 重層的支援会議, one by one: rosters and hosts of its bodies, the city and the coordinator.

    Of a joined body only the block that is a 重層的支援会議 counts: who sits in another one is no member of it (M6).
    """
    juso = BASIS_OF[Compartment.JUSO].code
    bodies = [body for body in profile.bodies if body.hears_cases and any(one.basis == juso for one in body.blocks)]
    rosters = [(body, block) for body in bodies for block in body.blocks if block.basis == juso]
    named = [code for body, block in rosters for code in (body.host, *(seat.agency for seat in body.roster_of(block)))]
    own = [agency.code for agency in profile.agencies if agency.kind in _STANDING_KINDS]
    return tuple(dict.fromkeys((*named, *own)))


def sheet_scope(sheet: Sheet, client: UUID, profile: Profile) -> Scope | None:
    """What the consent on a sheet reaches: the client alone, no tax; 一部同意 names its agencies itself (C3, S18)."""
    if sheet.consent not in OPEN_STATES or sheet.consented_on is None:
        return None
    others = standing_agencies(profile) if sheet.consent is ConsentState.GIVEN else ()
    return Scope(
        agencies=tuple(dict.fromkeys((*consent_agencies(sheet), *others))),
        purposes=CONSENT_PURPOSES,
        members=(client,),
        starts=midnight(sheet.consented_on),
        ends=midnight(years_after(sheet.consented_on, profile.consent_years)),
    )


def invited_agencies(sheet: Sequence[str], scope: Scope, state: ConsentState, profile: Profile) -> tuple[str, ...]:
    """Whom a case that rests on this scope concerns: the sheet's agencies inside it, then those it adds (C3, P5)."""
    standing = standing_agencies(profile) if state is ConsentState.GIVEN else ()
    inside = [code for code in sheet if code in scope.agencies]
    return tuple(dict.fromkeys((*inside, *(code for code in scope.agencies if code not in standing))))


def midnight(day: date) -> datetime:
    """The instant at which a day begins in Japan."""
    return datetime.combine(day, time(), JAPAN)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; 1 March where 29 February is missing."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


# -- the next version --------------------------------------------------------------------------------------------------


def next_flaws(
    asked: RecordConsent,
    past: Sequence[Version],
    household: Sequence[UUID],
    profile: Profile,
    now: datetime,
    declined: Collection[UUID] = (),
) -> Iterator[Flaw]:
    """Why the next version may not be recorded, the first reason first. ``past``: all versions, oldest first.

    ``declined``: who of the household said no for himself or herself (S18).
    """
    if not past:
        yield Flaw(
            "referral", "referral-unknown", "そのつなぎはありません。kasane consent show で参照を確かめてください。"
        )
        return
    newest = past[-1]
    if asked.after != newest.version:
        message = (
            f"いまの版は第{newest.version}版です。kasane consent show で確かめ、その版の後として記録してください。"
        )
        yield Flaw("after", "version-taken", message)
    yield from _state_flaws(asked, newest)
    if asked.scope is not None:
        yield from _scope_flaws(asked.scope, asked.obtained_on, newest, household, profile, now)
        if not set(declined).isdisjoint(asked.scope.members):
            message = "同意しなかった世帯員が範囲に入っています。その人を外すか、その人の同意を先に記録してください。"
            yield Flaw("members", "S18", message)
        yield from _evidence_flaws(asked, asked.scope, past)
    yield from taking_flaws(asked.obtained_by, asked.obtained_on, now)
    yield from _text_flaws(asked)


def _state_flaws(asked: RecordConsent, newest: Version) -> Iterator[Flaw]:
    opens = asked.state in OPEN_STATES
    if opens and asked.scope is None:
        yield Flaw("scope", "C3", "同意の範囲(機関・目的・世帯員・期間)を書いてください。")
    if not opens and asked.scope is not None:
        yield Flaw("scope", "C3", "この状態では何も共有できません。範囲を消すか、同意の状態を直してください。")
    if asked.state in _LOST and not newest.is_open:
        yield Flaw("state", "C11", "有効な同意がないので、撤回も期限切れもありません。いまの状態を確かめてください。")
    if asked.state in _UNASKED and newest.state not in _UNASKED:
        message = "本人の意思は記録済みです。変わったときは、同意・不同意・撤回のどれかで記録してください。"
        yield Flaw("state", "C12", message)
    if opens and not asked.text_version:
        yield Flaw("text_version", "C2", "本人に説明した管理・取扱規程の版を書いてください。")


def _scope_flaws(
    scope: Scope, obtained_on: date, newest: Version, household: Sequence[UUID], profile: Profile, now: datetime
) -> Iterator[Flaw]:
    if not (scope.agencies and scope.purposes and scope.members):
        yield Flaw("scope", "C3", "機関・目的・世帯員を、それぞれ一つ以上書いてください。")
    if not set(scope.agencies) <= {agency.code for agency in profile.agencies}:
        message = "この市町村の機関一覧にない機関です。機関を確かめるか、プロファイルに機関を加えてください。"
        yield Flaw("agencies", "C3", message)
    if not set(scope.members) <= set(household):
        message = "この世帯の人ではない世帯員があります。kasane consent show で世帯員を確かめてください。"
        yield Flaw("members", "S18", message)
    first = midnight(obtained_on)
    if newest.scope is not None:
        first = min(first, newest.scope.starts)
    if scope.starts < first:
        yield Flaw("starts", "C1", "同意を得た日より前にはさかのぼれません。始まりを、得た日以後にしてください。")
    if scope.ends <= now:
        yield Flaw("ends", "C1", "期間がもう終わっています。今から有効な期間で同意を得てください。")
    if scope.ends > _latest_end(scope.starts):
        yield Flaw("ends", "C2", f"期間が{LONGEST_YEARS}年を超えます。短くして、期限の前に改めて同意を得てください。")


def _latest_end(starts: datetime) -> datetime:
    there = starts.astimezone(JAPAN)
    return datetime.combine(years_after(there.date(), LONGEST_YEARS), there.time(), JAPAN)


def widens(scope: Scope, past: Sequence[Version]) -> bool:
    """Whether it reaches where the version before does not. One that opened nothing reached nowhere (C3)."""
    before = past[-1].scope
    return before is None or not scope.within(before)


def _evidence_flaws(asked: RecordConsent, scope: Scope, past: Sequence[Version]) -> Iterator[Flaw]:
    new = asked.evidence_digest and asked.evidence_digest not in {one.evidence_digest for one in past}
    new = new or (asked.evidence and asked.evidence not in {one.evidence for one in past})
    if not new and widens(scope, past):
        message = (
            "これまでの同意より範囲が広くなります。広げた範囲の同意を本人から新しく得て、"
            "その書面の写しか文書番号を付けてください。"
        )
        yield Flaw("evidence", "C3", message)


def taking_flaws(obtained_by: str, obtained_on: date, now: datetime, not_before: date | None = None) -> Iterator[Flaw]:
    """What is wrong with who learnt the person's will, and when: nobody withdraws before having consented."""
    if not obtained_by.strip():
        yield Flaw("obtained_by", "C2", "本人の意思を確かめた人を書いてください。")
    if obtained_on > now.astimezone(JAPAN).date():
        yield Flaw("obtained_on", "C1", "確かめた日が今日より後です。年月日を確かめてください。")
    if not_before and obtained_on < not_before:
        yield Flaw("obtained_on", "C11", "確かめた日が、同意を得た日より前です。年月日を確かめてください。")
    yield from _one_text("obtained_by", obtained_by)


def _text_flaws(asked: RecordConsent) -> Iterator[Flaw]:
    if asked.signer is not Signer.PERSON and not asked.signer_name.strip():
        yield Flaw("signer_name", "C2", "本人に代わって同意した人の氏名を書いてください。")
    yield from _one_text("signer_name", asked.signer_name)
    yield from _one_text("note", asked.note, lines=True)


def _one_text(field: str, text: str, lines: bool = False) -> Iterator[Flaw]:
    try:
        check_text(text, lines=lines)
    except Refused as refused:
        yield Flaw(field, refused.rule, refused.message)


def is_behind(now: datetime, highest: datetime | None) -> bool:
    """Whether the ledger's clock ran back by more than a minute behind what it has already written (8.10)."""
    return highest is not None and (highest - now).total_seconds() > CLOCK_SECONDS


CLOCK_SECONDS = 60
CLOCK_ROW = "CLOCK"
CLOCK_REASON = "同意の台帳の時計が、記録済みの時刻より遅れています。"
CLOCK_NEXT = "台帳(intake)の機械の時計を正しく合わせてください。合うまでは何も共有しません。"
