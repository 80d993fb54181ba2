"""How the pages of 「受付」 ask intake: in the name of whoever signed in, and with each refusal in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.message import Question
from contracts.office import DeskOfficer, Done, Officer
from services.desk.flaws import flaw_text
from services.desk.html import door_is_closed
from services.desk.reception_offices import office_of
from services.desk.sessions import Session
from services.desk.step_forms import Typed
from services.service import Work

D = TypeVar("D", bound=Done)
MAY_BE_EMPTY = ("text",)
"""An empty text takes back what was noted; any other field that is left empty was not filled in."""


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, and why."""

    said: FormData
    text: str
    status: int


def officer(session: Session) -> DeskOfficer:
    """Who signed in at juso, for intake. Raises ValidationError for a session without an agency: nobody acts for
    nobody."""
    return DeskOfficer(person=session.person, agency=session.code)


def officer_of(work: Work, session: Session) -> Officer:
    """Who signed in at this very desk, for intake. Raises ValidationError as ``officer`` does."""
    return office_of(work.compartment).officer(person=session.person, agency=session.code)


def typed(refusal: Refused | None) -> Typed:
    """What was typed into the form that was refused."""
    return Typed(refusal.said if refusal else FormData())


def fresh() -> str:
    """The number of a form: pressing its button twice is one."""
    return str(uuid4())


async def say(
    work: Work,
    session: Session,
    said: FormData,
    question: type[Question[D]],
    values: Mapping[str, Any],
    labels: Mapping[str, str],
) -> D | Refused:
    """Ask intake to do what a form says. The answer when it was done, else what the page is to say."""
    given = {name: value for name, value in values.items() if value not in ("", None) or name in MAY_BE_EMPTY}
    try:
        asked = question.model_validate(given | {"by": officer_of(work, session), "request": said.get("request", "")})
    except ValidationError as error:
        return Refused(said, flaw_text(error, labels), 400)
    done = await work.ask(asked)
    return done if done.done else Refused(said, f"{done.reason}{done.next_step}({done.rule})", 409)


def closed(work: Work, session: Session, found: Done) -> HTMLResponse:
    """Intake shows this person nothing of what was asked for: why, and the way."""
    return door_is_closed(work, found.reason, found.next_step, session)


def names_of(staff: Mapping[Any, Any] | None, person: Any) -> str:
    """Who somebody is; said where the directory does not answer."""
    one = (staff or {}).get(person)
    return one.name if one else "氏名を確認できません"
