"""The directory on both engines: taking people over, holding their time, reaching them, letting them in."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData

from contracts.directory import (
    Busy,
    MailboxOf,
    Release,
    Reserve,
    Reserved,
    SignedIn,
    SignInJuso,
    SignInShien,
    Staff,
    StaffList,
)
from contracts.message import Compartment
from services.bus import ask
from services.directory import service
from services.service import AskFailed, Process, Service, Tx
from services.settings import ProfileInvalid, Settings
from services.store import Store
from tests.stage import Stage
from tests.world import World

HEADER = "職員番号,氏名,フリガナ,機関,役職,メール,通信環境,ログイン,初期パスワード,窓口"
TAKAHASHI = "0101,髙橋 美穂,タカハシ ミホ,fukushi,officer,m@fukushi.example,lgwan,takahashi,hiiragi-2026,juso;shien"
HIDAKA = "1701,日髙 友恵,ヒダカ トモエ,shakyo,officer,t@shakyo.example,internet,hidaka,tsubaki-2026,juso"
NGUYEN = "1602,グエン ティ トゥイ,,kodomo-katei,officer;representative,n@kodomo.example,lgwan,,,"
ARIMA = "2401,有馬 トシ子,アリマ トシコ,minsei,officer,,none,,,"
HIIRAGI = "hiiragi-2026"
NINE = datetime(2026, 12, 1, 0, tzinfo=UTC)
"""09:00 in Japan."""
HOUR = timedelta(hours=1)

Build = Callable[..., Stage]


class Office:
    """A municipality's folder of files and the directory that starts from it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder

    def start(self, *staff: str, busy: tuple[str, ...] | None = None) -> None:
        """Write the files and start; without lines, start from what lies there."""
        if staff:
            (self.folder / "staff.csv").write_text("\n".join((HEADER, *staff)) + "\n", "utf-8")
        if busy is not None:
            (self.folder / "busy.csv").write_text("\n".join(("職員番号,開始,終了", *busy)) + "\n", "utf-8")
        assert service.start
        begin, settings = service.start, Settings(profile=self.folder)
        self.stage.do(lambda tx: begin(tx, settings))

    def people(self) -> dict[str, UUID]:
        return {one.name: one.person for one in self.stage.ask(Staff()).staff}

    def busy(
        self, starts: datetime = NINE - HOUR, ends: datetime = NINE + 24 * HOUR
    ) -> set[tuple[UUID, datetime, datetime]]:
        return {(b.person, b.starts, b.ends) for b in self.stage.ask(Busy(starts=starts, ends=ends)).blocks}

    async def sign_in(
        self, login: str = "takahashi", password: str = HIIRAGI, desk: Compartment = Compartment.JUSO
    ) -> SignedIn:
        question = (SignInJuso if desk is Compartment.JUSO else SignInShien)(login=login, password=password)
        answer: SignedIn = await service.answers_to[type(question)].act(question, self)
        return answer

    async def run(self, act: Callable[[Tx], Any]) -> Any:
        """What of a ``Work`` signing in needs."""
        return self.stage.do(act)

    def tally(self) -> dict[str, int]:
        return self.stage.do(service.tally)


@pytest.fixture
def office(stage: Build, tmp_path: Path) -> Office:
    return Office(stage(service), tmp_path)


def reserve(*persons: UUID, hold: UUID | None = None, at: datetime = NINE, firm: bool = False) -> Reserve:
    return Reserve(hold=hold or uuid4(), persons=persons, starts=at, ends=at + HOUR, firm=firm)


def test_the_days_of_a_post_are_told_where_the_file_says_them(office: Office) -> None:
    path = office.folder / "staff.csv"
    path.write_text(f"{HEADER},就任日,退任日\n{TAKAHASHI},2026-04-01,2026-11-23\n{HIDAKA},,\n", "utf-8")
    office.start()
    told = office.stage.ask(Staff()).staff
    assert [(one.since, one.until) for one in told] == [(date(2026, 4, 1), date(2026, 11, 23)), (None, None)]
    office.start(TAKAHASHI)
    assert [(one.since, one.until) for one in office.stage.ask(Staff()).staff] == [(None, None)]


