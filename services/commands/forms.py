"""``kasane forms``: which forms there are, what each asks, an empty one to print, and whether a filled one is sound."""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contracts.coordinating import Data
from contracts.filling import validate
from contracts.form_editions import NoSuchForm, edition, in_force
from contracts.forms import OWN, FieldType, Form, FormField, Section
from services.commands import Adder
from services.commands.line import day
from services.forms import own_forms
from services.forms_page import blank_page
from services.settings import Settings, read_profile

TOKYO = ZoneInfo("Asia/Tokyo")
LARGEST = 5_000_000
"""Bytes of a filled form: some dozen long texts of 10,000 characters, and tables."""
TYPE_TEXT = {
    FieldType.TEXT: "1行の文",
    FieldType.LONG_TEXT: "文",
    FieldType.DATE: "日付",
    FieldType.ERA_DATE: "日付(元号)",
    FieldType.NUMBER: "数",
    FieldType.CODE: "選択(1つ)",
    FieldType.CODES: "選択(いくつでも)",
    FieldType.FLAG: "はい・いいえ",
    FieldType.STAFF: "職員",
    FieldType.AGENCY: "機関の符号",
    FieldType.TABLE: "表",
}
CONSENT_TEXT = {"with": "同意あり", "without": "同意なし", "either": "同意を問わない"}
Say = Callable[[str], None]


class FilledForm(Data):
    """A filled form as a file: which form, in which edition (None: the one in force), and the values by field."""

    form: str
    version: str | None = None
    values: dict[str, object]


class CannotRead(Exception):
    """The file with a filled form cannot be read; what to do, in Japanese, without its content."""


# -- words -------------------------------------------------------------------------------------------------------------


def form_lines(form: Form) -> Iterator[str]:
    """Everything one edition asks, as a person reads it."""
    yield f"{form.title}  {form.id} 第{form.edition}版  {form.effective_from} から  {CONSENT_TEXT[form.consent]}"
    yield f"出典: {form.source}"
    if form.note:
        yield f"注: {form.note}"
    for section in form.sections:
        yield f"[{section.title}]" + (f" 出典: {section.source}" if section.source else "")
        for field in section.fields:
            yield from field_lines(form, section, field)


def field_lines(form: Form, section: Section, field: FormField) -> Iterator[str]:
    """One field: label, id, type, when it is required, whether the state is told, rules, what is unverified, codes."""
    marks = [TYPE_TEXT[field.type], *_bounds(field)]
    if field.required:
        marks.append("必須")
    if when := field.required_when:
        other = next(one for one in form.fields if one.id == when.field)
        chosen = "か".join(f"「{choice.label}」" for choice in other.codes if choice.code in when.among)
        yes = "がはいの" if other.type is FieldType.FLAG else "に書いた"
        marks.append(f"「{other.label}」{f'が{chosen}の' if chosen else yes}とき必須")
    marks += ["国への報告事項"] * field.reported_to_state
    own = field.id.startswith(OWN) and form.municipality is None
    marks += ["独自項目"] * own
    marks += ["秘匿の対象(S18)"] * field.concealed + ["税の情報(S9)"] * field.tax
    marks += [f"規則 {'・'.join(field.rules)}"] if field.rules else []
    marks += [] if own or form.is_verified(section, field) else ["未確認"]
    marks += [f"出典 {field.source}"] if field.source else []
    yield f"  {field.label}  {field.id}  " + "、".join(marks)
    if field.codes:
        yield "    " + "、".join(f"{choice.code}={choice.label}" for choice in field.codes)
    for column in field.columns:
        must = "、必須" if column.required else ""
        yield f"    列 {column.label}  {column.id}  {'、'.join([TYPE_TEXT[column.type], *_bounds(column)])}{must}"


def _bounds(field: FormField) -> list[str]:
    if field.type in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.STAFF):
        return [f"{field.longest:,}字まで"]
    if field.type is FieldType.NUMBER:
        return [f"{field.least:,}から{field.most:,}"]
    if field.type is FieldType.TABLE:
        return [f"{field.max_rows}行まで"]
    return ["◎は1つ"] if field.primary else []


# -- acts --------------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 no such form or faults. Raises FormsInvalid, ProfileInvalid."""
    forms = own_forms(settings)
    try:
        status: int = options.at_forms(options, forms, settings, say)
    except (CannotRead, NoSuchForm) as refusal:
        say(str(refusal))
        return 1
    return status


