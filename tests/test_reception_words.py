"""``kasane signal``, ``triage``, ``same`` and ``household`` against a real intake: what they say and refuse."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import MetaData, select

from contracts.directory import Staff, StaffList, StaffView
from contracts.intake import TakeInSheets
from services import intake
from services.__main__ import _parser
from services.bus import Bus
from services.commands import household, same, signal, triage
from services.intake.tables import household_member, referral
from services.service import Process, Service, Tx
from services.settings import Settings
from tests.intake.paper import ROW, file, sheet
from tests.world import World

EXAMPLE = Path(__file__).parent.parent / "examples" / "kobayashi"
PAPER = sheet(referrer="jiritsu", agencies=("kodomo",))
directory = Service("directory", MetaData())
MODULES = {"household": household, "same": same, "signal": signal, "triage": triage}
STAFF = tuple(
    StaffView(person=UUID(int=n), number=number, name=name, agency=agency, posts=(), network="lgwan")
    for n, (number, name, agency) in enumerate(
        [("f-1", "髙橋 奈緒", "fukushi"), ("f-2", "𠮷田 進", "fukushi"), ("j-1", "黒木 学", "jiritsu")], 1
    )
)


@directory.answers(Staff)
def staff(question: Staff, tx: Tx) -> StaffList:
    return StaffList(staff=STAFF)


class Office:
    """A running intake with one consented client, and the command line beside it."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.settings, self.bus = settings, bus

    async def kasane(self, *words: object) -> tuple[int, str]:
        """Exit status and what was said."""
        said: list[str] = []
        options = _parser().parse_args([*map(str, words)])
        if words[0] == "triage" and options.at_triage is None:
            return triage.criteria(options, self.settings, said.append), "\n".join(said)
        return await MODULES[words[0]].run(options, self.settings, said.append), "\n".join(said)

    async def referral(self, number: str = "0000123") -> UUID:
        wanted = select(referral.c.id).where(referral.c.number == number)
        found: UUID = await self.bus.run(lambda tx: tx.execute(wanted).scalar_one())
        return found

    async def member(self, place: int) -> UUID:
        mine = household_member.c.referral == await self.referral(), household_member.c.place == place
        found: UUID = await self.bus.run(
            lambda tx: tx.execute(select(household_member.c.member).where(*mine)).scalar_one()
        )
        return found


@pytest.fixture
async def office(world: World) -> Office:
    """Intake is real; a stand-in knows the staff."""
    there = Process(intake.service), Process(directory)
    await world.provision(there)
    bus, _ = [await world.start(one) for one in there]
    take = intake.service.answers_to[TakeInSheets].act
    unexplained = {"explained_by": "", "explained_on": None}
    papers = (PAPER, PAPER.model_copy(update={"number": "2", "resident_number": None, **unexplained}))
    await bus.tell(lambda tx: take(TakeInSheets(sheets=papers), tx)[1])
    return Office(world.settings.model_copy(update={"profile": EXAMPLE}), bus)


async def test_a_note_is_typed_in_read_and_becomes_a_referral_only_after_the_person_was_asked(
    office: Office, tmp_path: Path
) -> None:
    values = {"noticed_on": "令和8年3月31日", "place": "canteen", "signs": ["child"], "urgent": "はい"}
    memo, paper = tmp_path / "memo.json", tmp_path / "sheet.csv"
    memo.write_text(json.dumps({"form": "early_signal", "values": values}), "utf-8")
    status, said = await office.kasane("signal", "report", memo, "--by", "j-1")
    assert (status, "気づいたことの内容" in said) == (1, True), "what is missing is told by its label"
    memo.write_text(json.dumps({"form": "early_signal", "values": values | {"description": "上着がない。"}}), "utf-8")
    status, said = await office.kasane("signal", "report", memo, "--by", "j-1")
    assert (status, "電話" in said) == (0, True)
    status, said = await office.kasane("signal", "list", "--by", "f-1")
    assert (status, "★命や安全の心配" in said, "上着がない。" in said) == (0, True, True)
    assert (await office.kasane("signal", "list", "--by", "j-1"))[0] == 1
    key = said.split()[0]
    asked = ROW | {"紹介元機関": "小林包括", "受付番号": "7", "関係機関": ""}
    paper.write_bytes(file(asked | {"同意区分": "未確認", "同意日": ""}))
    refer = ("signal", "refer", "--by", "f-1", "--signal", key, "--sheet", paper)
    status, said = await office.kasane(*refer)
    assert (status, "[C6]" in said) == (1, True)
    paper.write_bytes(file(asked))
    assert (await office.kasane(*refer))[0] == 0
    assert (await office.kasane("signal", "drop", "--by", "f-1", "--signal", key, "--reason", "もう要らない。"))[0] == 1
    assert (await office.kasane("signal", "erase", "--signal", key, "--reason", "mistake"))[0] == 0
    memo.write_text('{"form": "plan", "values": {}}', "utf-8")
    assert (await office.kasane("signal", "report", memo, "--by", "j-1"))[0] == 1


