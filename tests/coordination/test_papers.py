"""Filled forms of a case on both engines: sealed, version by version, and read only by whom they may be shown to."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.coordination import Cases
from contracts.erasure import EraseCase, EraseReason
from contracts.form_editions import edition, in_force
from contracts.forms import Form, FormField
from contracts.intake import SecrecyChanged
from contracts.life import PaperRef, Step
from contracts.message import Compartment
from contracts.papers import (
    ConcealmentSet,
    LookAtPapers,
    PaperList,
    PaperSaved,
    PaperView,
    ReadPaper,
    SavePaper,
    SetConcealment,
)
from contracts.policy import Category
from services.coordination import papers
from services.coordination.tables import item, paper
from services.forms import known_forms
from services.settings import Settings
from tests.contracts.form_samples import value_for
from tests.coordination.stand_in import (
    COORDINATOR,
    COUNSELLOR,
    NURSE,
    OFFICER,
    VIEWERS,
    Hands,
    consented,
    scope_of,
)
from tests.coordination.test_life import act
from tests.coordination.test_living import ALL, EVERYBODY, JUSO, SHIEN, Ready, case_in, look, take, walk

SHEET = {
    "name": "齋藤 久美子",
    "address": "小林市細野 1234番地",
    "first_consulted_on": "令和8年11月2日",
    "complaint": "母の介護と家計のことで眠れない。",
    "direction": "家計の相談と訪問介護を入れる。",
}
CLEAN = SHEET | {"first_consulted_on": "2026-11-02"}


def save_of(case: UUID, viewer: UUID = OFFICER, **how: Any) -> SavePaper:
    asked = {"case": case, "request": uuid4(), "form": "assessment", "edition": "1", "values": SHEET}
    return SavePaper.model_validate(asked | {"viewer": viewer, "viewer_agency": VIEWERS[viewer]} | how)


async def save(hands: Hands, case: UUID, viewer: UUID = OFFICER, **how: Any) -> PaperSaved:
    answer = await hands.perform(save_of(case, viewer, **how))
    assert isinstance(answer, PaperSaved)
    return answer


async def read(hands: Hands, case: UUID, ref: UUID | None, viewer: UUID = OFFICER, **how: Any) -> PaperView:
    assert ref
    answer = await hands.perform(ReadPaper(case=case, paper=ref, viewer=viewer, viewer_agency=VIEWERS[viewer], **how))
    assert isinstance(answer, PaperView)
    return answer


async def listed(hands: Hands, case: UUID, viewer: UUID = OFFICER) -> PaperList:
    answer = await hands.perform(LookAtPapers(case=case, viewer=viewer, viewer_agency=VIEWERS[viewer]))
    assert isinstance(answer, PaperList)
    return answer


async def conceal(hands: Hands, case: UUID, viewer: UUID = OFFICER, **how: Any) -> ConcealmentSet:
    asked = {"case": case, "request": uuid4(), "concealed": True, "viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    answer = await hands.perform(SetConcealment.model_validate(asked | how))
    assert isinstance(answer, ConcealmentSet)
    return answer


def stored(hands: Hands) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(paper).order_by(paper.c.at, paper.c.version))))


# -- kept --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_a_filled_form_is_kept_with_who_when_and_which_edition_and_read_again(
    hands: Ready, kind: Compartment
) -> None:
    ours = hands(kind)
    case = await case_in(ours)
    saved = await save(ours, case)
    assert (saved.done, saved.version, saved.faults) == (True, 1, ())
    view = await read(ours, case, saved.paper)
    assert view.values == CLEAN
    assert view.head
    assert (view.head.form, view.head.edition, view.head.by, view.head.agency) == (
        "assessment",
        "1",
        OFFICER,
        "fukushi",
    )
    assert view.head.at == ours.now()
    (one,) = (await listed(ours, case)).papers
    assert one == view.head


async def test_a_version_stands_beside_the_one_before_and_none_is_changed(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    first = await save(juso, case)
    more = SHEET | {"complaint": "眠れるようになった。"}
    second = await save(juso, case, COORDINATOR, paper=first.paper, after=1, values=more)
    assert (second.paper, second.version) == (first.paper, 2)
    assert (await read(juso, case, first.paper)).values["complaint"] == "眠れるようになった。"
    assert (await read(juso, case, first.paper, version=1)).values == CLEAN
    assert [(one.version, one.by) for one in (await read(juso, case, first.paper)).versions] == [
        (1, OFFICER),
        (2, COORDINATOR),
    ]
    for statement in (update(paper).values(form="plan"), delete(paper)):
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            juso.stage.do(lambda tx, s=statement: tx.execute(s).rowcount)


async def test_pressing_the_button_twice_saves_once(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    asked = save_of(case)
    first, second = await juso.perform(asked), await juso.perform(asked)
    assert first == second
    other = await juso.perform(asked.model_copy(update={"values": SHEET | {"complaint": "別のこと"}}))
    assert (other.done, other.reason) == (False, "この画面からは、すでに別の内容を記録しました。")
    assert len(stored(juso)) == 1


async def test_of_two_who_edit_at_once_the_second_is_told_of_the_newer_version(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    assert (await save(juso, case, paper=ref, after=1, values=SHEET | {"route": "包括から"})).done
    late = await save(juso, case, COORDINATOR, paper=ref, after=1, values=SHEET | {"route": "民生委員から"})
    assert (late.done, late.newer, late.rule) == (False, 2, "T2")
    assert "ほかの人が先に" in late.reason
    assert len(stored(juso)) == 2


@pytest.mark.parametrize("after", [0, 3])
async def test_a_version_follows_the_one_that_is_there_and_none_is_left_out(hands: Ready, after: int) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    answer = await save(juso, case, paper=ref, after=after, values=SHEET | {"route": "包括から"})
    assert (answer.done, answer.newer) == (False, 1)
    assert not (await save(juso, case, after=after + 1)).done, "a new paper begins with its first version"
    assert len(stored(juso)) == 1


async def test_the_store_itself_keeps_two_from_writing_the_same_version(hands: Ready, monkeypatch: Any) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    real, looks = papers._versions, []

    def stale(about: UUID | None, tx: Any) -> Any:
        """The first look does not see what the other one wrote a moment later."""
        looks.append(about)
        return real(about, tx)[:1] if len(looks) == 1 else real(about, tx)

    assert (await save(juso, case, paper=ref, after=1)).done
    monkeypatch.setattr(papers, "_versions", stale)
    late = await save(juso, case, COORDINATOR, paper=ref, after=1, values=SHEET | {"route": "民生委員から"})
    assert (late.done, late.newer) == (False, 2)


async def test_all_faults_are_told_by_field_and_nothing_is_kept_by_half(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    wrong = {"name": "あ" * 201, "first_consulted_on": "2月30日", "members": [{"age": "百", "name": "長男"}], "x": 1}
    answer = await save(juso, case, values=wrong)
    assert not answer.done
    assert {fault.field for fault in answer.faults} == {
        "",
        "name",
        "first_consulted_on",
        "members.1.age",
        "complaint",
    }
    assert "2月30日" not in answer.model_dump_json()
    assert stored(juso) == []


@pytest.mark.parametrize("values", [{"name": {"a": [1]}}, {"members": "x"}, {"members": [[1]]}, {"a\u0000": 1}])
async def test_hostile_values_are_faults(hands: Ready, values: dict[str, Any]) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert (await save(juso, case, values=values)).faults


# -- who reads ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("C3")
async def test_who_may_not_see_the_case_reads_saves_and_lists_nothing(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    assert not (await read(juso, case, ref, NURSE)).found
    assert not (await listed(juso, case, NURSE)).found
    answer = await save(juso, case, NURSE)
    assert (answer.done, answer.rule) == (False, "C1")
    assert (await conceal(juso, case, NURSE)).rule == "C1"


async def test_reading_is_a_showing_with_its_row_in_the_register(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    before = [row for row in juso.register() if row.person == COUNSELLOR]
    await read(juso, case, ref, COUNSELLOR)
    (row,) = [row for row in juso.register() if row.person == COUNSELLOR]
    assert before == []
    assert (row.case, row.category, row.agency) == (case, "ordinary", "houkatsu-kobayashi")


async def test_a_paper_is_found_under_its_own_case_only(hands: Ready) -> None:
    juso = hands(JUSO)
    case, other = await case_in(juso), await case_in(juso)
    ref = (await save(juso, case)).paper
    assert not (await read(juso, other, ref)).found
    answer = await save(juso, other, paper=ref, after=1)
    assert (answer.done, answer.reason) == (False, "この事案に、その書類のその版はありません。")


@pytest.mark.rule("C11")
async def test_once_the_consent_is_withdrawn_nothing_is_shown_or_written(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL)
    ref = (await save(juso, referral.about)).paper
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    await juso.errands()
    assert not (await read(juso, referral.about, ref)).found
    assert not (await save(juso, referral.about, paper=ref, after=1)).done
    assert len(stored(juso)) == 1


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_erasing_a_case_erases_its_papers(hands: Ready, kind: Compartment) -> None:
    ours = hands(kind)
    case = await case_in(ours)
    ref = (await save(ours, case)).paper
    ours.stage.ask(EraseCase(case=case, reason=EraseReason.RETENTION))
    view = await read(ours, case, ref)
    assert (view.erased, view.values) == (True, {})
    assert (await listed(ours, case)).erased
    answer = await save(ours, case, paper=ref, after=1)
    assert (answer.done, answer.reason) == (False, "この事案は消去されました。")


# -- which form, which edition -----------------------------------------------------------------------------------------


@pytest.mark.rule("C12")
@pytest.mark.parametrize(("kind", "other"), [(JUSO, "reception_without_consent"), (SHIEN, "reception_with_consent")])
async def test_each_compartment_fills_in_its_own_form_of_application(
    hands: Ready, kind: Compartment, other: str
) -> None:
    ours = hands(kind)
    answer = await save(ours, await case_in(ours), form=other)
    assert (answer.done, answer.rule) == (False, "C12")
    assert answer.next_step


@pytest.mark.rule("C5")
@pytest.mark.parametrize(("kind", "name"), [(JUSO, "reception_with_consent"), (SHIEN, "reception_without_consent")])
async def test_an_application_is_kept_with_its_case(
    hands: Ready, kind: Compartment, name: str, kobayashi_forms: tuple[Form, ...]
) -> None:
    ours = hands(kind)
    case, form = await case_in(ours), in_force(kobayashi_forms, name, date(2026, 11, 24))
    assert form.addition == (kind is JUSO), "小林市 adds to the one with consent"
    said = {field.id: answer_for(field) for field in form.fields}
    saved = await save(ours, case, form=name, edition=form.edition, values=said)
    assert saved.done, saved
    assert (await read(ours, case, saved.paper)).values == said


def answer_for(field: FormField) -> object:
    return "fukushi" if field.type == "agency" else value_for(field)


@pytest.fixture
def kobayashi_forms() -> tuple[Form, ...]:
    return known_forms(Settings(var=Path("unused")))


@pytest.fixture
def new_edition(monkeypatch: Any, kobayashi_forms: tuple[Form, ...]) -> Form:
    """From 2027 on the アセスメントシート asks something else and no longer 相談経路."""
    old = edition(kobayashi_forms, "assessment", "1")
    head, *rest = old.sections
    asked = tuple(field for field in head.fields if field.id != "route")
    pet = FormField.model_validate({"id": "pets", "label": "飼っている動物", "type": "text"})
    basic = head.model_copy(update={"fields": (*asked, pet)})
    new = old.model_copy(update={"version": 2, "effective_from": date(2027, 1, 1), "sections": (basic, *rest)})
    monkeypatch.setattr(papers, "known_forms", lambda settings: (*kobayashi_forms, new))
    return new


async def test_what_was_filled_in_stays_in_its_own_edition_and_goes_on_in_the_new_one(
    hands: Ready, new_edition: Form
) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL)
    ref = (await save(juso, referral.about, values=SHEET | {"route": "包括から"})).paper
    early = await save(juso, referral.about, paper=ref, after=1, edition="2", values=SHEET)
    assert (early.done, early.edition) == (False, "1")
    juso.stage.time = datetime(2026, 12, 31, 15, tzinfo=UTC)  # New Year in Japan
    await juso.errands()
    late = await save(juso, referral.about, paper=ref, after=1, values=SHEET)
    assert (late.done, late.edition) == (False, "2")
    done = await save(juso, referral.about, paper=ref, after=1, edition="2", values=SHEET | {"pets": "犬"})
    assert done.done
    old, new = [await read(juso, referral.about, ref, version=version) for version in (1, 2)]
    assert (old.values["route"], new.values["pets"]) == ("包括から", "犬")
    assert [one.edition for one in new.versions] == ["1", "2"]


# -- of the tax office -------------------------------------------------------------------------------------------------


def tax_items(hands: Hands) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(item).where(item.c.category == Category.TAX))))


@pytest.mark.rule("S9")
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [(SHIEN, "税の情報は、支援会議には置けません"), (JUSO, "本人の同意が税の情報に及んでいません")],
)
async def test_tax_data_is_refused_in_shien_and_without_a_consent_that_covers_it(
    hands: Ready, kind: Compartment, sentence: str
) -> None:
    ours = hands(kind)
    answer = await save(ours, await case_in(ours), tax=True)
    assert (answer.done, answer.rule) == (False, "S9")
    assert sentence in answer.reason
    assert stored(ours) == []


@pytest.mark.rule("S9")
async def test_tax_data_is_shown_under_a_row_of_its_own_while_the_consent_covers_it(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL, covers_tax=True)
    saved = await save(juso, referral.about, tax=True)
    assert saved.done, saved
    assert [row.category for row in juso.register()] == ["ordinary"]
    view = await read(juso, referral.about, saved.paper, COUNSELLOR)
    assert view.values == CLEAN
    assert sorted(row.category for row in juso.register() if row.person == COUNSELLOR) == ["ordinary", "tax"]
    assert len(tax_items(juso)) == 1
    narrower = scope_of(referral, *EVERYBODY, purposes=ALL, covers_tax=False)
    juso.stage.give(juso.ledger.record(referral, ConsentState.GIVEN, narrower))
    await juso.errands()
    for viewer in (COUNSELLOR, OFFICER):
        view = await read(juso, referral.about, saved.paper, viewer)
        assert (view.found, view.withheld, view.values, view.rule) == (True, True, {}, "S9")
        assert "税" in view.reason
        assert view.next_step
    assert len((await listed(juso, referral.about)).papers) == 1


@pytest.mark.rule("S9")
async def test_the_store_itself_refuses_tax_data_that_no_consent_covers(hands: Ready, monkeypatch: Any) -> None:
    monkeypatch.setattr(papers, "_untaxed", lambda about, category, tx: None)
    juso = hands(JUSO)
    answer = await save(juso, await case_in(juso), tax=True)
    assert (answer.done, answer.rule) == (False, "S9")
    assert stored(juso) == tax_items(juso) == []


async def test_the_item_of_tax_data_goes_to_no_meeting_and_moves_no_case(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL, covers_tax=True)
    juso.stage.told()
    cases = Cases(viewer=OFFICER, viewer_agency="fukushi")
    life, lists = await look(juso, referral.about), await juso.perform(cases)
    assert (await save(juso, referral.about, tax=True)).done
    assert await juso.perform(cases) == lists
    assert juso.stage.told() == []
    assert await look(juso, referral.about) == life
    juso.stage.ask(EraseCase(case=referral.about, reason=EraseReason.RETENTION))
    (withdrawn,) = juso.stage.told()
    assert withdrawn.about != tax_items(juso)[0].id


# -- concealed ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S18")
async def test_under_concealment_only_the_agencies_named_read_where_somebody_is(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    assert (await conceal(juso, case, COUNSELLOR, agencies=("fukushi",))).done
    for viewer, sees in ((OFFICER, True), (COUNSELLOR, True), (COORDINATOR, False)):
        view = await read(juso, case, ref, viewer)
        assert ("address" in view.values) is sees
        assert ("address" in view.masked) is not sees
        assert view.values["complaint"] == SHEET["complaint"]
    assert (await read(juso, case, ref, COORDINATOR, version=1)).values.get("address") is None


@pytest.mark.rule("S18")
async def test_secrecy_at_intake_masks_the_papers_and_the_narrower_of_both_holds(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    juso.stage.give(SecrecyChanged(about=case, version=1, members=(uuid4(),), viewers=(OFFICER, COORDINATOR)))
    for viewer, sees in ((OFFICER, True), (COORDINATOR, True), (COUNSELLOR, False)):
        assert ("address" in (await read(juso, case, ref, viewer)).values) is sees
    assert (await listed(juso, case, COUNSELLOR)).concealment.at_intake
    assert not (await conceal(juso, case, COUNSELLOR, concealed=False)).done
    assert (await conceal(juso, case)).done, "fukushi only"
    assert "address" not in (await read(juso, case, ref, COORDINATOR)).values
    assert (await conceal(juso, case, concealed=False)).done
    assert "address" not in (await read(juso, case, ref, COUNSELLOR)).values, "the desk does not lift intake's"
    juso.stage.give(SecrecyChanged(about=case, version=2, members=(), viewers=()))
    assert "address" in (await read(juso, case, ref, COUNSELLOR)).values


@pytest.mark.rule("S18")
async def test_who_does_not_see_the_address_neither_loses_nor_changes_it(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    await conceal(juso, case)
    blind = SHEET | {"address": "書き換え", "route": "社協から"}
    assert (await save(juso, case, COORDINATOR, paper=ref, after=1, values=blind)).done
    seen = (await read(juso, case, ref)).values
    assert (seen["address"], seen["route"]) == (SHEET["address"], "社協から")


@pytest.mark.rule("S18")
async def test_only_an_agency_that_sees_may_end_the_concealment(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await conceal(juso, case)
    refused = await conceal(juso, case, COORDINATOR, concealed=False)
    assert (refused.done, refused.rule) == (False, "S18")
    assert refused.next_step
    assert (await listed(juso, case, COORDINATOR)).concealment.concealed
    assert (await conceal(juso, case, concealed=False)).done
    assert not (await listed(juso, case, COORDINATOR)).concealment.concealed
    assert (await conceal(juso, case, agencies=("nobody",))).rule == "S18"


async def test_one_request_of_concealing_is_one_decision(hands: Ready) -> None:
    juso = hands(JUSO)
    case, request = await case_in(juso), uuid4()
    assert (await conceal(juso, case, request=request)).done
    assert (await conceal(juso, case, request=request)).done
    assert not (await conceal(juso, case, request=request, concealed=False)).done


async def test_a_paper_whose_form_nobody_knows_any_more_hides_all_from_who_may_not_see_all(
    hands: Ready, monkeypatch: Any, kobayashi_forms: tuple[Form, ...]
) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    await conceal(juso, case)
    lost = tuple(one for one in kobayashi_forms if one.id != "assessment")
    monkeypatch.setattr(papers, "known_forms", lambda settings: lost)
    assert (await read(juso, case, ref)).values == CLEAN
    view = await read(juso, case, ref, COORDINATOR)
    assert (view.values, set(view.masked)) == ({}, set(CLEAN))


@pytest.mark.rule("S18")
async def test_what_a_concealed_field_ever_said_is_masked_in_all_texts_of_the_case_and_never_lost(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    phone = {"phone": "0984-23-9977(夜だけ)"}
    told = SHEET | phone | {"complaint": "小林市細野1234番地にいる。電話は0984(23)9977。眠れない。"}
    ref = (await save(juso, case, values=told)).paper
    moved = told | {"address": "えびの市湯田 77番地", "direction": "えびの市湯田77番地へ訪問する。"}
    assert (await save(juso, case, paper=ref, after=1, values=moved)).done
    await conceal(juso, case)
    view = await read(juso, case, ref, COORDINATOR)
    assert view.values["complaint"] == "〔秘匿〕にいる。電話は〔秘匿〕。眠れない。"
    assert view.values["direction"] == "〔秘匿〕へ訪問する。"
    assert (await read(juso, case, ref)).values["complaint"] == told["complaint"]
    again = {**view.values, "route": "社協から"}
    assert (await save(juso, case, COORDINATOR, paper=ref, after=2, values=again)).done
    kept = (await read(juso, case, ref)).values
    assert (kept["complaint"], kept["direction"]) == (told["complaint"], moved["direction"])
    lossy = again | {"complaint": "〔秘匿〕にいる。眠れた。"}
    (fault,) = (await save(juso, case, COORDINATOR, paper=ref, after=3, values=lossy)).faults
    assert (fault.field, fault.rule) == ("complaint", "S18")


# -- steps that rest on a paper ----------------------------------------------------------------------------------------


@pytest.mark.rule("T2")
async def test_a_step_rests_on_a_version_of_a_paper_of_its_own_case_and_form(hands: Ready) -> None:
    juso = hands(JUSO)
    case, other = await case_in(juso), await case_in(juso)
    ref, foreign = (await save(juso, case)).paper, (await save(juso, other)).paper
    assert ref
    assert foreign
    for wrong, reason in (
        (PaperRef(paper=foreign, version=1), "その書類のその版はありません"),
        (PaperRef(paper=ref, version=2), "その書類のその版はありません"),
        (PaperRef(paper=uuid4(), version=1), "その書類のその版はありません"),
    ):
        refused = await take(juso, case, act(Step.ASSESS, paper=wrong), 0)
        assert (refused.done, refused.rule) == (False, "T2")
        assert reason in refused.reason
    stands = act(Step.ASSESS, paper=PaperRef(paper=ref, version=1), form="assessment@1")
    assert (await take(juso, case, stands, 0)).done
    (taken,) = (await look(juso, case)).history
    assert taken.act.paper == PaperRef(paper=ref, version=1)


@pytest.mark.rule("T2")
async def test_a_step_does_not_rest_on_a_paper_of_another_form(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    assert ref
    await walk(juso, case, Step.ASSESS)
    sheet = PaperRef(paper=ref, version=1)
    refused = await take(juso, case, act(Step.DRAFT, paper=sheet), 1)
    assert (refused.done, refused.rule) == (False, "T2")
    assert "その書類に基づいては行えません" in refused.reason
    lying = act(Step.ASSESS, paper=sheet, form="assessment@2")
    assert not (await take(juso, case, lying, 1)).done
