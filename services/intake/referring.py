"""A つなぐシート typed in at a desk becomes a referral like one of a file: stored once, told where its consent says.

Whoever typed it stands in the audit log. An agency refers in its own name; the office types for everybody who brings
a sheet on paper.
"""

from collections.abc import Iterable

from sqlalchemy import select

from contracts.intake import Sheet
from contracts.message import Event
from contracts.referring import DeskRefer, Referred, ShienRefer
from contracts.text import Refused as BadText
from services.intake import domain
from services.intake.deeds import NOT_OFFICE, Outcome, acts_for_office, flawed, once, refused
from services.intake.handlers import service, take_in
from services.intake.tables import referral
from services.service import Tx

NOT_YOURS = (
    "referrer-other",
    "ほかの機関のつなぐシートは、市町村か多機関協働の受付の人だけが書き入れられます。",
    "紹介元に自分の機関を選ぶか、市町村の受付担当に渡してください。",
)
NUMBER_SIGNS = 8


@service.does(DeskRefer)
@service.does(ShienRefer)
def refer(asked: DeskRefer | ShienRefer, tx: Tx) -> tuple[Referred, Iterable[Event]]:
    """Take the sheet in, under a number given by chance. A refusal names field and rule and leaves nothing."""

    def act() -> Outcome[Referred]:
        if asked.by.agency not in {one.code for one in tx.profile.agencies}:
            return refused(Referred, *NOT_OFFICE), asked.request, ()
        if asked.sheet.referrer != asked.by.agency and not acts_for_office(asked.by, tx.profile):
            return refused(Referred, *NOT_YOURS), asked.request, ()
        try:
            kana = domain.katakana(asked.sheet.kana)
        except BadText as wrong:
            flaw = domain.Flaw("kana", wrong.rule, wrong.message)
            return flawed(Referred, flaw, domain.LABELS["kana"]), asked.request, ()
        number = tx.ref().hex[-NUMBER_SIGNS:].upper()
        said = asked.sheet.model_dump() | {"kana": kana, "number": number, "municipality": tx.profile.municipality}
        result, events = take_in(Sheet.model_validate(said), tx)
        if result.outcome != "accepted":
            return refused(Referred, result.rule, f"{result.field}: {result.message}"), asked.request, ()
        mine = referral.c.referrer == asked.sheet.referrer, referral.c.number == number
        key = tx.execute(select(referral.c.id).where(*mine)).scalar_one()
        return Referred(done=True, referral=key, number=number, next_step=result.message), key, events

    return once(asked, Referred, tx, act)
