"""「書類」 on the desk: filled in from the schema, faults beside their fields, nothing lost, read in its edition."""

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.filling import validate
from contracts.form_editions import edition, in_force
from contracts.forms import Form, FormField, FormKind
from contracts.intake import ClientDetails, ClientOf, DetailsOfClient, Member, Particulars
from contracts.life import Act, PaperRef, Step, TakeStep
from contracts.message import Compartment
from contracts.papers import (
    Concealment,
    ConcealmentSet,
    LookAtPapers,
    PaperFault,
    PaperHead,
    PaperList,
    PaperSaved,
    PaperView,
    ReadPaper,
    SavePaper,
    SetConcealment,
)
from contracts.policy import Category
from services.desk import papers
from services.desk.words import day_in_japan
from services.forms import known_forms
from tests.coordination.test_life import PLAN, act
from tests.desk.standin import CASE, JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
PATH = f"/cases/{CASE}/papers"
PAPER = UUID(int=0x9A)
SHEET = {
    "name": "齋藤 久美子",
    "first_consulted_on": "2026-11-02",
    "complaint": "眠れない。",
    "direction": "家計の相談。",
}
PLAN_SHEET = {
    "made_on": "2026-11-24",
    "made_by": "福祉課 髙橋",
    "client_goal": "安心して暮らす。",
    "support_goal": "家計を立て直す。",
    "policy": "社協が家計の相談をする。",
    "content": "月2回の面談。",
    "roles": [{"agency": "小林市社会福祉協議会", "role": "家計の相談"}],
    "monitoring_on": "2027-02-20",
    "participation": False,
    "outreach": False,
}


class Shelf:
    """The papers of CASE as coordination would answer, by the real check of forms."""

    def __init__(self, work: StandIn) -> None:
        self.work, self.rows, self.saved = work, [], []  # type: ignore[var-annotated]
        self.concealment, self.set, self.withheld = Concealment(), [], False  # type: ignore[var-annotated]
        self.masked: tuple[str, ...] = ()
        work.answers |= {LookAtPapers: self._list, ReadPaper: self._read, SavePaper: self._save}
        work.answers |= {SetConcealment: self._conceal}

    def put(
        self, form: str = "assessment", values: Any = SHEET, of: str = "1", kind: str = "assessment", **more: Any
    ) -> None:
        head = {"paper": PAPER, "version": len(self.rows) + 1, "form": form, "kind": kind, "edition": of}
        head |= {"category": Category.ORDINARY, "by": PEOPLE[0], "agency": "fukushi", "at": self.work.time}
        self.rows.append((PaperHead.model_validate(head | more), values))

    def _list(self, asked: LookAtPapers) -> PaperList:
        return PaperList(found=True, papers=tuple(head for head, _ in self.rows[-1:]), concealment=self.concealment)

    def _read(self, asked: ReadPaper) -> PaperView:
        if asked.paper != PAPER or not self.rows or (asked.version or 1) > len(self.rows):
            return PaperView(found=False)
        head, values = self.rows[(asked.version or 0) - 1]
        common = {"found": True, "head": head, "versions": tuple(one for one, _ in self.rows)}
        if self.withheld:
            why = {"rule": "S9", "reason": "税の情報です。", "next_step": "税を含む同意を得てください。"}
            return PaperView.model_validate(common | {"withheld": True} | why)
        seen = {name: value for name, value in values.items() if name not in self.masked}
        return PaperView.model_validate(common | {"values": seen, "masked": self.masked})

    def _save(self, asked: SavePaper) -> PaperSaved:
        self.saved.append(asked)
        if asked.after != len(self.rows):
            why = {"reason": "ほかの人が先に新しい版を保存しました。", "rule": "T2"}
            return PaperSaved.model_validate({"done": False, "newer": len(self.rows)} | why)
        forms = papers.known_forms(self.work.settings)
        form = in_force(forms, asked.form, day_in_japan(self.work.time))
        if asked.edition != form.edition:
            return PaperSaved(done=False, edition=form.edition, reason="いまの版ではありません。", rule="C12")
        found = validate(form, asked.values, {one.code for one in self.work.profile.agencies})
        if found.faults:
            return PaperSaved(done=False, faults=tuple(PaperFault(**one._asdict()) for one in found.faults))
        self.put(form.id, found.values, form.edition, form.kind.value)
        return PaperSaved(done=True, paper=PAPER, version=len(self.rows))

    def _conceal(self, asked: SetConcealment) -> ConcealmentSet:
        self.set.append(asked)
        return ConcealmentSet(done=True)


