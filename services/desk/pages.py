"""What the pages show: pure assembling of the other services' replies. No asking, no clock, no HTML."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.coordination import CaseView
from contracts.directory import StaffView
from contracts.holding import Mode
from contracts.intake import Particulars
from contracts.legal_basis import CATALOGUE
from contracts.meetings import ItemView, SeatView, SittingList, SittingView, WaitingView
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT
from services.desk import words
from services.desk.deliveries import call_text, delivery_text

WEEKS_AHEAD = 8
"""How far 「このあと」 looks, after the week shown."""
SHOWN_ON_WEEK = 50
"""Cases without a date that the week lists; the rest is on the list of cases."""


@dataclass(frozen=True)
class Known:
    """What one request could find out. None: the service did not answer, and the page says so in its place.

    ``cases``: those that whoever signed in may see.
    """

    profile: Profile
    compartment: Compartment
    staff: Mapping[UUID, StaffView] | None
    cases: Mapping[UUID, CaseView]
    clients: Mapping[UUID, Particulars] | None

    def agency(self, code: str) -> str:
        """An agency's name; its code when the profile no longer has it."""
        return next((a.name for a in self.profile.agencies if a.code == code), code)

    def place(self, code: str, room: str | None = None, mode: Mode = "in_person") -> str:
        """Where a sitting is held, as people read it."""
        return words.place_name(self.profile, code, room, mode)

    def body(self, code: str) -> str:
        """What a body is called here. The name says nothing about its kind (M13)."""
        return next((b.name for b in self.profile.bodies if b.code == code), code)


@dataclass(frozen=True)
class CaseLine:
    """A case in a list. ``name`` is who it is about, or why that is not shown."""

    case: UUID
    number: str
    name: str
    named: bool
    next: str = ""
    purpose: str = ""
    order: int = 0
    urgent: bool = False
    why: str = ""
    received: str = ""
    state: str = ""
    consent: str = ""
    starts: str = ""
    referrer: str = ""
    leaving: tuple[str, ...] = ()
    """Agencies that leave the room while this item is heard: its consent does not name them (C3, M6)."""


@dataclass(frozen=True)
class SeatLine:
    """A seat in a sitting. ``call`` says why its holder must be telephoned; empty when mail does it.

    A ``cancelled`` one is shown so that everybody knows, and counts for nothing.
    """

    agency: str
    name: str
    need: str
    answer: str
    notice: str
    call: str
    cancelled: bool


@dataclass(frozen=True)
class SittingCard:
    """A sitting with its agenda and its seats."""

    sitting: UUID
    body: str
    article: str
    basis: str
    when: str
    starts: datetime
    place: str
    why: str
    regular: bool
    items: tuple[CaseLine, ...]
    seats: tuple[SeatLine, ...]
    invited: int
    answered: int
    counts: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...]
    change: str = ""
    """Where its date, room and people are changed; empty where nobody can from here."""


@dataclass(frozen=True)
class Week:
    """A week of Japan from Monday, and what comes after it."""

    monday: date
    is_this_week: bool
    sittings: tuple[SittingCard, ...]
    later: tuple[SittingCard, ...]
    searching: tuple[CaseLine, ...]
    waiting: tuple[CaseLine, ...]
    more: int

    @property
    def sunday(self) -> date:
        """The last day."""
        return self.monday + timedelta(days=6)

    @property
    def previous(self) -> str:
        """The Monday before, as the address wants it."""
        return (self.monday - timedelta(days=7)).isoformat()

    @property
    def next(self) -> str:
        """The Monday after, as the address wants it."""
        return (self.monday + timedelta(days=7)).isoformat()


def week_bounds(monday: date) -> tuple[datetime, datetime]:
    """From the Monday's first instant in Japan to the end of what the page looks ahead; the end is not included."""
    return words.midnight(monday), words.midnight(monday + timedelta(weeks=1 + WEEKS_AHEAD))


def only_seen(found: SittingList, cases: Iterable[CaseView], person: UUID, *, holds: bool = False) -> SittingList:
    """What of the sittings this person may see: other cases leave no item, no reason for a date and no number.

    A 随時 sitting is called for its cases: without one in sight only who sits there knows of it. ``holds``: this person
    holds the meetings, and has to reach everybody who sits there or has been called off.
    """
    seen = {one.case for one in cases if not one.stopped}
    sittings = (_with_items(one, seen, None if holds else {person}) for one in found.sittings)
    return SittingList(
        sittings=tuple(
            one for one in sittings if one.regular or one.items or person in {seat.person for seat in one.seats}
        ),
        waiting=tuple(one for one in found.waiting if one.case in seen),
    )


