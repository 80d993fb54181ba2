"""Reads the schema files of forms: those that come with kasane, and a municipality's own beside its profile.

``forms/plan.1.toml`` is version 1 of the form ``plan``. In ``examples/<city>/forms/`` stand the city's own forms, under
ids that begin with ``x_``, and its additions to official ones: ``plan.additions.1.toml``. Old versions stay:
without them nobody can read what was filled in.
"""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from contracts.form_editions import Additions, editions
from contracts.forms import Form
from services.settings import SHIPPED_FORMS, Settings


class FormsInvalid(Exception):
    """A schema file cannot be used; the text says which, where and why, in Japanese."""


def own_forms(settings: Settings) -> tuple[Form, ...]:
    """The forms of this installation: those that came with kasane, and its municipality's. Raises FormsInvalid."""
    return read_forms(SHIPPED_FORMS, settings.profile / "forms", settings.municipality)


@cache
def _kept(profile: Path, municipality: str) -> tuple[Form, ...]:
    return read_forms(SHIPPED_FORMS, profile / "forms", municipality)


def known_forms(settings: Settings) -> tuple[Form, ...]:
    """The same, read once in a process's life: a new schema file is known after the next start."""
    return _kept(settings.profile, settings.municipality)


def read_forms(shipped: Path, own: Path | None = None, municipality: str = "") -> tuple[Form, ...]:
    """Every edition of every form, ordered by id and version. A missing folder ``own`` means: nothing of its own.

    Raises FormsInvalid naming the file and each field that is wrong, or where two files clash.
    """
    forms: list[Form] = []
    additions: list[Additions] = []
    for path in sorted(shipped.glob("*.toml")):
        found = _read(path)
        if not isinstance(found, Form) or found.municipality:
            raise FormsInvalid(
                f"様式 {path} は市町村のものです。市町村のプロファイルの forms フォルダーに置いてください。"
            )
        forms.append(found)
    if not forms:
        raise FormsInvalid(f"様式が {shipped} に見つかりません。kasane を入れ直してください。")
    for path in sorted(own.glob("*.toml")) if own else []:
        found = _read(path)
        if found.municipality != municipality:
            raise FormsInvalid(
                f"様式 {path} は、この市町村({municipality})のものではありません。団体コードを直してください。"
            )
        if isinstance(found, Form):
            forms.append(found)
        else:
            additions.append(found)
    try:
        return editions(forms, additions)
    except ValidationError as error:
        raise FormsInvalid(f"独自項目が公式の様式と合いません({own}): {_told(error)}") from None
    except ValueError as error:
        raise FormsInvalid(f"様式どうしが合いません({own or shipped}): {error}") from None


def _read(path: Path) -> Form | Additions:
    """One file. A file with the key ``form`` holds additions. Raises FormsInvalid."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        found = Additions.model_validate(content) if "form" in content else Form.model_validate(content)
    except (OSError, UnicodeDecodeError):
        raise FormsInvalid(
            f"様式 {path} を読めません。UTF-8 のファイルか、読む権限があるか確かめてください。"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise FormsInvalid(f"様式 {path} の書式が正しくありません: {error}") from None
    except ValidationError as error:
        raise FormsInvalid(f"様式 {path} に誤りがあります: {_told(error)}") from None
    name = f"{found.id}.{found.version}" if isinstance(found, Form) else f"{found.form}.additions.{found.version}"
    if path.stem != name:
        raise FormsInvalid(f"様式 {path} の名前は {name}.toml のはずです。番号と版を確かめてください。")
    if isinstance(found, Form) and found.addition:
        raise FormsInvalid(f"様式 {path}: addition は書けません。独自項目は別のファイルにしてください。")
    return found


def _told(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or '全体'}: {fault['msg']}" for fault in faults)