@pytest.mark.parametrize("posts", ["", ",就任日,退任日"])
def test_how_somebody_is_told_reaches_notify_and_only_a_telephone_number_reaches_the_desks(
    office: Office, posts: str
) -> None:
    none = ",," if posts else ""
    hook, phone = f"{TAKAHASHI}{none},Webhook,https://chat.example/h", f"{HIDAKA}{none},電話,0984-00-2201"
    (office.folder / "staff.csv").write_text(f"{HEADER}{posts},連絡方法,連絡先\n{hook}\n{phone}\n", "utf-8")
    office.start()
    first, second = office.stage.ask(Staff()).staff
    told = [office.stage.ask(MailboxOf(person=one.person)) for one in (first, second)]
    assert [(one.channel, one.endpoint) for one in told] == [
        ("webhook", "https://chat.example/h"),
        ("phone", "0984-00-2201"),
    ]
    assert (first.phone, second.phone) == ("", "0984-00-2201")
    office.start(TAKAHASHI)
    assert office.stage.ask(MailboxOf(person=first.person)).channel == "mail"


# -- people ------------------------------------------------------------------------------------------------------------


def test_staff_are_listed_in_the_order_in_which_they_are_to_be_asked(office: Office) -> None:
    office.start(HIDAKA, TAKAHASHI, ARIMA)
    staff = office.stage.ask(Staff()).staff
    assert [(s.name, s.agency, s.posts, s.network) for s in staff] == [
        ("日髙 友恵", "shakyo", ("officer",), "internet"),
        ("髙橋 美穂", "fukushi", ("officer",), "lgwan"),
        ("有馬 トシ子", "minsei", ("officer",), "none"),
    ]


def test_starting_again_keeps_everybody_s_reference_and_takes_over_what_changed(office: Office) -> None:
    office.start(TAKAHASHI, NGUYEN, busy=("0101,2026-12-01 09:00,2026-12-01 10:00",))
    before, blocks = office.people(), office.busy()
    office.start()
    assert (office.people(), office.busy()) == (before, blocks)
    office.start(NGUYEN, TAKAHASHI.replace("fukushi,officer", "kenko,officer"))
    assert office.people() == before
    assert [s.agency for s in office.stage.ask(Staff()).staff] == ["kodomo-katei", "kenko"]


@pytest.mark.rule("S4")
def test_who_leaves_is_gone_but_not_deleted_and_may_come_back_as_the_same_person(office: Office) -> None:
    """S4: the duty of secrecy stays with whoever left, so the reference must never come to mean somebody else."""
    office.start(TAKAHASHI, NGUYEN)
    nguyen = office.people()["グエン ティ トゥイ"]
    office.start(TAKAHASHI)
    assert nguyen not in office.people().values()
    assert office.stage.ask(MailboxOf(person=nguyen)).address == ""
    assert office.tally()["staff"] == 1
    office.start(TAKAHASHI, NGUYEN)
    assert office.people()["グエン ティ トゥイ"] == nguyen


async def test_who_left_cannot_sign_in_and_the_login_can_change_hands(office: Office) -> None:
    office.start(TAKAHASHI)
    office.start(HIDAKA.replace("hidaka,tsubaki-2026", "takahashi,nanten-2026"))
    assert await office.sign_in(password="hiiragi-2026") == SignedIn()
    assert (await office.sign_in(password="nanten-2026")).name == "日髙 友恵"


async def test_two_logins_can_be_swapped_in_one_start(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA)
    office.start(
        TAKAHASHI.replace("takahashi,hiiragi-2026", "hidaka,sazanka-2026"),
        HIDAKA.replace("hidaka,tsubaki-2026", "takahashi,nanten-2026"),
    )
    assert (await office.sign_in(password="nanten-2026")).name == "日髙 友恵"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEADER}\n{TAKAHASHI}\n{NGUYEN.replace('kodomo-katei', 'kodomo-ie')}\n".encode(), "staff.csv 3行目「機関」"),
        (f"{HEADER}\n{TAKAHASHI}\n{NGUYEN}\n".encode("cp932"), "UTF-8"),
        (f"番号,名前\n{TAKAHASHI}\n".encode(), "1行目「見出し」"),
        (f"{HEADER}\n{TAKAHASHI},おまけ\n".encode(), "2行目「全体」"),
        (f'{HEADER}\n0101,"髙橋 美穂,タカハシ\n'.encode(), "2行目「全体」"),
        (f"{HEADER}\n".encode(), "1人もいません"),
        (b"", "1行目「見出し」"),
    ],
)
def test_a_faulty_file_is_told_by_line_and_column_without_names_and_nothing_of_it_is_taken(
    office: Office, content: bytes, said: str
) -> None:
    office.start(HIDAKA)
    (office.folder / "staff.csv").write_bytes(content)
    with pytest.raises(ProfileInvalid) as refusal:
        office.start()
    assert said in str(refusal.value)
    assert not any(word in str(refusal.value) for word in ("髙橋", "グエン", "fukushi.example", "hiiragi"))
    assert list(office.people()) == ["日髙 友恵"]


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_are_no_fault(office: Office) -> None:
    (office.folder / "staff.csv").write_bytes(f"{HEADER}\r\n{TAKAHASHI}\r\n\r\n,,,,,,,,,\r\n".encode("utf-8-sig"))
    office.start()
    assert list(office.people()) == ["髙橋 美穂"]


