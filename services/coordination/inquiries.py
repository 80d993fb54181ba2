"""Asking agencies for information before a meeting: whom it may be asked of, who answers, what is late (C8, S5, S6).

In juso an agency that the consent names answers on the desk: looking at the case is what registers the sharing. In
shien only 市町村 sees the desk (F13): a commissioned agency gets a letter of fixed words, and what it says is noted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError

from contracts.legal_basis import SHIEN_BASIS
from contracts.message import Compartment
from contracts.preparing import (
    SUBJECT_TEXT,
    Answer,
    AnswerInquiry,
    AnswerView,
    AskAgency,
    Asked,
    InquiryView,
    LookAtInquiries,
    OpenInquiries,
    OpenInquiry,
    Prepared,
    Subject,
)
from contracts.profile import Profile
from services.coordination import domain, roster, rostering, showing
from services.coordination.handlers import service
from services.coordination.portions import portions
from services.coordination.roster import COMMISSION_DOOR, CONSENT_DOOR, Fault
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import erased, inquiry, inquiry_answer
from services.service import Shut, Tx, Work

ASKED_IN = "inquiry.words"
SAID_IN = "inquiry_answer.words"
LONGEST_DAYS = 365
NO_INQUIRY = Fault("C8", "この照会は見つかりません。", "事案の準備シートから選び直してください。")
NOT_YOURS = Fault("C8", "この照会に答えられるのは、照会を受けた機関です。", "照会を受けた機関に伝えてください。")
SAID_BEFORE = Fault("C8", "ほかの人が先に回答しました。", "その回答を読んで、足りないことを改めて書いてください。")
ANOTHER = Fault("C8", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、記録し直してください。")


@service.performs(AskAgency)
async def ask_agency(asked: AskAgency, work: Work) -> Prepared:
    """Put questions to an agency that may know the case. The same request again is the same inquiry."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return rostering.refused(rostering.NOT_SEEN)
    return await work.run(partial(_ask, asked, viewer))


@service.performs(AnswerInquiry)
async def answer_inquiry(asked: AnswerInquiry, work: Work) -> Prepared:
    """Keep what an agency says. The same request again is the same answer."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return rostering.refused(rostering.NOT_SEEN)
    return await work.run(partial(_answer, asked, viewer))


@service.performs(LookAtInquiries)
async def look_at_inquiries(asked: LookAtInquiries, work: Work) -> OpenInquiries:
    """What waits for an answer of the cases this person may see: to be answered by his or her agency, or late."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, None, partial(_open, viewer))


# -- the rules ---------------------------------------------------------------------------------------------------------


def why_not_ask(
    asked: AskAgency, where: Compartment, may_hear: frozenset[str], profile: Profile, today: date
) -> Fault | None:
    """None if the agency can be asked this until then."""
    name = next((one.name for one in profile.agencies if one.code == asked.agency), "")
    if not name:
        return Fault("P5", "照会先の機関が、市町村の設定にありません。", "いまある機関から選び直してください。")
    if asked.agency not in may_hear:
        if where is Compartment.JUSO:
            return Fault("C8", f"{name}は、本人の同意の範囲にありません。", CONSENT_DOOR)
        return Fault("S6", f"{name}は、委嘱されていません。", COMMISSION_DOOR)
    if not asked.asks or not all(one.text.strip() for one in asked.asks):
        return Fault("C8", "照会の内容が空です。", "何を知りたいかを、項目ごとに書いてください。")
    if len({one.subject for one in asked.asks}) < len(asked.asks):
        return Fault("C8", "同じ項目が二度あります。", "一つの項目にまとめて書いてください。")
    if not today <= asked.due_on <= today + timedelta(days=LONGEST_DAYS):
        return Fault("C8", "回答の期限が、今日から1年以内ではありません。", "今日から1年以内の日にしてください。")
    return None


def why_not_answer(asked: AnswerInquiry, subjects: Iterable[Subject], today: date) -> Fault | None:
    """None if it can be kept: something is said, under a subject that was asked about, on a day that has come."""
    said = [one for one in asked.answers if one.text.strip() or one.on]
    if not said:
        return Fault("C8", "回答が空です。", "分からないときは「分からない」と書いてください。")
    if {one.subject for one in said} - set(subjects):
        return Fault("C8", "照会していない項目への回答があります。", "「その他」の照会を改めて行ってください。")
    if len({one.subject for one in said}) < len(said):
        return Fault("C8", "同じ項目への回答が二度あります。", "一つの項目にまとめて書いてください。")
    if any((one.date_of is None) != (one.on is None) for one in said):
        return Fault("C8", "日付とその種類の片方がありません。", "何の日かを選び、日付を入れてください。")
    if asked.said_on > today:
        return Fault("C8", "回答した日が、今日より後です。", "今日までの日付にしてください。")
    return None


