"""Juso is told from whom what leads to the people of a case is hidden, so that its papers hide it, too (S18).

Shien is not: intake has forgotten by which reference it knows a case (consent.md 8.1).
"""

from uuid import UUID

from sqlalchemy import select

from contracts.intake import SecrecyChanged
from contracts.message import Event
from services.intake import secrecy
from services.intake.tables import handover, household_member, juso_case
from services.intake.versions import lock
from services.service import Tx

ALSO_ON_THE_DESK = (
    "支援会議の事案の書類には、受付からは伝わりません。"
    "支援会議の画面の「書類」でも、秘匿を設定し、または解いてください。"
)


def tell_juso(key: UUID, tx: Tx) -> list[Event]:
    """How it stands with the case of a referral; nothing where juso has none, or nothing was ever set.

    Only who is named for every 秘匿 member sees all: one door is one door. ``version`` counts what was set, so that
    the later one counts whatever comes first.
    """
    lock([key], tx, shared=False)
    case = tx.execute(select(juso_case.c.case_ref).where(juso_case.c.referral == key)).scalar()
    mine = tx.execute(select(household_member.c.member).where(household_member.c.referral == key)).scalars().all()
    known = secrecy.secrets(mine, tx)
    if case is None or not known:
        return []
    hidden = {who: one for who, one in known.items() if one.secret}
    named = frozenset.intersection(*(one.viewers for one in hidden.values())) if hidden else frozenset()
    return [
        SecrecyChanged(
            about=case,
            version=sum(one.number for one in known.values()),
            members=tuple(sorted(hidden)),
            viewers=tuple(sorted(named)),
        )
    ]


def step_for(key: UUID, tx: Tx) -> str:
    """What else has to be done: a case of this referral in shien hides nothing by itself."""
    had = tx.execute(select(handover.c.referral).where(handover.c.referral == key)).first()
    return ALSO_ON_THE_DESK if had else ""