def _with_items(sitting: SittingView, seen: Collection[UUID], persons: Collection[UUID] | None) -> SittingView:
    """The items of these cases, with those who sit there for all or for one of these, and these persons (P5).

    No ``persons``: everybody who sits there.
    """
    items = tuple(item for item in sitting.items if item.case in seen)
    called = {code for item in items for code in item.calls}
    seats = (
        one
        for one in sitting.seats
        if persons is None or not one.partly or one.person in persons or one.agency in called
    )
    return sitting.model_copy(update={"items": items, "seats": tuple(seats)})


def holds_meetings(profile: Profile, here: Compartment | None, agency: str | None) -> bool:
    """Whether an agency holds the meetings of this compartment: in shien the 市町村 alone (P1, S1)."""
    kinds = ("municipality", "coordinator") if here is Compartment.JUSO else ("municipality",)
    return any(one.code == agency and one.kind in kinds for one in profile.agencies)


def of_case(sitting: SittingView, case: UUID) -> SittingView:
    """A sitting as a page about one case shows it: neither the other items nor whoever comes for them."""
    return _with_items(sitting, {case}, ())


def cases_of(found: SittingList, cases: Iterable[CaseView]) -> list[UUID]:
    """The cases whose names the week shows, each once; nobody is named in a stopped one."""
    shown = [item.case for sitting in found.sittings for item in sitting.items]
    shown += [one.case for one in found.waiting[:SHOWN_ON_WEEK]]
    shown += [one.case for one in _not_placed(found, cases)[:SHOWN_ON_WEEK] if not one.stopped]
    return list(dict.fromkeys(shown))


def week(monday: date, today: date, found: SittingList, known: Known) -> Week:
    """The week that begins on ``monday``. Days are days in Japan."""
    end = words.midnight(monday + timedelta(weeks=1))
    sittings = sorted(found.sittings, key=lambda one: (one.starts, one.sitting))
    waiting = _not_placed(found, known.cases.values())
    return Week(
        monday,
        monday == words.monday_of(today),
        tuple(sitting_card(one, known) for one in sittings if one.starts < end),
        tuple(sitting_card(one, known) for one in sittings if one.starts >= end),
        tuple(_searching_line(one, known) for one in found.waiting[:SHOWN_ON_WEEK]),
        tuple(case_line(one, known) for one in waiting[:SHOWN_ON_WEEK]),
        max(0, len(found.waiting) - SHOWN_ON_WEEK) + max(0, len(waiting) - SHOWN_ON_WEEK),
    )


def _not_placed(found: SittingList, cases: Iterable[CaseView]) -> list[CaseView]:
    """Cases that neither sit on an agenda nor are looked after by the search for a date."""
    searched = {one.case for one in found.waiting}
    return [case for case in cases if case.state != "placed" and case.case not in searched]


def sitting_card(sitting: SittingView, known: Known) -> SittingCard:
    """A sitting as people read it."""
    basis = CATALOGUE.get(sitting.basis)
    ordered = sorted(sitting.items, key=lambda one: one.order)
    answers: list[str] = [seat.answer for seat in sitting.seats if not seat.cancelled]
    return SittingCard(
        sitting.sitting,
        known.body(sitting.body),
        basis.article if basis else sitting.basis,
        basis.name if basis else "",
        words.span(sitting.starts, sitting.ends),
        sitting.starts,
        known.place(sitting.place, sitting.room, sitting.mode),
        sitting.why,
        sitting.regular,
        tuple(_item_line(item, place, known) for place, item in enumerate(ordered, 1)),
        tuple(_seat_line(seat, known) for seat in sitting.seats),
        len(answers),
        len(answers) - answers.count("none"),
        tuple((text, answers.count(code)) for code, text in words.ANSWER_TEXT.items()),
        tuple(_warnings(sitting, known)),
        _where_changed(sitting),
    )


def _where_changed(sitting: SittingView) -> str:
    """A regular sitting is planned anew by itself (M9), a 随時 one by its case, if that is in sight."""
    if sitting.regular:
        return f"/sittings/{sitting.sitting}/move"
    return f"/cases/{sitting.items[0].case}/dates" if sitting.items else ""


