"""What stands on the papers of a city office: from what a desk was told to blocks that are set on pages. No asking.

Each paper has the fields that domain.md 2.7 lists for it. Cases are named by their reference here, never by the client:
papers get lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from contracts.commission import TEMPLATE_TEXT, CommissionView, CooperationView
from contracts.directory import StaffView
from contracts.legal_basis import CATALOGUE, SHIEN_BASIS, SHIEN_PURPOSE, SHIEN_SECRECY, penalty_text
from contracts.life import OUTCOME_TEXT
from contracts.message import Compartment
from contracts.printing import PrintedCopy, SittingPaper, SittingPrint
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT
from contracts.running import PROXY_TEXT, HearingView, RoomView
from services.desk import words
from services.typeset import Block, Boxed, Paper, Table, Text, facts, heading

HANDLING = "複写したり、ほかの人に渡したりしないでください。"
COLLECTED = "会議の資料は、会議の終わりに回収します。"
CONSENTED = "本人が同意した範囲で情報を共有します。同意の範囲の外の機関は、その議題の間は退室します。"


@dataclass(frozen=True)
class Printing:
    """A paper of a sitting as it is printed now. ``ref`` is what a copy that turns up is traced by."""

    paper: SittingPaper
    ref: str
    profile: Profile
    compartment: Compartment
    staff: Mapping[UUID, StaffView]
    today: date

    def agency(self, code: str) -> str:
        """An agency's name; its code when the profile no longer has it."""
        return next((one.name for one in self.profile.agencies if one.code == code), code)

    def name(self, person: UUID) -> str:
        """A person's name, from the directory."""
        found = self.staff.get(person)
        return found.name if found else "(氏名を確認できません)"

    def collects(self, body: str) -> bool:
        """Whether this body takes its papers back after the sitting (S16)."""
        found = self.profile.body(body)
        return found is not None and found.collects_papers


def sitting_papers(found: SittingPrint, printing: Printing) -> list[Paper]:
    """The copies of a sitting's paper, each with what its reader may have."""
    return [_copy(one, found, printing) for one in found.copies]


def _copy(one: PrintedCopy, found: SittingPrint, printing: Printing) -> Paper:
    room, mine = _as_seen(one, found.room), set(one.items)
    items = [item for item in room.items if item.item in mine]
    blocks = {
        SittingPaper.NOTICE: lambda: _notice(one, room, items, printing),
        SittingPaper.AGENDA: lambda: _agenda(one, room, items, printing),
        SittingPaper.MINUTES: lambda: _minutes(room, items, printing),
    }[printing.paper]()
    collects = printing.collects(room.body)
    numbered = collects or printing.compartment is Compartment.SHIEN
    of = f" / {max(found.seats, one.number)}" if one.beside is None else ""  # how many come for others is not told
    mark = f"控番号 {one.number}{of}" if numbered else ""
    mark = f"回収 {mark}" if collects and printing.paper is not SittingPaper.NOTICE else mark
    who = f"{printing.agency(one.agency)} {printing.name(one.person)}"
    return Paper(tuple(blocks), f"印刷番号 {printing.ref}-{one.number:02}  {who}", mark)


def _as_seen(one: PrintedCopy, room: RoomView) -> RoomView:
    """The room as its reader may know it: nobody who comes for another case only (P5, M6)."""
    if one.beside is None:
        return room
    known = set(one.beside)
    return room.model_copy(
        update={
            "seats": tuple(each for each in room.seats if each.agency in known),
            "attendance": tuple(each for each in room.attendance if each.agency in known),
            "items": tuple(
                each.model_copy(update={"leaving": tuple(code for code in each.leaving if code in known)})
                for each in room.items
            ),
        }
    )


def secrecy_text(day: date) -> str:
    """守秘義務と罰則 as they stand on that day (S3, S4, S14): the penalty changed its name on 2025-06-01."""
    return (
        f"守秘義務と罰則({words.era_date(day)}現在)\n"
        f"{SHIEN_BASIS.article}の支援会議の構成員は、構成員でなくなった後も、正当な理由なく、会議で知った秘密を"
        f"漏らしてはなりません({SHIEN_SECRECY})。漏らした場合は、{penalty_text(day)}に処されます。"
    )


