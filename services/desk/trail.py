"""The way of one case as its page tells it: from the referral to the invitation, each step with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from contracts.coordination import CaseView, Step, TrailSteps
from contracts.explained import explanation_due
from contracts.intake import PROBLEM_TEXT, Particulars
from contracts.meetings import SittingView
from contracts.message import Compartment
from contracts.purpose import PURPOSE_TEXT
from services.desk import words
from services.desk.pages import CaseLine, Known, SittingCard, case_line, of_case, sitting_card


@dataclass(frozen=True)
class TrailLine:
    """One step of a case's way. ``when`` is empty for what is not over yet."""

    when: str
    what: str
    why: str


@dataclass(frozen=True)
class TrailPage:
    """A case from referral to invitation. ``sittings`` is None when nobody could say."""

    line: CaseLine
    client: Particulars
    born: str
    facts: tuple[tuple[str, str], ...]
    ground: str
    lines: tuple[TrailLine, ...]
    said: tuple[TrailLine, ...]
    sittings: tuple[SittingCard, ...] | None


def trail(
    found: TrailSteps, case: CaseView, sittings: Sequence[SittingView] | None, today: date, known: Known
) -> TrailPage:
    """The way of one case, each step with its time in Japan and its reason."""
    client = (known.clients or {}).get(case.case, Particulars(found=False))
    facts = [
        ("受付日", words.full_day(case.received_on)),
        ("紹介元", known.agency(case.referrer) + (f" {client.referrer_staff}" if client.referrer_staff else "")),
        ("お困りごと", "、".join(PROBLEM_TEXT[one] for one in case.problems) or "記載なし"),
        ("世帯人数", f"{case.household_size}人(本人を含む)"),
        ("関わる機関", "、".join(known.agency(code) for code in case.agencies)),
        ("いまの状態", words.stands(case)),
    ]
    if client.found:
        facts.append(("本人への説明", _explanation(client, known.compartment)))
    ordered = sorted(sittings or (), key=lambda one: one.starts)
    born = f"{words.era_date(client.born_on)}({words.age_on(client.born_on, today)}歳)" if client.born_on else "不明"
    lines = [_step_line(step, case, ordered, known) for step in sorted(found.steps, key=lambda one: one.at)]
    return TrailPage(
        case_line(case, known),
        client,
        born,
        tuple(facts),
        words.why_this_kind(case.ground, known.compartment),
        (*lines, *invitations(case.case, ordered, known)),
        tuple(TrailLine(words.moment(one.at), known.agency(one.provider), one.text) for one in found.said),
        tuple(_card_of(case, one, known) for one in ordered) if sittings is not None else None,
    )


def _explanation(client: Particulars, where: Compartment) -> str:
    """Who explained the つなぎ to the client, and when; what is lacking is due (C6).

    shien has what the sheet said and asks intake nothing: what is learnt later stands at 受付 only (consent.md 8.1).
    """
    on = words.full_day(client.explained_on) if client.explained_on else ""
    due = explanation_due(client.explained_by, client.explained_on)
    if due and where is Compartment.SHIEN:
        due = "つなぐシートに、説明者か説明日がありません。後から分かったことは「受付」にあります(C6)。"
    return " ".join(filter(None, (client.explained_by, on, due)))


def _card_of(case: CaseView, sitting: SittingView, known: Known) -> SittingCard:
    """The sitting with this case's own item: a page about one person neither lists nor counts the others."""
    return sitting_card(of_case(sitting, case.case), known)


def _step_line(step: Step, case: CaseView, sittings: Sequence[SittingView], known: Known) -> TrailLine:
    why = {
        "received": f"紹介元: {known.agency(case.referrer)}",
        "case_opened": words.why_this_kind(case.ground, known.compartment),
        "client_taken_in": "支援会議からは、ほかの記録を照会しません。",
        "item_withdrawn": "",
        "item_unplaced": "この議題は、その日の会議から外れました。",
        "item_put_forward": _purpose(step, case, sittings),
        "item_placed": _date(step, case, sittings, known),
    }[step.what]
    if step.what == "item_put_forward" and case.urgent:
        why = f"急ぎの事案です。{why}"
    when = words.full_day(case.received_on) if step.what == "received" else words.moment(step.at)
    return TrailLine(when, words.STEP_TEXT[step.what], why)


def _purpose(step: Step, case: CaseView, sittings: Sequence[SittingView]) -> str:
    """The purpose of then; of an entry that does not say, that of the case's item."""
    item = next((item for one in sittings for item in one.items if item.case == case.case), None)
    purpose = step.purpose or (item.purpose if item else None)
    return f"目的: {PURPOSE_TEXT[purpose]}" if purpose else ""


def _date(step: Step, case: CaseView, sittings: Sequence[SittingView], known: Known) -> str:
    """The date of then, which may have moved since, and why it was chosen where the sitting is still known."""
    there = step.sitting or case.sitting
    placed = next((one for one in sittings if one.sitting == there), None)
    if placed is None:
        return words.moment(step.starts) if step.starts else ""
    return f"{known.body(placed.body)} {words.moment(step.starts or placed.starts)}。{placed.why}"


def invitations(case: UUID, sittings: Sequence[SittingView], known: Known) -> Iterable[TrailLine]:
    """To how many of those who come for this case an invitation went out; the others are not even counted (P5)."""
    for one in sittings:
        seats = [seat for seat in of_case(one, case).seats if not seat.cancelled]
        sent = sum(seat.notice == "sent" for seat in seats)
        calls = sum(seat.notice == "not_sent" for seat in seats)
        what = f"案内を送りました({sent}/{len(seats)}人)" if sent else "案内はこれから送ります"
        why = f"{known.body(one.body)} {words.short_day(words.day_in_japan(one.starts))}の出席者"
        yield TrailLine("", what, why + (f"。{calls}人には電話で連絡してください。" if calls else ""))
