"""``kasane forms``: the list, one form, an empty one to print, and a filled one checked."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from contracts.forms import FieldType, Form
from services.__main__ import main
from services.forms import FormsInvalid, read_forms
from services.forms_page import blank_page
from services.settings import SHIPPED_FORMS
from tests.contracts.form_samples import ALL, filled, form

ROOT = Path(__file__).parent.parent
TOBA = ["--municipality", "242110", "--profile", str(ROOT / "examples" / "toba")]
MEMO = {
    "noticed_on": "令和8年3月31日",
    "place": "canteen",
    "signs": ["meals", "child"],
    "description": "この2週間、昼に来なくなった。",
    "urgent": False,
}


def run(*arguments: str, profile: Path | None = ROOT / "examples" / "kobayashi") -> int:
    """The exit status of ``kasane forms …``."""
    with pytest.raises(SystemExit) as end:
        main(["forms", *arguments, *(["--profile", str(profile)] if profile else [])])
    return int(end.value.code or 0)


@pytest.fixture
def paper(tmp_path: Path) -> Any:
    """Writes a filled form, or any bytes, into a file."""

    def write(content: object) -> str:
        path = tmp_path / "filled.json"
        text = json.dumps(content, ensure_ascii=False) if isinstance(content, dict) else str(content)
        path.write_bytes(content if isinstance(content, bytes) else text.encode())
        return str(path)

    return write


def memo(**changes: object) -> dict[str, object]:
    return {"form": "early_signal", "version": "1", "values": MEMO | changes}


# -- list and show -----------------------------------------------------------------------------------------------------


def test_the_list_marks_the_edition_of_the_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--on", "2023-03-31") == 0
    before = capsys.readouterr().out.splitlines()
    assert run("list", "--on", "2023-04-01") == 0
    after = capsys.readouterr().out.splitlines()
    assert [line.split()[1:3] for line in before if line.startswith("○ reception_with_")] == [
        ["reception_with_consent", "第1版"]
    ]
    assert [line.split()[1:3] for line in after if line.startswith("○ reception_with_")] == [
        ["reception_with_consent", "第1+1版"]
    ]
    assert all("から  出典: " in line for line in before)
    assert not any(line.startswith("○ plan ") for line in before)


def test_each_city_sees_its_own_sheets_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "鳥羽市 地域共生ケース会議受付表" not in capsys.readouterr().out
    assert run("list", *TOBA, profile=None) == 0
    out = capsys.readouterr().out
    assert "鳥羽市 地域共生ケース会議受付表" in out
    assert "第1+1版" not in out


def test_a_form_is_shown_with_type_codes_and_what_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "reception_without_consent", "--version", "1") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert "必須、規則 S10" in lines["支援会議の開催目的"]
    assert "未確認" not in lines["支援会議の開催目的"]
    assert "未確認" in lines["情報源"]
    assert "10,000字まで" in lines["紹介理由"]
    assert "◎は1つ" in lines["お困りごと"]
    assert "「その他」のとき必須" in lines["お困りごと(その他の内容)"]
    assert any("share_concern=気になる事案の情報共有" in line for line in lines.values())


def test_what_is_reported_to_the_state_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from services.commands.forms import form_lines

    told = {"id": "told", "label": "件数", "type": "number", "reported_to_state": True, "source": "帳票の太枠"}
    lines = [line for line in form_lines(form(told)) if "国への報告事項" in line]
    assert len(lines) == 1
    assert "件数" in lines[0]


def test_a_form_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "nothing") == 1
    assert "kasane forms list" in capsys.readouterr().out
    assert run("show", "plan", "--version", "7") == 1
    assert "ある版: 1" in capsys.readouterr().out
    assert run("show", "plan", "--on", "2023-03-31") == 1
    assert "2023-04-01 から" in capsys.readouterr().out


# -- an empty one to print ---------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Notes labels, headings, what is loaded from elsewhere, and tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.labels: list[str] = []
        self.ids: list[str] = []
        self.named_by: list[str] = []
        self.loads: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.in_label = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes[tag] = found
        self.loads += [name for name in ("src", "href", "srcset", "action") if name in found]
        self.loads += [tag] if tag in ("script", "link", "iframe", "img", "object") else []
        self.ids += [str(found["id"])] if "id" in found else []
        self.named_by += [str(found["aria-labelledby"])] if "aria-labelledby" in found else []
        self.in_label = found.get("class") == "label"
        if self.in_label:
            self.labels.append("")
        if tag == "th" and "scope" not in found:
            self.wrong.append("a header cell without scope")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.in_label = False
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.in_label:
            self.labels[-1] += data


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_an_empty_form_has_each_label_once_and_needs_nothing_from_outside(one: Form) -> None:
    text = blank_page(one, "小林市")
    page = Page(text)
    assert page.labels == [field.label for field in one.fields]
    assert (page.wrong, page.open, page.loads) == ([], [], [])
    assert "url(" not in text
    assert page.attributes["html"] == {"lang": "ja"}
    assert len(page.ids) == len(set(page.ids))
    assert set(page.named_by) <= set(page.ids)
    assert "size: A4" in text
    assert text.count(">必須<") == sum(field.required for field in one.fields)
    for field in (field for field in one.fields if field.type in (FieldType.CODE, FieldType.CODES)):
        assert all(f"□ {choice.label}</span>" in text for choice in field.codes)


def test_the_empty_form_without_consent_has_nothing_to_sign_c12() -> None:
    assert "署名" not in blank_page(ALL["reception_without_consent 1"], "小林市")
    assert "署名" in blank_page(ALL["reception_with_consent 1"], "小林市")


def test_what_a_page_shows_is_escaped() -> None:
    noted = {"id": "extra", "label": 'そのほか"', "type": "text", "note": "<script>alert(1)</script>"}
    text = blank_page(form(noted), "<b>市")
    assert "<script" not in text
    assert "<b>市" not in text
    assert Page(text).labels[-1] == 'そのほか"'


def test_the_empty_form_is_written_and_nothing_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.html"
    assert run("blank", "plan", "--out", str(out)) == 0
    assert Page(out.read_text("utf-8")).labels
    out.write_text("kept")
    assert run("blank", "plan", "--out", str(out)) == 1
    assert out.read_text() == "kept"
    assert run("blank", "plan", "--out", str(tmp_path / "nowhere" / "plan.html")) == 1
    assert "上書きはしません" in capsys.readouterr().out


# -- a filled one ------------------------------------------------------------------------------------------------------


def test_a_sound_form_passes(paper: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "early_signal", paper(memo())) == 0
    assert "誤りはありません" in capsys.readouterr().out
    one = ALL["reception_with_consent 1+1"]
    values = filled(one) | {"referrer": "houkatsu-nojiri"}
    assert run("check", one.id, paper({"form": one.id, "version": "1+1", "values": values})) == 0


def test_faults_are_told_by_label_and_rule_and_nobody_is_named(paper: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = memo(noticed_on="令和8年2月29日", place="髙橋宅", description="𠮷田さん 123456789018", urgent=None)
    assert run("check", "early_signal", paper(wrong)) == 1
    out = capsys.readouterr()
    assert [line.split(":")[0] for line in out.out.splitlines()] == [
        "気づいた日",
        "気づいた場",
        "気づいたことの内容",
        "命や安全の心配がある",
        "地域づくりからの気づきメモ 第1版",
    ]
    assert "[date-calendar]" in out.out
    assert "[my-number]" in out.out
    assert not any(word in out.out + out.err for word in ("髙橋", "𠮷田", "123456789018"))


def test_an_agency_of_another_city_is_refused(paper: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "early_signal", paper(memo(received_by="toba-shakyo"))) == 1
    assert "[agency-unknown]" in capsys.readouterr().out


def test_a_form_is_checked_by_the_edition_it_names_or_else_by_the_day(
    paper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    values = filled(ALL["reception_with_consent 1"]) | {"referrer": "houkatsu-nojiri"}
    old = {"form": "reception_with_consent", "version": "1", "values": values}
    assert run("check", "reception_with_consent", paper(old)) == 0
    del old["version"]
    assert run("check", "reception_with_consent", paper(old), "--on", "2023-03-31") == 0
    assert run("check", "reception_with_consent", paper(old), "--on", "2023-04-01") == 1
    assert "日常生活圏域" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe{}",
        "{",
        "[" * 100_000,
        "[]",
        "{}",
        '{"form": "early_signal", "values": []}',
        '{"form": "early_signal", "values": {}, "case": "x"}',
        '{"form": "early_signal", "version": 1, "values": {}}',
        '{"form": "plan", "values": {}}',
        '{"form": "early_signal", "values": {"urgent": true, "urgent": false}}',
        '{"form": "early_signal", "values": {"n": ' + "9" * 5000 + "}}",
        b" " * 5_000_001,
    ],
    ids=lambda content: str(content)[:40],
)
def test_a_file_that_is_no_filled_form_is_refused_with_what_to_do(
    paper: Any, capsys: pytest.CaptureFixture[str], content: object
) -> None:
    assert run("check", "early_signal", paper(content)) == 1
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1, "nothing of it was checked as a form"
    assert told[0].endswith("ください。")


def test_a_file_that_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "early_signal", str(tmp_path / "nothing.json")) == 1
    assert "ファイルを読めません" in capsys.readouterr().out


# -- schema files ------------------------------------------------------------------------------------------------------


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A folder of 小林市's own forms that may be spoilt."""
    folder = tmp_path / "forms"
    shutil.copytree(ROOT / "examples" / "kobayashi" / "forms", folder)
    return folder