def _secrecy(room: RoomView, printing: Printing) -> list[Block]:
    """On every paper of a 支援会議, or of a body that a 要綱 binds (S15); dated by the sitting, or today once over."""
    held = words.day_in_japan(room.starts) if room.starts else printing.today
    body = printing.profile.body(room.body)
    bylaw = body.secrecy_on(held) if body else None
    by_law: list[Block] = [Boxed(f"守秘義務({bylaw.ground})\n{bylaw.text}")] if bylaw else []
    if printing.compartment is not Compartment.SHIEN:
        return [Text(CONSENTED), *by_law]
    return [Boxed(secrecy_text(max(held, printing.today))), *by_law]


def _purpose(printing: Printing) -> list[tuple[str, str]]:
    """What the law holds a 支援会議 for, on its notice and agenda (S14)."""
    shien = printing.compartment is Compartment.SHIEN
    return [("会議の目的", f"{SHIEN_PURPOSE}({SHIEN_BASIS.article})。")] if shien else []


def _frame(room: RoomView, printing: Printing) -> list[tuple[str, str]]:
    basis = CATALOGUE.get(room.basis)
    place = words.place_name(printing.profile, room.place, room.room, room.mode)
    when = words.span(room.starts, room.ends) if room.starts and room.ends else ""
    return [("日時", when), ("場所", place), ("法的根拠", basis.article if basis else room.basis)]


def _body(room: RoomView, printing: Printing) -> str:
    found = printing.profile.body(room.body)
    return found.name if found else room.body


def _handling(room: RoomView, printing: Printing) -> str:
    body = printing.profile.body(room.body)
    kept = f"保存年限は{body.keep_years}年です。" if body and body.keep_years else ""
    return HANDLING + (COLLECTED if printing.collects(room.body) else "") + kept


def _kept(room: RoomView, printing: Printing) -> str:
    body = printing.profile.body(room.body)
    return f"保存年限: {body.keep_years}年" if body and body.keep_years else ""


def _item(one: HearingView) -> str:
    return f"事案 {one.case.hex[:8]}({PURPOSE_TEXT[one.purpose]})"


# -- 開催通知 ----------------------------------------------------------------------------------------------------------


def _notice(one: PrintedCopy, room: RoomView, items: Sequence[HearingView], printing: Printing) -> list[Block]:
    """The formal notice: who is asked to come, why, and what binds him or her."""
    need = next((seat.need for seat in room.seats if seat.person == one.person), "optional")
    profile = printing.profile
    return [
        Text(words.era_date(printing.today), align="right"),
        Text(printing.agency(one.agency), after=0.5),
        Text(f"{printing.name(one.person)} 様", 13.0, after=5),
        Text(profile.office, align="right", after=5),
        Text(f"{_body(room, printing)}の開催について(通知)", 15.0, "center", after=5),
        Text("次のとおり会議を開きますので、出席をお願いします。", after=3),
        facts(
            *_frame(room, printing),
            *_purpose(printing),
            ("出席の区分", words.NEED_TEXT[need]),
            ("議題", "\n".join(_item(item) for item in items)),
            ("出欠の回答", f"届いた案内のリンクか、電話 {profile.office_phone} でお答えください。"),
            ("資料の取扱い", _handling(room, printing)),
        ),
        *_secrecy(room, printing),
        Text(f"問い合わせ先 {profile.office} 電話 {profile.office_phone}", after=0),
    ]


# -- 次第 --------------------------------------------------------------------------------------------------------------


