"""A filled form of a case on paper: decided as an export, with a row of its own, masked as on the screen (S18)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid5

from sqlalchemy import select

from contracts.message import Account, Compartment
from contracts.papers import PaperHead, PaperView, ReadPaper
from contracts.permit import ReportSpent
from contracts.policy import NEVER, Category, Decision
from contracts.policy_terms import Act
from contracts.printing import PrintPaper
from contracts.purpose import Purpose
from services import sharing
from services.coordination import domain, showing
from services.coordination.handlers import service
from services.coordination.papers import read_paper
from services.coordination.showing import Viewer
from services.coordination.tables import commissions, consents, disclosure, item
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Shared, Verdicts

CHANGED = "同意か委嘱が、いま変わりました。"
_AGAIN = "書類の画面を読み直して、もう一度行ってください。"


@service.performs(PrintPaper)
async def print_paper(asked: PrintPaper, work: Work) -> PaperView:
    """The version to be printed, for whom it may be given out on paper. Raises AskFailed.

    It is read before, to know whether it holds tax data (S9), and again once its row is written.
    """
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    reading = ReadPaper.model_validate(asked.model_dump())
    view = await read_paper(reading, work)
    if viewer is None or not view.found or view.head is None or view.withheld or view.erased:
        return view
    act = _Act(asked, viewer, view.head, work.now())
    verdicts = await _permitted(act, work)
    refusal = await work.run(partial(_register, act, verdicts))
    if permits := tuple(one.permit.permit for one in verdicts.allowed if one.permit):
        with suppress(AskFailed):  # they run out by themselves
            await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)
    return view.model_copy(update=refusal) if refusal else await read_paper(reading, work)


@dataclass(frozen=True)
class _Act:
    """One printing of one version by one person."""

    asked: PrintPaper
    viewer: Viewer
    head: PaperHead
    began: datetime

    @property
    def row(self) -> UUID:
        """The id of its row in the register: the same again on the same day writes none twice."""
        return uuid5(self.asked.request, f"{self.head.paper} {self.head.version} {self.viewer} {self.day}")

    @property
    def day(self) -> str:
        return domain.today(self.began).isoformat()


async def _permitted(act: _Act, work: Work) -> Verdicts:
    """Whether it may be given out, by the policy and in juso by the ledger; nothing where the row is there already."""

    def wanted(tx: Tx) -> list[Share]:
        share = _share(act, tx)
        return [] if share is None or _is_written(share, tx) else [share]

    hosted = domain.hosted_by_municipality(work.profile)
    return await sharing.permitted(work, await work.run(wanted), hosted_by_municipality=hosted)


def _share(act: _Act, tx: Tx) -> Share | None:
    """The paper as an export to whoever prints it, of the newest item of the case that may be; else of the newest."""
    category, juso = Category(act.head.category), tx.here is Compartment.JUSO
    mine = item.c.case == act.asked.case, item.c.category == category
    rows = tx.execute(select(item).where(*mine).order_by(item.c.put_at.desc(), item.c.id)).all()
    if not rows or (juso and not sharing.is_fresh(consents, tx)):
        return None
    who = act.viewer
    bond = None if juso else sharing.commission_of(commissions, who.person, who.agency, tx.now, tx)
    head = sharing.heads(consents, tx, [act.asked.case]).get(act.asked.case) if juso else None
    shares = [
        Share(
            id=act.row,
            act=Act.EXPORT,
            item=row.id,
            case=row.case,
            member=row.member,
            category=category,
            purpose=Purpose(row.purpose),
            agency=who.agency,
            person=who.person,
            head=head,
            commission=bond[0] if bond else None,
            commission_period=bond[1] if bond else NEVER,
        )
        for row in rows
    ]
    return next((one for one in shares if _judge(one, tx).allowed), shares[0])


def _judge(share: Share, tx: Tx) -> Decision:
    hosted = domain.hosted_by_municipality(tx.profile)
    return sharing.judge(share, tx.here, tx.now, hosted_by_municipality=hosted)


def _is_written(share: Share, tx: Tx) -> bool:
    return tx.execute(select(disclosure.c.id).where(disclosure.c.id == share.id)).first() is not None


def _register(act: _Act, verdicts: Verdicts, tx: Tx) -> dict[str, object]:
    """Write the row of what is still allowed. Else what the view says instead of answers."""
    decided_by = f"coordination@{tx.here}"
    for one in verdicts.refused:
        sharing.note(one, decided_by, tx)
    now = _share(act, tx)
    judged = _judge(now, tx) if now else None
    if now is None or judged is None or not judged.allowed:
        return _withheld(judged or next((one.decision for one in verdicts.refused), None))
    if _is_written(now, tx):
        return {}
    allowed = [one for one in verdicts.allowed if (one.share.head, one.share.item) == (now.head, now.item)]
    if not allowed:
        return _withheld(next((one.decision for one in verdicts.refused), None))
    _record(act, allowed[0], decided_by, tx)
    return {}


def _record(act: _Act, one: Shared, decided_by: str, tx: Tx) -> None:
    sharing.record(disclosure, [one], decided_by, tx)
    form, actor = act.head.form[:40], str(act.viewer.person)  # as much as a detail of the audit log holds
    tx.audit(act="print", outcome="allow", rule="S18", actor=actor, case=act.asked.case, detail=form)


def _withheld(decision: Decision | None) -> dict[str, object]:
    said = {"values": {}, "masked": (), "withheld": True}
    if decision is None:
        return said | {"rule": "C11", "reason": CHANGED, "next_step": _AGAIN}
    rule = decision.rules[0] if decision.rules else decision.rule
    return said | {"rule": rule, "reason": decision.reason, "next_step": decision.next_step or _AGAIN}
