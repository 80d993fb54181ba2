"""What does not fit together about who calls the meetings of a city and who stands in for that post (S12, S13)."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.profile import Profile

CITY_ONLY = "会長とその代理は、市町村(kind = municipality)の機関の職にしてください(S1、S12)"


def convener_faults(profile: "Profile") -> Iterator[str]:
    """Each fault as a sentence that names field and rule; none: whoever decides about a date is plain on every day."""
    yield from _reserved(profile)
    if profile.convener is None:
        return
    if not profile.approval:
        yield "convener: 会長の承認を受けてから案内を送るため、approval = true も書いてください(S12)"
    kinds = {one.code: one.kind for one in profile.agencies}
    posts = _posts(profile)
    named = [("convener", profile.convener.agency, profile.convener.post)]
    listed = profile.convener.deputies
    named += [(f"convener.deputies[{n}]", one.agency, one.post) for n, one in enumerate(listed, 1)]
    for field, agency, post in named:
        if agency not in kinds:
            yield f"{field}.agency: 機関 {agency} は agencies にありません(S12)"
        elif kinds[agency] != "municipality":
            yield f"{field}.agency: {CITY_ONLY}({agency} は市町村ではありません)"
        if post not in posts:
            yield f"{field}.post: 職 {post} は、名簿・議長・secretariat_post のどこにもありません(S12)"
    yield from _chain(profile)


def _reserved(profile: "Profile") -> Iterator[str]:
    for number, power in enumerate(profile.powers, 1):
        if power.deputies:
            yield (
                f"powers[{number}].deputies: {power.title}の権限({power.action})は委任できず、代理を置けません。"
                "代理を置くときは、powers ではなく convener に書いてください(S13)"
            )
        if power.action == "call" and profile.convener is not None:
            yield f"convener: 招集は powers[{number}] で{power.title}だけの権限です。どちらか一つにしてください(S13)"
        if power.action == "call" and not profile.approval:
            yield f"approval: powers[{number}] で招集を委任できない権限にしたので、approval = true にしてください(S13)"


def _posts(profile: "Profile") -> set[str]:
    seats = {seat.post for body in profile.bodies for seat in body.everybody}
    chairs = {chair.post for body in profile.bodies for chair in body.chairs}
    return {profile.secretariat_post, *seats, *chairs}


def _chain(profile: "Profile") -> Iterator[str]:
    if (convener := profile.convener) is None:
        return
    listed = [(f"convener.deputies[{n}]", one) for n, one in enumerate(convener.deputies, 1)]
    for field, one in listed:
        if one.until < one.since:
            yield f"{field}.until: 代理の終わりの日 {one.until} が、始めの日 {one.since} より前です(S12)"
        if (one.agency, one.post) == (convener.agency, convener.post):
            yield f"{field}: {convener.title}自身の職は、その代理にできません(S12)"
    for (first, one), (second, other) in combinations(listed, 2):
        same = (one.agency, one.post) == (other.agency, other.post)
        if same and one.since <= other.until and other.since <= one.until:
            yield f"{second}: 同じ職の代理の期間が {first} と重なり、順が決まりません(S12)"
