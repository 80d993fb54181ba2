"""``kasane disclosures``: the register of sharing as the officer assembles it, the two registers of a kind in one."""

import argparse
import asyncio
import csv
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contracts.directory import StaffView
from contracts.disclosure import Disclosure, DisclosureList, DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.intake import LookAtConsent
from contracts.legal_basis import CATALOGUE
from contracts.message import Account, Compartment
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT
from services.commands import Adder, consent
from services.commands.line import reference
from services.commands.policy import ACT_TEXT, COMPARTMENT_TEXT
from services.intake.cells import is_formula
from services.operator import Operator, operator
from services.settings import Settings, read_profile

TOKYO = ZoneInfo("Asia/Tokyo")
COLUMNS = (
    "時刻",
    "区画",
    "行為",
    "機関",
    "氏名",
    "事案",
    "議題",
    "目的",
    "根拠",
    "根拠条文",
    "判断表の行",
    "規則",
    "判断表の版",
)
Question = DisclosuresAtCoordination | DisclosuresAtMeetings


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to look for: a case, who received something, or the case of a referrer's 受付番号 (juso only)."""

    compartment: Compartment | None = None
    case: UUID | None = None
    person: UUID | str | None = None
    """A reference, also of somebody who has left, or a 職員番号."""
    sheet: LookAtConsent | None = None
    since: datetime | None = None
    until: datetime | None = None


class NotFound(Exception):
    """There is nothing to look in; what to do instead, in Japanese."""


async def disclosures(wanted: Wanted, settings: Settings, say: Callable[[str], None], file: Path | None = None) -> int:
    """Say the rows, or write them into a new file that only its owner reads; the exit status.

    Raises NotRunning, AskFailed.
    """
    async with operator(settings) as asking:
        try:
            rows = await _gather(asking, wanted)
        except NotFound as refusal:
            say(str(refusal))
            return 1
        staff = {one.person: one for one in await asking.staff()}
    profile = read_profile(settings.profile)
    lines = [cells(row, staff, profile) for row in rows]
    if file is None:
        for line in lines:
            say("  ".join(line))
        say(f"情報共有の記録: {len(lines)}件")
        return 0
    try:
        _write(file, as_csv(lines))
    except OSError as error:
        say(f"{file} に書けません({error.strerror})。--csv に、まだない別の名前を指定してください。")
        return 1
    say(f"{len(lines)}件を {file} に書きました。")
    return 0


def _write(path: Path, content: bytes) -> None:
    """A new file that only its owner reads; nothing that exists is ever overwritten. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


async def _gather(asking: Operator, wanted: Wanted) -> list[Disclosure]:
    """All rows of both registers, by time. Raises NotFound."""
    case = wanted.case or await _case_of(asking, wanted)
    person = (await asking.person(wanted.person)).person if isinstance(wanted.person, str) else wanted.person
    await _check(asking, wanted, person)
    where = [wanted.compartment] if wanted.compartment else [Compartment.JUSO] if case else list(Compartment)
    found: dict[UUID, Disclosure] = {}
    for compartment in where:
        for register in (DisclosuresAtCoordination, DisclosuresAtMeetings):
            asked = register(cases=(case,) if case else (), person=person, until=wanted.until)
            found |= await _all(asking, Account(compartment), asked, wanted.since)
    return sorted(found.values(), key=lambda row: (row.at, row.disclosure))


async def _check(asking: Operator, wanted: Wanted, person: UUID | None) -> None:
    """That what was named exists: else an empty list would look like an all-clear. Raises NotFound."""
    if wanted.case and wanted.compartment:
        looked = DisclosuresAtCoordination(cases=(wanted.case,), since=datetime.max.replace(tzinfo=UTC))
        if (await asking.ask(Account(wanted.compartment), looked)).unknown:
            raise NotFound("この番号の事案はありません。画面のアドレスにある番号と --compartment を確かめてください。")
    if person and person not in {one.person for one in await asking.staff()}:
        for compartment in Compartment:
            for register in (DisclosuresAtCoordination, DisclosuresAtMeetings):
                if (await asking.ask(Account(compartment), register(person=person))).rows:
                    return
        raise NotFound("この番号の人はいません。職員番号は kasane staff で見られます。")


async def _case_of(asking: Operator, wanted: Wanted) -> UUID | None:
    """The juso case of a referrer's number; None when none was named. In shien the officer knows the reference."""
    if wanted.sheet is None:
        return None
    found = await asking.ask(Account.INTAKE, wanted.sheet)
    if found.case is None:
        raise NotFound(
            "この受付番号の、同意のある事案はありません。"
            "支援会議の事案は、画面のアドレスにある番号を --case に、--compartment shien を付けて指定してください。"
        )
    return found.case


