"""Whoever is called for one item of a regular sitting neither hears, gets papers of, nor learns of another (P5, M6)."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.coordination import ItemPutForward
from contracts.message import Compartment
from contracts.printing import PrintSitting, SittingPaper, SittingPrint
from contracts.profile import Profile
from contracts.running import Proceeding
from services.desk.pages import Known, of_case, only_seen
from services.desk.print_texts import Printing, sitting_papers
from services.desk.trail import invitations
from services.meetings.tables import seat
from tests.meetings.sitting_hands import Chair, perform
from tests.meetings.stand_in import Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_case_seats import settled, sits, with_until
from tests.meetings.test_following_roster import accepted
from tests.meetings.test_meetings import at, everything, only_sitting, placed, rows
from tests.meetings.test_regular import Regular, who_of
from tests.meetings.test_running import begun, heard

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
BOTH = ("fukushi", "shakyo")
"""Who has to be there in 小林市."""
OF_YASU = ("shimin", "shakyo")


async def two_cases(hands: Building, here: Compartment, yasu: Profile) -> tuple[Chair, ItemPutForward, ItemPutForward]:
    """The hour has come of a sitting with a case of the school and one of the housing office; all consents name both.

    In shien at 野洲市, whose 支援会議 is held regularly.
    """
    one, two = put_forward("gakko"), put_forward("jutaku")
    if here is JUSO:
        return await begun(hands(here), one, two), one, two
    chair = await begun(
        hands(here, yasu), *(each.model_copy(update={"consent": None, "member": None}) for each in (one, two))
    )
    chair.agency, chair.viewer = "shimin", person("shimin")
    return chair, one, two


async def prints(chair: Chair, viewer: UUID, agency: str, *, everyone: bool = False) -> dict[str, tuple[UUID, ...]]:
    return {one.agency: one.items for one in (await printed(chair, viewer, agency, everyone=everyone)).copies}


async def printed(
    chair: Chair, viewer: UUID, agency: str, *, everyone: bool, paper: SittingPaper = SittingPaper.AGENDA
) -> SittingPrint:
    asked = PrintSitting(
        sitting=chair.sitting,
        paper=paper,
        request=uuid4(),
        viewer=viewer,
        viewer_agency=agency,
        everyone=everyone,
    )
    found = await perform(chair.hands, asked)
    assert isinstance(found, SittingPrint)
    return found


@pytest.mark.rule("P5", "M6")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_a_called_agency_sees_its_own_item_and_none_of_who_came_for_another(
    hands: Building, yasu: Profile, here: Compartment
) -> None:
    chair, one, two = await two_cases(hands, here, yasu)
    always = BOTH if here is JUSO else OF_YASU
    for agency, mine in (("gakko", one), ("jutaku", two)):
        view = await chair.look(person(agency), agency)
        assert [(each.item, each.order) for each in view.items] == [(mine.about, 1)], "nothing tells of another"
        other = {"gakko": "jutaku", "jutaku": "gakko"}[agency]
        assert other not in {each.agency for each in view.seats}
        assert {agency, *always} <= {each.agency for each in view.seats}
    whole = await chair.look()
    assert {each.item for each in whole.items} == {one.about, two.about}
    assert {"gakko", "jutaku"} <= {each.agency for each in whole.seats}, "who holds the meeting sees all"


@pytest.mark.rule("P5", "S11")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_no_copy_of_a_called_agency_holds_another_case(hands: Building, yasu: Profile, here: Compartment) -> None:
    chair, one, two = await two_cases(hands, here, yasu)
    assert await prints(chair, person("gakko"), "gakko") == {"gakko": (one.about,)}
    copies = await prints(chair, chair.viewer, chair.agency, everyone=True)
    assert (copies["gakko"], copies["jutaku"]) == ((one.about,), (two.about,))
    assert set(copies["shakyo"]) == {one.about, two.about}


@pytest.mark.rule("P5", "M6")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
@pytest.mark.parametrize("paper", [SittingPaper.AGENDA, SittingPaper.NOTICE, SittingPaper.MINUTES])
async def test_what_is_printed_for_everybody_names_to_a_called_agency_nobody_called_for_another_case(
    hands: Building, yasu: Profile, kobayashi: Profile, here: Compartment, paper: SittingPaper
) -> None:
    chair, one, two = await two_cases(hands, here, yasu)
    await chair.open_with(*(BOTH if here is JUSO else OF_YASU), "gakko", "jutaku")
    for step in (*([Proceeding.EXPLAIN] if here is SHIEN else []), Proceeding.JUDGE):
        await chair.did(step)
    for about in (one.about, two.about):
        await chair.hear(about)
    found = await printed(chair, chair.viewer, chair.agency, everyone=True, paper=paper)
    profile = kobayashi if here is JUSO else yasu
    name_of = {one.code: one.name for one in profile.agencies}
    printing = Printing(paper, "0000", profile, here, {}, date(2026, 11, 20))
    said = {
        one.agency: str(paper_of) for one, paper_of in zip(found.copies, sitting_papers(found, printing), strict=True)
    }
    for agency, other in (("gakko", "jutaku"), ("jutaku", "gakko")):
        assert name_of[agency] in said[agency]
        assert name_of[other] not in said[agency]
    if paper is not SittingPaper.NOTICE:
        assert name_of["jutaku"] in said["shakyo"], "who comes for everything is told of everybody"


@pytest.mark.rule("P5", "M6")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_in_the_room_a_called_agency_leaves_for_the_other_item_and_hears_nothing_of_it(
    hands: Building, yasu: Profile, here: Compartment
) -> None:
    chair, one, two = await two_cases(hands, here, yasu)
    always = BOTH if here is JUSO else OF_YASU
    await chair.did(Proceeding.OPEN)
    for agency in (*always, "gakko"):
        await chair.did(Proceeding.ENTER, person=person(agency))
    if here is SHIEN:
        await chair.did(Proceeding.EXPLAIN)
    await chair.did(Proceeding.JUDGE)
    waiting = {each.item: each.leaving for each in (await chair.look()).items}
    assert "gakko" in waiting[two.about]
    assert "gakko" not in waiting[one.about]
    await chair.hear(one.about)
    await chair.did(Proceeding.CALL, item=two.about)
    await chair.did(Proceeding.ENTER, person=person("jutaku"))
    assert "gakko" in heard(chair.hands, one.case)
    assert "jutaku" not in heard(chair.hands, one.case)
    assert heard(chair.hands, two.case) == {*always, "jutaku"}
    told = {each.item: each for each in (await chair.look()).items}[two.about]
    assert "gakko" in told.leaving
    (mine,) = (await chair.look(person("jutaku"), "jutaku")).items
    assert "gakko" not in (*mine.leaving, *mine.heard_by)
    attending = {each.agency for each in (await chair.look(person("jutaku"), "jutaku")).attendance}
    assert attending == {*always, "jutaku"}


@pytest.mark.rule("P5", "M6")
async def test_one_who_comes_in_while_another_case_is_heard_does_not_hear_it(hands: Building, yasu: Profile) -> None:
    chair, _, two = await two_cases(hands, JUSO, yasu)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.did(Proceeding.CALL, item=two.about)
    await chair.did(Proceeding.ENTER, person=person("gakko"))
    assert "gakko" not in heard(chair.hands, two.case)


@pytest.mark.rule("C3", "P5")
async def test_a_consent_that_leaves_an_agency_out_takes_its_seat_though_another_case_names_it(
    hands: Building, kobayashi: Profile
) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko"), put_forward("jutaku")
    await placed(juso, one, two)
    others = [each.code for each in kobayashi.agencies if each.code != "gakko"]
    juso.hear(consented(one, *others, version=2))
    assert "gakko" not in sits(juso), "in the transaction that learns of it"
    await settled(juso)
    assert "gakko" not in sits(juso)
    assert {each.person for each in juso.town.cancelled.values()} == {person("gakko")}


@pytest.mark.rule("C11", "P5")
async def test_an_agency_of_two_cases_keeps_its_seat_when_one_is_withdrawn(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko"), put_forward("gakko")
    await placed(juso, one, two)
    juso.hear(withdrawn(one))
    await settled(juso)
    assert "gakko" in sits(juso)
    assert juso.town.cancelled == {}


@pytest.mark.rule("P5")
async def test_an_agency_of_two_cases_gets_one_invitation_and_then_the_time_of_both(hands: Building) -> None:
    juso = hands(JUSO)
    a, b, c = put_forward("gakko"), put_forward("jutaku"), put_forward("gakko")
    await placed(juso, a, b, c)
    mails = [each for each in juso.town.mails.values() if each.person == person("gakko")]
    assert len(mails) == 1
    juso.stage.time = at(2026, 12, 11, "00:01")
    await juso.run_errand("compare_with_ledger")
    await juso.run_errand("tell_parts")
    await juso.run_errand("send_notices")
    view = await Chair(juso, only_sitting(juso).sitting).look()
    boxes = [(one.box_starts, one.box_ends) for one in view.items if one.item in (a.about, c.about)]
    (told,) = [
        each for each in juso.town.mails.values() if each.person == person("gakko") and each.notice != mails[0].notice
    ]
    assert told.starts == min(starts for starts, _ in boxes if starts)
    assert told.ends == max(ends for _, ends in boxes if ends)
    assert told.ends - told.starts < only_sitting(juso).ends - only_sitting(juso).starts


@pytest.mark.rule("S4")
async def test_an_agency_that_ends_loses_the_seat_of_the_coming_sitting_and_none_it_has_sat_on(
    hands: Building, kobayashi: Profile
) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward("gakko", urgent=True))
    past = only_sitting(juso)
    juso.stage.time = past.ends + timedelta(hours=1)
    await placed(juso, put_forward("gakko"))
    before = {row.sitting for row in rows(juso, seat) if row.agency == "gakko" and row.cancelled_at is None}
    assert len(before) == 2
    juso.stage.store.profile = juso.profile = with_until(kobayashi, "gakko", juso.now().date() + timedelta(days=1))
    await juso.run_errand("follow_posts")
    await settled(juso)
    left = {row.sitting for row in rows(juso, seat) if row.agency == "gakko" and row.cancelled_at is None}
    assert left == {past.sitting}


@pytest.mark.rule("M9", "P5")
async def test_a_moved_regular_sitting_brings_each_called_agency_along_for_its_own_item(
    hands: Building, yasu: Profile
) -> None:
    juso = hands(JUSO, yasu)
    codes = ("gakko", "jutaku")
    one = Regular(juso, [put_forward(code) for code in codes])
    juso.give(*one.items)
    await juso.work()
    old = one.live()
    day = old.starts.astimezone().date()
    closed = yasu.model_copy(update={"closed_days": (*yasu.closed_days, day.isoformat())})
    juso.stage.store.profile = juso.profile = closed
    who = who_of(yasu)
    best = (await one.look(**who)).options[0]
    assert (await one.change(best, reason="closed_day", **who)).done
    await juso.work()
    new = one.live()
    assert new.id != old.id
    seated = {row.agency for row in one.seated(new.id).values()}
    assert set(codes) <= seated
    chair = Chair(juso, new.id)
    juso.stage.time = new.starts + timedelta(minutes=1)
    await juso.run_errand("compare_with_ledger")
    for code, its in zip(codes, one.items, strict=True):
        view = await chair.look(person(code), code)
        assert [each.item for each in view.items] == [its.about], view


@pytest.mark.rule("P5")
async def test_a_roster_accepted_while_a_move_waits_counts_at_the_new_date(hands: Building, yasu: Profile) -> None:
    juso = hands(JUSO, yasu)
    one = Regular(juso, [put_forward("gakko")])
    juso.give(*one.items)
    await juso.work()
    day: date = one.live().starts.astimezone().date()
    closed = yasu.model_copy(update={"closed_days": (*yasu.closed_days, day.isoformat())})
    juso.stage.store.profile = juso.profile = closed
    who = who_of(yasu)
    best = (await one.look(**who)).options[0]
    assert (await one.change(best, reason="closed_day", **who)).done
    juso.stage.give(accepted(one.items[0], "jutaku"))
    await juso.work()
    await settled(juso)
    seated = {row.agency for row in one.seated(one.live().id).values()}
    assert "jutaku" in seated
    assert "gakko" not in seated


@pytest.mark.rule("P5")
async def test_the_week_lists_who_comes_for_one_case_with_that_case_only(hands: Building, kobayashi: Profile) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko"), put_forward("jutaku")
    await placed(juso, one, two)
    (found,) = everything(juso).sittings
    assert {each.item: set(each.calls) for each in found.items} == {one.about: {"gakko"}, two.about: {"jutaku"}}
    shown = of_case(found, one.case)
    assert "gakko" in {each.agency for each in shown.seats}
    assert "jutaku" not in {each.agency for each in shown.seats}
    assert {*BOTH, "jutaku"} <= {each.agency for each in found.seats}
    assert not any("jutaku" in each.without for each in shown.items)
    (sent,) = invitations(one.case, [found], Known(kobayashi, JUSO, {}, {}, {}))
    assert f"/{len(shown.seats)}人" in sent.what, "nor are the others counted on the page of a case"
    assert len(shown.seats) < len(found.seats)


@pytest.mark.rule("P5")
async def test_a_stranger_sees_of_the_week_only_who_always_sits_there_and_himself(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko"), put_forward("jutaku")
    await placed(juso, one, two)
    listed = everything(juso)
    for who, seen in ((person("minsei"), set()), (person("gakko"), {"gakko"})):
        (mine,) = only_seen(listed, (), who).sittings
        assert {each.agency for each in mine.seats} & {"gakko", "jutaku"} == seen
        assert mine.items == ()
    (whole,) = only_seen(listed, (), person("fukushi"), holds=True).sittings
    assert {"gakko", "jutaku"} <= {each.agency for each in whole.seats}, "who holds the meeting reaches everybody"
