"""Whether a step of a case's life may rest on the paper it names."""

from sqlalchemy import select

from contracts.forms import FormKind
from contracts.life import TakeStep
from contracts.papers import carries
from services.coordination.life_terms import Refusal
from services.coordination.tables import paper
from services.service import Tx

NO_PAPER = Refusal(
    "T2",
    "この事案に、その書類のその版はありません。",
    "事案の書類の一覧から選び直してください。",
)
OTHER_FORM = Refusal(
    "T2",
    "この手順は、その書類に基づいては行えません。",
    "アセスメントはアセスメントシート、プラン案はプラン、評価は評価シートに基づいて記録してください。",
)


def unsupported(asked: TakeStep, tx: Tx) -> Refusal | None:
    """None if the act names no paper, or a version of one of this case, of a form for this step (T2)."""
    ref, act = asked.act.paper, asked.act
    if ref is None:
        return None
    wanted = paper.c.case == asked.case, paper.c.paper == ref.paper, paper.c.version == ref.version
    row = tx.execute(select(paper.c.form, paper.c.kind, paper.c.edition).where(*wanted)).first()
    if row is None:
        return NO_PAPER
    same = act.form in ("", f"{row.form}@{row.edition}")
    return None if same and carries(act.step, FormKind(row.kind), row.form) else OTHER_FORM
