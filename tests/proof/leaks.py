"""Planted faults that the noninterference test has to notice: each lets outsiders see something of a 支援会議.

They are what careless code does: a cache, a counter or a total that both compartments share, a refusal that knows too
much, an event that goes to one stream too many.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from contracts.challenges import ChallengeList, Challenges, NoteChallenge
from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward
from contracts.counts import CountPeriod, CountsOfPeriod
from contracts.household import ChangeHousehold, HouseholdView, LookAtHousehold
from contracts.intake import ConsentChanged, ConsentHeads, Sheet
from contracts.message import Account, Compartment, Question
from contracts.office import Officer
from contracts.papers import PaperSaved, SavePaper
from contracts.preparing import AcceptRoster, AskAgency, LookAtRoster, Prepared, RosterView
from contracts.running import Conduct, LookAtRoom, RoomView
from services import coordination, intake, meetings
from services.desk import words as desk_words
from services.intake import domain as intake_domain
from services.intake import handlers as intake_handlers
from services.intake import signals as intake_signals
from services.intake import triage
from services.intake.ledger_tables import version as version_table
from services.meetings import domain as meetings_domain
from services.notify import channels
from services.service import Service, Tx, Work
from services.store import outbox
from tests.proof.city import City


def numbered_references(patch: pytest.MonkeyPatch) -> None:
    """References counted one by one, so that a gap tells of what was drawn between."""
    patch.setattr(City, "begin_step", lambda self, name: None)


def household_tells_how_many(patch: pytest.MonkeyPatch) -> None:
    """An event with content: how many referrals there are, of both kinds."""
    facts = intake_handlers._facts

    def leaky(row: Any) -> dict[str, Any]:
        SEEN.append("referral")
        return facts(row) | {"household_size": min(99, len(SEEN))}

    patch.setattr(intake_handlers, "_facts", leaky)


def number_taken_by_anybody(patch: pytest.MonkeyPatch) -> None:
    """«Already exists» about a number of the other kind (C4): the refusal tells that there is such a referral."""
    flaws = intake_domain.flaws

    def leaky(sheet: Sheet, *rest: Any) -> Iterator[Any]:
        yield from flaws(sheet, *rest)
        if any(sheet.number[1:] == number for number in SEEN):
            yield intake_domain.Flaw("number", "number-taken", "この受付番号は使われています。")
        SEEN.append(sheet.number[1:])

    patch.setattr(intake_handlers.domain, "flaws", leaky)


def mail_counts(patch: pytest.MonkeyPatch) -> None:
    """A running number in every mail."""
    compose = channels.compose

    def leaky(*told: Any) -> bytes:
        SEEN.append("mail")
        return b"X-Number: %d\r\n" % len(SEEN) + compose(*told)

    patch.setattr(channels, "compose", leaky)


def consent_told_of_everybody(patch: pytest.MonkeyPatch) -> None:
    """Juso is told of consents that were refused, too: that somebody was asked."""
    to_shien = intake_handlers._to_shien

    def leaky(row: Any, ground: ConsentState, tx: Tx) -> Any:
        case = tx.ref()
        told = ConsentChanged(about=tx.ref(), version=1, case=case, state=ground, scope=None, recorded_at=tx.now)
        outbox_of(tx, told)
        return to_shien(row, ground, tx)

    patch.setattr(intake_handlers, "_to_shien", leaky)


def heartbeat_counts_everybody(patch: pytest.MonkeyPatch) -> None:
    """The ledger's heads count what juso was never told: its replicas fence themselves while shien has cases."""
    answer = intake.service.answers_to[ConsentHeads]

    def leaky(question: Any, tx: Tx) -> Any:
        everybody = tx.connection.scalar(select(func.count()).select_from(version_table)) or 0
        return answer.act(question, tx).model_copy(update={"consents": everybody})

    patch.setitem(intake.service.answers_to, ConsentHeads, replace(answer, act=leaky))


