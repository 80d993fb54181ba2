"""``kasane consent`` against a real intake: what it says, what it records, and that a withdrawal waits for its stop."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import MetaData, select

from contracts.directory import Staff, StaffList, StaffView
from contracts.intake import AcknowledgeConsents, ConsentHistory, KnownVersion, LookAtConsent, TakeInSheets
from contracts.message import Account, Compartment
from services import intake
from services.__main__ import _parser
from services.bus import Bus
from services.commands import consent
from services.intake.reception_tables import showing
from services.intake.tables import referral
from services.service import Process, Service, Tx
from tests.intake.paper import sheet
from tests.world import World

EXAMPLE = Path(__file__).parent.parent / "examples" / "kobayashi"
PAPER = sheet(referrer="jiritsu", agencies=("kodomo",))
PERSON = UUID(int=1)
ON = ("--how", "signed", "--by", "日髙 奈緒", "--on", "2026-11-02")
CITY, OTHER = "0101", "0201"
directory = Service("directory", MetaData())


@directory.answers(Staff)
def staff(question: Staff, tx: Tx) -> StaffList:
    plain = {"posts": (), "network": "lgwan"}
    return StaffList(
        staff=(
            StaffView.model_validate(
                plain | {"person": PERSON, "number": CITY, "name": "髙橋 美穂", "agency": "fukushi"}
            ),
            StaffView.model_validate(
                plain | {"person": UUID(int=2), "number": OTHER, "name": "橋口 誠", "agency": "shakyo"}
            ),
        )
    )


asker = Service("coordination", MetaData(), compartments=True, asks=frozenset({AcknowledgeConsents}))


class Town:
    """A running intake with one consented client, and the command line beside it."""

    def __init__(self, world: World, intake_bus: Bus, juso: Bus) -> None:
        self.settings = world.settings.model_copy(update={"profile": EXAMPLE})
        self.bus, self.juso = intake_bus, juso

    async def kasane(self, *words: str) -> tuple[int, str]:
        """Exit status and what was said."""
        said: list[str] = []
        options = _parser().parse_args(["consent", *map(str, words)])
        return await consent.run(options, self.settings, said.append), "\n".join(said)

    async def referral(self) -> UUID:
        found: UUID = await self.bus.run(lambda tx: tx.execute(select(referral.c.id)).scalar_one())
        return found

    async def history(self) -> ConsentHistory:
        key = await self.referral()
        answer = intake.service.answers_to[LookAtConsent].act
        found: ConsentHistory = await self.bus.run(lambda tx: answer(LookAtConsent(referral=key), tx))
        return found

    async def acknowledge(self, version: int) -> None:
        agreed = (await self.history()).consent
        assert agreed
        for process in consent.LISTENERS:
            asked = AcknowledgeConsents(known=(KnownVersion(consent=agreed, version=version),), process=process)
            await self.juso.ask(asked, to=Account.INTAKE)


@pytest.fixture
async def town(world: World) -> Town:
    """Intake is real; a stand-in acknowledges for juso."""
    there = Process(intake.service), Process(asker, Compartment.JUSO), Process(directory)
    await world.provision(there)
    bus, juso, _ = [await world.start(one) for one in there]
    take = intake.service.answers_to[TakeInSheets].act
    await bus.tell(lambda tx: take(TakeInSheets(sheets=(PAPER,)), tx)[1])
    return Town(world, bus, juso)


async def test_show_says_what_was_agreed_in_plain_words(town: Town) -> None:
    status, said = await town.kasane("show", "--referrer", "jiritsu", "--number", "0000123", "--by", CITY)
    assert status == 0
    for words in (
        "第1版 同意あり",
        "髙橋 キヨ子(本人)",
        "プラン策定",
        "署名",
        "2026-11-02 から 2029-11-01 まで",
        "及ばない",
    ):
        assert words in said
    assert "coordination@juso まだ、meetings@juso まだ" in said
    history = await town.history()
    in_a_minute = history.versions[0].recorded_at + timedelta(seconds=60)
    late = "\n".join(consent.history_lines(history, town.bus.profile, in_a_minute))
    assert "coordination@juso 遅れています" in late
    key = str(await town.referral())
    assert (await town.kasane("show", "--referral", key, "--by", CITY)) == (0, said)
    assert (await town.kasane("show", "--referral", str(UUID(int=1)), "--by", CITY))[0] == 1
    assert (await town.kasane("show", "--referrer", "jiritsu", "--by", CITY))[0] == 2


async def test_whoever_looks_is_of_the_city_and_is_written_down(town: Town) -> None:
    key = str(await town.referral())
    status, said = await town.kasane("show", "--referral", key, "--by", OTHER)
    assert (status, said) == await town.kasane("show", "--referral", str(UUID(int=1)), "--by", OTHER)
    assert status == 1, "an agency outside is told as much of a number that there is none"
    wanted = select(showing.c.person, showing.c.what, showing.c.subject)
    assert await town.bus.run(lambda tx: tx.execute(wanted).all()) == []
    assert (await town.kasane("show", "--referral", key, "--by", CITY))[0] == 0
    rows = await town.bus.run(lambda tx: {tuple(row) for row in tx.execute(wanted)})
    assert rows == {(PERSON, "consent", UUID(key))}


async def test_record_narrows_and_hashes_the_scan_itself(town: Town, tmp_path: Path) -> None:
    key, scan = str(await town.referral()), tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF a signed sheet")
    narrowed = ("--referral", key, "--after", "1", "--state", "narrowed", "--agency", "jiritsu", *ON)
    status, said = await town.kasane("record", *narrowed)
    assert (status, said.splitlines()[0]) == (0, "第2版として記録しました。")
    assert "機関 小林市生活自立相談支援センター" in said
    wide = ("--referral", key, "--after", "2", "--state", "given", "--agency", "jiritsu", "--agency", "kodomo", *ON)
    status, said = await town.kasane("record", *wide)
    assert (status, "[C3]" in said) == (1, True)
    assert (await town.kasane("record", *wide, "--evidence", str(scan), "--member", "1"))[0] == 0
    assert (await town.kasane("record", *wide, "--agency", "どこにもない機関"))[0] == 2
    newest = (await town.history()).versions[-1]
    assert newest.evidence_digest == consent.digest_of(scan)
    assert newest.scope
    assert set(newest.scope.agencies) == {"jiritsu", "kodomo"}
    for wrong in (("--member", "9"), ("--evidence", str(tmp_path / "none")), ("--until", "2020-01-01")):
        assert (await town.kasane("record", *wide, *wrong))[0] == 2


async def test_withdraw_waits_until_nothing_more_can_be_shared_and_says_when(town: Town) -> None:
    case = (await town.history()).case
    withdrawing = asyncio.create_task(town.kasane("withdraw", "--case", str(case), *ON))
    while len((await town.history()).versions) < 2:  # noqa: ASYNC110 - another task's progress has no event
        await asyncio.sleep(0.02)
    await town.acknowledge(2)
    status, said = await withdrawing
    assert status == 0
    assert "撤回を受け付けました" in said
    assert "に停止を確認しました" in said
    assert "まだ" not in said
    assert (await town.kasane("withdraw", "--case", str(UUID(int=1)), *ON))[0] == 1
