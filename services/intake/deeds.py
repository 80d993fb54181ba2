"""How the office of intake acts: once per request, in the audit log, and with a row for everything that is shown."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from contracts.message import Compartment, Event
from contracts.office import Done, Officer
from contracts.profile import Profile
from services.intake.consenting import JAPAN
from services.intake.domain import Flaw
from services.intake.reception_tables import deed, showing
from services.intake.versions import lock
from services.service import Shut, Tx
from services.vault import open_row, seal_row

D = TypeVar("D", bound=Done)
Outcome = tuple[D, UUID, Iterable[Event]]
"""The answer, under whose key the request is remembered, and what follows."""
ANOTHER = ("request-taken", "この番号の依頼では、すでに別の内容を記録しました。", "画面か命令をやり直してください。")
GONE = ("erased", "この依頼で記録したものは、消去されました。", "改めて受け付けるときは、新しく始めてください。")
NOT_OFFICE = (
    "S1",
    "この機関の人は、受付の記録を扱えません。",
    "市町村の受付担当に依頼してください。",
)


class Asked(Protocol):
    """A command with the number that makes it happen once."""

    @property
    def request(self) -> UUID:
        """Of this very command: asked again with it, it is the same command."""

    @property
    def by(self) -> Officer:
        """Who acts."""

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All it says."""


def once(asked: Asked, reply: type[D], tx: Tx, act: Callable[[], Outcome[D]]) -> tuple[D, Iterable[Event]]:
    """Do it, unless this request was done before: then the answer is the one it got, and nothing else happens.

    Only what was done is remembered: a refused request may be mended and sent again. Of two at the same time the
    second waits for the first, in PostgreSQL by a lock; SQLite has one writer anyway.
    """
    lock([asked.request], tx, shared=False)
    digest = _digest(asked)
    known = tx.execute(select(deed).where(deed.c.request == asked.request)).mappings().first()
    if known is not None:
        return _again(known, digest, reply, tx), ()
    answer, subject, events = act()
    tx.audit(
        act=type(asked).__name__.lower(),
        outcome="allow" if answer.done else "refuse",
        rule=answer.rule,
        actor="intake",
        person=asked.by.person,
        detail=asked.by.agency,
    )
    if answer.done:
        row = {"request": asked.request, "subject": subject, "digest": digest, "at": tx.now}
        row["answer"] = answer.model_dump(mode="json", exclude_defaults=True)
        tx.execute(insert(deed).values(seal_row(tx, subject, deed, row, str(asked.request))))
    return answer, events


def _again(known: Any, digest: str, reply: type[D], tx: Tx) -> D:
    try:
        said = open_row(tx, known["subject"], (deed.c.digest,), known, str(known["request"]))["digest"]
    except Shut:
        said = None
    if said is None:
        return refused(reply, *GONE)
    return reply.model_validate(known["answer"]) if said == digest else refused(reply, *ANOTHER)


def _digest(asked: Asked) -> str:
    """What was asked, and by which door: repeated at the other desk it is something else, so that the answer of one
    kind of meeting is not had again in the other (consent.md 8.1)."""
    said = asked.model_dump(mode="json")
    if asked.by.desk_of:
        said["desk_of"] = asked.by.desk_of.value
    content = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def forget(subject: UUID, tx: Tx) -> None:
    """The words of what was asked about a subject are erased; that it was done on this request stays."""
    tx.execute(update(deed).where(deed.c.subject == subject).values(digest=None))


def refused(reply: type[D], rule: str, reason: str, next_step: str = "") -> D:
    """An answer that says why not, and what to do."""
    return reply(done=False, rule=rule, reason=reason, next_step=next_step)


def flawed(reply: type[D], flaw: Flaw, label: str) -> D:
    """An answer that names the field and says what is wrong with it and what to do. The value is not repeated."""
    return reply(done=False, rule=flaw.rule, reason=f"{label}: {flaw.message}")


def is_municipality(agency: str, profile: Profile) -> bool:
    """Whether it is the 市町村 itself: its officers keep the reception of both kinds (S1)."""
    return _kind(agency, profile) == "municipality"


def is_office(agency: str, profile: Profile) -> bool:
    """Whether it is the 市町村 or the 多機関協働事業者, to whom others refer (種000 別添5)."""
    return _kind(agency, profile) in ("municipality", "coordinator")


def acts_for_office(by: Officer, profile: Profile) -> bool:
    """Whether somebody keeps the reception from where he or she acts: at the desk of shien only the 市町村 (S1)."""
    return is_municipality(by.agency, profile) if by.desk_of is Compartment.SHIEN else is_office(by.agency, profile)


def _kind(agency: str, profile: Profile) -> str:
    return next((one.kind for one in profile.agencies if one.code == agency), "")


def today(tx: Tx) -> date:
    """The day it is in Japan."""
    return tx.now.astimezone(JAPAN).date()


def register(
    tx: Tx, by: Officer, what: str, subjects: Iterable[tuple[UUID, UUID]], rule: str, *, masked: bool = False
) -> None:
    """Write down, before it is shown, who is shown what: pairs of subject and 世帯員 (or the subject again)."""
    facts = {"what": what, "person": by.person, "agency": by.agency, "day": today(tx), "at": tx.now}
    rows = [
        facts | {"subject": subject, "member": member, "masked": masked, "rule": rule} for subject, member in subjects
    ]
    if rows:
        insert_or = insert_postgresql if tx.connection.dialect.name == "postgresql" else insert_sqlite
        tx.execute(insert_or(showing).on_conflict_do_nothing(), rows)
