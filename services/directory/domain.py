"""The directory's rules: what a line of staff.csv and busy.csv may say, when two times clash, when a password fits."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.directory import Channel
from contracts.message import Compartment
from contracts.profile import Profile

JAPAN = ZoneInfo("Asia/Tokyo")
STAFF_COLUMNS = (
    "職員番号",
    "氏名",
    "フリガナ",
    "機関",
    "役職",
    "メール",
    "通信環境",
    "ログイン",
    "初期パスワード",
    "窓口",
)
POST_COLUMNS = ("就任日", "退任日")
"""May follow STAFF_COLUMNS: the first and the last day of a person's posts. Whoever decides must hold one (D2)."""
CHANNEL_COLUMNS = ("連絡方法", "連絡先")
"""May follow as well: how a person is told of a sitting, and where; without them everybody is told by mail."""
CHANNEL_TEXT: dict[Channel, str] = {
    "mail": "メール",
    "webhook": "Webhook",
    "caldav": "CalDAV",
    "letter": "郵送",
    "phone": "電話",
}
BUSY_COLUMNS = ("職員番号", "開始", "終了")
NETWORKS = ("lgwan", "internet", "none")

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{0,100}")
_POST = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LOGIN = re.compile(r"[0-9A-Za-z._-]{1,64}")
_PHONE = re.compile(r"[0-9+()-]{6,20}")
_ADDRESS = re.compile(r"https://[!-~]{1,380}|http://127\.0\.0\.1[:/][!-~]{1,380}")
"""Nothing leaves the machine unencrypted."""
_MAIL = re.compile(r"[!-?A-~]{1,64}@(?:[0-9A-Za-z-]{1,63}\.)+[0-9A-Za-z-]{2,63}")
"""ASCII without a second @, spaces or control signs, so that no mail header can be smuggled in."""


@dataclass(frozen=True)
class Line:
    """One line of a file: where it stands and what its columns say."""

    place: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """What is wrong and where. Never repeats the cell: it may be personal."""

    place: int
    column: str
    text: str


@dataclass(frozen=True)
class Person:
    """A member of staff as staff.csv names one. ``rank`` is the order of the file: who is asked first (P1)."""

    number: str
    name: str
    kana: str
    agency: str
    posts: tuple[str, ...]
    mail: str
    network: str
    login: str | None
    password: str
    desks: tuple[str, ...]
    rank: int
    since: date | None = None
    until: date | None = None
    channel: str = "mail"
    endpoint: str = ""


@dataclass(frozen=True)
class Absence:
    """[starts, ends) in which the person with this 職員番号 cannot come. Aware instants."""

    number: str
    starts: datetime
    ends: datetime


Block = tuple[UUID, datetime, datetime]
"""A person and [starts, ends), aware instants, in which they cannot come."""


def read_staff(lines: Sequence[Line], profile: Profile) -> tuple[list[Person], list[Fault]]:
    """The people of staff.csv, and every fault found. With a fault nobody is to be used."""
    people = [_person(line, rank) for rank, line in enumerate(lines)]
    faults = [
        Fault(line.place, column, text)
        for line, person in zip(lines, people, strict=True)
        for column, text in (
            *_person_faults(person, line.cells["役職"], profile),
            *_post_faults(line, person),
            *_channel_faults(person),
        )
    ]
    faults += _twice(lines, "職員番号", lambda n: people[n].number)
    faults += _twice(lines, "ログイン", lambda n: people[n].login)
    if not people:  # more likely a file cut off than a city without staff
        faults.append(Fault(1, "全体", "職員が1人もいません。"))
    return people, sorted(faults, key=lambda fault: fault.place)


def _person(line: Line, rank: int) -> Person:
    cell = line.cells
    return Person(
        number=cell["職員番号"],
        name=cell["氏名"],
        kana=cell["フリガナ"],
        agency=cell["機関"],
        posts=_split(cell["役職"]),
        mail=cell["メール"],
        network=cell["通信環境"],
        login=cell["ログイン"] or None,
        password=cell["初期パスワード"],
        desks=_split(cell["窓口"]),
        rank=rank,
        since=_day(cell.get("就任日", "")),
        until=_day(cell.get("退任日", "")),
        channel=_channel(cell.get("連絡方法", "")),
        endpoint=cell.get("連絡先", ""),
    )


