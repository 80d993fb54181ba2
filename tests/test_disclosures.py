"""``kasane disclosures``: what was shared, assembled from both registers, as people and spreadsheets read it."""

import csv
import io
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData

from contracts.coordination import AgencyDecision, ExplainItem, ItemExplanation
from contracts.directory import Staff, StaffList, StaffView
from contracts.disclosure import Disclosure, DisclosureList, DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.intake import ConsentHistory, LookAtConsent
from contracts.message import Account, Compartment
from contracts.policy_terms import Act
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.__main__ import main
from services.commands.disclosures import COLUMNS, Wanted, as_csv, cells, disclosures
from services.commands.policy import explain_item
from services.operator import NoSuchPerson, operator
from services.service import Process, Service
from tests.world import World

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CASE, OTHER, NURSE, OFFICER = (UUID(int=number) for number in (0xA1, 0xA2, 0xC1, 0xC2))
STAFF = (
    StaffView(person=NURSE, name="=濵田 政志", agency="byouin", posts=(), network="internet"),
    StaffView(person=OFFICER, name="髙橋 美穂", agency="fukushi", posts=(), network="lgwan"),
)


def row(minutes: int = 0, case: UUID = CASE, person: UUID = OFFICER, act: Act = Act.SHOW, **more: Any) -> Disclosure:
    """A row of juso's registers."""
    values = {
        "disclosure": uuid4(),
        "compartment": JUSO,
        "at": START + timedelta(minutes=minutes),
        "act": act,
        "item": UUID(int=0xB1),
        "case": case,
        "member": UUID(int=0xE1),
        "category": "ordinary",
        "purpose": Purpose.PLAN,
        "agency": "fukushi" if person == OFFICER else "byouin",
        "person": person,
        "sitting": None,
        "row": "P1",
        "rules": "C1・C2",
        "basis": "swa-106-4-2-5",
        "reason": "本人の同意が有効で、機関・目的・世帯員がその範囲内です。",
        "consent": UUID(int=0xE2),
        "consent_version": 2,
        "commission": None,
        "policy": "a59a7be7e22e",
        "decided_by": "coordination@juso",
    }
    return Disclosure.model_validate(values | more)


def in_shien(minutes: int) -> Disclosure:
    """A row of shien's registers."""
    ground = {"consent": None, "consent_version": None, "member": None, "commission": UUID(int=0xF1)}
    return row(minutes, OTHER, compartment=SHIEN, row="P2", rules="C4・S8", basis="swa-106-6", **ground)


async def registers(world: World, *, shown: Sequence[Disclosure] = (), sent: Sequence[Disclosure] = ()) -> None:
    """Services that keep these rows, five to an answer, with a directory and a ledger beside them."""
    coordination = Service("coordination", MetaData(), compartments=True)
    meetings = Service("meetings", MetaData(), compartments=True)
    directory, intake = Service("directory", MetaData()), Service("intake", MetaData())

    def listed(rows: Sequence[Disclosure], asked: Any, here: Compartment | None) -> DisclosureList:
        found = [one for one in rows if one.compartment is here]
        found = [one for one in found if not asked.cases or one.case in asked.cases]
        found = [one for one in found if asked.person in (None, one.person)]
        found = [one for one in found if not (asked.since and one.at < asked.since)]
        found = [one for one in found if not (asked.until and one.at >= asked.until)]
        known = {one.case for one in rows}
        unknown = tuple(one for one in asked.cases if one not in known)
        return DisclosureList(rows=tuple(found[:5]), more=len(found) > 5, unknown=unknown)

    coordination.answers(DisclosuresAtCoordination)(lambda asked, tx: listed(shown, asked, tx.compartment))
    coordination.answers(ExplainItem)(lambda asked, tx: explained(asked.item))
    meetings.answers(DisclosuresAtMeetings)(lambda asked, tx: listed(sent, asked, tx.compartment))
    directory.answers(Staff)(lambda asked, tx: StaffList(staff=STAFF))
    intake.answers(LookAtConsent)(
        lambda asked, tx: ConsentHistory(case=CASE if (asked.referrer, asked.number) == ("kikan", "0042") else None)
    )
    processes = [Process(one, where) for one in (coordination, meetings) for where in Compartment]
    processes += [Process(directory), Process(intake)]
    await world.provision(processes)
    for process in processes:
        await world.start(process)


