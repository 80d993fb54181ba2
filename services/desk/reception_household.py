"""「世帯」: who lives together since when, what each 世帯員 agreed to, 秘匿, and to whom it was shown (S18).

Consent, secrecy and being shown are a member's own. What is hidden from whoever signed in is named, never shown.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from contracts.consent import CONSENT_TEXT, OBTAINED_TEXT, ConsentState
from contracts.household import CHANGE_TEXT, DETAIL_TEXT, GROUND_TEXT, Change
from contracts.message import Question
from contracts.office import Done
from services.desk import words
from services.desk.asking import Asking
from services.desk.html import notice, page
from services.desk.reception_asking import Refused, closed, fresh, names_of, officer_of, say, typed
from services.desk.reception_offices import Office, office_of
from services.desk.sessions import Session
from services.desk.step_forms import text_of, uuid_of
from services.service import Work

LABELS = {
    "change": "変わること",
    "on": "その日から",
    "members": "世帯員",
    "name": "氏名",
    "age": "年齢",
    "relation": "続柄",
    "other": "一緒になる世帯のつなぎ",
    "state": "言ったこと",
    "obtained": "確かめ方",
    "obtained_by": "確かめた人",
    "obtained_on": "確かめた日",
    "note": "覚え書き",
    "detail": "項目",
    "text": "内容",
    "ground": "秘匿の理由",
    "viewers": "見てよい人",
    "review_on": "見直しの日",
}
SAYS = (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.COULD_NOT_ASK, ConsentState.WITHDRAWN)
"""What a 世帯員 can say; NOT_ASKED is nobody's word."""
SHOWN_TEXT = {"household": "世帯", "triage": "判断", "same": "同じ人の照合", "signal": "気づきメモ", "consent": "同意"}
GROUND_SHOWN = {"reception": "市町村の受付(個人情報保護法61条)", "referrer": "紹介元", "signal-office": "受付の担当"}
"""By what it was shown, where intake itself has the word; else it is a row of the policy, told by its number."""
_PLAIN = {
    "change": ("after", "change", "on", "other"),
    "consent": ("after", "member", "state", "obtained", "obtained_by", "obtained_on", "note"),
    "detail": ("member", "detail"),
    "hide": ("after", "member", "ground", "review_on", "note"),
}


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The household of a referral's client, its forms, and the register of what intake showed of it."""
    acts = acts_of(office_of(work.compartment))

    @inside.get("/reception/referrals/{ref}/household", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        return await _page(work, request.state.session, ref)

    @forms.post("/reception/referrals/{ref}/household", response_model=None)
    async def act(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        name = text_of(said, "step")
        if name not in acts:
            return await _page(work, session, ref, Refused(said, "入力の形が正しくありません。", 400))
        done = await say(work, session, said, acts[name], said_of(name, said) | {"referral": ref}, LABELS)
        if isinstance(done, Refused):
            return await _page(work, session, ref, done)
        if done.next_step:
            return await _page(work, session, ref, said=f"記録しました。{done.next_step}")
        return RedirectResponse(f"/reception/referrals/{ref}/household", 303)

    @inside.get("/reception/referrals/{ref}/shown", response_model=None)
    async def shown(request: Request, ref: str) -> Response:
        return await _shown_page(work, request.state.session, ref)


def acts_of(office: Office) -> dict[str, type[Question[Done]]]:
    """What the forms of the page ask for, by their names."""
    return {
        "change": office.change_household,
        "consent": office.member_consent,
        "detail": office.detail,
        "hide": office.secrecy,
    }


def said_of(name: str, said: FormData) -> dict[str, Any]:
    """What a form of the page says, as the question wants it."""
    values: dict[str, Any] = {one: text_of(said, one) for one in _PLAIN[name]}
    if name == "change":
        values["members"] = said.getlist("members")
        if values["change"] == Change.JOIN and (who := text_of(said, "name")):
            age = text_of(said, "age") or None
            values["newcomer"] = {"name": who, "age": age, "relation": text_of(said, "relation")}
    if name == "detail":
        values["text"] = text_of(said, "text")
    if name == "hide":
        values |= {"secret": not text_of(said, "lift"), "viewers": said.getlist("viewers")}
    return values


async def _page(work: Work, session: Session, ref: str, refusal: Refused | None = None, said: str = "") -> HTMLResponse:
    if (key := uuid_of(ref)) is None:
        return _no_referral(work, session)
    asking = Asking(work, session)
    look = office_of(work.compartment).household(by=officer_of(work, session), referral=key)
    found, staff = await asyncio.gather(work.ask(look), asking.staff())
    if not found.done:
        return closed(work, session, found)
    unasked = [one for one in found.members if not one.client and one.consent is ConsentState.NOT_ASKED]
    return page(
        work,
        "reception_household.html",
        refusal.status if refusal else 200,
        session=session,
        ref=key,
        found=found,
        names={one.member: one.name for one in found.members},
        unasked=unasked,
        past=[one for one in found.history if one.until],
        consents=CONSENT_TEXT,
        says=SAYS,
        obtained=OBTAINED_TEXT,
        changes=CHANGE_TEXT,
        details=DETAIL_TEXT,
        grounds=GROUND_TEXT,
        people=sorted((staff or {}).values(), key=lambda one: (one.agency, one.name)),
        agencies={one.code: one.name for one in work.profile.agencies},
        may_change=any(one.code == session.code and one.kind == "municipality" for one in work.profile.agencies),
        refusal=refusal.text if refusal else "",
        said=said,
        typed=typed(refusal),
        fresh=fresh,
        today=words.day_in_japan(work.now()).isoformat(),
    )


async def _shown_page(work: Work, session: Session, ref: str) -> HTMLResponse:
    if (key := uuid_of(ref)) is None:
        return _no_referral(work, session)
    look = office_of(work.compartment).shown(by=officer_of(work, session), referral=key)
    found, staff = await asyncio.gather(work.ask(look), Asking(work, session).staff())
    if not found.done:
        return closed(work, session, found)
    agencies = {one.code: one.name for one in work.profile.agencies}
    rows = [
        (
            words.moment(one.at),
            SHOWN_TEXT.get(one.what, one.what),
            f"{agencies.get(one.agency, one.agency)} {names_of(staff, one.person)}",
            "伏せて" if one.masked else "そのまま",
            GROUND_SHOWN.get(one.rule, one.rule),
        )
        for one in found.rows
    ]
    return page(work, "reception_shown.html", session=session, ref=key, rows=rows)


def _no_referral(work: Work, session: Session) -> HTMLResponse:
    return notice(work, 404, "該当するつなぎはありません", "「受付」の一覧から選び直してください。", session)
