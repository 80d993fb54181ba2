"""Intake tells how many of a household are unasked; until that is nobody it is due of the case (S18)."""

from collections.abc import Iterable

from contracts.intake import MembersUnasked
from contracts.message import Event
from services.coordination.handlers import service
from services.coordination.unasked import keep
from services.service import Tx


@service.on(MembersUnasked)
def learn_unasked(told: MembersUnasked, tx: Tx) -> Iterable[Event]:
    """Keep the number, whether or not the case is there yet."""
    keep(told.about, told.version, told.number, told.on, tx)
    return ()
