"""``kasane series``: the dates of each body in a year, and why some are moved; RRULE in and out (M9)."""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from pydantic import ValidationError

from contracts.holding import MODE_TEXT
from contracts.legal_basis import CATALOGUE
from contracts.profile import Body, Cadence, Profile
from contracts.recurrence import rrule_of
from services.commands import Adder
from services.commands.line import day
from services.meetings.cadence import Held, cadence_text, named_dates, series, times_text
from services.office_days import JAPAN
from services.settings import Settings, read_profile

SHOWN = 12
"""How many dates of a rule that is read are shown."""
WEEKDAY = "月火水木金土日"
Say = Callable[[str], None]


def year_of(fiscal: int) -> tuple[date, date]:
    """The first and the last day of a 年度."""
    return date(fiscal, 4, 1), date(fiscal + 1, 3, 31)


def lines(profile: Profile, fiscal: int, body: str | None = None) -> Iterator[str]:
    """The year of each body as a person reads it."""
    first, last = year_of(fiscal)
    for one in profile.bodies:
        if body is not None and one.code != body:
            continue
        yield from _head(profile, one, first)
        for held in series(profile, one, first, last):
            yield f"  {_day_text(held.day or held.named, one)}{f'  {held.why}' if held.why else ''}"


def _head(profile: Profile, body: Body, first: date) -> Iterator[str]:
    cadence = f"{times_text(body)}、{cadence_text(body.cadence)}" if body.cadence else "随時"
    place = next(one.name for one in profile.places if one.code == body.place)
    mode = f"、{MODE_TEXT[body.mode]}({body.mode_reason})" if body.mode_reason else ""
    yield f"{body.name}({body.code}): {cadence}、{place}{mode}"
    if body.chairs:
        chairs = [one for one in body.chairs if one.presides(max(first, datetime.now(JAPAN).date()))]
        presiding = (f"{'職務代理' if c.deputy else '会長'} {profile.agency(c.agency).name} {c.post}" for c in chairs)
        yield f"  {'、'.join(presiding) or '会長の任期が切れています'}"
    if body.co_hosts:
        names = "、".join(profile.agency(code).name for code in body.co_hosts)
        yield f"  共催: {names}のケース会議と合わせて開けます(M11)"
    for bound in body.secrecy:
        until = f"{bound.last.isoformat()}まで" if bound.last else ""
        yield f"  守秘: {bound.ground}により、すべての区切りの構成員({bound.first.isoformat()}から{until})(S15)"
    if body.pledge:
        yield "  誓約書: 議題に入る前に、出席者全員から受け取ります(S16)"
    if body.keep_years:
        yield f"  保存年限: {body.keep_years}年(S16)"
    if body.cadence and body.agenda_deadline_days:
        yield f"  議題の締切: 開催日の{body.agenda_deadline_days}日前"
    for block in body.blocks if len(body.blocks) > 1 else ():
        cost = f"、費用 {block.cost}" if block.cost else "、費用区分が決まっていません(M8)"
        times = f"{block.starts:%H:%M}から{block.minutes}分" if body.cadence else f"{block.minutes}分"
        yield f"  区切り {times} {CATALOGUE[block.basis].article}{cost}、規定 {block.bylaw or '設定にありません'}"


def _day_text(on: date, body: Body) -> str:
    starts = min(block.starts for block in body.blocks)
    return f"{on.isoformat()}({WEEKDAY[on.weekday()]}) {starts:%H:%M}"