def _agenda(one: PrintedCopy, room: RoomView, items: Sequence[HearingView], printing: Printing) -> list[Block]:
    """The order of the sitting, and who belongs to it."""
    shien = printing.compartment is Compartment.SHIEN
    body, held = printing.profile.body(room.body), words.day_in_japan(room.starts) if room.starts else printing.today
    bound = ["守秘義務の説明、全員の確認"] if body and body.secrecy_on(held) else []
    bound = ["守秘義務と罰則の説明、全員の確認"] if shien else bound
    steps = ["開会", *bound, "成立の確認", "議題", "閉会"]
    members = [(printing.agency(seat.agency), printing.name(seat.person), words.NEED_TEXT[seat.need])
               for seat in room.seats]  # fmt: skip
    return [
        Text(f"{_body(room, printing)} 次第", 15.0, "center", after=5),
        facts(*_frame(room, printing), *_purpose(printing)),
        *_secrecy(room, printing),
        heading("順序"),
        *(Text(f"{number} {step}", indent=4, after=0.5) for number, step in enumerate(steps, 1)),
        heading("議題"),
        Table(
            (0.6, 2, 3),
            tuple((str(n), f"事案 {item.case.hex[:8]}", PURPOSE_TEXT[item.purpose]) for n, item in enumerate(items, 1)),
            ("順", "事案", "目的"),
        ),
        heading("構成員"),
        Table((3, 2.4, 1), tuple(members), ("機関", "氏名", "出席")),
        Text(f"資料の取扱い: {_handling(room, printing)}"),
    ]


# -- 会議録 ------------------------------------------------------------------------------------------------------------


def _minutes(room: RoomView, items: Sequence[HearingView], printing: Printing) -> list[Block]:
    """What was done and found; a draft until it is approved (S13)."""
    draft = "" if room.approved_at else "(案)"
    blocks: list[Block] = [
        Text(f"{_body(room, printing)} 会議録{draft}", 15.0, "center", after=5),
        facts(
            *_frame(room, printing),
            ("開会", words.moment(room.opened_at) if room.opened_at else ""),
            ("閉会", words.moment(room.closed_at) if room.closed_at else ""),
            ("成立", {"held": "成立", "case_conference": "ケース会議(成立せず)"}.get(room.verdict or "", "")),
            ("守秘義務の説明", words.moment(room.explained_at) if room.explained_at else ""),
        ),
        *_secrecy(room, printing),
        *([Text(kept)] if (kept := _kept(room, printing)) else []),
        heading("出席"),
        Table((2.6, 2, 2, 0.9, 0.9), tuple(_stays(room, printing)), ("機関", "氏名", "代理", "入室", "退室"), 9.0),
    ]
    for number, item in enumerate(items, 1):
        blocks += _heard(number, item, printing)
    return [*blocks, *_approvals(room, printing)]


def _stays(room: RoomView, printing: Printing) -> Iterable[tuple[str, ...]]:
    for one in room.attendance:
        proxy = f"代理({PROXY_TEXT[one.ground]})" if one.ground else ""
        left = words.clock(one.left_at) if one.left_at else ""
        who = printing.agency(one.agency), printing.name(one.person)
        yield (*who, proxy, words.clock(one.entered_at), left)


def _heard(number: int, item: HearingView, printing: Printing) -> list[Block]:
    title = heading(f"議題{number} {_item(item)}")
    if not item.versions:
        return [title, Text("まだ結果を記録していません。")]
    last = item.versions[-1]
    result, until = last.result, words.clock(item.done_at) if item.done_at else ""
    blocks: list[Block] = [
        title,
        facts(
            ("時刻", f"{words.clock(item.called_at)}〜{until}" if item.called_at else ""),
            ("聞いた機関", "、".join(map(printing.agency, item.heard_by))),
            ("退室した機関", "、".join(map(printing.agency, item.leaving))),
            ("結果", OUTCOME_TEXT[result.outcome]),
            ("次に扱う日", words.full_day(result.next_on) if result.next_on else ""),
            ("地域課題", "あり" if result.local_issue else ""),
            ("協議の内容", result.words),
            (
                "版",
                f"第{last.number}版 {words.moment(last.at)} {printing.agency(last.agency)} {printing.name(last.by)}",
            ),
        ),
    ]
    if result.roles:
        rows = tuple((printing.agency(one.agency), words.full_day(one.until), one.does) for one in result.roles)
        blocks += [Text("役割分担", keep=True, after=0.5), Table((2.4, 2, 3), rows, ("だれが", "いつまで", "何を"))]
    return blocks