def explained(item: UUID) -> ItemExplanation:
    """The office may, the hospital may not."""
    if item != UUID(int=0xB1):
        return ItemExplanation(found=False)
    door = "この機関を含む同意を得てください。"
    common = {"basis": "社会福祉法第106条の4第2項第5号", "reason": "範囲外です。"}
    return ItemExplanation(
        found=True,
        case=CASE,
        purpose=Purpose.PLAN,
        consent_version=2,
        policy="a59a7be7e22e",
        decided_at=START,
        decisions=(
            AgencyDecision(agency="byouin", allowed=False, row="N5", rules="C3・C1", next_step=door, **common),
            AgencyDecision(agency="fukushi", allowed=True, row="P1", rules="C1・C2", next_step="", **common),
        ),
    )


async def said(world: World, wanted: Wanted, file: Path | None = None, status: int = 0) -> list[str]:
    """What the command prints."""
    lines: list[str] = []
    assert await disclosures(wanted, world.settings, lines.append, file) == status
    return lines


async def test_both_registers_of_a_case_become_one_list_by_time(world: World) -> None:
    shown = [row(minutes) for minutes in (0, 7, 7, 9)] + [row(8, case=OTHER)]
    await registers(world, shown=shown, sent=[row(5, person=NURSE, act=Act.INVITE)])
    lines = await said(world, Wanted(case=CASE, compartment=JUSO))
    assert lines[-1] == "情報共有の記録: 5件"
    assert [line.split("  ")[2:5] for line in lines[:2]] == [
        ["画面で見る", "福祉課", "髙橋 美穂"],
        ["招集", "小林市立病院 地域連携室", "=濵田 政志"],
    ]
    assert lines[0].startswith("2026-11-24T10:00:00+09:00  重層的支援会議  ")