ADDED = "reception_with_consent.additions.1.toml"


@pytest.mark.parametrize(
    ("right", "wrong", "what"),
    [
        ('id = "x_district"', 'id = "district"', "全体"),
        ('label = "日常生活圏域"', 'label = "氏名"', "label twice"),
        ('section = "client"', 'section = "nowhere"', "no section nowhere"),
        ('type = "code"', 'type = "picture"', "fields.0.type"),
        ("version = 1", "version = 2", "additions.2.toml"),
        ('municipality = "452050"', 'municipality = "242110"', "452050"),
        ('form = "reception_with_consent"', 'form = "reception"', "reception.additions.1.toml"),
        ("[[fields]]", "[[fields", "書式"),
        ("required = true", "requird = true", "requird"),
    ],
)
def test_a_wrong_schema_file_is_refused_by_name_and_place(city: Path, right: str, wrong: str, what: str) -> None:
    text = (city / ADDED).read_text("utf-8")
    assert right in text
    (city / ADDED).write_text(text.replace(right, wrong, 1), "utf-8")
    with pytest.raises(FormsInvalid) as refused:
        read_forms(SHIPPED_FORMS, city, "452050")
    assert what in str(refused.value)
    assert str(city) in str(refused.value)


def test_a_city_cannot_replace_an_official_form(city: Path) -> None:
    shutil.copy(SHIPPED_FORMS / "plan.1.toml", city)
    with pytest.raises(FormsInvalid, match="この市町村"):
        read_forms(SHIPPED_FORMS, city, "452050")
    text = (city / "plan.1.toml").read_text("utf-8")
    (city / "plan.1.toml").write_text(text.replace("version = 1", 'version = 1\nmunicipality = "452050"', 1), "utf-8")
    with pytest.raises(FormsInvalid, match="x_"):
        read_forms(SHIPPED_FORMS, city, "452050")


def test_a_file_in_another_encoding_or_an_empty_folder_is_told(city: Path, tmp_path: Path) -> None:
    (city / "x_memo.1.toml").write_bytes("title = '気づき'".encode("cp932"))
    with pytest.raises(FormsInvalid, match="UTF-8"):
        read_forms(SHIPPED_FORMS, city, "452050")
    with pytest.raises(FormsInvalid, match="見つかりません"):
        read_forms(tmp_path / "nothing")


def test_a_city_form_does_not_belong_among_those_for_everybody(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "toba" / "forms" / "x_case_meeting_request.1.toml", tmp_path)
    with pytest.raises(FormsInvalid, match="プロファイル"):
        read_forms(tmp_path)
    assert [one.id for one in read_forms(SHIPPED_FORMS, tmp_path, "242110") if one.municipality] == [
        "x_case_meeting_request"
    ]


def test_a_wrong_schema_file_ends_the_command_with_a_sentence(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "examples" / "kobayashi" / "profile.toml", city.parent)
    (city / ADDED).write_text("form = 1", "utf-8")
    assert run("list", profile=city.parent) == 1
    assert "に誤りがあります" in capsys.readouterr().err
