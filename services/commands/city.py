"""``kasane city``: how this city is set up: who coordinates, which body hears what, what goes up, what only one may do.

For whoever writes a profile: it says in words what ``profile.toml`` made of the city, before anything is started.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator

from contracts.coordinating import PATTERN_TEXT, Coordinator
from contracts.legal_basis import CATALOGUE
from contracts.profile import Body, Profile
from services.commands import Adder
from services.meetings.cadence import cadence_text
from services.settings import Settings, read_profile

PROGRAMME_TEXT = {
    "consultation": "包括的相談支援",
    "participation": "参加支援",
    "community": "地域づくり",
    "outreach": "アウトリーチ等",
    "coordination": "多機関協働",
}
POWER_TEXT = {"call": "会議の招集(付議)", "approve_minutes": "会議録の承認(結果の記録)"}


def run(profile: Profile, say: Callable[[str], None]) -> int:
    """Say it all; 0, for a profile that does not fit together was refused when it was read."""
    for line in lines(profile):
        say(line)
    return 0


def lines(profile: Profile) -> Iterator[str]:
    """The city in words, a line each."""
    yield f"{profile.name}({profile.municipality})"
    yield from _coordinating(profile)
    yield "五つの事業:"
    for kind, agencies in profile.programmes or ():
        yield f"  {PROGRAMME_TEXT[kind]}: {_names(profile, agencies) or '行いません(プランに書けません、D3)'}"
    if profile.programmes is None:
        yield "  設定に書かれていません。"
    yield "会議体:"
    for body in profile.bodies:
        yield from _body(profile, body)
    for power in profile.powers:
        yield f"委任できない権限: {POWER_TEXT[power.action]}は、{power.title}だけ(S13)"
    if profile.convener is not None:
        yield f"日時の案の承認: {profile.convener.title}(S12)"
        for number, one in enumerate(profile.convener.deputies, 1):
            yield f"  代理 {number}: {one.title}({one.since}から{one.until}まで)"


def _coordinating(profile: Profile) -> Iterator[str]:
    if profile.coordinating is None:
        yield f"多機関協働: {_names(profile, profile.coordinators) or '市町村'}(整備パターンは設定に書かれていません)"
        return
    yield f"多機関協働: {PATTERN_TEXT[profile.coordinating.pattern]}"
    for one in profile.coordinating.coordinators:
        yield f"  {_names(profile, [one.agency])}: {_whose(profile, one)}"


def _whose(profile: Profile, one: Coordinator) -> str:
    if len(profile.coordinators) == 1:
        return "すべての事案"
    parts = [f"{_names(profile, one.takes_from)}からのつなぎ"] if one.takes_from else []
    parts += [f"{one.level}層 {_areas(profile, one.areas)}"] if one.areas else []
    first = next(each.agency for each in profile.coordinating.coordinators if each.level == 1)  # type: ignore[union-attr]
    parts += ["ほかの担当のない事案"] if one.agency == first else []
    return "、".join(parts) or "引き継いだ事案"


def _body(profile: Profile, body: Body) -> Iterator[str]:
    when = cadence_text(body.cadence) if body.cadence else "随時"
    where = f"、{_areas(profile, body.areas)}の事案" if body.areas else ""
    yield f"  {body.name}({when}{where}、主催 {_names(profile, [body.host])})"
    for block in body.blocks if body.hears_cases else ():
        basis = CATALOGUE[block.basis]
        heard = basis.name if basis.compartment else f"{basis.name}(kasane の事案は扱いません)"
        yield f"    {block.starts:%H:%M}から{block.minutes}分 {basis.article} {heard}"
    if not body.hears_cases:
        yield "    事案は扱いません。"
    if body.raised_only:
        yield "    ほかの会議体から上がった事案だけを扱います(M10)。"
    above = profile.body(body.escalates_to)
    if above is not None:
        why = "決まらない事案" if body.decides else "プランの適切性と終結を決める事案"
        yield f"    {why}は{above.name}へ上げます({'M10' if body.decides else 'D6'})。"


def _names(profile: Profile, codes: Iterable[str]) -> str:
    return "、".join(profile.agency(code).name for code in codes)


def _areas(profile: Profile, codes: tuple[str, ...]) -> str:
    names = {area.code: area.name for area in profile.areas}
    return "、".join(names[code] for code in codes)


def add(command: Adder) -> None:
    """Put the command on the line."""
    text = "設定を言葉で見る(多機関協働の担当、五つの事業、会議体と上げる先、委任できない権限)"
    command("city", _act, text, alone=True)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return run(read_profile(settings.profile), print)