def may_answer(agency: str, viewer: str, where: Compartment, profile: Profile) -> bool:
    """The agency that was asked; and the office, which notes what came by letter or telephone."""
    return viewer == agency or roster.may_decide(viewer, where, profile)


def letter(agency: str, subjects: Iterable[Subject], due_on: date, profile: Profile) -> str:
    """What is sent to a commissioned agency: fixed words, nothing of the case; the rest is said in person (S5, S17)."""
    name = next((one.name for one in profile.agencies if one.code == agency), agency)
    listed = "\n".join(f"・{SUBJECT_TEXT[one]}" for one in subjects)
    return (
        f"{name} 御中\n\n"
        f"{SHIEN_BASIS.article}の支援会議の準備のため、次の項目について、構成員である貴機関の情報をお尋ねします。\n\n"
        f"{listed}\n\n"
        "どなたのことかは、この文書には書きません。担当者からお電話でお伝えします。\n"
        f"回答の期限: 令和{due_on.year - 2018}年{due_on.month}月{due_on.day}日\n\n"
        f"{profile.office} 電話 {profile.office_phone}\n"
    )


# -- the transactions --------------------------------------------------------------------------------------------------


def _ask(asked: AskAgency, viewer: Viewer, tx: Tx) -> Prepared:
    known = tx.execute(select(inquiry).where(inquiry.c.request == asked.request)).first()
    if known is not None:
        return _asked_before(asked, known, tx)
    fault = rostering.closed(asked.case, viewer, tx)
    reach = rostering.may_hear(asked.case, tx)
    fault = fault or why_not_ask(asked, _here(tx), reach, tx.profile, domain.today(tx.now))
    rostering.note(tx, "inquire", asked.case, viewer, fault, "C8" if tx.here is Compartment.JUSO else "S6")
    if fault:
        return rostering.refused(fault)
    words = json.dumps([one.text for one in asked.asks], ensure_ascii=False)
    row = asked.model_dump(include={"case", "request", "agency", "due_on"})
    row |= {"id": tx.ref(), "compartment": tx.here, "asked_at": tx.now, "asked_by": viewer.person}
    row |= {"asked_for": viewer.agency, "subjects": [one.subject.value for one in asked.asks]}
    tx.execute(insert(inquiry).values(row | {"words": tx.seal(asked.case, ASKED_IN, words)}))
    return _prepared(row["id"], asked, tx)


def _asked_before(asked: AskAgency, known: Row[Any], tx: Tx) -> Prepared:
    told = (known.case, known.agency, known.due_on, _asks(known, tx))
    if told != (asked.case, asked.agency, asked.due_on, asked.asks):
        return rostering.refused(ANOTHER)
    return _prepared(known.id, asked, tx)


def _prepared(ref: UUID, asked: AskAgency, tx: Tx) -> Prepared:
    by_letter = tx.here is Compartment.SHIEN and not roster.may_decide(asked.agency, tx.here, tx.profile)
    subjects = [one.subject for one in asked.asks]
    text = letter(asked.agency, subjects, asked.due_on, tx.profile) if by_letter else ""
    return Prepared(done=True, inquiry=ref, letter=text)


def _answer(asked: AnswerInquiry, viewer: Viewer, tx: Tx) -> Prepared:
    mine = inquiry.c.id == asked.inquiry, inquiry.c.case == asked.case
    found = tx.execute(select(inquiry).where(*mine)).first()
    if found is None:
        return rostering.refused(NO_INQUIRY)
    before = _answers([asked.inquiry], tx).get(asked.inquiry, [])
    if known := next((row for row in before if row.request == asked.request), None):
        same = _said(known, tx) == (asked.answers, asked.said_by) and known.said_on == asked.said_on
        return Prepared(done=True, inquiry=found.id, number=known.number) if same else rostering.refused(ANOTHER)
    fault = _why_not(asked, found, viewer, len(before), tx)
    if fault is None:
        try:
            with tx.connection.begin_nested():
                tx.execute(insert(inquiry_answer).values(_answer_row(asked, viewer, tx)))
        except IntegrityError:  # of two who answered at once the second is told so
            fault = SAID_BEFORE
    rostering.note(tx, "answer", asked.case, viewer, fault, "C8")
    return rostering.refused(fault) if fault else Prepared(done=True, inquiry=found.id, number=asked.after + 1)