def _approvals(room: RoomView, printing: Printing) -> list[Block]:
    given = [one for one in room.approvals if one.version == room.minutes_version]
    lines = [f"{printing.agency(one.agency)} {printing.name(one.person)} {words.moment(one.at)}" for one in given]
    if room.wanted_approvals and not room.approved_at:
        lines.append(f"承認を待っています: {'、'.join(room.wanted_approvals)}")
    return [heading("会議録の承認"), *(Text(line, indent=4, after=0.5) for line in lines or ["まだありません。"])]


# -- 委嘱状、協力依頼書 ------------------------------------------------------------------------------------------------


def commission_paper(one: CommissionView, name: str, profile: Profile) -> Paper:
    """委嘱状: organisation or person, period, ground, and the secrecy that stays when it is over (S3, S4, S6, S7).

    Assumption: the head of the municipality signs. Its date is the commission's first day, for it is never back-dated.
    """
    agency = next((found.name for found in profile.agencies if found.code == one.agency), one.agency)
    first, last = words.day_in_japan(one.starts), words.day_in_japan(one.ends - timedelta(seconds=1))
    return Paper(
        (
            Text(one.document, align="right", after=0.5),
            Text(words.era_date(first), align="right", after=8),
            Text(agency + ("" if name else " 御中"), 13.0, after=0.5),
            *([Text(f"{name} 様", 13.0)] if name else []),
            Text("委嘱状", 20.0, "center", after=10),
            Text(f"{SHIEN_BASIS.article}の支援会議の構成員を委嘱します。", 12.0, after=6),
            facts(
                ("期間", f"{words.era_date(first)}から{words.era_date(last)}まで"),
                ("根拠", SHIEN_BASIS.article),
                ("守秘義務の説明", f"{words.era_date(one.explained_on)}に説明しました。"),
            ),
            Boxed(secrecy_text(first)),
            Text(f"{profile.name}長        印", 13.0, "right", after=0),
        )
    )


def cooperation_paper(one: CooperationView, profile: Profile) -> Paper:
    """協力依頼書: fixed words to a body outside, nothing of the case (S5)."""
    agency = next((found.name for found in profile.agencies if found.code == one.agency), one.agency)
    return Paper(
        (
            Text(f"依頼番号 {one.request.hex[:8]}", align="right", after=0.5),
            Text(words.era_date(words.day_in_japan(one.asked_at)), align="right", after=6),
            Text(f"{agency} 御中", 13.0, after=6),
            Text(profile.office, align="right", after=6),
            Text("協力依頼書", 16.0, "center", after=6),
            Text(f"{SHIEN_BASIS.article}(協力の求め)に基づき、次のとおり協力を依頼します。", after=4),
            facts(
                ("求める事項", TEMPLATE_TEXT[one.template]),
                ("回答の期限", words.full_day(one.due_on)),
                ("回答の方法", f"依頼番号を添えて、書面か電話 {profile.office_phone} でお答えください。"),
                ("会議への出席", "この依頼への回答に、委嘱は要りません。話し合いが要るときは、先に委嘱します。"),
            ),
            Text(f"問い合わせ先 {profile.office} 電話 {profile.office_phone}", after=0),
        )
    )


# -- 書類 --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FilledForm:
    """A filled form of a case as one viewer may read it: what the page of it shows, too."""

    title: str
    case: str
    version: str
    form: str
    printed: str
    secrecy: str
    parts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Sections: title, and each field's label with its answer as text, 〔秘匿〕 where it is masked."""


def form_paper(one: FilledForm) -> Paper:
    """アセスメントシート, プラン, 評価シート …, filled in (T2)."""
    blocks: list[Block] = [
        Text(one.title, 15.0, "center", after=4),
        facts(("事案", one.case), ("版", one.version), ("様式", one.form)),
        *([Boxed(one.secrecy)] if one.secrecy else []),
    ]
    for title, fields in one.parts:
        filled = tuple((label, text or "(記入なし)") for label, text in fields)
        blocks += [heading(title), Table((1, 2.2), filled)] if filled else []
    return Paper(tuple(blocks), one.printed)