def shown_fields(text: str) -> dict[str, str]:
    """What a browser would post back of a page as it is: the text controls."""
    lines = r'<input(?! type="(?:radio|checkbox))[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"'
    found = dict(re.findall(lines, text))
    areas = r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>'
    found |= dict(re.findall(areas, text, re.DOTALL))
    return {name: unescape(value) for name, value in found.items() if name.startswith(("f.", "n."))}


async def save(client: httpx.AsyncClient, **said: Any) -> httpx.Response:
    common = {"form": "assessment", "edition": "1", "paper": "", "after": "0", "request": str(uuid4())}
    return await post(client, PATH, **(common | {name.replace("__", "."): value for name, value in said.items()}))


TYPED = {f"f.{name}": value for name, value in SHEET.items()}


# -- filling in --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    ("kind", "wanted", "missing"),
    [
        (JUSO, ("reception_with_consent", "plan", "plan_participation"), ("reception_without_consent",)),
        (SHIEN, ("reception_without_consent", "plan_outreach"), ("reception_with_consent", "plan_participation")),
    ],
)
async def test_the_list_offers_the_forms_of_its_compartment_and_no_other(
    stand_in: Desk, kind: Compartment, wanted: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    work = stand_in(kind)
    Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
        refused = [(await client.get(f"{PATH}/new/{name}")).status_code for name in missing]
    for name in (*wanted, "assessment", "evaluation"):
        assert f"{PATH}/new/{name}" in text
    assert not [name for name in missing if f"/new/{name}" in text]
    assert set(refused) == {404}


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_every_field_of_every_form_is_on_its_page_with_all_it_offers(stand_in: Desk, kind: Compartment) -> None:
    work = stand_in(kind)
    Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        names = re.findall(r"/papers/new/(\w+)", (await client.get(PATH)).text)
        for name in names:
            text = (await client.get(f"{PATH}/new/{name}")).text
            form = in_force(known_forms(work.settings), name, date(2026, 11, 24))
            for field in form.fields:
                assert field.label in text
                place = f"f.{field.id}.0.{field.columns[0].id}" if field.columns else f"f.{field.id}"
                assert f'name="{place}"' in text
                assert all(f'value="{one.code}"' in text for one in field.codes)
    assert len(names) >= 4


async def test_the_additions_of_a_municipality_are_filled_in_like_its_own_forms(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/new/reception_with_consent")).text
    assert "日常生活圏域" in text
    assert 'name="edition" value="1+1"' in text


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_what_is_known_stands_in_the_form_already(stand_in: Desk, kind: Compartment) -> None:
    work = stand_in(kind)
    Shelf(work)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN)]
    async with browser(work) as client:
        await sign_in(client)
        sheet = shown_fields((await client.get(f"{PATH}/new/assessment")).text)
        plan = shown_fields((await client.get(f"{PATH}/new/plan_outreach")).text)
    assert (sheet["f.name"], sheet["f.kana"]) == ("齋藤 久美子", "サイトウ クミコ")
    assert (sheet["f.born_on"], sheet["f.first_consulted_on"]) == ("昭和33年3月9日", "令和8年11月12日")
    assert plan["f.made_by"] == "福祉課 髙橋 美穂"
    assert plan["f.monitoring_on"] == PLAN.monitor_on.isoformat() if PLAN.monitor_on else False
    assert plan["f.roles.0.role"] == PLAN.roles[0].does


async def test_a_name_that_this_viewer_may_not_know_is_not_filled_in(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work)
    work.answers[ClientOf] = lambda _: Particulars(found=False)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/new/assessment")).text
    assert shown_fields(text)["f.name"] == ""
    assert "齋藤" not in text


