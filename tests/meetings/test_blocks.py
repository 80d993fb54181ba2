"""Blocks of one sitting: closed and reopened in order, by who leaves and who stays on which ground (M5, M6)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.blocks import Staying
from contracts.legal_basis import JUSO_BASIS, SHIEN_BASIS
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.running import Proceeding, ProxyGround
from services.intake.consenting import standing_agencies
from services.meetings import blocks
from services.settings import read_profile
from tests.meetings.sitting_hands import Chair
from tests.meetings.stand_in import Hands, consented, person, put_forward
from tests.meetings.test_meetings import everything, placed

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def iga() -> Profile:
    return read_profile(EXAMPLES / "iga")


# -- the order of the change -------------------------------------------------------------------------------------------


@pytest.mark.rule("M5", "M6")
def test_after_the_care_meeting_its_own_members_leave_and_those_of_both_stay(iga: Profile) -> None:
    body = iga.body("care")
    assert body
    order = blocks.change(body, *body.blocks)
    assert not order.same
    assert order.leave == ("iryo",)
    assert order.stay == tuple(Staying(agency=code, ground="member") for code in ("chosei", "houkatsu", "shakyo"))
    assert set(order.come) == {"seisaku", "kikan", "jiritsu", "kodomo"}


@pytest.mark.rule("M6")
def test_with_the_same_members_nobody_leaves(yasu: Profile) -> None:
    body = yasu.body("chosei")
    assert body
    order = blocks.change(body, *body.blocks)
    assert (order.same, order.leave, order.come) == (True, (), ())


@pytest.mark.rule("M6")
def test_a_temporary_member_recorded_first_stays_and_says_so(iga: Profile) -> None:
    body = iga.body("care")
    assert body
    order = blocks.change(body, *body.blocks, admitted=("iryo",))
    assert order.leave == ()
    assert Staying(agency="iryo", ground="temporary") in order.stay


@pytest.mark.rule("M6", "S6")
def test_into_a_shien_block_nobody_stays_without_a_commission(yasu: Profile) -> None:
    body = yasu.body("chosei")
    assert body
    shien, juso = body.blocks
    order = blocks.change(body, juso, shien, bound=("shimin", "takikan", "kenko"))
    assert {one.agency for one in order.stay} == {"shimin", "takikan", "kenko"}
    assert {one.ground for one in order.stay} == {"commission"}
    assert set(order.unbound) == {"houkatsu", "kosodate", "shakyo", "koreifukushi"} == set(order.leave)


def test_a_block_knows_its_neighbours(yasu: Profile) -> None:
    body = yasu.body("chosei")
    first, second = SHIEN_BASIS.code, JUSO_BASIS.code
    assert blocks.before(body, first) is None
    found = blocks.before(body, second), blocks.after(body, first)
    assert [one.basis for one in found if one] == [first, second]
    assert blocks.after(body, second) is None
    assert blocks.before(None, first) is None


@pytest.mark.rule("M6", "C3")
def test_who_sits_in_the_care_block_alone_is_not_reached_by_a_consent_to_the_members(iga: Profile) -> None:
    reached = standing_agencies(iga)
    assert "iryo" not in reached
    assert {"seisaku", "chosei", "houkatsu"} <= set(reached)


# -- as it is conducted ------------------------------------------------------------------------------------------------


MEMBERS = ("seisaku", "chosei", "houkatsu", "jiritsu")


async def second_block(hands: Hands, *reached: str) -> Chair:
    """The hour has come at which the part that is a 重層的支援会議 follows the care meeting."""
    one = put_forward("jiritsu")
    hands.hear(consented(one, *(reached or MEMBERS)))
    await placed(hands, one)
    (found,) = everything(hands).sittings
    assert found.body == "care"
    hands.stage.time = found.starts + timedelta(minutes=1)
    await hands.run_errand("compare_with_ledger")
    hands.stage.told()
    return Chair(hands, found.sitting, agency="seisaku", viewer=person("seisaku"))


@pytest.mark.rule("M5", "M6")
async def test_the_block_opens_only_after_the_one_before_is_said_to_be_closed(hands: Building, iga: Profile) -> None:
    juso = hands(JUSO, iga)
    chair = await second_block(juso)
    refused = await chair.does(Proceeding.OPEN)
    assert (refused.done, refused.rule) == (False, "M5")
    assert "前の区切りを閉じたこと" in refused.reason
    view = await chair.look()
    assert Proceeding.OPEN not in view.ways
    assert Proceeding.TURN in view.ways
    assert view.change_in
    assert view.change_in.leave == ("iryo",)
    assert (view.change_in.before, view.change_in.after) == ("ltcia-115-48", JUSO_BASIS.code)
    closed = juso.stage.time - timedelta(minutes=3)
    assert (await chair.does(Proceeding.TURN, at=juso.stage.time + timedelta(minutes=1))).rule == "M5"
    assert (await chair.does(Proceeding.TURN, at=juso.stage.time - timedelta(days=1))).rule == "M5"
    await chair.did(Proceeding.TURN, at=closed)
    assert (await chair.does(Proceeding.TURN)).rule == "M5", "a block is closed once"
    await chair.did(Proceeding.OPEN)
    early = await chair.does(Proceeding.ENTER, person=person("seisaku"), at=closed - timedelta(minutes=1))
    assert (early.done, early.rule) == (False, "M5"), "nobody was in this block before it began"
    await chair.did(Proceeding.ENTER, person=person("seisaku"), at=closed)
    assert (await chair.look()).turned_at == closed


async def test_a_sitting_of_one_block_has_nothing_to_close_first(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward())
    found = everything(juso).sittings[0]
    juso.stage.time = found.starts
    chair = Chair(juso, found.sitting)
    assert (await chair.does(Proceeding.TURN)).rule == "M5"
    view = await chair.look()
    assert (view.change_in, view.change_out) == (None, None)
    await chair.did(Proceeding.OPEN)


@pytest.mark.rule("M6", "C3")
async def test_a_member_of_the_care_block_stays_as_temporary_member_only_where_the_consent_reaches(
    hands: Building, iga: Profile
) -> None:
    juso = hands(JUSO, iga)
    chair = await second_block(juso)
    refused = await chair.does(Proceeding.ENTER, person=person("iryo"))
    assert not refused.done
    outside = await chair.does(Proceeding.ADMIT, person=person("iryo"), ground=ProxyGround.CHAIR)
    assert (outside.done, outside.rule) == (False, "C3")
    assert outside.next_step


@pytest.mark.rule("M6")
async def test_a_temporary_member_is_recorded_first_with_a_ground_and_stays(hands: Building, iga: Profile) -> None:
    juso = hands(JUSO, iga)
    chair = await second_block(juso, *MEMBERS, "iryo")
    no_ground = await chair.does(Proceeding.ADMIT, person=person("iryo"), ground=ProxyGround.LETTER)
    assert (no_ground.done, no_ground.rule) == (False, "M6")
    await chair.did(Proceeding.ADMIT, person=person("iryo"), ground=ProxyGround.CHAIR)
    again = await chair.does(Proceeding.ADMIT, person=person("iryo"), ground=ProxyGround.CHAIR)
    assert (again.done, again.rule) == (False, "M6")
    view = await chair.look()
    assert [(one.agency, one.ground) for one in view.admitted] == [("iryo", "chair")]
    assert view.change_in
    assert Staying(agency="iryo", ground="temporary") in view.change_in.stay
    await chair.did(Proceeding.TURN)
    await chair.open_with("seisaku", "chosei", "iryo")


@pytest.mark.rule("M5", "M6", "M7")
async def test_a_care_meeting_and_a_juso_on_one_afternoon(hands: Building, iga: Profile) -> None:
    """13:30 地域ケア会議 under its own law; 14:30 重層的支援会議: the doctor stays for one case only."""
    juso = hands(JUSO, iga)
    closed, opened = put_forward("jiritsu"), put_forward("kikan")
    juso.hear(consented(closed, *MEMBERS, "kikan"))
    juso.hear(consented(opened, *MEMBERS, "kikan", "iryo"))
    await placed(juso, closed, opened)
    (found,) = everything(juso).sittings
    assert f"{found.starts:%H:%M}" == "05:30", "14:30 in Japan"
    assert person("iryo") not in {mail.person for mail in juso.town.mails.values()}, "no mail for the care part's own"
    juso.stage.time = found.starts + timedelta(minutes=2)
    await juso.run_errand("compare_with_ledger")
    juso.stage.told()
    chair = Chair(juso, found.sitting, agency="seisaku", viewer=person("seisaku"))
    order = (await chair.look()).change_in
    assert order
    assert order.leave == ("iryo",)
    await chair.did(Proceeding.ADMIT, person=person("iryo"), ground=ProxyGround.CHAIR)
    await chair.did(Proceeding.TURN, at=found.starts)
    await chair.open_with("seisaku", "chosei", "kikan", "iryo")
    await chair.did(Proceeding.JUDGE)
    await chair.hear(closed.about)
    await chair.hear(opened.about)
    await chair.did(Proceeding.CLOSE)
    who = {one.item: (set(one.heard_by), one.leaving) for one in (await chair.look()).items}
    assert who[closed.about] == ({"seisaku", "chosei", "kikan"}, ("iryo",))
    assert who[opened.about] == ({"seisaku", "chosei", "kikan", "iryo"}, ())


@pytest.mark.rule("M6", "S6")
async def test_nobody_is_a_temporary_member_of_a_shien_without_a_commission(hands: Building, yasu: Profile) -> None:
    shien = hands(SHIEN, yasu, commissioned=False)
    shien.commission("shimin", "takikan", "gakko")
    await placed(shien, put_forward("shimin", consent=None, member=None))
    (found,) = everything(shien).sittings
    assert found.body == "chosei"
    shien.stage.time = found.starts + timedelta(minutes=1)
    chair = Chair(shien, found.sitting, agency="shimin", viewer=person("shimin"))
    view = await chair.look()
    assert view.change_in is None
    assert view.change_out
    refused = await chair.does(Proceeding.ADMIT, person=person("kosodate", 1), ground=ProxyGround.RULE)
    assert (refused.done, refused.rule) == (False, "S6")
    assert "委嘱" in refused.next_step
    await chair.did(Proceeding.ADMIT, person=person("gakko"), ground=ProxyGround.RULE)
    await chair.did(Proceeding.OPEN)
    await chair.did(Proceeding.ENTER, person=person("gakko"))


async def test_an_unknown_person_is_no_temporary_member(hands: Building, iga: Profile) -> None:
    chair = await second_block(hands(JUSO, iga))
    unknown: dict[str, Any] = {"person": person("nobody"), "ground": ProxyGround.CHAIR}
    assert (await chair.does(Proceeding.ADMIT, **unknown)).rule == "M6"
