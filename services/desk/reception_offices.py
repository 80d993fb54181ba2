"""Which questions each desk asks the office of intake: the same acts under subjects that the other desk cannot say."""

from dataclasses import dataclass

from contracts import reception as juso
from contracts import reception_shien as shien
from contracts.household import ChangeHousehold, LookAtHousehold, LookAtShown, NoteDetail, RecordMemberConsent
from contracts.household import SetSecrecy as Secrecy
from contracts.message import Compartment
from contracts.office import DeskOfficer, ShienOfficer
from contracts.referring import DeskRefer, ShienRefer
from contracts.same_person import DecideSame, LookAtDuplicates
from contracts.signals import DropSignal, LookAtSignals, ReportSignal
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList


@dataclass(frozen=True)
class Office:
    """The door to intake of one kind of meeting."""

    officer: type[DeskOfficer | ShienOfficer]
    refer: type[DeskRefer | ShienRefer]
    triage_list: type[LookAtTriageList]
    triage: type[LookAtTriage]
    decide_triage: type[DecideTriage]
    duplicates: type[LookAtDuplicates]
    decide_same: type[DecideSame]
    household: type[LookAtHousehold]
    change_household: type[ChangeHousehold]
    member_consent: type[RecordMemberConsent]
    detail: type[NoteDetail]
    secrecy: type[Secrecy]
    shown: type[LookAtShown]
    report_signal: type[ReportSignal]
    signals: type[LookAtSignals]
    drop_signal: type[DropSignal]


OFFICES = {
    Compartment.JUSO: Office(
        officer=DeskOfficer,
        refer=DeskRefer,
        triage_list=juso.DeskTriageList,
        triage=juso.DeskTriage,
        decide_triage=juso.DeskDecideTriage,
        duplicates=juso.DeskDuplicates,
        decide_same=juso.DeskDecideSame,
        household=juso.DeskHousehold,
        change_household=juso.DeskChangeHousehold,
        member_consent=juso.DeskMemberConsent,
        detail=juso.DeskDetail,
        secrecy=juso.DeskSecrecy,
        shown=juso.DeskShown,
        report_signal=juso.DeskReportSignal,
        signals=juso.DeskSignals,
        drop_signal=juso.DeskDropSignal,
    ),
    Compartment.SHIEN: Office(
        officer=ShienOfficer,
        refer=ShienRefer,
        triage_list=shien.ShienTriageList,
        triage=shien.ShienTriage,
        decide_triage=shien.ShienDecideTriage,
        duplicates=shien.ShienDuplicates,
        decide_same=shien.ShienDecideSame,
        household=shien.ShienHousehold,
        change_household=shien.ShienChangeHousehold,
        member_consent=shien.ShienMemberConsent,
        detail=shien.ShienDetail,
        secrecy=shien.ShienSecrecy,
        shown=shien.ShienShown,
        report_signal=shien.ShienReportSignal,
        signals=shien.ShienSignals,
        drop_signal=shien.ShienDropSignal,
    ),
}


def office_of(compartment: Compartment | None) -> Office:
    """The office of a desk. Raises KeyError for the answer window, which has none."""
    return OFFICES[compartment]  # type: ignore[index]  # the window's None is the KeyError