async def test_a_sound_form_is_saved_and_shown(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    rows = {"n.members": "3", "f.members.0.name": "齋藤 翔", "f.members.0.age": "32", "f.members.0.lives_with": "はい"}
    boxes = {"f.factors": ["care", "isolation"], "f.sex": "female"}
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **TYPED, **rows, **boxes)
        assert reply.headers["location"] == f"{PATH}/{PAPER}"
        text = (await client.get(f"{PATH}/{PAPER}")).text
    (asked,) = shelf.saved
    assert (asked.viewer, asked.viewer_agency, asked.after, asked.paper) == (work.person, "fukushi", 0, None)
    (_, values) = shelf.rows[0]
    assert values["members"] == [{"name": "齋藤 翔", "age": 32, "lives_with": True}]
    assert (values["factors"], values["sex"]) == (["isolation", "care"], "female")
    for wanted in ("眠れない。", "齋藤 翔 / 32 / はい", "社会的孤立(ひきこもり含む)、介護", "女性", "令和8年11月2日"):
        assert wanted in text


async def test_every_fault_stands_beside_its_field_and_nothing_typed_is_lost(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    typed = {
        "f.name": "",
        "f.kana": "さいとう <くみこ>",
        "f.born_on": "昭和33年13月9日",
        "f.complaint": "母の介護。\n眠れない。",
        "n.members": "2",
        "f.members.1.name": "長男",
        "f.members.1.age": "三十",
        "f.factors": ["other"],
        "f.came": "family",
    }
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **typed)
    assert reply.status_code == 400
    assert shelf.rows == []
    fields = dict(re.findall(r'id="field-(\w+)"[^>]*>(.*?)(?=<div class="field|</form>)', reply.text, re.DOTALL))
    for name in ("name", "born_on", "first_consulted_on", "members", "factors_other"):
        assert 'class="alert"' in fields[name], name
    assert "課題と背景要因" in fields["factors_other"]
    assert "同居者・別居親族 2行目 年齢" in fields["members"]
    assert 'class="alert"' not in fields["kana"]
    kept = shown_fields(reply.text)
    for name, value in typed.items():
        if isinstance(value, str) and name.startswith("f.") and name != "f.came":
            assert kept[name] == value
    assert re.search(r'value="other" checked', fields["factors"])
    assert 'value="family" selected' in fields["came"]
    assert "5か所を直してください" in reply.text
    assert re.search(r'name="f.members.1.age"[^>]*aria-invalid="true"', fields["members"])


async def test_more_rows_are_asked_for_without_saving(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **TYPED, **{"n.members": "2", "f.members.1.name": "長男", "more": "members"})
    kept = shown_fields(reply.text)
    assert (kept["n.members"], kept["f.members.1.name"], kept["f.name"]) == ("7", "長男", SHEET["name"])
    assert shelf.saved == []


async def test_the_longest_form_arrives(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    form = edition(known_forms(work.settings), "plan", "1")
    texts = {f"f.{one.id}": "あ" * 10_000 for one in form.fields if one.type == "long_text"}
    rows = {f"f.roles.{n}.role": "い" * 1000 for n in range(50)} | {f"f.roles.{n}.agency": "社協" for n in range(50)}
    more = {"form": "plan", "n.roles": "50", "f.made_on": "R8.11.24", "f.made_by": "𠮷田"}
    more |= {"f.monitoring_on": "2027-02-20", "f.participation": "いいえ", "f.outreach": "いいえ"}
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **texts, **rows, **more)
    assert reply.status_code == 303, reply.text[-500:]
    assert len(shelf.rows[0][1]["roles"]) == 50
    assert len(urlencode(texts | rows)) > 131_072


async def test_a_form_without_the_pages_own_token_is_refused(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.post(PATH, data={"form": "assessment", "edition": "1"} | TYPED)
    assert (reply.status_code, shelf.saved) == (403, [])


@pytest.mark.parametrize(
    "hostile",
    [
        {"request": "x"},
        {"edition": "99"},
        {"after": "-1"},
        {"after": "9" * 300},
        {"n.members": "9" * 300},
        {"paper": "../../etc"},
        {"form": "plan/../x"},
        {"f.factors": "<script>"},
        {"f.sex": "<script>"},
    ],
)
async def test_hostile_posts_are_refused_in_words(stand_in: Desk, hostile: dict[str, str]) -> None:
    work = stand_in(JUSO)
    Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **(TYPED | hostile))
    assert reply.status_code in (303, 400, 404, 409)
    assert "エラーが起きました" not in reply.text
    assert "<script>" not in reply.text


# -- two at once -------------------------------------------------------------------------------------------------------