async def test_more_rows_than_an_answer_holds_are_all_there_each_once(world: World) -> None:
    await registers(world, shown=[row(minutes // 2) for minutes in range(23)])
    assert (await said(world, Wanted(case=CASE, compartment=JUSO)))[-1] == "情報共有の記録: 23件"


async def test_rows_are_found_by_person_over_both_kinds_and_by_time(world: World) -> None:
    await registers(world, shown=[row(0), in_shien(1), row(2), row(3, person=NURSE)])
    everywhere = await said(world, Wanted(person=OFFICER))
    assert [line.split("  ")[1] for line in everywhere[:-1]] == ["重層的支援会議", "支援会議", "重層的支援会議"]
    assert f"委嘱 {UUID(int=0xF1)}" in everywhere[1]
    one = await said(world, Wanted(person=OFFICER, compartment=SHIEN))
    assert len(one) == 2
    later = Wanted(person=OFFICER, since=START + timedelta(minutes=1), until=START + timedelta(minutes=2))
    assert (await said(world, later))[-1] == "情報共有の記録: 1件"


async def test_a_number_of_the_referrer_finds_the_juso_case_and_never_a_shien_one(world: World) -> None:
    await registers(world, shown=[row(), in_shien(1)])
    found = await said(world, Wanted(sheet=LookAtConsent(referrer="kikan", number="0042")))
    assert found[-1] == "情報共有の記録: 1件"
    (refusal,) = await said(world, Wanted(sheet=LookAtConsent(referrer="kikan", number="0043")), status=1)
    assert "--compartment shien" in refusal


async def test_the_file_has_the_columns_in_order_and_no_cell_runs(world: World, tmp_path: Path) -> None:
    await registers(world, shown=[row(person=NURSE)])
    file = tmp_path / "記録.csv"
    assert await said(world, Wanted(case=CASE, compartment=JUSO), file) == [f"1件を {file} に書きました。"]
    content = file.read_bytes()
    (header, line) = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert tuple(header) == COLUMNS
    assert dict(zip(header, line, strict=True)) == {
        "時刻": "2026-11-24T10:00:00+09:00",
        "区画": "重層的支援会議",
        "行為": "画面で見る",
        "機関": "小林市立病院 地域連携室",
        "氏名": "'=濵田 政志",
        "事案": str(CASE),
        "議題": str(UUID(int=0xB1)),
        "目的": "プラン策定",
        "根拠": f"同意 {UUID(int=0xE2)} 第2版",
        "根拠条文": "社会福祉法第106条の4第2項第5号",
        "判断表の行": "P1",
        "規則": "C1・C2",
        "判断表の版": "a59a7be7e22e",
    }
    assert content.startswith("時刻".encode("utf-8-sig"))
    assert content.count(b"\r\n") == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "unknown", [Wanted(case=UUID(int=0xFF), compartment=JUSO), Wanted(person=UUID(int=0xFF)), Wanted(person="9999")]
)
async def test_what_does_not_exist_is_no_all_clear(world: World, unknown: Wanted) -> None:
    await registers(world, shown=[row()])
    try:
        (refusal,) = await said(world, unknown, status=1)
    except NoSuchPerson as nobody:
        refusal = str(nobody)
    assert "ありません" in refusal or "いません" in refusal


async def test_somebody_who_has_left_is_still_found_by_reference(world: World) -> None:
    left = UUID(int=0xAB)
    await registers(world, shown=[row(person=left)])
    assert (await said(world, Wanted(person=left)))[-1] == "情報共有の記録: 1件"


async def test_no_file_is_overwritten(world: World, tmp_path: Path) -> None:
    await registers(world, shown=[row()])
    file = tmp_path / "記録.csv"
    file.write_text("大切な記録")
    (refusal,) = await said(world, Wanted(case=CASE, compartment=JUSO), file, status=1)
    assert "まだない別の名前" in refusal
    assert file.read_text() == "大切な記録"


def test_who_has_left_keeps_the_reference(kobayashi: Profile) -> None:
    assert cells(row(), {}, kobayashi)[4] == str(OFFICER)
    assert as_csv([]).decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"


async def test_who_may_hear_an_item_is_told_with_rows_reasons_and_next_steps(world: World) -> None:
    await registers(world)
    async with operator(world.settings) as asking:
        found = await asking.ask(Account.JUSO, ExplainItem(item=UUID(int=0xB1)))
        none = await asking.ask(Account.JUSO, ExplainItem(item=uuid4()))
    text = explain_item(found, world.profile)
    assert text.index("可    福祉課") < text.index("不可  小林市立病院 地域連携室")
    for words in ("同意 第2版", "N5(規則 C3・C1)", "この機関を含む同意を得てください。", "プラン策定"):
        assert words in text
    assert "この番号の議題はありません" in explain_item(none, world.profile)
    assert "だれにも共有していません" in explain_item(found.model_copy(update={"fenced": True}), world.profile)


@pytest.mark.parametrize(
    "wrong",
    [
        ["disclosures"],
        ["disclosures", "--case", str(CASE)],
        ["disclosures", "--number", "0042"],
        ["disclosures", "--number", "00 42", "--referrer", "kikan"],
        ["disclosures", "--number", "0042", "--referrer", "kikan", "--compartment", "shien"],
        ["disclosures", "--person", str(OFFICER), "--since", "きのう"],
        ["policy", "explain", "--item", str(CASE)],
        ["policy", "explain"],
    ],
)
def test_what_is_not_said_in_full_is_wrong_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(wrong)
    assert end.value.code == 2
    assert capsys.readouterr().err