async def _all(asking: Operator, account: Account, asked: Question, since: datetime | None) -> dict[UUID, Disclosure]:
    """Every row, a thousand at a time; the last instant of one answer is asked for again."""
    found: dict[UUID, Disclosure] = {}
    while True:
        answer: DisclosureList = await asking.ask(account, asked.model_copy(update={"since": since}))
        new = {row.disclosure: row for row in answer.rows if row.disclosure not in found}
        found |= new
        if not (answer.more and new):
            return found
        since = answer.rows[-1].at


def cells(row: Disclosure, staff: Mapping[UUID, StaffView], profile: Profile) -> list[str]:
    """One row in the order of COLUMNS; who left the directory keeps the reference."""
    agencies = {one.code: one.name for one in profile.agencies}
    basis = CATALOGUE.get(row.basis)
    return [
        row.at.astimezone(TOKYO).isoformat(timespec="seconds"),
        COMPARTMENT_TEXT[row.compartment],
        ACT_TEXT[row.act],
        agencies.get(row.agency, row.agency),
        staff[row.person].name if row.person in staff else str(row.person),
        str(row.case),
        str(row.item),
        PURPOSE_TEXT[row.purpose],
        f"同意 {row.consent} 第{row.consent_version}版" if row.consent else f"委嘱 {row.commission}",
        basis.article if basis else row.basis,
        row.row,
        row.rules,
        row.policy,
    ]


def as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """UTF-8 with a mark and CRLF, as spreadsheets read it. A cell that one would take for a formula gets ``'``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([f"'{cell}" if is_formula(cell) else cell for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")


def add(command: Adder) -> None:
    """Put the command on the line."""
    register = command("disclosures", _disclosures, "だれに何を、何に基づいて共有したかの記録を見る")
    which = register.add_mutually_exclusive_group(required=True)
    which.add_argument("--case", type=reference, help="事案の番号(--compartment と一緒に)")
    which.add_argument("--person", type=_person, help="受け取った人の職員番号")
    which.add_argument("--number", help="紹介元の受付番号(--referrer と一緒に。同意のある事案だけ)")
    register.add_argument("--referrer", help="紹介元の機関の code か名前")
    register.add_argument("--compartment", type=Compartment, choices=list(Compartment))
    register.add_argument("--since", type=_instant, help="この日時から", metavar="2026-11-20")
    register.add_argument("--until", type=_instant, help="この日時の前まで", metavar="2026-11-21")
    register.add_argument("--csv", type=Path, help="書き出す新しいCSVファイル", metavar="FILE")


def _disclosures(options: argparse.Namespace, settings: Settings) -> int:
    lacks = {
        "--case には --compartment juso か shien を付けてください。": options.case and not options.compartment,
        "--number には --referrer で紹介元の機関を付けてください。": options.number and not options.referrer,
        "--since は --until より前にしてください。": options.since and options.until and options.since >= options.until,
        "--number で探せるのは同意のある事案だけです。": options.number and options.compartment is Compartment.SHIEN,
    }
    for text in (text for text, lacking in lacks.items() if lacking):
        print(text, file=sys.stderr)
        return 2
    try:
        sheet = None
        if options.number:
            referrer = consent.named_agency(options.referrer, read_profile(settings.profile))
            sheet = LookAtConsent(referrer=referrer, number=options.number)
    except consent.WrongUse as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except ValidationError:
        print("--number は受付番号で指定してください。", file=sys.stderr)
        return 2
    names = ("compartment", "case", "person", "since", "until")
    wanted = Wanted(sheet=sheet, **{name: getattr(options, name) for name in names})
    return asyncio.run(disclosures(wanted, settings, print, options.csv))


def _person(text: str) -> UUID | str:
    """A person's reference, or a 職員番号."""
    try:
        return UUID(text)
    except ValueError:
        return text


def _instant(text: str) -> datetime:
    """An instant with its zone, or the first of a day in Japan. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=TOKYO)).astimezone(UTC)