async def test_the_second_of_two_editors_sees_side_by_side_what_the_first_changed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    shelf.put()
    theirs = SHEET | {"route": "包括から", "complaint": "先に直した訴え。"}
    shelf.put(values=theirs)
    mine = TYPED | {"f.complaint": "あとから直した訴え。", "f.direction": "訪問を増やす。"}
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, paper=str(PAPER), after="1", **mine)
        kept = shown_fields(reply.text)
        again = await save(client, paper=str(PAPER), after="2", **kept)
    assert reply.status_code == 409
    beside = reply.text[reply.text.index("ほかの人が変えたところ") : reply.text.index('class="entry paper"')]
    for wanted in (
        "相談経路",
        "包括から",
        "眠れない。",
        "先に直した訴え。",
        "あとから直した訴え。",
        "両方が変えました",
    ):
        assert wanted in beside
    assert kept["f.route"] == "包括から", "what only the other one changed goes on"
    assert kept["f.complaint"] == "あとから直した訴え。", "what both changed stays as typed"
    assert kept["f.direction"] == "訪問を増やす。"
    assert 'name="after" value="2"' in reply.text
    assert again.status_code == 303
    assert shelf.rows[2][1]["route"] == "包括から"


# -- editions ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def second_edition(monkeypatch: pytest.MonkeyPatch, stand_in: Desk) -> Form:
    """Since November 2026 the アセスメントシート asks for pets and no longer for 相談経路."""
    forms = known_forms(stand_in(JUSO).settings)
    old = edition(forms, "assessment", "1")
    head, *rest = old.sections
    pets = FormField.model_validate({"id": "pets", "label": "飼っている動物", "type": "text"})
    basic = head.model_copy(update={"fields": (*(one for one in head.fields if one.id != "route"), pets)})
    changed = {"version": 2, "effective_from": date(2026, 11, 1), "sections": (basic, *rest)}
    new = old.model_copy(update=changed)
    monkeypatch.setattr(papers, "known_forms", lambda settings: (*forms, new))
    return new


async def test_an_old_version_is_read_in_its_own_edition_and_goes_on_in_the_new_one(
    stand_in: Desk, second_edition: Form
) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    shelf.put(values=SHEET | {"route": "包括から"})
    async with browser(work) as client:
        await sign_in(client)
        old = (await client.get(f"{PATH}/{PAPER}")).text
        text = (await client.get(f"{PATH}/{PAPER}/edit")).text
        kept = shown_fields(text)
        done = await save(client, paper=str(PAPER), after="1", edition="2", **(kept | {"f.pets": "犬"}))
        both = [(await client.get(f"{PATH}/{PAPER}?version={n}")).text for n in (1, 2)]
    assert "相談経路" in old
    assert "包括から" in old
    assert "飼っている動物" not in old
    assert "第1版 → 第2版" in text
    left = text[text.index("引き継がれない内容") : text.index('class="entry paper"')]
    assert "相談経路" in left
    assert "包括から" in left
    assert "この版で加わった項目" in text[text.index('id="field-pets"') : text.index('id="field-pets"') + 600]
    assert kept["f.complaint"] == SHEET["complaint"]
    assert done.status_code == 303
    assert ("包括から" in both[0], "犬" in both[0]) == (True, False)
    assert ("包括から" in both[1], "犬" in both[1]) == (False, True)


async def test_a_page_of_an_old_edition_comes_back_in_the_new_one_with_all_that_was_typed(
    stand_in: Desk, second_edition: Form
) -> None:
    work = stand_in(JUSO)
    Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await save(client, **TYPED, **{"f.route": "包括から"})
    assert reply.status_code == 409
    assert 'name="edition" value="2"' in reply.text
    assert shown_fields(reply.text)["f.complaint"] == SHEET["complaint"]
    assert "包括から" in reply.text[reply.text.index("引き継がれない内容") : reply.text.index('class="entry paper"')]


async def test_a_version_whose_schema_file_is_gone_can_still_be_read(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work).put(of="7")
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/{PAPER}")).text
    assert "様式のファイルがないため" in text
    assert "眠れない。" in text


