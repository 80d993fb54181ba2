"""委嘱 in a 支援会議: recorded, ended, listed; taken over from the municipality's file at the first start (S6-S8)."""

import csv
from collections.abc import Iterable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from contracts.commission import (
    Commission,
    Commissioned,
    CommissionEnded,
    CommissionList,
    CommissionMade,
    Commissions,
    CommissionView,
    EndCommission,
)
from contracts.message import Compartment, Event
from services.meetings import secrecy
from services.meetings.handlers import service
from services.meetings.stopping import settle, without_commission
from services.meetings.tables import commissions, item
from services.service import Tx, Work
from services.settings import ProfileInvalid, Settings

COLUMNS = ("機関", "職員番号", "始期", "終期", "説明日", "文書番号")
ENDED = "この委嘱はすでに終わっています。"
UNKNOWN = "この委嘱は見つかりません。一覧から選び直してください。"


@service.does(Commission)
def commission(asked: Commission, tx: Tx) -> tuple[Commissioned, Iterable[Event]]:
    """Record a commission. Items that waited for it are looked at again at once."""
    refusal = secrecy.why_not_commission(asked, tx.profile, tx.now) or _twice(asked, tx)
    if refusal:
        tx.audit(act="commission", outcome="refuse", rule=refusal.rule, person=asked.person, detail=asked.agency)
        return Commissioned(done=False, rule=refusal.rule, message=refusal.message), ()
    made = _record(asked, tx)
    tx.audit(act="commission", outcome="allow", rule="S6", commission=made.about, detail=asked.agency)
    waiting = item.c.state == "waiting", item.c.next_try > tx.now
    tx.execute(update(item).where(*waiting).values(next_try=tx.now))
    return Commissioned(done=True, commission=made.about), [made]


def _twice(asked: Commission, tx: Tx) -> secrecy.Refusal | None:
    """Two commissions of one holder at a time: ending one would leave the other open, and nobody would see it."""
    one, ended = commissions.commission.c, select(commissions.ended.c.commission)
    same = one.agency == asked.agency, one.person.is_not_distinct_from(asked.person)
    during = one.starts < asked.ends, one.ends > asked.starts, one.id.not_in(ended)
    if tx.execute(select(one.id).where(*same, *during)).first() is None:
        return None
    return secrecy.Refusal(
        "S6", "同じ相手の委嘱がこの期間にあります。延ばすときは、いまの委嘱が終わる日から始めてください。"
    )


def _record(asked: Commission, tx: Tx) -> CommissionMade:
    new = asked.model_dump(include={"person", "agency", "starts", "ends", "explained_on", "document"})
    made = tx.ref()
    tx.execute(insert(commissions.commission).values(id=made, compartment=tx.here, recorded_at=tx.now, **new))
    return CommissionMade(about=made, person=asked.person, agency=asked.agency, starts=asked.starts, ends=asked.ends)


@service.does(EndCommission)
def end_commission(asked: EndCommission, tx: Tx) -> tuple[Commissioned, Iterable[Event]]:
    """End it now: in the same transaction its holders lose their coming seats. What they knew stays secret (S4)."""
    found = next((one for one in _views(tx, asked.commission)), None)
    if found is None or found.ended_at is not None or found.ends <= tx.now:
        return Commissioned(done=False, rule="S6", message=ENDED if found else UNKNOWN), ()
    tx.execute(insert(commissions.ended).values(commission=asked.commission, at=tx.now))
    tx.audit(act="end_commission", outcome="allow", rule="S4", commission=asked.commission)
    ended = CommissionEnded(about=asked.commission, ended_at=tx.now)
    return Commissioned(done=True, commission=asked.commission), [*take_seats(tx), ended]


@service.answers(Commissions)
def list_commissions(_: Commissions, tx: Tx) -> CommissionList:
    """All there ever were, the newest first: former members stay bound (S4)."""
    return CommissionList(commissions=tuple(_views(tx)))


def _views(tx: Tx, only: UUID | None = None) -> list[CommissionView]:
    made, ended = commissions.commission, commissions.ended
    wanted = select(made, ended.c.at.label("ended_at")).outerjoin(ended, ended.c.commission == made.c.id)
    if only is not None:
        wanted = wanted.where(made.c.id == only)
    rows = tx.execute(wanted.order_by(made.c.recorded_at.desc(), made.c.agency, made.c.id)).mappings()
    return [CommissionView(commission=row["id"], **{k: row[k] for k in row if k in _SHOWN}) for row in rows]


_SHOWN = frozenset(CommissionView.model_fields) - {"commission"}


@service.errand(every=60.0, woken=False)
async def look_ahead(work: Work) -> None:
    """Cancel the coming seats whose commission has ended, or lapses before the sitting starts."""
    if work.compartment is Compartment.SHIEN:
        await work.tell(take_seats)


def take_seats(tx: Tx) -> list[Event]:
    """Whoever is not bound when a coming sitting starts has no seat in it; the sitting says so (S6, S8)."""
    return [event for sitting_id in without_commission(tx) for event in settle(tx, sitting_id)]


# -- the municipality's file -------------------------------------------------------------------------------------------


def start(tx: Tx, settings: Settings) -> Iterable[Event]:
    """Take over commissions.csv of the profile's folder into a shien store that has no commission yet.

    A commission counts from the day it is taken over at the earliest: this store never back-dates. Without 始期 it
    begins that day, without 終期 it lasts the usual term. Raises ProfileInvalid when the file is faulty.
    """
    path = settings.profile / "commissions.csv"
    count = select(func.count(commissions.commission.c.id))
    if tx.compartment is not Compartment.SHIEN or not path.exists() or tx.connection.scalar(count):
        return []
    return [_record(one, tx) for one in _read(path, tx)]


service.start = start


def _read(path: Path, tx: Tx) -> list[Commission]:
    try:
        reader = csv.DictReader(StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ProfileInvalid(f"{path} の見出しを {','.join(COLUMNS)} にしてください。")
        lines = [{key: (cell or "").strip() for key, cell in line.items() if key} for line in reader]
    except (UnicodeDecodeError, csv.Error):
        raise ProfileInvalid(f"{path} を読めません。「CSV UTF-8」の形式で保存し直してください。") from None
    return [_commission(line, f"{path} {place}行目", tx) for place, line in enumerate(lines, 2)]


def _commission(line: dict[str, str], place: str, tx: Tx) -> Commission:
    day = secrecy.today(tx.now)
    if line["職員番号"]:
        raise ProfileInvalid(
            f"{place}: 個人の委嘱は、始めてから支援会議の画面で登録してください。職員番号は空にします。"
        )
    try:
        starts = max(day, date.fromisoformat(line["始期"] or day.isoformat()))
        ends = date.fromisoformat(line["終期"]) if line["終期"] else secrecy.years_later(starts, secrecy.TERM_YEARS)
        explained = date.fromisoformat(line["説明日"] or day.isoformat())
        facts: dict[str, Any] = {"agency": line["機関"], "explained_on": explained, "document": line["文書番号"]}
        asked = Commission(starts=secrecy.midnight(starts), ends=secrecy.midnight(ends), **facts)
    except ValueError:
        raise ProfileInvalid(f"{place}: 日付は 2026-04-01 の形、文書番号は空白のない40字以内にしてください。") from None
    refusal = secrecy.why_not_commission(asked, tx.profile, tx.now) or _twice(asked, tx)
    if refusal:
        raise ProfileInvalid(f"{place}: {refusal.message}")
    return asked
