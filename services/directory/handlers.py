"""Takes people over from the municipality's files; answers who, how to reach, when busy, who may sign in."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, distinct, func, insert, or_, select, update

from contracts.directory import (
    Busy,
    BusyBlock,
    BusyBlocks,
    Mailbox,
    MailboxOf,
    Release,
    Released,
    Reserve,
    Reserved,
    SignedIn,
    SignIn,
    SignInJuso,
    SignInShien,
    Staff,
    StaffList,
    StaffView,
)
from contracts.message import Event
from services.directory.csv_import import read_lines
from services.directory.domain import (
    BUSY_COLUMNS,
    CHANNEL_COLUMNS,
    POST_COLUMNS,
    STAFF_COLUMNS,
    Absence,
    Fault,
    Person,
    hash_password,
    login_name,
    merged,
    overlap,
    password_fits,
    read_busy,
    read_staff,
)
from services.directory.tables import busy, directory, person
from services.service import Service, Tx, Work
from services.settings import ProfileInvalid, Settings

service = Service("directory", directory)

SHOWN_FAULTS = 20
"""More than this nobody reads in a terminal."""
SIGN_INS_AT_ONCE = 10
"""Two are being checked, each for about 0.2 s; the last of those behind them waits about a second."""


class TooManySignIns(Exception):
    """As many sign-ins as can be answered soon are under way: a queue would only grow. The asker may try again."""


def start(tx: Tx, settings: Settings) -> None:
    """Take over staff.csv and busy.csv of the profile's folder; the same files twice change nothing.

    A file that is absent changes nothing: after the first start an office may take staff.csv, with its initial
    passwords, away. Raises ProfileInvalid when a file is faulty, or when there are no people at all.
    """
    _take_staff(tx, settings.profile / "staff.csv")
    _take_busy(tx, settings.profile / "busy.csv")


service.start = start


def _take_staff(tx: Tx, path: Path) -> None:
    if not path.exists():
        if not _numbers(tx):
            raise ProfileInvalid(f"職員の一覧 {path} がありません。見出しは {','.join(STAFF_COLUMNS)} です。")
        return
    lines, malformed = read_lines(path, STAFF_COLUMNS, POST_COLUMNS, CHANNEL_COLUMNS)
    people, faults = read_staff(lines, tx.profile)
    _refuse(path, malformed or faults)
    known = {row.number: row for row in tx.execute(select(person))}
    # All of them leave first, so that logins can change hands and whoever is not in the file is gone.
    tx.execute(update(person).values(gone=True, login=None, password_hash=None))
    for one in people:
        row = _row(one, known.get(one.number), tx)
        tx.execute(
            update(person).where(person.c.id == row["id"]).values(row)
            if one.number in known
            else insert(person).values(row)
        )


def _row(one: Person, was: Any, tx: Tx) -> dict[str, object]:
    """The person's row. An initial password counts only while its login has none: a restart undoes no new one."""
    kept = was.password_hash if was and was.login == one.login else None
    return {
        "id": was.id if was else tx.ref(),
        "number": one.number,
        "name": one.name,
        "kana": one.kana,
        "agency": one.agency,
        "posts": one.posts,
        "since": one.since,
        "until": one.until,
        "mail": one.mail,
        "channel": one.channel,
        "endpoint": one.endpoint,
        "network": one.network,
        "login": one.login,
        "password_hash": kept or (hash_password(one.password, tx.ref().bytes) if one.password else None),
        "desks": one.desks,
        "rank": one.rank,
        "gone": False,
    }


def _take_busy(tx: Tx, path: Path) -> None:
    """The file's blocks replace the earlier file's; holds of sittings stay."""
    if not path.exists():
        return
    ids = _numbers(tx)
    lines, malformed = read_lines(path, BUSY_COLUMNS)
    absences, faults = read_busy(lines, ids)
    _refuse(path, malformed or faults)
    tx.execute(delete(busy).where(busy.c.hold.is_(None)))
    if absences:
        tx.execute(insert(busy), [_block(ids[one.number], one) for one in dict.fromkeys(absences)])


def _block(whose: UUID, absence: Absence) -> dict[str, object]:
    return {"person": whose, "starts": absence.starts, "ends": absence.ends}


def _numbers(tx: Tx) -> dict[str, UUID]:
    """Also of those who have gone: their blocks may stay in the file a while."""
    return {row.number: row.id for row in tx.execute(select(person.c.number, person.c.id))}


def _refuse(path: Path, faults: Sequence[Fault]) -> None:
    """Raises ProfileInvalid naming file, line and column of each fault; cells may be personal and are left out."""
    if faults:
        said = [f"{path.name} {fault.place}行目「{fault.column}」: {fault.text}" for fault in faults[:SHOWN_FAULTS]]
        more = [f"ほか{len(faults) - SHOWN_FAULTS}件"] if len(faults) > SHOWN_FAULTS else []
        raise ProfileInvalid("\n".join((f"{path} に誤りがあります。何も取り込んでいません。", *said, *more)))