# -- reading, printing, masking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_the_print_page_is_plain_and_says_who_printed_what(stand_in: Desk, kind: Compartment) -> None:
    work = stand_in(kind)
    Shelf(work).put()
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/{PAPER}/print?version=1")).text
    assert "<nav" not in text
    assert "<button" not in text
    for wanted in ("インテーク・アセスメントシート", "眠れない。", "様式 第1版", "福祉課 髙橋 美穂 が表示しました"):
        assert wanted in text
    assert ("守秘義務" in text) is (kind is SHIEN)


@pytest.mark.rule("S18")
async def test_what_is_masked_is_not_on_the_page_and_cannot_be_typed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    shelf.put(values=SHEET | {"address": "小林市細野 1234番地"})
    shelf.masked = ("address", "phone")
    shelf.concealment = Concealment(concealed=True, agencies=("choju",), open_to_viewer=False)
    async with browser(work) as client:
        await sign_in(client)
        pages = [(await client.get(f"{PATH}/{PAPER}{end}")).text for end in ("", "/print", "/edit")]
        new = (await client.get(f"{PATH}/new/assessment")).text
        faulty = (await save(client, **{"f.name": "", "f.address": "小林市細野"})).text
    for text in (new, faulty):
        assert 'name="f.address"' not in text, "what would not be kept is not asked for"
        assert "居所を見られる機関が書きます" in text
    for text in pages:
        assert "細野" not in text
        assert "秘匿のため表示しません" in text
    assert 'name="f.address"' not in pages[2]
    assert 'name="f.kana"' in pages[2]