def test_a_faulty_busy_file_stops_the_start_and_names_its_line(office: Office) -> None:
    with pytest.raises(ProfileInvalid, match=r"busy\.csv 2行目「終了」"):
        office.start(TAKAHASHI, busy=("0101,2026-12-01 10:00,2026-12-01 09:00",))
    assert office.people() == {}


def test_the_staff_file_may_be_taken_away_after_the_first_start_but_not_before(office: Office) -> None:
    with pytest.raises(ProfileInvalid, match=r"staff\.csv"):
        office.start()
    office.start(TAKAHASHI)
    (office.folder / "staff.csv").unlink()
    office.start()
    assert list(office.people()) == ["髙橋 美穂"]


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_new_busy_file_replaces_the_old_one_and_leaves_the_holds(office: Office) -> None:
    office.start(TAKAHASHI, busy=("0101,2026-12-01 11:00,2026-12-01 12:00",))
    takahashi = office.people()["髙橋 美穂"]
    office.stage.ask(reserve(takahashi))
    office.start(busy=("0101,2026-12-01 14:00,2026-12-01 15:00",) * 2)
    assert office.busy() == {(takahashi, NINE, NINE + HOUR), (takahashi, NINE + 5 * HOUR, NINE + 6 * HOUR)}


def test_the_people_of_one_sitting_do_not_show_as_a_group_where_their_own_times_join_it(office: Office) -> None:
    office.start(
        TAKAHASHI, HIDAKA, busy=("0101,2026-12-01 10:00,2026-12-01 11:00", "1701,2026-12-01 08:30,2026-12-01 09:30")
    )
    takahashi, hidaka = office.people().values()
    office.stage.ask(reserve(takahashi, hidaka, firm=True))
    assert office.busy() == {(takahashi, NINE, NINE + 2 * HOUR), (hidaka, NINE - HOUR / 2, NINE + HOUR)}


def test_busy_shows_what_touches_the_time_asked_for_and_not_what_ends_where_it_begins(office: Office) -> None:
    office.start(TAKAHASHI, busy=("0101,2026-12-01 09:00,2026-12-01 10:00",))
    (takahashi,) = office.people().values()
    asked = NINE + HOUR / 2, NINE + 2 * HOUR
    assert office.busy(*asked) == {(takahashi, NINE + HOUR / 2, NINE + HOUR)}, "and only of that time"
    assert not office.busy(NINE - HOUR, NINE)
    assert not office.busy(NINE + HOUR, NINE + 2 * HOUR)


def test_a_time_is_held_for_all_or_for_nobody(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA, NGUYEN, busy=("1701,2026-12-01 09:30,2026-12-01 12:00",))
    takahashi, hidaka, nguyen = office.people().values()
    before = office.busy()
    assert office.stage.ask(reserve(takahashi, hidaka, nguyen)) == Reserved(clashes=(hidaka,))
    assert office.busy() == before
    assert office.stage.ask(reserve(takahashi, nguyen)) == Reserved()
    assert office.tally()["holds"] == 1


def test_the_same_hold_twice_changes_nothing_even_when_a_firm_one_came_over_it(office: Office) -> None:
    office.start(TAKAHASHI)
    (takahashi,) = office.people().values()
    first = reserve(takahashi)
    assert office.stage.ask(first) == Reserved()
    assert office.stage.ask(reserve(takahashi, firm=True)) == Reserved()
    assert office.stage.ask(first) == Reserved()
    assert office.tally()["holds"] == 2
    assert office.busy() == {(takahashi, NINE, NINE + HOUR)}


