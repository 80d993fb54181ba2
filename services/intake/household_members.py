"""What is a 世帯員's own: what he or she said of sharing, where he or she is, and from whom that is kept (S18)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from contracts.consent import OPEN_STATES, ConsentState
from contracts.household import NoteDetail, RecordMemberConsent, SetSecrecy
from contracts.message import Event
from contracts.office import Done, Officer
from services.intake import ledger, members, secrecy, sight
from services.intake.concealing import step_for, tell_juso
from services.intake.consenting import Version, taking_flaws
from services.intake.deeds import Outcome, flawed, once, refused, today
from services.intake.handlers import service
from services.intake.household_rules import (
    HOUSEHOLD_LABELS,
    MEANWHILE,
    consent_flaws,
    detail_flaws,
    secrecy_flaws,
)
from services.intake.households import unseen
from services.intake.ledger_tables import version
from services.intake.members import Spell
from services.intake.reception_tables import member_consent, member_detail, secrecy_viewer
from services.intake.reception_tables import secrecy as secrecy_table
from services.intake.unasked import consent_now, tell_unasked
from services.intake.versions import is_newest, lock, versions_where
from services.service import Tx
from services.vault import seal_row

NAME_IT = "共有するには、kasane consent record で、この世帯員を範囲に入れた同意を根拠と一緒に記録してください(C3)。"
TAKEN_OUT = "同意しなかった世帯員を、本人の同意の範囲から外しました。"
NARROWED = "世帯員が同意しなかったため、範囲から外した。"


@service.does(RecordMemberConsent)
def record_member_consent(asked: RecordMemberConsent, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Record what a 世帯員 said. A no is followed at once: the consent loses this member, and juso is told."""

    def act() -> Outcome[Done]:
        spell = _member_of(asked, tx)
        if spell is None:
            return refused(Done, *unseen(asked.by, tx)), asked.referral, ()
        own = members.own_consents([asked.member], tx).get(asked.member)
        newest = versions_where(tx, version.c.referral == asked.referral, is_newest())[-1]
        flaws = consent_flaws(asked, spell.place, consent_now(spell, own, newest))
        taken = taking_flaws(asked.obtained_by, asked.obtained_on, tx.now)
        number = own[1] if own else 0
        for flaw in (*([MEANWHILE] if number != asked.after else []), *flaws, *taken):
            return flawed(Done, flaw, HOUSEHOLD_LABELS[flaw.field]), asked.referral, ()
        row = asked.model_dump(include={"member", "obtained_by", "obtained_on", "note"})
        row |= {
            "number": number + 1,
            "state": asked.state.value,
            "obtained": asked.obtained.value,
            **_stamp(asked.by, tx),
        }
        part = secrecy.part_of(asked.member, number + 1)
        tx.execute(insert(member_consent).values(seal_row(tx, asked.referral, member_consent, row, part)))
        taken_out = _take_out(asked.member, newest, tx) if asked.state in members.SAID_NO else []
        step = NAME_IT if asked.state is ConsentState.GIVEN else TAKEN_OUT if taken_out else ""
        events = [*taken_out, *tell_unasked([asked.referral], tx)]
        return Done(done=True, rule="S18", next_step=step), asked.referral, events

    lock([asked.member], tx, shared=False)
    return once(asked, Done, tx, act)


def _take_out(who: UUID, newest: Version, tx: Tx) -> list[Event]:
    """The consent's next version without this member; where nobody would be left in it, it is over."""
    if newest.state not in OPEN_STATES or newest.scope is None or who not in newest.scope.members:
        return []
    left = tuple(one for one in newest.scope.members if one != who)
    if not left:
        return ledger.close(newest.referral, ConsentState.WITHDRAWN, tx)
    scope = newest.scope.model_copy(update={"members": left})
    lock([newest.consent], tx, shared=False)
    one = replace(newest, version=newest.version + 1, scope=scope, recorded_at=tx.now, note=NARROWED)
    return ledger.add(one, newest, tx)


@service.does(NoteDetail)
def note_detail(asked: NoteDetail, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Keep where a 世帯員 lives, learns or can be reached; what was known before stays sealed beside it."""

    def act() -> Outcome[Done]:
        if _member_of(asked, tx) is None:
            return refused(Done, *unseen(asked.by, tx)), asked.referral, ()
        for flaw in detail_flaws(asked):
            return flawed(Done, flaw, HOUSEHOLD_LABELS[flaw.field]), asked.referral, ()
        mine = member_detail.c.member == asked.member, member_detail.c.detail == asked.detail.value
        number = len(tx.execute(select(member_detail.c.number).where(*mine)).all()) + 1
        row = {"member": asked.member, "detail": asked.detail.value, "number": number, "text": asked.text.strip()}
        facts: dict[str, Any] = row | {"by": asked.by.person, "at": tx.now}
        part = secrecy.part_of(asked.member, asked.detail.value, number)
        tx.execute(insert(member_detail).values(seal_row(tx, asked.referral, member_detail, facts, part)))
        return Done(done=True), asked.referral, ()

    lock([asked.member], tx, shared=False)
    return once(asked, Done, tx, act)


@service.does(SetSecrecy)
def set_secrecy(asked: SetSecrecy, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Hide what leads to a 世帯員 from everybody but those named, or lift that; from this commit on."""

    def act() -> Outcome[Done]:
        if _member_of(asked, tx) is None:
            return refused(Done, *unseen(asked.by, tx)), asked.referral, ()
        now = secrecy.secrets([asked.member], tx).get(asked.member, secrecy.Secret())
        flaws = list(secrecy_flaws(asked, now, today(tx)))
        if now.number != asked.after and not now.hides_from(asked.by.person):
            flaws.insert(0, MEANWHILE)
        for flaw in flaws:
            return flawed(Done, flaw, HOUSEHOLD_LABELS[flaw.field]), asked.referral, ()
        number = now.number + 1
        row = asked.model_dump(include={"member", "secret", "review_on", "note"})
        row |= {"number": number, "ground": asked.ground.value if asked.ground else None, **_stamp(asked.by, tx)}
        part = secrecy.part_of(asked.member, number)
        tx.execute(insert(secrecy_table).values(seal_row(tx, asked.referral, secrecy_table, row, part)))
        if asked.secret:
            key = {"member": asked.member, "number": number}
            tx.execute(insert(secrecy_viewer), [key | {"person": one} for one in dict.fromkeys(asked.viewers)])
        step = step_for(asked.referral, tx)
        return Done(done=True, rule="S18", next_step=step), asked.referral, tell_juso(asked.referral, tx)

    lock([asked.member, asked.referral], tx, shared=False)
    return once(asked, Done, tx, act)


def _member_of(asked: RecordMemberConsent | NoteDetail | SetSecrecy, tx: Tx) -> Spell | None:
    """The 世帯員 as a member of this very referral, to the 市町村; None for anybody else and for who is not of it."""
    if not sight.may_act(asked.referral, asked.by, tx):
        return None
    mine = [one for one in members.spells(tx, member=asked.member) if one.referral == asked.referral]
    return mine[-1] if mine else None


def _stamp(by: Officer, tx: Tx) -> dict[str, object]:
    return {"by": by.person, "agency": by.agency, "at": tx.now}
