"""A つなぐシート typed in at a desk: one person refers another, without a file and without a command (C5, C6).

A desk takes in what its own kind of meeting may hear and nothing else: that somebody did not consent is not said at the
desk of juso (C4), and the sheet of somebody who did is no business of shien (C1). Intake gives the 受付番号, by chance:
a number that somebody chose would be refused where it is taken, and so tell of a referral in the other kind of meeting.
"""

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.consent import ConsentState
from contracts.intake import SheetText
from contracts.message import Account, Message, Question
from contracts.office import DeskOfficer, Done, ShienOfficer


class Referred(Done):
    """The referral and the 受付番号 it was given, when it was taken in."""

    referral: UUID | None = None
    number: str = ""


class ConsentedText(SheetText):
    """Of somebody who agreed that it is shared, on a day (C1)."""

    consent: Literal[ConsentState.GIVEN, ConsentState.NARROWED]
    consented_on: date


class UnconsentedText(SheetText):
    """Of somebody who did not agree, or could not be asked (C4, C12)."""

    consent: Literal[ConsentState.REFUSED, ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK]
    consented_on: None = None


class Referring(Message):
    """A sheet to be taken in. ``request``: the same one twice is one."""

    request: UUID


class DeskRefer(
    Referring, Question[Referred], subject="ask.intake.desk_refer.v1", asked_from=(Account.JUSO,), inside=False
):
    """Take in a つなぎ with consent; any agency refers in its own name, the office in everybody's."""

    by: DeskOfficer
    sheet: ConsentedText


class ShienRefer(
    Referring, Question[Referred], subject="ask.intake.shien_refer.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Take in a つなぎ without consent, likewise."""

    by: ShienOfficer
    sheet: UnconsentedText