def test_two_sittings_cannot_hold_one_person_at_once_but_back_to_back(office: Office) -> None:
    office.start(TAKAHASHI)
    (takahashi,) = office.people().values()
    office.stage.ask(reserve(takahashi))
    assert office.stage.ask(reserve(takahashi, at=NINE + HOUR / 2)).clashes == (takahashi,)
    assert office.stage.ask(reserve(takahashi, at=NINE + HOUR)).clashes == ()


def test_a_regular_sitting_does_not_give_way(office: Office) -> None:
    office.start(TAKAHASHI, busy=("0101,2026-12-01 09:00,2026-12-01 17:00",))
    (takahashi,) = office.people().values()
    assert office.stage.ask(reserve(takahashi)).clashes == (takahashi,)
    assert office.stage.ask(reserve(takahashi, firm=True)).clashes == ()
    assert office.tally()["holds"] == 1
    assert office.busy() == {(takahashi, NINE, NINE + 8 * HOUR)}


def test_a_hold_that_moves_gives_its_old_time_back_unless_the_new_one_clashes(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA, busy=("1701,2026-12-01 13:00,2026-12-01 14:00",))
    takahashi, hidaka = office.people().values()
    hold = uuid4()
    office.stage.ask(reserve(takahashi, hidaka, hold=hold))
    lunch = {(hidaka, NINE + 4 * HOUR, NINE + 5 * HOUR)}
    at_nine = {(one, NINE, NINE + HOUR) for one in (takahashi, hidaka)}
    assert office.stage.ask(reserve(takahashi, hidaka, hold=hold, at=NINE + 4 * HOUR)).clashes == (hidaka,)
    assert office.busy() == at_nine | lunch
    moved = NINE + HOUR / 2  # over its own old time, which is no clash
    assert office.stage.ask(reserve(takahashi, hidaka, hold=hold, at=moved)) == Reserved()
    assert office.busy() == {(one, moved, moved + HOUR) for one in (takahashi, hidaka)} | lunch


def test_a_hold_can_change_its_people(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA)
    takahashi, hidaka = office.people().values()
    hold = uuid4()
    office.stage.ask(reserve(takahashi, hold=hold))
    office.stage.ask(reserve(hidaka, hold=hold))
    assert office.busy() == {(hidaka, NINE, NINE + HOUR)}


def test_a_released_hold_is_gone_and_releasing_it_again_is_no_fault(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA, busy=("0101,2026-12-01 14:00,2026-12-01 15:00",))
    takahashi, hidaka = office.people().values()
    hold, other = uuid4(), uuid4()
    office.stage.ask(reserve(takahashi, hold=hold))
    office.stage.ask(reserve(hidaka, hold=other))
    for _ in range(2):
        office.stage.ask(Release(hold=hold))
    assert office.busy() == {(hidaka, NINE, NINE + HOUR), (takahashi, NINE + 5 * HOUR, NINE + 6 * HOUR)}


def test_of_two_processes_that_want_one_person_at_once_exactly_one_succeeds(office: Office) -> None:
    """Both kinds of meeting may ask in the same moment, and the directory may run more than once."""
    office.start(TAKAHASHI, HIDAKA)
    persons = tuple(office.people().values())
    store = office.stage.store
    address = store.engine.url.render_as_string(hide_password=False)
    others = [Store(address, service, store.profile) for _ in range(2)]

    def wish(one: Store, hour: int) -> bool:
        question = reserve(*persons, at=NINE + hour * HOUR)
        answer: Reserved = one.write(lambda tx: service.answers_to[Reserve].act(question, tx))
        return not answer.clashes

    with ThreadPoolExecutor(2) as pool:
        for hour in range(20):
            assert sorted(pool.map(wish, others, (hour, hour))) == [False, True]
    for one in others:
        one.close()


# -- mail and sign-in --------------------------------------------------------------------------------------------------


def test_mail_goes_to_the_address_in_the_file_and_nowhere_when_there_is_none(office: Office) -> None:
    office.start(TAKAHASHI, ARIMA)
    people = office.people()
    found = office.stage.ask(MailboxOf(person=people["髙橋 美穂"]))
    assert (found.address, found.name, found.agency) == ("m@fukushi.example", "髙橋 美穂", "fukushi")
    assert office.stage.ask(MailboxOf(person=people["有馬 トシ子"])).address == ""
    assert office.stage.ask(MailboxOf(person=uuid4())).address == ""


