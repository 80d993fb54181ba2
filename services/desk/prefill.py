"""What is known of a case already, put into an empty form; and the step of a life that a saved form makes.

Names come from what this viewer was just shown of the case; nothing is looked up, nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.coordination import CaseView
from contracts.forms import CHOICES, LONGEST, FieldType, Form, FormKind
from contracts.intake import ClientDetails, Particulars
from contracts.life import Act, LegalService, LifeView, PaperRef, Plan, Role, Step
from contracts.message import Compartment
from contracts.papers import OF_OTHERS, RESTS_ON, PaperHead, PaperView
from contracts.policy import Category
from contracts.profile import Profile
from contracts.text import squeeze
from services.desk.sessions import Session

GOES_ON = "…(続きは書類)"
UNTOLD = ClientDetails(found=False)
STEP_OF = {kind: step for step, kind in RESTS_ON.items()}


class CannotRest(Exception):
    """The step cannot be made of this paper; the text says what is missing and what to do, in Japanese."""


@dataclass(frozen=True)
class Sources:
    """What this viewer was just shown of a case, who he or she is, and the day in Japan."""

    profile: Profile
    where: Compartment
    case: CaseView
    client: Particulars
    life: LifeView | None
    session: Session
    today: date
    details: ClientDetails = UNTOLD
    """What the つなぐシート says besides; nothing where nobody could say, or may not."""


def known_answers(form: Form, known: Sources) -> dict[str, object]:
    """Answers that stand elsewhere already, for the fields that this form asks and that take them."""
    case, client, session = known.case, known.client, known.session
    me, today = f"{session.agency} {session.name}".strip(), known.today.isoformat()
    found: dict[str, object | None] = {
        "name": client.name,
        "kana": client.kana,
        "born_on": client.born_on.isoformat() if client.born_on else None,
        "case_number": client.number,
        "referrer_staff": client.referrer_staff,
        "explained_by": client.explained_by,
        "explained_on": client.explained_on.isoformat() if client.explained_on else None,
        "referral_reason": client.reason,
        "wishes": client.wishes,
        "received_on": case.received_on.isoformat(),
        "first_consulted_on": case.received_on.isoformat(),
        "referrer": case.referrer,
        "urgency": "urgent" if case.urgent else "ordinary",
        "consent_state": case.ground.value,
        "consent_at_submission": "after" if known.where is Compartment.JUSO else "before",
        **dict.fromkeys(("made_by", "evaluated_by"), me),
        **dict.fromkeys(("made_on", "evaluated_on"), today),
    }
    found |= _of_sheet(known.details)
    if known.life and known.life.plan:
        found |= _of_plan(known.life.plan, {one.code: one.name for one in known.profile.agencies})
    told = {name: value for name, value in found.items() if value not in (None, "", [])}
    return {name: value for name, value in told.items() if _takes(form, name, value)}


def _of_sheet(told: ClientDetails) -> dict[str, object | None]:
    """What intake was told; a member lives with the client, because the sheet lists the household."""
    members = [{"name": one.name, "relation": one.relation, "age": one.age, "lives_with": True} for one in told.members]
    return {
        "sex": told.sex,
        "address": told.address,
        **dict.fromkeys(("phone", "phone_home"), told.phone),
        "members": [{name: value for name, value in one.items() if value not in (None, "")} for one in members],
    }


def _of_plan(plan: Plan, names: Mapping[str, str]) -> dict[str, object | None]:
    return {
        "support_goal": plan.goals,
        "policy": plan.policy,
        "roles": [
            {"agency": names.get(one.agency, one.agency), "role": one.does, "due_on": one.until.isoformat()}
            for one in plan.roles
        ],
        "monitoring_on": plan.monitor_on.isoformat() if plan.monitor_on else None,
        "participation": LegalService.PARTICIPATION in plan.services,
        "outreach": LegalService.OUTREACH in plan.services,
    }


def _takes(form: Form, name: str, value: object) -> bool:
    field = next((one for one in form.fields if one.id == name), None)
    if field is None or isinstance(value, list) is not (field.type is FieldType.TABLE):
        return False
    return field.type not in CHOICES or value in {one.code for one in field.codes}


# -- the step that a paper makes ---------------------------------------------------------------------------------------


def step_of(head: PaperHead) -> Step | None:
    """The step of a life that rests on this kind of paper, if one does."""
    return None if head.form in OF_OTHERS else STEP_OF.get(head.kind)


def act_of(view: PaperView, title: str, today: date, profile: Profile) -> Act:
    """The step as the paper says it, taken today. Raises CannotRest.

    A life is shown to all who may see the case: of a paper with tax data it says only that there is one (S9).
    """
    head, values = view.head, view.values
    step = step_of(head) if head else None
    if head is None or step is None:
        raise CannotRest("この書類からは、事案の手順を記録しません。")
    taxed = head.category is Category.TAX
    common: dict[str, Any] = {
        "step": step,
        "on": today,
        "form": f"{head.form}@{head.edition}",
        "paper": PaperRef(paper=head.paper, version=head.version),
    }
    if head.kind is FormKind.PLAN:
        if taxed:
            raise CannotRest(
                "税の情報を含む書類からは、プラン案を作れません。進み具合の画面で、税の情報を除いて書いてください(S9)。"
            )
        return Act(**common, plan=plan_of(values, head.form, profile))
    said = "" if taxed else _texts(values, "direction", "achievement", "course")
    return Act(**common, words=said or f"{title}(第{head.version}版)のとおり。")


def plan_of(values: Mapping[str, Any], form: str, profile: Profile) -> Plan:
    """The case's plan as the plan sheet says it (T2 A). Raises CannotRest where a role names no agency or no day."""
    services = [LegalService.PARTICIPATION] * bool(values.get("participation"))
    services += [LegalService.OUTREACH] * (bool(values.get("outreach")) or form == "plan_outreach")
    return Plan(
        goals=_texts(values, "client_goal", "support_goal", "relationship"),
        policy=_texts(values, "policy", "content", "preparation"),
        roles=tuple(_role(place, row, values, profile) for place, row in enumerate(values.get("roles", ()), 1)),
        services=tuple(services),
        other_support=bool(values.get("other_support")),
        monitor_on=values.get("monitoring_on"),
    )


def _role(place: int, row: Mapping[str, Any], values: Mapping[str, Any], profile: Profile) -> Role:
    name = squeeze(str(row.get("agency", "")))
    known = (
        one.code for one in profile.agencies if name in {squeeze(text) for text in (one.code, one.name, *one.aliases)}
    )
    if (code := next(known, None)) is None:
        raise CannotRest(
            f"役割分担の{place}行目の機関は、この市町村の機関一覧にありません。一覧にある名前に直してください(T2)。"
        )
    until = row.get("due_on") or values.get("monitoring_on")
    if until is None:
        raise CannotRest(f"役割分担の{place}行目に期限がありません。期限を入れてください(T2)。")
    return Role(agency=code, until=until, does=row.get("role", ""))


def _texts(values: Mapping[str, Any], *names: str) -> str:
    """Each text once, one below the other; what is longer than a step holds goes on in the paper."""
    text = "\n".join(dict.fromkeys(str(values[name]) for name in names if values.get(name)))
    return text if len(text) <= LONGEST else text[: LONGEST - len(GOES_ON)] + GOES_ON