def recurrence(profile: Profile, body: Body, fiscal: int) -> list[str]:
    """A body's year as RFC 5545 says it, such that any calendar comes to the same dates; none if it meets 随時.

    What is moved is an EXDATE of the day the rule names and an RDATE of the day it is held on.
    """
    first, last = year_of(fiscal)
    found = series(profile, body, first, last)
    held = [one for one in found if one.day is not None]
    if body.cadence is None or not held:
        return []
    by_rule = list(named_dates(body.cadence, first, last))
    if not by_rule:  # a date that was moved in from outside stands alone
        begins, *rest = sorted(one.day for one in held if one.day)
        return [f"DTSTART{_at([begins], body)}", *([f"RDATE{_at(rest, body)}"] if rest else [])]
    as_named = {one.named for one in held if one.day == one.named}
    gone = [on for on in by_rule if on not in as_named]
    come = [one.day for one in held if one.day and one.day != one.named and one.day not in as_named]
    text = [f"DTSTART{_at(by_rule[:1], body)}", f"RRULE:{rrule_of(body.cadence, by_rule[-1])}"]
    text += [f"EXDATE{_at(gone, body)}"] if gone else []
    return text + ([f"RDATE{_at(come, body)}"] if come else [])


def _at(days: list[date], body: Body) -> str:
    starts = min(block.starts for block in body.blocks)
    return ";TZID=Asia/Tokyo:" + ",".join(f"{on:%Y%m%d}T{starts:%H%M%S}" for on in days)


def read(rule: str, since: date | None, profile: Profile) -> Iterator[str]:
    """What a rule from elsewhere means here, and how the profile says it. Raises ValueError, in Japanese."""
    said = {"rrule": rule} | ({"since": since} if since else {})
    cadence = Cadence.model_validate(said)
    begins = since or datetime.now(JAPAN).date()
    body = profile.bodies[0].model_copy(update={"code": "-", "cadence": cadence})  # only its days are asked
    yield cadence_text(cadence)
    yield f"cadence = {_toml(cadence)}"
    for held in _next(profile, body, begins):
        text = held.day or held.named
        yield f"  {text.isoformat()}({WEEKDAY[text.weekday()]}){f'  {held.why}' if held.why else ''}"


def _next(profile: Profile, body: Body, begins: date) -> list[Held]:
    return series(profile, body, begins, begins + timedelta(days=731))[:SHOWN]


def _toml(cadence: Cadence) -> str:
    values = cadence.model_dump(exclude_defaults=True)
    shown = (
        f"{name} = {one.isoformat() if isinstance(one, date) else json.dumps(one)}" for name, one in values.items()
    )
    return "{ " + ", ".join(shown) + " }"


def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Say the year, or what a rule means; 1 if the rule cannot be a cadence or no body has that code."""
    profile = read_profile(settings.profile)
    if options.read:
        try:
            for line in read(options.read, options.since, profile):
                say(line)
        except ValueError as error:  # pydantic's is one; the sentence is the last line of its message
            say(_sentence(error))
            return 1
        return 0
    if options.body and profile.body(options.body) is None:
        say("その符号の会議体は設定にありません。kasane series で符号を確かめてください。")
        return 1
    if not options.rrule:
        for line in lines(profile, options.year, options.body):
            say(line)
        return 0
    for body in profile.bodies:
        if options.body in (None, body.code) and (text := recurrence(profile, body, options.year)):
            say(f"{body.name}({body.code})")
            for line in text:
                say(line)
    return 0


def _sentence(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors(include_input=False))


def _year(text: str) -> int:
    if not 2000 <= (year := int(text)) <= 2100:
        raise ValueError("out of range")
    return year


def add(command: Adder) -> None:
    """Put the command on the line."""
    parser = command(
        "series", _act, "会議体ごとの1年の開催日を、移した理由とともに見る。RRULE で出す、読む", alone=True
    )
    today = datetime.now(JAPAN).date()
    parser.add_argument("--year", type=_year, default=today.year - (today.month < 4), help="年度(既定 今年度)")
    parser.add_argument("--body", metavar="符号", help="この会議体だけ")
    parser.add_argument("--rrule", action="store_true", help="RFC 5545 の DTSTART・RRULE・EXDATE・RDATE で出す")
    parser.add_argument("--read", metavar="RRULE", help="RRULE を読み、設定の書き方と開催日を見る")
    parser.add_argument("--since", type=day, metavar="年-月-日", help="読む RRULE の初回の日(DTSTART)")


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return run(options, settings, print)