def case_line(case: CaseView, known: Known) -> CaseLine:
    """A case as the lists show it; a stopped one says nothing but that, and what to do."""
    if case.stopped:
        return _stopped_line(case, known)
    return CaseLine(
        case.case,
        *_label(case.case, known),
        next=words.next_step(case, known.compartment),
        urgent=case.urgent,
        received=words.era_date(case.received_on),
        state=words.stands(case),
        consent=words.consent_text(case.ground),
        starts=words.moment(case.sitting_starts) if case.sitting_starts else "",
        referrer=known.agency(case.referrer),
    )


def _stopped_line(case: CaseView, known: Known) -> CaseLine:
    return CaseLine(
        case.case,
        _reference(case.case),
        "内容は表示しません",
        named=False,
        next=words.next_step(case, known.compartment),
        received=words.era_date(case.received_on),
        state=words.STOP_TEXT.get(case.stop_reason, words.STOP_TEXT["no_consent"]),
        consent=words.consent_text(case.ground),
        referrer="—",
    )


def _item_line(item: ItemView, place: int, known: Known) -> CaseLine:
    case = known.cases.get(item.case)
    return CaseLine(
        item.case,
        *_label(item.case, known),
        next=words.next_step(case, known.compartment, item.purpose) if case else "",
        purpose=PURPOSE_TEXT[item.purpose],
        order=place,
        urgent=item.urgent,
        leaving=tuple(known.agency(code) for code in item.without),
    )


def _searching_line(one: WaitingView, known: Known) -> CaseLine:
    case = known.cases.get(one.case)
    return CaseLine(
        one.case,
        *_label(one.case, known),
        next=words.next_step(case, known.compartment) if case else "",
        urgent=one.urgent,
        why=one.why,
        received=words.full_day(words.day_in_japan(one.since)),
    )


def _reference(case: UUID) -> str:
    return f"事案 {case.hex[:8]}"


def _label(case: UUID, known: Known) -> tuple[str, str, bool]:
    """Number and name of who a case is about; without them the case's own reference and the reason."""
    reference = _reference(case)
    if known.clients is None or case not in known.clients:
        return reference, "氏名を確認できません", False
    client = known.clients[case]
    if client.erased:
        return reference, "消去済み", False
    if not client.found:
        return reference, "氏名は表示できません", False
    return f"受付番号 {client.number}" if client.number else reference, client.name, True


def _seat_line(seat: SeatView, known: Known) -> SeatLine:
    person = (known.staff or {}).get(seat.person)
    has_mail = person is None or person.network != "none"
    by_hand = words.BY_HAND_TEXT[seat.by_hand] if seat.by_hand else ""
    if by_hand and person and person.phone:
        by_hand += f"電話 {person.phone}"
    return SeatLine(
        known.agency(seat.agency),
        person.name if person else "氏名を確認できません",
        words.NEED_TEXT[seat.need],
        seat.answer,
        delivery_text(seat),
        by_hand or call_text(seat, known.compartment, has_mail=has_mail),
        seat.cancelled,
    )


def _online_warnings(sitting: SittingView, known: Known) -> Iterable[str]:
    """Who cannot come into a meeting that is held online only (M4): seats whose holders have no way to the internet."""
    if sitting.mode != "online":
        return
    for seat in sitting.seats:
        person = (known.staff or {}).get(seat.person)
        if person and person.network != "internet" and not seat.cancelled:
            why = "LGWANの端末だけです" if person.network == "lgwan" else "インターネットを使えません"
            yield (
                f"{known.agency(seat.agency)}の{person.name}さんの職場は{why}。別の端末か電話で参加できるよう、"
                "手配してください(M4)。"
            )


def _warnings(sitting: SittingView, known: Known) -> Iterable[str]:
    """What the person in charge has to do before the day (P1, M4)."""
    yield from _online_warnings(sitting, known)
    for lost in sitting.broken:
        yield f"開けなくなる理由: {lost}。「日時・出席者を変える」から、変更の少ない案を選んでください。"
    for seat in sitting.seats:
        if seat.need == "required" and seat.answer == "absent" and not seat.cancelled:
            rule = "(P1)" if known.compartment is Compartment.JUSO else ""
            yield f"必須の{known.agency(seat.agency)}が欠席の回答です。代わりの人か別の日を相談してください{rule}。"