def _why_not(asked: AnswerInquiry, found: Row[Any], viewer: Viewer, before: int, tx: Tx) -> Fault | None:
    if not may_answer(found.agency, viewer.agency, _here(tx), tx.profile):
        return NOT_YOURS
    if fault := rostering.shut(asked.case, tx):
        return fault
    if before != asked.after:
        return SAID_BEFORE
    return why_not_answer(asked, map(Subject, found.subjects), domain.today(tx.now))


def _answer_row(asked: AnswerInquiry, viewer: Viewer, tx: Tx) -> dict[str, Any]:
    words = {"answers": [one.model_dump(mode="json") for one in asked.answers], "said_by": asked.said_by}
    row = asked.model_dump(include={"inquiry", "case", "request", "said_on"})
    row |= {"number": asked.after + 1, "at": tx.now, "by": viewer.person, "by_agency": viewer.agency}
    return row | {"words": tx.seal(asked.case, SAID_IN, json.dumps(words, ensure_ascii=False))}


def _here(tx: Tx) -> Compartment:
    if tx.here is None:
        raise TypeError("cases lie in a compartment")
    return tx.here


# -- reading -----------------------------------------------------------------------------------------------------------


def of_case(about: UUID, viewer: Viewer, tx: Tx) -> tuple[InquiryView, ...]:
    """All that was asked of a case and what came back, oldest first; nothing of an erased one."""
    if rostering.is_erased(about, tx):
        return ()
    rows = tx.execute(select(inquiry).where(inquiry.c.case == about).order_by(inquiry.c.asked_at, inquiry.c.id)).all()
    answers = _answers([row.id for row in rows], tx)
    return tuple(_view(row, answers.get(row.id, []), viewer, tx) for row in rows)


def _view(row: Row[Any], answers: Sequence[Row[Any]], viewer: Viewer, tx: Tx) -> InquiryView:
    return InquiryView(
        inquiry=row.id,
        agency=row.agency,
        asks=_asks(row, tx),
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        asked_for=row.asked_for,
        due_on=row.due_on,
        late=not answers and row.due_on < domain.today(tx.now),
        may_answer=may_answer(row.agency, viewer.agency, _here(tx), tx.profile),
        answers=tuple(_answer_view(one, tx) for one in answers),
    )


def _answer_view(row: Row[Any], tx: Tx) -> AnswerView:
    answers, said_by = _said(row, tx)
    facts = {name: getattr(row, name) for name in ("number", "said_on", "by", "by_agency", "at")}
    return AnswerView(answers=answers, said_by=said_by, **facts)


def _answers(inquiries: Sequence[UUID], tx: Tx) -> Mapping[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    for part in portions(inquiries):
        wanted = select(inquiry_answer).where(inquiry_answer.c.inquiry.in_(part))
        for row in tx.execute(wanted.order_by(inquiry_answer.c.inquiry, inquiry_answer.c.number)):
            found.setdefault(row.inquiry, []).append(row)
    return found


def _asks(row: Row[Any], tx: Tx) -> tuple[Asked, ...]:
    """The questions; only their subjects once the case is erased."""
    try:
        texts = json.loads(tx.open(row.case, ASKED_IN, row.words))
    except Shut:
        texts = [""] * len(row.subjects)
    return tuple(Asked(subject=one, text=text) for one, text in zip(row.subjects, texts, strict=True))


def _said(row: Row[Any], tx: Tx) -> tuple[tuple[Answer, ...], str]:
    """What was said, and by whom; nothing once the case is erased."""
    try:
        words = json.loads(tx.open(row.case, SAID_IN, row.words))
    except Shut:
        return (), ""
    return tuple(map(Answer.model_validate, words["answers"])), words["said_by"]


def _open(viewer: Viewer | None, sight: Sight, tx: Tx) -> OpenInquiries:
    if viewer is None:
        return OpenInquiries()
    answered = select(inquiry_answer.c.inquiry).where(inquiry_answer.c.inquiry == inquiry.c.id).exists()
    gone = select(erased.c.subject).where(erased.c.subject == inquiry.c.case).exists()
    today, found = domain.today(tx.now), []
    for part in portions(sight.shown):
        for row in tx.execute(select(inquiry).where(inquiry.c.case.in_(part), ~answered, ~gone)):
            one = OpenInquiry(
                case=row.case,
                inquiry=row.id,
                agency=row.agency,
                due_on=row.due_on,
                late=row.due_on < today,
                mine=row.agency == viewer.agency,
            )
            found.append(one)
    return OpenInquiries(inquiries=tuple(sorted(found, key=lambda one: (one.due_on, one.case, one.inquiry))))