def agenda_shared(patch: pytest.MonkeyPatch) -> None:
    """A full agenda because of the other kind's items: a cache that both compartments use."""
    take_up = meetings.service.reactions[ItemPutForward]

    def counting(told: Any, tx: Tx) -> Any:
        SEEN.append(tx.here)
        return take_up(told, tx)

    answer_by = meetings_domain.answer_by
    patch.setitem(meetings.service.reactions, ItemPutForward, counting)
    patch.setattr(
        meetings_domain, "answer_by", lambda *told: answer_by(*told) - timedelta(minutes=SEEN.count(Compartment.SHIEN))
    )


def names_in_the_outbox(patch: pytest.MonkeyPatch) -> None:
    """Whom a shien case is about, told to juso's stream by a forgotten copy."""
    collect = City._collect

    def leaky(self: City, names: set[str]) -> None:
        before = len(self.stored[Account.SHIEN])
        collect(self, names)
        self.stored[Account.JUSO] += self.stored[Account.SHIEN][before:]

    patch.setattr(City, "_collect", leaky)


def dashboard_counts_everybody(patch: pytest.MonkeyPatch) -> None:
    """A total on every juso page that counts shien's referrals."""
    word = desk_words.consent_text

    def leaky(state: ConsentState) -> str:
        return f"{word(state)} (全{len(SEEN)}件)"

    patch.setattr(desk_words, "consent_text", leaky)
    household_silent(patch)


def household_silent(patch: pytest.MonkeyPatch) -> None:
    """Counts referrals without telling the number in an event."""
    facts = intake_handlers._facts

    def counting(row: Any) -> dict[str, Any]:
        SEEN.append("referral")
        return facts(row)

    patch.setattr(intake_handlers, "_facts", counting)


def errors_that_count(patch: pytest.MonkeyPatch) -> None:
    """What an import answers says how many sheets there are by now."""
    take_in = intake_handlers._take_in

    def leaky(*sheet: Any) -> Any:
        SEEN.append("sheet")
        result, told = take_in(*sheet)
        return result.model_copy(update={"message": f"{result.message}{len(SEEN)}"}), told

    patch.setattr(intake_handlers, "_take_in", leaky)


def answering(
    patch: pytest.MonkeyPatch, service: Service, asked: type[Question[Any]], leaky: Callable[[Any, Compartment], Any]
) -> None:
    """A service's answer, changed by a fault that knows in which compartment it is."""
    answerer = service.answers_to[asked]

    async def perform(question: Any, work: Work) -> Any:
        return leaky(await answerer.act(question, work), work.compartment or Compartment.JUSO)

    def write(question: Any, tx: Tx) -> Any:
        reply, told = answerer.act(question, tx)
        return leaky(reply, tx.compartment or Compartment.JUSO), told

    def read(question: Any, tx: Tx) -> Any:
        return leaky(answerer.act(question, tx), tx.compartment or Compartment.JUSO)

    act = {"perform": perform, "write": write, "read": read}[answerer.kind]
    patch.setitem(service.answers_to, asked, replace(answerer, act=act))


def counts_of_both(patch: pytest.MonkeyPatch) -> None:
    """The counts of juso hold what was counted in shien, too: one cache for both."""

    def leaky(found: CountsOfPeriod, here: Compartment) -> CountsOfPeriod:
        SEEN.append(here)
        more = SEEN.count(Compartment.SHIEN)
        counted = [one.model_copy(update={"count": (one.count or 0) + more}) for one in found.counted]
        return found.model_copy(update={"counted": tuple(counted)})

    answering(patch, coordination.service, CountPeriod, leaky)


def lacks_found_in_both(patch: pytest.MonkeyPatch) -> None:
    """A 地域課題 counts how often it was found in either kind of case."""
    note(patch, coordination.service, NoteChallenge)

    def leaky(found: ChallengeList, here: Compartment) -> ChallengeList:
        more = SEEN.count(Compartment.SHIEN) if here is Compartment.JUSO else 0
        return found.model_copy(
            update={"challenges": tuple(one.model_copy(update={"found": one.found + more}) for one in found.challenges)}
        )

    answering(patch, coordination.service, Challenges, leaky)


def papers_numbered_across(patch: pytest.MonkeyPatch) -> None:
    """Papers get running numbers, of both compartments together."""

    def leaky(saved: PaperSaved, here: Compartment) -> PaperSaved:
        SEEN.append(here)
        return saved.model_copy(update={"newer": len(SEEN)})

    answering(patch, coordination.service, SavePaper, leaky)