async def test_the_coordinator_of_the_city_may_use_both_desks_the_contractor_s_only_one(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA)
    for desk in Compartment:
        assert (await office.sign_in(desk=desk)).name == "髙橋 美穂"
    assert (await office.sign_in("hidaka", "tsubaki-2026")).agency == "shakyo"
    assert await office.sign_in("hidaka", "tsubaki-2026", Compartment.SHIEN) == SignedIn()


@pytest.mark.parametrize(
    ("login", "password"),
    [("takahashi", "hiiragi-2027"), ("takahashi", ""), ("nobody", "hiiragi-2026"), ("", ""), ("taka\0hashi", "x")],
)
async def test_every_failure_to_sign_in_looks_the_same(office: Office, login: str, password: str) -> None:
    office.start(TAKAHASHI, NGUYEN)
    assert await office.sign_in(login, password) == SignedIn()


def test_a_password_is_kept_only_as_a_salted_hash(office: Office) -> None:
    office.start(TAKAHASHI, HIDAKA.replace("tsubaki-2026", "hiiragi-2026"))
    from sqlalchemy import select

    from services.directory.tables import person

    kept = office.stage.do(lambda tx: tx.execute(select(person.c.password_hash)).scalars().all())
    assert len(set(kept)) == 2
    assert not any("hiiragi" in one for one in kept)


async def test_the_initial_password_counts_until_there_is_one_and_again_after_the_login_was_taken_away(
    office: Office,
) -> None:
    office.start(TAKAHASHI)
    changed = TAKAHASHI.replace("hiiragi-2026", "nanten-2026")
    office.start(changed)
    assert (await office.sign_in(password="hiiragi-2026")).person
    office.start(TAKAHASHI.replace("hiiragi-2026", ""))
    assert (await office.sign_in(password="hiiragi-2026")).person
    office.start(TAKAHASHI.replace("takahashi,hiiragi-2026,juso;shien", ",,"))
    assert await office.sign_in(password="hiiragi-2026") == SignedIn()
    office.start(changed)
    assert (await office.sign_in(password="nanten-2026")).person


async def opened(world: World, *staff: str) -> None:
    """A directory on a real bus, and two desks that may ask it."""
    desk = Service("desk", MetaData(), compartments=True, asks=frozenset({SignInJuso, SignInShien, Staff}))
    await world.provision([Process(service), *(Process(desk, one) for one in Compartment)])
    directory = await world.start(Process(service))
    assert service.start
    begin, settings = service.start, Settings(profile=world.settings.home)
    (settings.profile / "staff.csv").write_text("\n".join((HEADER, *staff)), "utf-8")
    await directory.run(lambda tx: begin(tx, settings))


async def test_a_flood_of_sign_ins_is_refused_at_once_and_holds_nobody_else_up(world: World) -> None:
    """Only two are checked at a time, and beside the store: who is free and who is busy is answered meanwhile."""
    await opened(world, TAKAHASHI, HIDAKA)
    client = await world.connect("desk@juso")
    right = SignInJuso(login="takahashi", password=HIIRAGI)

    async def try_it() -> str:
        try:
            return (await ask(client, f"to.directory.{right.subject}", right)).name
        except AskFailed as failure:
            return str(failure)

    flood = [asyncio.create_task(try_it()) for _ in range(80)]
    await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    staff: StaffList = await ask(client, f"to.directory.{Staff.subject}", Staff())
    assert len(staff.staff) == 2
    checked = [one for one in flood if one.done() and one.result() == "髙橋 美穂"]
    assert len(checked) < 5, "the list did not wait until the passwords were checked"
    answers = await asyncio.gather(*flood)
    assert set(answers) == {"髙橋 美穂", "TooManySignIns"}
    assert 10 <= answers.count("髙橋 美穂") < 40
    assert await try_it() == "髙橋 美穂", "afterwards there is room again"


async def test_the_juso_desk_cannot_try_passwords_of_the_shien_desk(world: World) -> None:
    await opened(world, TAKAHASHI)
    foreign = SignInShien(login="takahashi", password=HIIRAGI)
    client = await world.connect("desk@juso")
    for address in (foreign.subject, f"to.directory.{foreign.subject}"):
        with pytest.raises(AskFailed):
            await ask(client, address, foreign, seconds=1)
    own = await world.connect("desk@shien")
    assert (await ask(own, f"to.directory.{foreign.subject}", foreign)).name == "髙橋 美穂"