@service.answers(Staff)
def staff(question: Staff, tx: Tx) -> StaffList:
    """Everybody who has not gone, in the order of the file."""
    rows = tx.execute(select(person).where(~person.c.gone).order_by(person.c.rank))
    shown = ("number", "name", "agency", "posts", "network", "since", "until")
    return StaffList(
        staff=tuple(
            StaffView(person=row["id"], phone=_phone(row), **{name: row[name] for name in shown})
            for row in rows.mappings()
        )
    )


def _phone(row: Any) -> str:
    """Where a person is telephoned who is told of sittings that way; nothing of how the others are told."""
    return str(row["endpoint"]) if row["channel"] == "phone" else ""


@service.answers(Busy)
def when_busy(question: Busy, tx: Tx) -> BusyBlocks:
    """What of the time asked for each person is busy, by start; which sitting or duty it is for cannot be told."""
    touching = overlap(question.starts, question.ends, busy.c.starts, busy.c.ends)
    rows = tx.execute(select(busy.c.person, busy.c.starts, busy.c.ends).where(touching))
    blocks = merged(((row.person, row.starts, row.ends) for row in rows), question.starts, question.ends)
    return BusyBlocks(blocks=tuple(BusyBlock(person=one, starts=starts, ends=ends) for one, starts, ends in blocks))


@service.does(Reserve)
def reserve(question: Reserve, tx: Tx) -> tuple[Reserved, Iterable[Event]]:
    """Hold the time for all of them, or say who is busy and change nothing. A moved hold gives its old time back."""
    persons = sorted(set(question.persons))
    # Two processes may hold the same person at once: the later one waits here. SQLite has one writer anyway.
    tx.execute(select(person.c.id).where(person.c.id.in_(persons)).order_by(person.c.id).with_for_update())
    held = {(row.person, row.starts, row.ends) for row in tx.execute(select(busy).where(busy.c.hold == question.hold))}
    wanted = {(one, question.starts, question.ends) for one in persons}
    if wanted == held:
        return Reserved(), ()
    if not question.firm and (clashes := _clashes(question, persons, tx)):
        return Reserved(clashes=clashes), ()
    tx.execute(delete(busy).where(busy.c.hold == question.hold))
    rows = [{"person": one, "starts": starts, "ends": ends, "hold": question.hold} for one, starts, ends in wanted]
    if rows:
        tx.execute(insert(busy), rows)
    return Reserved(), ()


def _clashes(question: Reserve, persons: Sequence[UUID], tx: Tx) -> tuple[UUID, ...]:
    """Who of them is busy then, other than by this hold itself."""
    others = or_(busy.c.hold.is_(None), busy.c.hold != question.hold)
    touching = overlap(question.starts, question.ends, busy.c.starts, busy.c.ends)
    found = set(tx.execute(select(busy.c.person).where(busy.c.person.in_(persons), others, touching)).scalars())
    return tuple(one for one in persons if one in found)


@service.does(Release)
def release(question: Release, tx: Tx) -> tuple[Released, Iterable[Event]]:
    """Forget the hold."""
    tx.execute(delete(busy).where(busy.c.hold == question.hold))
    return Released(), ()


@service.answers(MailboxOf)
def mailbox_of(question: MailboxOf, tx: Tx) -> Mailbox:
    """Where to write to. Empty for whoever has no address, has gone, or was never here: nothing is to be sent then."""
    row = tx.execute(select(person).where(person.c.id == question.person, ~person.c.gone)).first()
    if row is None:
        return Mailbox()
    return Mailbox(address=row.mail, name=row.name, agency=row.agency, channel=row.channel, endpoint=row.endpoint)


class _PasswordCheck:
    """Compares passwords beside the store's thread, two at a time, and takes no more than it can answer soon."""

    def __init__(self) -> None:
        # Threads of its own, not a semaphore: who stops waiting for an answer must not let a third one start.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="password")
        self._under_way = 0

    async def sign_in(self, question: SignIn, work: Work) -> SignedIn:
        """Raises TooManySignIns at once, before anything is looked up."""
        if self._under_way >= SIGN_INS_AT_ONCE:
            raise TooManySignIns
        self._under_way += 1
        try:
            row = await work.run(lambda tx: _with_login(question.login, tx))
            kept = row.password_hash if row else None
            check = asyncio.get_running_loop().run_in_executor
            fits = await check(self._threads, password_fits, question.password, kept)
        finally:
            self._under_way -= 1
        if row is None or not fits or question.desk not in row.desks:
            return SignedIn()
        return SignedIn(person=row.id, name=row.name, agency=row.agency)


_passwords = _PasswordCheck()


@service.performs(SignInJuso)
@service.performs(SignInShien)
async def sign_in(question: SignIn, work: Work) -> SignedIn:
    """Who this is, if name, password and desk fit; one empty answer for everything else, after the same work."""
    return await _passwords.sign_in(question, work)


def _with_login(typed: str, tx: Tx) -> Row[Any] | None:
    return tx.execute(select(person).where(person.c.login == login_name(typed))).first()


def _tally(tx: Tx) -> dict[str, int]:
    people = tx.execute(select(func.count()).where(~person.c.gone)).scalar_one()
    return {"staff": people, "holds": tx.execute(select(func.count(distinct(busy.c.hold)))).scalar_one()}


service.tally = _tally
