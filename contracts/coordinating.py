"""Where a city's coordinating function sits, who carries the five programmes, who calls meetings and who stands in.

A part of the profile (contracts/profile.py). The sources are 種000 (the programmes), 種003 整備パターン①–⑤ (the places,
1層 and 2層), 野洲市支援調整会議要綱 3条3項 (powers, S13) and the 要綱 of 米原市, 芦屋市 and さぬき市 (会長, S12).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.message import Code


class Data(BaseModel):
    """Unknown keys are mistakes: a misspelt setting must not be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Area(Data):
    """圏域: a part of the city with agencies, a coordinator or a body of its own (種003 整備パターン例④, 2層)."""

    code: Code
    name: str


class Programmes(Data):
    """The five programmes of 社会福祉法106条の4第2項 and the agencies that carry them (種000; domain.md 4.1).

    An empty one is not carried out, as in 移行準備事業: no plan can use it (D3).
    """

    consultation: tuple[Code, ...]
    """包括的相談支援事業 (1号)."""
    participation: tuple[Code, ...]
    """参加支援事業 (2号)."""
    community: tuple[Code, ...]
    """地域づくり事業 (3号)."""
    outreach: tuple[Code, ...]
    """アウトリーチ等を通じた継続的支援事業 (4号)."""
    coordination: tuple[Code, ...]
    """多機関協働事業 (5号): exactly the agencies of kind ``coordinator``."""


Pattern = Literal["independent", "independent_with_desk", "one_stop", "added_to_one", "added_to_each"]
PATTERN_TEXT: dict[Pattern, str] = {
    "independent": "①独立機関(相談窓口なし)",
    "independent_with_desk": "②独立機関(一次相談窓口あり)",
    "one_stop": "③統合型(ワンストップ)相談窓口に設置",
    "added_to_one": "④いずれかの機関に付加",
    "added_to_each": "⑤各機関に付加",
}
"""整備パターン: the five places of the coordinating function, in the order of 種003's table. Its examples ①–⑤ come in
another order: 例② is ⑤, 例④ is ②, 例⑤ is ④."""


class Coordinator(Data):
    """A 多機関協働事業者, and which cases are its own where there are several (種003 整備パターン⑤, 1層/2層)."""

    agency: Code
    level: Literal[1, 2] = 1
    """1層: the whole city. 2層: the areas it names."""
    areas: tuple[Code, ...] = ()
    takes_from: tuple[Code, ...] = ()
    """The agencies whose referrals come to it, e.g. those of its field."""


class Coordinating(Data):
    """Where the coordinating function sits, and who has it. The first of level 1 takes what is nobody else's."""

    pattern: Pattern
    coordinators: Annotated[tuple[Coordinator, ...], Field(min_length=1)]


class Deputy(Data):
    """会長の職務を代理する人: a post, named beforehand, that stands in for the holder within its days (S12)."""

    agency: Code
    post: Code
    title: str
    """How people call it, e.g. 副会長(福祉課長補佐)."""
    since: date
    until: date
    """The first and the last day, as they are written in Japan; both count."""

    def in_force(self, day: date) -> bool:
        """Whether it may stand in on this day."""
        return self.since <= day <= self.until


class Convener(Data):
    """会長: the post that calls the meeting and approves who is proposed (S12), and its deputies in their order.

    A deputy decides only when the holder, and each deputy before it, is away or proposed the date.
    """

    agency: Code
    post: Code
    title: str
    """How pages and refusals name the holder, e.g. 会長(福祉課長)."""
    deputies: tuple[Deputy, ...] = ()


class Power(Data):
    """委任できない権限: what only the holder of one post may do (S13)."""

    action: Literal["call", "approve_minutes"]
    """会議の招集, 会議録の承認."""
    agency: Code
    post: Code
    title: str
    """How refusals name the holder, e.g. 総括者(市民生活相談課長)."""
    deputies: tuple[Deputy, ...] = ()
    """Always empty: a profile that names one is refused with the rule (contracts/convener_faults.py)."""
