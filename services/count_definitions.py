"""Reads the definitions of what is counted: ``counts/items.VERSION.toml``. The highest edition is the one in use."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from contracts.counts import Definitions
from services.settings import SHIPPED_COUNTS


class CountsInvalid(Exception):
    """A file with definitions cannot be used; the text says which and why, in Japanese."""


@cache
def definitions(folder: Path = SHIPPED_COUNTS) -> Definitions:
    """The newest edition. Raises CountsInvalid naming the file and the fields that are wrong."""
    editions = [read_definitions(path) for path in sorted(folder.glob("items.*.toml"))]
    if not editions:
        raise CountsInvalid(f"集計の定義が {folder} に見つかりません。kasane を入れ直してください。")
    return max(editions, key=lambda one: int(one.version))


def read_definitions(path: Path) -> Definitions:
    """One edition. Raises CountsInvalid."""
    try:
        return Definitions.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise CountsInvalid(f"集計の定義 {path} を読めません。UTF-8 の TOML か確かめてください。") from None
    except ValidationError as error:
        fields = "、".join(".".join(map(str, fault["loc"])) or "全体" for fault in error.errors(include_input=False))
        raise CountsInvalid(f"集計の定義 {path} が正しくありません: {fields}") from None