def list_forms(options: argparse.Namespace, forms: tuple[Form, ...], settings: Settings, say: Say) -> int:
    """One line per edition; the one in force on the day is marked ○."""
    day = _day(options)
    for form in forms:
        begun = [one for one in forms if one.id == form.id and one.effective_from <= day]
        mark = "○" if begun and in_force(forms, form.id, day) is form else "\u3000"
        say(f"{mark} {form.id}  第{form.edition}版  {form.title}  {form.effective_from} から  出典: {form.source}")
    return 0


def show(options: argparse.Namespace, forms: tuple[Form, ...], settings: Settings, say: Say) -> int:
    """All fields of one edition."""
    for line in form_lines(_wanted(options, forms)):
        say(line)
    return 0


def blank(options: argparse.Namespace, forms: tuple[Form, ...], settings: Settings, say: Say) -> int:
    """Write the empty form as a page to print; 1 when the file is there already or cannot be written."""
    page = blank_page(_wanted(options, forms), read_profile(settings.profile).name)
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(page)
    except FileExistsError:
        say("同じ名前のファイルがあります。上書きはしません。別の名前にしてください。")
        return 1
    except OSError as error:
        say(f"ファイルを書けません: {error.strerror}")
        return 1
    say(f"白紙の様式を書きました: {options.out}")
    return 0


def check(options: argparse.Namespace, forms: tuple[Form, ...], settings: Settings, say: Say) -> int:
    """Check a filled form against the edition it names; faults by label and rule, never with a value."""
    filled = read_filled(options.file)
    if filled.form != options.form:
        raise CannotRead(f"このファイルは {options.form} の記入ではありません。ファイルの form を確かめてください。")
    version = options.version or filled.version
    form = edition(forms, options.form, version) if version else in_force(forms, options.form, _day(options))
    agencies = {agency.code for agency in read_profile(settings.profile).agencies}
    found = validate(form, filled.values, agencies)
    for fault in found.faults:
        say(str(fault))
    say(
        f"{form.title} 第{form.edition}版: " + (f"誤り {len(found.faults)}件" if found.faults else "誤りはありません。")
    )
    return 1 if found.faults else 0


def _wanted(options: argparse.Namespace, forms: tuple[Form, ...]) -> Form:
    if options.version:
        return edition(forms, options.form, options.version)
    return in_force(forms, options.form, _day(options))


def _day(options: argparse.Namespace) -> date:
    on: date | None = options.on
    return on or datetime.now(UTC).astimezone(TOKYO).date()


def read_filled(path: Path) -> FilledForm:
    """A filled form from a JSON file. A key that stands twice is refused: one would be lost. Raises CannotRead."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CannotRead(f"ファイルを読めません: {error.strerror}") from None
    if len(data) > LARGEST:
        raise CannotRead(f"ファイルが大きすぎます({LARGEST // 1_000_000}MBまで)。長い文は別紙にしてください。")
    try:
        return FilledForm.model_validate(json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_once))
    except ValidationError:
        raise CannotRead(
            'ファイルは {"form": 様式の番号, "version": 版, "values": {項目: 値}} の形にしてください。'
        ) from None
    except (ValueError, RecursionError):
        raise CannotRead(
            "ファイルが UTF-8 の JSON ではないか、同じ項目が2度あります。書式を確かめてください。"
        ) from None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``forms list``, ``show``, ``blank`` and ``check``; ``options.at_forms`` is the act."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def act(name: str, do: object, text: str) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(at_forms=do)
        one.add_argument("--on", type=day, metavar="年-月-日", help="この日に使う版(既定 今日)")
        if name != "list":
            one.add_argument("form", help="様式の番号(forms list に出ます)")
            one.add_argument("--version", help="版(例 1、独自項目を含むとき 1+1)")
        return one

    act("list", list_forms, "様式の一覧を見る。○は使用中の版")
    act("show", show, "様式の項目、選択肢、必須、出典を見る")
    act("blank", blank, "白紙の様式を印刷用のHTMLにする").add_argument("--out", type=Path, required=True)
    act("check", check, "記入した様式(JSON)を確かめる。値は表示しない").add_argument("file", type=Path)


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("forms", _act, "様式を見る、白紙を作る、記入を確かめる"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return run(options, settings, print)