def _day(cell: str) -> date | None:
    """The day that a cell names; None for an empty one and for one that names none, which is a fault."""
    try:
        return date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        return None


def _channel(cell: str) -> str:
    """The channel with this name, as itself where there is none, which is a fault."""
    return {text: str(one) for one, text in CHANNEL_TEXT.items()}.get(cell, cell) or "mail"


def _channel_faults(person: Person) -> Iterable[tuple[str, str]]:
    """What a channel needs: an address over TLS, a telephone number, or nothing (mail, letter)."""
    if person.channel not in CHANNEL_TEXT:
        yield "連絡方法", f"{'・'.join(CHANNEL_TEXT.values())} のどれかを書くか、空欄にしてください。"
    elif person.channel in ("webhook", "caldav") and not _ADDRESS.fullmatch(person.endpoint):
        yield "連絡先", "https:// で始まるアドレスを400字以内で書いてください。"
    elif person.channel == "caldav" and not person.mail:
        yield "メール", "CalDAV の人にも、回答のリンクを送るメールアドレスが要ります。"
    elif person.channel == "phone" and not _PHONE.fullmatch(person.endpoint):
        yield "連絡先", "電話番号を半角の数字とハイフンで書いてください。"
    elif person.channel in ("mail", "letter") and person.endpoint:
        yield "連絡先", "メールと郵送では空欄にしてください。メールのアドレスは「メール」の列に書きます。"


def _post_faults(line: Line, person: Person) -> Iterable[tuple[str, str]]:
    for column, day in zip(POST_COLUMNS, (person.since, person.until), strict=True):
        if line.cells.get(column) and day is None:
            yield column, "2026-04-01 の形で書くか、空欄にしてください。"
    if person.since and person.until and person.until < person.since:
        yield "退任日", "就任日より後にしてください。"


def _person_faults(person: Person, posts: str, profile: Profile) -> Iterable[tuple[str, str]]:
    """(column, text) for every rule that the line breaks."""
    agency = {a.code: a for a in profile.agencies}.get(person.agency)
    if not _NUMBER.fullmatch(person.number):
        yield "職員番号", "半角の英数字とハイフン20字以内で書いてください。"
    if not person.name or not _LINE.fullmatch(person.name):
        yield "氏名", "1字以上100字以内、改行なしで書いてください。"
    if not _LINE.fullmatch(person.kana):
        yield "フリガナ", "100字以内、改行なしで書いてください。"
    if agency is None:
        yield "機関", "profile.toml の agencies にない機関コードです。"
    if not posts or not all(_POST.fullmatch(post) for post in person.posts):
        yield "役職", "役職コード(半角小文字・数字)を ; で区切って書いてください。"
    if person.mail and not _MAIL.fullmatch(person.mail):
        yield "メール", "メールアドレスとして読めません。ない人は空欄にしてください。"
    if person.network not in NETWORKS:
        yield "通信環境", "lgwan・internet・none のどれかを書いてください。"
    if person.login and not _LOGIN.fullmatch(person.login):
        yield "ログイン", "半角の英数字と . _ - で64字以内にしてください。"
    yield from _desk_faults(person, outsourced=agency is not None and agency.outsourced)


def _desk_faults(person: Person, *, outsourced: bool) -> Iterable[tuple[str, str]]:
    """I13, S1: the desk of the 支援会議 is the municipality's; an entrusted agency has only that of 重層的支援会議."""
    if not set(person.desks) <= set(Compartment):
        yield "窓口", "juso・shien・juso;shien のどれかを書くか、空欄にしてください。"
    if bool(person.desks) != bool(person.login):
        yield "窓口", "ログインと窓口は、両方書くか、両方空欄にしてください。"
    if person.password and not person.login:
        yield "初期パスワード", "ログインのない人には書けません。"
    if person.password and not 8 <= len(person.password) <= 256:
        yield "初期パスワード", "8字以上256字以内にしてください。"
    if outsourced and Compartment.SHIEN in person.desks:
        yield "窓口", "委託先の職員には支援会議の窓口(shien)を開けません。支援会議を開くのは市町村です。"