def inquiries_due_together(patch: pytest.MonkeyPatch) -> None:
    """An agency that has a letter of the other kind is asked for both with one number."""

    def leaky(done: Prepared, here: Compartment) -> Prepared:
        SEEN.append(here)
        return done.model_copy(update={"number": len(SEEN)})

    answering(patch, coordination.service, AskAgency, leaky)


def sitting_remembers_the_other(patch: pytest.MonkeyPatch) -> None:
    """Who runs a sitting sees how many acts were done in any."""
    note(patch, meetings.service, Conduct)

    def leaky(room: RoomView, here: Compartment) -> RoomView:
        return room.model_copy(update={"minutes_version": room.minutes_version + SEEN.count(Compartment.SHIEN)})

    answering(patch, meetings.service, LookAtRoom, leaky)


def roster_warns_of_everybody(patch: pytest.MonkeyPatch) -> None:
    """«Many sit at tables already» counts the tables of both."""
    note(patch, coordination.service, AcceptRoster)

    def leaky(view: RosterView, here: Compartment) -> RosterView:
        proposal = view.proposal.model_copy(update={"warns_above": SEEN.count(Compartment.SHIEN)})
        return view.model_copy(update={"proposal": proposal})

    answering(patch, coordination.service, LookAtRoster, leaky)


def coordinator_sees_all_that_waits(patch: pytest.MonkeyPatch) -> None:
    """The triage list of the 多機関協働事業者 holds referrals without consent."""

    def everything(keys: Sequence[UUID], by: Officer, tx: Tx) -> dict[UUID, str]:
        return dict.fromkeys(keys, "C1")

    patch.setattr(triage, "grounds", everything)


def households_counted_together(patch: pytest.MonkeyPatch) -> None:
    """The version of a household goes on with every household that changed."""
    change = intake.service.answers_to[ChangeHousehold]

    def counting(asked: ChangeHousehold, tx: Tx) -> Any:
        SEEN.append("household")
        return change.act(asked, tx)

    patch.setitem(intake.service.answers_to, ChangeHousehold, replace(change, act=counting))

    def leaky(view: HouseholdView, here: Compartment) -> HouseholdView:
        return view.model_copy(update={"version": view.version + len(SEEN)})

    answering(patch, intake.service, LookAtHousehold, leaky)


def note(patch: pytest.MonkeyPatch, service: Service, asked: type[Question[Any]]) -> None:
    """Remember in which compartment it was asked, across both."""

    def leaky(reply: Any, here: Compartment) -> Any:
        SEEN.append(here)
        return reply

    answering(patch, service, asked, leaky)


SEEN: list[Any] = []
"""What the planted faults share between the compartments, as a careless cache would."""


def notes_on_one_pile(patch: pytest.MonkeyPatch) -> None:
    """A note typed in at one desk lies at the other."""
    patch.setattr(intake_signals, "_behind_the_door", lambda by, tx: ())


LEAKS = (
    numbered_references,
    household_tells_how_many,
    number_taken_by_anybody,
    mail_counts,
    consent_told_of_everybody,
    heartbeat_counts_everybody,
    agenda_shared,
    names_in_the_outbox,
    dashboard_counts_everybody,
    errors_that_count,
    counts_of_both,
    lacks_found_in_both,
    papers_numbered_across,
    inquiries_due_together,
    sitting_remembers_the_other,
    roster_warns_of_everybody,
    coordinator_sees_all_that_waits,
    households_counted_together,
    notes_on_one_pile,
)
KINDS = {
    counts_of_both: "count",
    lacks_found_in_both: "note lack",
    papers_numbered_across: "fill in",
    inquiries_due_together: "inquire",
    sitting_remembers_the_other: "sit",
    roster_warns_of_everybody: "invite",
    households_counted_together: "join",
    notes_on_one_pile: "write note",
}
"""Faults that only histories with this deed on both sides can show: one of ten, so the search begins with these."""


def outbox_of(tx: Tx, told: ConsentChanged) -> None:
    """Tell an event past the handler."""
    row = {"event": tx.ref(), "account": "juso", "subject": told.subject, "about": told.about, "at": tx.now}
    tx.execute(insert(outbox).values(**row, body=told.model_dump_json()))
