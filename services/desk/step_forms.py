"""What a form of 「進み具合」 says: read into an act, and kept as it was typed where it was refused."""

import re
from datetime import date
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from contracts.life import Act, Step
from contracts.review_months import REVIEW_MONTHS, months_after


class Typed:
    """What somebody typed into a form that was refused, so that it is not lost."""

    def __init__(self, said: FormData) -> None:
        self.step, self._said = text_of(said, "step"), said

    def text(self, name: str) -> str:
        """One field."""
        return text_of(self._said, name)

    def many(self, name: str) -> list[str]:
        """A field of several boxes."""
        return [one for one in self._said.getlist(name) if isinstance(one, str)]


def act_of(said: FormData) -> Act:
    """The act that a form says. Raises ValidationError."""
    given: dict[str, Any] = {name: value for name in _PLAIN if (value := text_of(said, name))}
    given |= {"present": said.getlist("present"), "services": list(dict.fromkeys(said.getlist("services")))}
    given |= {name: bool(text_of(said, name)) for name in ("urgent", "reached", "rest_confirmed")}
    if decider := text_of(said, "decider"):
        given["decider"], _, given["decider_post"] = decider.partition("/")
    if text_of(said, "step") in (Step.DRAFT, Step.AMEND):
        given |= {"plan": _plan(said), "services": []}
    if text_of(said, "step") == Step.MONITOR:
        given["next_on"] = review_day(said, "next_on")
    return Act.model_validate(given)


def review_day(said: FormData, name: str) -> str | date | None:
    """So many months after the step's own day where that is chosen, else the day in its field (T8); None for neither.

    The choice counts first: in the form of a 再プラン the field still holds the day of the plan before.
    """
    after, typed = text_of(said, f"{name}_after"), text_of(said, name)
    if after not in REVIEW_MONTHS:
        return typed or None
    try:
        return months_after(date.fromisoformat(text_of(said, "on")), int(after))
    except ValueError:  # no day to count from, or one past the calendar: the act says so itself
        return None


_PLAIN = (
    *("step", "on", "words", "outcome", "contact", "lead", "follow_up", "next_on", "ended", "counterpart"),
    *("purpose", "drafted_on", "notified_on", "minutes", "consent_on", "evidence", "no_paper"),
)
LABELS = {
    "on": "日付",
    "words": "内容・理由",
    "outcome": "結果",
    "present": "出席した機関",
    "contact": "連絡の方法",
    "lead": "主担当機関",
    "follow_up": "フォローアップの方法",
    "purpose": "会議の目的",
    "next_on": "次の予定日",
    "ended": "死亡・転出の別",
    "counterpart": "相手の機関",
    "decider": "決裁者",
    "decider_post": "決裁者の職",
    "drafted_on": "起案日",
    "notified_on": "通知日",
    "minutes": "会議録の番号",
    "consent_on": "本人が同意した日",
    "evidence": "同意の確かめ方",
    "no_paper": "シートがない理由",
    "until": "役割の期限",
    "monitor_on": "モニタリングの予定日",
    "services": "法に基づく事業",
    "goals": "目標",
    "policy": "支援方針・内容",
    "step": "手順",
}


_ROLE_LINE = re.compile(r"role_([0-9]{1,3})", re.ASCII)


def _plan(said: FormData) -> dict[str, Any]:
    lines = sorted(int(found[1]) for name in said if (found := _ROLE_LINE.fullmatch(name)))
    roles = [
        {"agency": agency, "until": text_of(said, f"until_{n}"), "does": text_of(said, f"does_{n}")}
        for n in lines
        if (agency := text_of(said, f"role_{n}"))
    ]
    return {
        "goals": text_of(said, "goals"),
        "policy": text_of(said, "policy"),
        "roles": roles,
        "services": list(dict.fromkeys(said.getlist("services"))),
        "other_support": bool(text_of(said, "other_support")),
        "monitor_on": review_day(said, "monitor_on"),
    }


def text_of(said: FormData, name: str) -> str:
    """One field, without white space around it."""
    value = said.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def uuid_of(text: str) -> UUID | None:
    """A reference as an address or a form says it; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