async def test_the_referrer_reads_the_criteria_the_reasons_and_the_decision(office: Office) -> None:
    status, said = await office.kasane("triage", "criteria")
    assert (status, "お困りごとが三つ以上の分野にわたる" in said) == (0, True)
    key = await office.referral()
    decide = ("triage", "decide", key, "--by", "f-1", "--way", "return", "--reason", "生活自立だけで続けられる。")
    status, said = await office.kasane(*decide)
    assert (status, "[D8]" in said) == (1, True)
    status, said = await office.kasane(*decide, "--talked-on", "2026-11-02", "--counterpart", "jiritsu")
    assert (status, "いつでもまた依頼" in said) == (0, True)
    status, said = await office.kasane("triage", "show", "jiritsu/0000123", "--by", "j-1", "--declare", "deadlock")
    assert status == 0
    for words in ("○ 支援が行き詰まり", "判断1 紹介元へ戻す", "生活自立だけで続けられる。", "決めるのは人です"):
        assert words in said
    status, said = await office.kasane("triage", "list", "--by", "f-1")
    assert (status, "jiritsu/2" in said, "jiritsu/0000123" in said) == (0, True, False)


@pytest.mark.rule("C6")
async def test_who_explained_a_referral_is_shown_and_can_be_written_down_with_a_decision(office: Office) -> None:
    key = await office.referral("2")
    show, listing = ("triage", "show", key, "--by", "f-1"), ("triage", "list", "--by", "f-1")
    assert "説明者・説明日がまだ(C6)" in (await office.kasane(*listing))[1]
    assert "注意: 説明者・説明日がありません" in (await office.kasane(*show))[1]
    decide = ("triage", "decide", key, "--by", "f-1", "--way", "coordinate", "--reason", "本人が会議を望んでいる。")
    status, said = await office.kasane(*decide, "--explained-by", "日髙 奈緒", "--explained-on", "2099-01-01")
    assert (status, "説明日: 説明日が今日より後です" in said) == (1, True)
    assert (await office.kasane(*decide, "--explained-by", "日髙 奈緒", "--explained-on", "2026-10-30"))[0] == 0
    said = (await office.kasane(*show))[1]
    assert ("本人への説明: 日髙 奈緒  2026-10-30" in said, "(C6)" in said) == (True, False)


async def test_a_pair_is_shown_and_confirmed_once(office: Office) -> None:
    one, other = await office.referral(), await office.referral("2")
    listing = ("same", "list", "--compartment", "juso", "--by", "f-1")
    status, said = await office.kasane(*listing)
    assert (status, "[確かめてください]" in said, "確かめる組 1組" in said) == (0, True, True)
    decide = ("same", "decide", one, other, "--same", "--checked", "asked_person", "--by", "f-1")
    assert (await office.kasane(*decide))[0] == 0
    assert (await office.kasane(*decide))[0] == 1
    assert "確かめる組 0組" in (await office.kasane(*listing))[1]
    assert (await office.kasane(*listing[:-1], "j-1"))[0] == 1


async def test_a_secret_member_is_hidden_on_the_screen_of_whoever_is_not_named(office: Office) -> None:
    about = ("--referral", await office.referral(), "--by")
    who = ("--member", await office.member(1))
    assert (await office.kasane("household", "detail", *about, "f-1", *who, "school", "小林高校"))[0] == 0
    hide = ("household", "hide", *about, "f-1", *who, "--ground", "stalking", "--viewer", "f-2")
    assert (await office.kasane(*hide, "--after", 0))[0] == 0
    status, said = await office.kasane("household", "show", *about, "f-1")
    assert (status, "〔秘匿〕" in said, "小林高校" in said, "9901" in said) == (0, True, False, False)
    assert "小林高校" in (await office.kasane("household", "show", *about, "f-2"))[1]
    assert (await office.kasane(*hide, "--after", 1))[0] == 1
    said = (await office.kasane("household", "seen", *about, "f-1"))[1]
    assert "𠮷田 進(fukushi)  そのまま" in said
    assert "髙橋 奈緒(fukushi)  伏せて" in said
    consent = ("household", "consent", *about, "f-1", *who, "--after", 0, "--state", "refused", "--how", "oral")
    assert (await office.kasane(*consent, "--taken-by", "日髙 奈緒", "--on", "2026-11-02"))[0] == 0
    change = ("household", "change", "join", *about, "f-1", "--after", 2, "--on", "2026-11-05", "--name", "不詳")
    status, said = await office.kasane(*change)
    assert (status, said) == (0, "記録しました。")
    status, said = await office.kasane("household", "show", *about, "f-2")
    assert (status, "不詳" in said, "同意しない(consent --after 1)" in said) == (0, True, True)