@pytest.mark.rule("S18")
async def test_the_agencies_that_see_where_somebody_is_are_chosen_on_the_list(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    async with browser(work) as client:
        await sign_in(client)
        said = {"request": str(uuid4()), "concealed": "1", "agencies": ["fukushi", "choju"]}
        reply = await post(client, f"{PATH}/conceal", **said)
        shelf.concealment = Concealment(concealed=True, agencies=("choju",), open_to_viewer=False)
        text = (await client.get(PATH)).text
    assert reply.status_code == 303
    (asked,) = shelf.set
    assert (asked.case, asked.concealed, asked.agencies, asked.viewer) == (
        CASE,
        True,
        ("fukushi", "choju"),
        work.person,
    )
    assert "次の機関だけが見られます: 長寿介護課" in text
    assert f'action="{PATH}/conceal"' not in text


@pytest.mark.rule("S9")
async def test_a_paper_with_tax_data_that_may_not_be_shown_says_why_and_what_to_do(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    shelf = Shelf(work)
    shelf.put(category=Category.TAX)
    shelf.withheld = True
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/{PAPER}")).text
        edit = await client.get(f"{PATH}/{PAPER}/edit")
    assert "税の情報です。税を含む同意を得てください。(S9)" in text
    assert "眠れない。" not in text
    assert "/edit" not in text
    assert edit.status_code == 303


async def test_an_unknown_paper_or_version_or_case_is_not_there(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work).put()
    async with browser(work) as client:
        await sign_in(client)
        for path in (
            f"{PATH}/{uuid4()}",
            f"{PATH}/x",
            f"{PATH}/{PAPER}?version=9",
            f"{PATH}/{PAPER}?version=x",
            f"/cases/{uuid4()}/papers",
            f"/cases/{uuid4()}/papers/{PAPER}",
            "/cases/x/papers",
        ):
            assert (await client.get(path)).status_code == 404, path


# -- steps -------------------------------------------------------------------------------------------------------------


async def step(client: httpx.AsyncClient, version: str = "1") -> httpx.Response:
    return await post(client, f"{PATH}/{PAPER}/step", version=version, request=str(uuid4()))


def taken(work: StandIn) -> Act:
    (asked,) = [one for one, _ in work.asked if isinstance(one, TakeStep)]
    return asked.act


@pytest.mark.rule("T2")
async def test_an_assessment_is_recorded_from_its_sheet_in_one_click(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work).put()
    async with browser(work) as client:
        await sign_in(client)
        assert "この書類で「アセスメントを記録する」" in (await client.get(f"{PATH}/{PAPER}")).text
        reply = await step(client)
        life = (await client.get(f"/cases/{CASE}/life")).text
    assert reply.headers["location"] == f"/cases/{CASE}/life"
    assert taken(work).paper == PaperRef(paper=PAPER, version=1)
    assert (taken(work).step, taken(work).form, taken(work).words) == (Step.ASSESS, "assessment@1", "家計の相談。")
    assert f'href="{PATH}/{PAPER}?version=1"' in life
    assert "第1版" in life


@pytest.mark.rule("T2")
async def test_a_plan_is_drafted_as_its_sheet_says_in_one_click(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    more = {"participation": True, "participation_content": "週1回の通い", "other_support": "配食"}
    Shelf(work).put("plan", PLAN_SHEET | more, kind="plan")
    async with browser(work) as client:
        await sign_in(client)
        assert (await step(client)).status_code == 303
    plan = taken(work).plan
    assert plan
    assert plan.goals == "安心して暮らす。\n家計を立て直す。"
    assert plan.policy == "社協が家計の相談をする。\n月2回の面談。"
    assert [(one.agency, one.until, one.does) for one in plan.roles] == [("shakyo", date(2027, 2, 20), "家計の相談")]
    assert (plan.services, plan.other_support, plan.monitor_on) == (("participation",), True, date(2027, 2, 20))


@pytest.mark.parametrize(
    ("form", "kind", "values", "category", "reason"),
    [
        ("plan", "plan", {"roles": [{"agency": "どこか", "role": "x"}]}, "ordinary", "役割分担の1行目の機関は"),
        ("plan", "plan", {}, "tax", "税の情報を含む書類からは、プラン案を作れません"),
        ("plan_participation", "plan", {}, "ordinary", "この書類からは、事案の手順を記録しません"),
    ],
)
async def test_a_step_that_a_paper_cannot_make_says_why(
    stand_in: Desk, form: str, kind: str, values: Any, category: str, reason: str
) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    Shelf(work).put(form, PLAN_SHEET | values, kind=kind, category=category)
    async with browser(work) as client:
        await sign_in(client)
        reply = await step(client)
    assert reply.status_code == 409
    assert reason in reply.text
    assert not [one for one, _ in work.asked if isinstance(one, TakeStep)]


@pytest.mark.rule("S9")
async def test_what_a_sheet_with_tax_data_says_does_not_go_into_the_life(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work).put(category=Category.TAX)
    async with browser(work) as client:
        await sign_in(client)
        await step(client)
    assert taken(work).words == "インテーク・アセスメントシート(第1版)のとおり。"


async def test_an_evaluation_is_recorded_from_its_sheet(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN), act(Step.BRING)]
    values = {"achievement": "家計が黒字になった。", "course": "月2回の面談を続けた。" + "長" * 9_990}
    Shelf(work).put("evaluation", values, kind=FormKind.EVALUATION.value)
    async with browser(work) as client:
        await sign_in(client)
        await step(client)
    assert taken(work).step is Step.EVALUATE
    assert taken(work).words.startswith("家計が黒字になった。\n月2回")
    assert len(taken(work).words) == 10_000
    assert taken(work).words.endswith("(続きは書類)")


@pytest.mark.rule("S18")
async def test_where_a_paper_conceals_somebody_what_intake_was_told_does_not_stand_in_it(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Shelf(work).concealment = Concealment(concealed=True, open_to_viewer=False)
    work.details = ClientDetails(found=True, address="細野300番地", phone="0984-23-0100")
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/new/assessment")).text
    assert "性別" in text
    assert "細野300番地" not in text
    assert "0984-23-0100" not in text


@pytest.mark.rule("S18")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_what_intake_was_told_of_the_client_and_the_household_stands_in_a_new_assessment(
    stand_in: Desk, kind: Compartment
) -> None:
    work = stand_in(kind)
    Shelf(work)
    members = (Member(name="齋藤 𠮷郎", age=54, relation="長男"),)
    work.details = ClientDetails(found=True, sex="female", address="細野300番地", phone="0984-23-0100", members=members)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(f"{PATH}/new/assessment")).text
    known = {"細野300番地", "0984-23-0100", "齋藤 𠮷郎", "長男"}
    asked = [one for one, _ in work.asked if isinstance(one, DetailsOfClient)]
    if kind is JUSO:
        assert all(one in text for one in known)
        assert re.search(r'value="female"[^>]*(selected|checked)', text)
        assert [(one.case, one.by.person, one.by.agency) for one in asked] == [(CASE, work.person, "fukushi")]
    else:
        assert not any(one in text for one in known)
        assert asked == [], "a question from shien would tell"