def read_busy(lines: Sequence[Line], numbers: Iterable[str]) -> tuple[list[Absence], list[Fault]]:
    """The busy blocks of busy.csv, and every fault found. ``numbers``: the 職員番号 that exist."""
    known, absences, faults = set(numbers), [], []
    for line in lines:
        starts, ends = _instant(line.cells["開始"]), _instant(line.cells["終了"])
        if line.cells["職員番号"] not in known:
            faults.append(Fault(line.place, "職員番号", "staff.csv にない番号です。"))
        for column, instant in (("開始", starts), ("終了", ends)):
            if instant is None:
                faults.append(Fault(line.place, column, "2026-11-24 09:30 の形で、実際にある日時を書いてください。"))
        if starts and ends and ends <= starts:
            faults.append(Fault(line.place, "終了", "開始より後にしてください。"))
        if starts and ends:
            absences.append(Absence(line.cells["職員番号"], starts, ends))
    return absences, faults


def _instant(wall_clock: str) -> datetime | None:
    """The instant of a wall clock time in Japan, or None. Spreadsheets turn 2026-11-24 09:30 into 2026/11/24 9:30."""
    try:
        instant = datetime.strptime(wall_clock.replace("/", "-"), "%Y-%m-%d %H:%M").replace(tzinfo=JAPAN)
    except ValueError:
        return None
    return instant if 2000 <= instant.year < 2100 else None


def overlap(starts: Any, ends: Any, other_starts: Any, other_ends: Any) -> Any:
    """Whether [starts, ends) and [other_starts, other_ends) share an instant. Back to back is no clash.

    Takes instants, or columns of a table: the rule is written once for both.
    """
    return (other_starts < ends) & (starts < other_ends)


def merged(blocks: Iterable[Block], starts: datetime, ends: datetime) -> list[Block]:
    """Each person's time between ``starts`` and ``ends`` as the fewest blocks there can be, by start, then person.

    Block by block, one sitting would show as several people busy for exactly the same time.
    """
    apart: list[Block] = []
    for person, since, until in sorted(blocks):
        begin, end = max(since, starts), min(until, ends)
        if begin >= end:
            continue
        if apart and apart[-1][0] == person and begin <= apart[-1][2]:
            begin, end = apart[-1][1], max(end, apart.pop()[2])
        apart.append((person, begin, end))
    return sorted(apart, key=lambda block: (block[1], block[0]))


def login_name(typed: str) -> str:
    """What was typed as a login, without the spaces around it; empty where it cannot be one."""
    return typed.strip() if _LOGIN.fullmatch(typed.strip()) else ""


def hash_password(password: str, salt: bytes) -> str:
    """What is kept of a password: kind, salt, hash."""
    return "$".join(("scrypt", _base64(salt), _base64(_scrypt(password, salt))))


def password_fits(password: str, kept: str | None) -> bool:
    """Whether the password is the kept one. Takes as long when nobody has that login, so that time tells nothing."""
    _, salt, expected = (kept or _NOBODY).split("$")
    fits = hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(expected))
    return fits and kept is not None


def _scrypt(password: str, salt: bytes) -> bytes:
    """16 MiB and five passes: the OWASP password storage cheat sheet's row for this memory."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=5)


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


_NOBODY = "$".join(("scrypt", _base64(bytes(16)), _base64(bytes(64))))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";")) if cell else ()


def _twice(lines: Sequence[Line], column: str, value: Callable[[int], str | None]) -> Iterable[Fault]:
    """A fault for each line whose value an earlier line has."""
    first: dict[str, int] = {}
    for n, line in enumerate(lines):
        found = value(n)
        if found and first.setdefault(found, line.place) != line.place:
            yield Fault(line.place, column, f"{first[found]}行目と同じです。")
