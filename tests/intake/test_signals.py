"""Early signals from 地域づくり: kept without a name, read by the office, no つなぎ before the person was asked."""

import tomllib
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.erasure import EraseReason, EraseReferral
from contracts.intake import ReferralWithConsent, ReferralWithoutConsent
from contracts.office import DeskOfficer, Done, Officer, ShienOfficer
from contracts.reception import DeskDropSignal, DeskReportSignal, DeskSignals
from contracts.reception_shien import ShienDropSignal, ShienReportSignal, ShienSignals
from contracts.signals import (
    NOTICED_AT_TEXT,
    SENDER_ROLE_TEXT,
    SIGN_TEXT,
    DropSignal,
    EraseSignal,
    LookAtSignals,
    Note,
    NoticedAt,
    ReferSignal,
    ReportSignal,
    Sign,
    SignalNoted,
    Signals,
    SignalState,
)
from services import intake
from services.intake.reception_tables import showing, signal
from services.intake.signal_rules import LONGEST_NOTE
from services.intake.tables import referral
from tests.intake.officers import CITY, OUTSIDE, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

FORM = Path(__file__).parent.parent.parent / "forms" / "early_signal.1.toml"
STORY = "食堂に来る親子。この冬は上着がなく、下の子がよく眠り込む。"


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town with a 多機関協働事業者 outside."""
    return stage(intake.service, profile=TOWN_WITH_COORDINATOR)


def note(**changes: Any) -> Note:
    values: dict[str, Any] = {
        "noticed_on": date(2026, 11, 20),
        "place": NoticedAt.CANTEEN,
        "signs": (Sign.CHILD, Sign.MEALS),
        "description": STORY,
        "urgent": False,
    }
    return Note.model_validate(values | changes)


def report(desk: Stage, **changes: Any) -> SignalNoted:
    asked = {"request": uuid4(), "by": CITY, "note": note(**changes)}
    answer: SignalNoted = desk.ask(ReportSignal.model_validate(asked))
    return answer


def kept(desk: Stage, **changes: Any) -> UUID:
    found = report(desk, **changes).signal
    assert found
    return found


def listed(desk: Stage, **how: Any) -> Signals:
    answer: Signals = desk.ask(LookAtSignals.model_validate({"by": CITY} | how))
    return answer


def drop(desk: Stage, key: UUID, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "signal": key, "reason": "家庭児童相談室がすでに関わっている。"}
    answer: Done = desk.ask(DropSignal.model_validate(asked | changes))
    return answer


def refer(desk: Stage, key: UUID, **changes: Any) -> Done:
    answer: Done = desk.ask(ReferSignal.model_validate({"request": uuid4(), "by": CITY, "signal": key} | changes))
    return answer


# -- a note ------------------------------------------------------------------------------------------------------------


def test_a_note_without_a_name_is_kept_and_the_office_reads_it_word_for_word(desk: Stage) -> None:
    key = kept(desk)
    (one,) = listed(desk).signals
    assert (one.signal, one.state, one.note.description, one.note.role) == (key, SignalState.OPEN, STORY, None)


@pytest.mark.parametrize(
    ("field", "contract", "texts"), [("place", NoticedAt, NOTICED_AT_TEXT), ("signs", Sign, SIGN_TEXT)]
)
def test_the_contract_asks_what_the_form_asks(field: str, contract: type[StrEnum], texts: dict[StrEnum, str]) -> None:
    fields = {one["id"]: one for part in tomllib.loads(FORM.read_text("utf-8"))["sections"] for one in part["fields"]}
    assert fields[field]["codes"] == {code.value: texts[code] for code in contract}
    assert fields["role"]["codes"] == {code.value: text for code, text in SENDER_ROLE_TEXT.items()}
    assert set(fields) == set(Note.model_fields) - {"own"}
    assert fields["description"]["max_length"] == LONGEST_NOTE
    assert {name for name in fields if fields[name].get("required")} == {
        name for name, one in Note.model_fields.items() if one.is_required()
    }


def test_urgent_notes_come_first_and_whoever_wrote_one_is_told_to_telephone(desk: Stage) -> None:
    later = kept(desk)
    desk.pass_time(hours=1)
    answer = report(desk, urgent=True)
    assert "電話" in answer.next_step
    assert [one.signal for one in listed(desk).signals] == [answer.signal, later]


@pytest.mark.parametrize(
    ("changes", "label", "rule"),
    [
        ({"description": "あ" * 10_000}, "気づいたことの内容", "length"),
        ({"description": "\u3000"}, "気づいたことの内容", "required"),
        ({"description": "連絡先は 0984-00-1201 とのこと。"}, "気づいたことの内容", "anonymous"),
        ({"description": "０９０-００００-１２３４ に電話した。"}, "気づいたことの内容", "anonymous"),
        ({"area": "細野9901番地"}, "地区", "anonymous"),
        ({"description": "個人番号は1234 5678 9018。"}, "気づいたことの内容", "my-number"),
        ({"description": "あい\x00う"}, "気づいたことの内容", "control-sign"),
        ({"area": "細野\n校区"}, "地区", "line-break"),
        ({"signs": ()}, "気になる様子", "required"),
        ({"noticed_on": date(2026, 11, 25)}, "気づいた日", "date-future"),
        ({"noticed_on": date(1988, 2, 29)}, "気づいた日", "date-range"),
        ({"received_by": "nowhere"}, "受け取った機関", "agency-unknown"),
        ({"own": ({"field": "x_memo", "value": "0984-00-1201"},)}, "市町村の独自項目", "anonymous"),
    ],
)
def test_a_note_that_cannot_be_kept_is_told_by_field_and_rule_and_leaves_nothing(
    desk: Stage, changes: dict[str, Any], label: str, rule: str
) -> None:
    answer = report(desk, **changes)
    assert (answer.done, answer.signal, answer.rule) == (False, None, rule)
    assert answer.reason.startswith(f"{label}: ")
    assert "1201" not in answer.reason
    assert desk.do(lambda tx: tx.execute(select(signal)).all()) == []


def test_a_day_that_begins_in_japan_is_not_the_future(desk: Stage) -> None:
    desk.time = desk.time.replace(hour=15, minute=1)
    assert report(desk, noticed_on=date(2026, 11, 25)).done, "one minute past midnight in Japan"


# -- once, and by whom -------------------------------------------------------------------------------------------------


def test_the_same_request_twice_is_one_note_and_another_content_under_it_is_refused(desk: Stage) -> None:
    asked = ReportSignal(request=uuid4(), by=CITY, note=note())
    first = desk.ask(asked)
    assert desk.ask(asked) == first
    other = desk.ask(asked.model_copy(update={"note": note(urgent=True)}))
    assert (other.done, other.rule) == (False, "request-taken")
    assert len(listed(desk).signals) == 1


def test_a_refused_request_may_be_mended_and_sent_again(desk: Stage) -> None:
    asked = ReportSignal(request=uuid4(), by=CITY, note=note(signs=()))
    assert not desk.ask(asked).done
    assert desk.ask(asked.model_copy(update={"note": note()})).done


def test_only_the_office_reads_and_settles_notes(desk: Stage) -> None:
    key = kept(desk)
    stranger = CITY.model_copy(update={"agency": "jiritsu"})
    answer = listed(desk, by=stranger)
    assert (answer.done, answer.signals, answer.rule) == (False, (), "S1")
    assert answer.next_step
    assert drop(desk, key, by=stranger).rule == "S1"
    assert refer(desk, key, by=stranger, sheet=sheet()).rule == "S1"
    assert report(desk).done
    assert desk.ask(ReportSignal(request=uuid4(), by=stranger, note=note())).done, "anybody may report"


def test_each_showing_of_a_note_is_registered_once_a_day_before_it_is_shown(desk: Stage) -> None:
    key = kept(desk)
    listed(desk)
    listed(desk)
    listed(desk, by=OUTSIDE)
    rows = desk.do(lambda tx: tx.execute(select(showing)).all())
    assert {(row.subject, row.person, row.agency, row.what) for row in rows} == {
        (key, CITY.person, "kenko", "signal"),
        (key, OUTSIDE.person, "kyodo", "signal"),
    }
    desk.pass_time(days=1)
    listed(desk)
    assert len(desk.do(lambda tx: tx.execute(select(showing)).all())) == 3


# -- settled -----------------------------------------------------------------------------------------------------------


def test_a_dropped_note_keeps_its_reason_and_nobody_decides_it_again(desk: Stage) -> None:
    key = kept(desk)
    assert drop(desk, key).done
    assert listed(desk).signals == ()
    (one,) = listed(desk, settled=True).signals
    assert (one.state, one.reason) == (SignalState.DROPPED, "家庭児童相談室がすでに関わっている。")
    second = refer(desk, key, sheet=sheet())
    assert (second.done, second.rule) == (False, "signal-settled")
    assert desk.told() == []


@pytest.mark.parametrize("reason", ["", "\u3000 \n", "不要", "あ" * 10_000, "1234 5678 9018 の人"])
def test_a_note_is_not_dropped_without_a_reason_that_can_be_read(desk: Stage, reason: str) -> None:
    key = kept(desk)
    answer = drop(desk, key, reason=reason)
    assert (answer.done, answer.reason.startswith("理由: ")) == (False, True)
    assert [one.signal for one in listed(desk).signals] == [key]


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    ("state", "rule"),
    [(ConsentState.NOT_ASKED, "C6"), (ConsentState.WITHDRAWN, "C5"), (ConsentState.EXPIRED, "C5")],
)
def test_no_note_becomes_a_referral_before_the_person_was_asked(desk: Stage, state: ConsentState, rule: str) -> None:
    key = kept(desk, urgent=True)
    answer = refer(desk, key, sheet=without_consent(state, urgent=True))
    assert (answer.done, answer.rule) == (False, rule)
    assert "確認できない" in answer.reason, "and an urgent one has a way on"
    assert desk.told() == []
    assert desk.do(lambda tx: tx.execute(select(referral)).all()) == []
    assert [one.signal for one in listed(desk).signals] == [key]


def test_a_person_who_could_not_be_asked_goes_to_a_shien_meeting_with_the_reason(desk: Stage) -> None:
    key = kept(desk)
    answer = refer(desk, key, sheet=without_consent(ConsentState.COULD_NOT_ASK, reason=" "))
    assert (answer.done, answer.rule) == (False, "C4")
    assert refer(desk, key, sheet=without_consent(ConsentState.COULD_NOT_ASK)).done
    assert [type(one) for one in desk.told()] == [ReferralWithoutConsent]


def test_a_note_becomes_a_referral_like_any_other_and_says_to_nobody_which(desk: Stage) -> None:
    key = kept(desk)
    asked = ReferSignal(request=uuid4(), by=CITY, signal=key, sheet=sheet())
    assert desk.ask(asked).done
    told = desk.told()
    assert isinstance(told[-1], ReferralWithConsent)
    assert not [word for word in (str(key), STORY) for one in told if word in one.model_dump_json()]
    assert desk.ask(asked).done
    assert desk.told() == [], "once"
    (one,) = listed(desk, settled=True).signals
    assert one.state is SignalState.REFERRED
    ref = desk.do(lambda tx: str(tx.execute(select(referral.c.id)).scalar_one()))
    assert ref not in one.model_dump_json()


def test_a_sheet_that_intake_refuses_leaves_the_note_open_with_the_sheets_own_reason(desk: Stage) -> None:
    key = kept(desk)
    answer = refer(desk, key, sheet=sheet(consented_on=None))
    assert (answer.done, answer.rule, answer.reason[:4]) == (False, "C1", "同意日:")
    assert [one.signal for one in listed(desk).signals] == [key]


@pytest.mark.parametrize("settle", ["dropped", "with", "without"])
def test_an_outside_coordinator_cannot_tell_what_became_of_a_note(desk: Stage, settle: str) -> None:
    key = kept(desk)
    assert [one.signal for one in listed(desk, by=OUTSIDE).signals] == [key]
    papers = {"with": sheet(), "without": without_consent(ConsentState.REFUSED)}
    assert (drop(desk, key) if settle == "dropped" else refer(desk, key, sheet=papers[settle])).done
    assert listed(desk, by=OUTSIDE).signals == ()
    assert listed(desk, by=OUTSIDE, settled=True).rule == "S1"
    again = drop(desk, key, by=OUTSIDE)
    assert (again.done, again.rule) == (False, "signal-unknown")


def test_a_decision_on_a_note_cannot_be_undone_by_any_sql(desk: Stage) -> None:
    key = kept(desk)
    drop(desk, key)
    for change in (
        update(signal).values(state="open", settled_at=None),
        delete(signal),
        delete(showing),
    ):
        listed(desk)
        listed(desk, settled=True)
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, change=change: tx.execute(change).rowcount)
    row = {"id": uuid4(), "urgent": False, "state": "referred", "recorded_at": desk.time, "recorded_by": uuid4()}
    with pytest.raises(IntegrityError):
        desk.do(lambda tx: tx.execute(insert(signal).values(row)).rowcount)


# -- erased ------------------------------------------------------------------------------------------------------------


def test_an_erased_note_is_in_no_list_and_cannot_be_settled(desk: Stage) -> None:
    key = kept(desk)
    asked = EraseSignal(signal=key, reason=EraseReason.MISTAKE)
    assert desk.ask(asked).done
    assert desk.ask(asked).done
    assert listed(desk, settled=True).signals == ()
    assert drop(desk, key).rule == "signal-unknown"
    assert not desk.ask(EraseSignal(signal=uuid4(), reason=EraseReason.MISTAKE)).done
    (row,) = desk.do(lambda tx: tx.execute(select(signal)).all())
    assert (row.note, row.reason, row.erased_for) == (None, None, "mistake")


def test_erasing_the_referral_takes_the_note_it_came_from_along(desk: Stage) -> None:
    key, other = kept(desk), kept(desk)
    asked = ReferSignal(request=uuid4(), by=CITY, signal=key, sheet=sheet())
    desk.ask(asked)
    assert desk.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=EraseReason.REQUEST)).done
    assert [one.signal for one in listed(desk, settled=True).signals] == [other]
    again = desk.ask(asked)
    assert (again.done, again.rule) == (False, "erased"), "and the same request does not bring it back"


# -- two desks ---------------------------------------------------------------------------------------------------------

REPORT = {DeskOfficer: DeskReportSignal, ShienOfficer: ShienReportSignal, Officer: ReportSignal}
READ = {DeskOfficer: DeskSignals, ShienOfficer: ShienSignals, Officer: LookAtSignals}
DROP = {DeskOfficer: DeskDropSignal, ShienOfficer: ShienDropSignal, Officer: DropSignal}


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("typed", "reader", "agency", "seen"),
    [
        (ShienOfficer, DeskOfficer, CITY, False),
        (ShienOfficer, DeskOfficer, OUTSIDE, False),
        (ShienOfficer, Officer, OUTSIDE, False),
        (ShienOfficer, ShienOfficer, CITY, True),
        (ShienOfficer, Officer, CITY, True),
        (DeskOfficer, ShienOfficer, CITY, False),
        (DeskOfficer, DeskOfficer, OUTSIDE, True),
        (Officer, ShienOfficer, CITY, True),
        (Officer, DeskOfficer, OUTSIDE, True),
    ],
)
def test_a_note_typed_in_at_one_desk_is_neither_read_nor_settled_at_the_other(
    desk: Stage, typed: type[Officer], reader: type[Officer], agency: Officer, seen: bool
) -> None:
    writer = typed.model_validate(CITY.model_dump())
    noted = desk.ask(REPORT[typed].model_validate({"request": uuid4(), "by": writer, "note": note()}))
    by = reader.model_validate(agency.model_dump())
    found = desk.ask(READ[reader].model_validate({"by": by}))
    assert [one.signal for one in found.signals] == ([noted.signal] if seen else [])
    asked = {"request": uuid4(), "by": by, "signal": noted.signal, "reason": "元気にしていると本人が話した。"}
    assert desk.ask(DROP[reader].model_validate(asked)).done == seen
