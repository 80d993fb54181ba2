"""How a sitting is held, on its page: the mode, each change of it with its reason, and the form for one more (M3)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.holding import MODE_REASON_TEXT, MODE_TEXT, HoldOtherwise, Mode
from contracts.running import RoomView
from services.desk import words
from services.desk.pages import Known
from services.desk.sessions import Session
from services.desk.step_forms import text_of

UNREAD = "開き方と理由を、一覧から選んでください(M3)。"


def question_of(said: FormData, ref: str, session: Session) -> HoldOtherwise | None:
    """What the form asks for; None for one that cannot be read."""
    given: dict[str, Any] = {name: text_of(said, name) for name in ("request", "before", "mode", "reason")}
    given |= {"sitting": ref, "viewer": session.person, "viewer_agency": session.code or None}
    try:
        return HoldOtherwise.model_validate(given)
    except ValidationError:
        return None


def how_held(room: RoomView, known: Known, name: Callable[[UUID], str]) -> dict[str, Any]:
    """How the sitting is held, every change of it with its reason, and the form for one more before it begins (M3)."""
    others: list[Mode] = [one for one in MODE_TEXT if one != room.mode]
    return {
        "mode_text": MODE_TEXT[room.mode],
        "mode_changes": [
            (
                words.moment(one.at),
                f"{known.agency(one.agency)} {name(one.by)}",
                MODE_TEXT[one.mode],
                MODE_REASON_TEXT[one.reason],
            )
            for one in room.mode_changes
        ],
        "modes": {code: MODE_TEXT[code] for code in others} if room.may_run and not room.acts else {},
        "mode_reasons": MODE_REASON_TEXT,
    }
