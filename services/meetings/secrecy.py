"""The rules of 委嘱 and 協力依頼 (S3-S8): who can be bound to secrecy from when, what a body outside can be asked."""

from datetime import UTC, date, datetime, time
from typing import NamedTuple

from contracts.commission import TEMPLATE_TEXT, AskCooperation, Commission
from contracts.legal_basis import JAPAN, SHIEN_BASIS
from contracts.message import Compartment
from contracts.policy import Category, Decision, Request, decide
from contracts.policy_terms import Act
from contracts.profile import Profile
from services.meetings.seating import agency_name

LONGEST_YEARS = 5
TERM_YEARS = 2
"""How long a commission lasts where the municipality's file gives no end."""


class Refusal(NamedTuple):
    """By which rule something is not done, and what to do instead."""

    rule: str
    message: str


def today(now: datetime) -> date:
    """The day in Japan at an aware instant."""
    return now.astimezone(JAPAN).date()


def midnight(day: date) -> datetime:
    """When a day begins in Japan, UTC."""
    return datetime.combine(day, time(0), JAPAN).astimezone(UTC)


def years_later(day: date, years: int) -> date:
    """The same day so many years on; the 28th for a 29 February that does not come."""
    return date(day.year + years, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def why_not_commission(asked: Commission, profile: Profile, now: datetime) -> Refusal | None:
    """None if it can be recorded. Never back-dated: who was no member then heard nothing lawfully (S6)."""
    day = today(now)
    if asked.agency not in {agency.code for agency in profile.agencies}:
        return Refusal("S7", "この機関は、市町村の設定にありません。機関を登録してから委嘱してください。")
    if asked.starts < midnight(day):
        return Refusal("S6", "委嘱の始まりを、今日より前にはできません。今日からの日付にしてください。")
    if asked.explained_on > day:
        return Refusal("S3", "守秘義務の説明がまだです。説明した日(今日まで)を入れてください。")
    if not asked.starts < asked.ends <= midnight(years_later(today(asked.starts), LONGEST_YEARS)):
        return Refusal("S6", f"委嘱の終わりは、始まりより後で、{LONGEST_YEARS}年以内にしてください。")
    return None


def why_not_ask(asked: AskCooperation, profile: Profile, bound: bool, now: datetime) -> Refusal | None:
    """None if the body can be asked. ``bound``: it is commissioned already, so it can be at the table itself."""
    if asked.agency not in {agency.code for agency in profile.agencies}:
        return Refusal("S5", "この機関は、市町村の設定にありません。機関を登録してから依頼してください。")
    if bound:
        return Refusal("S8", "この機関は委嘱されています。協力依頼ではなく、支援会議に出席を頼んでください。")
    if not today(now) <= asked.due_on <= years_later(today(now), 1):
        return Refusal("S5", "回答の期限は、今日から1年以内の日付にしてください。")
    decision = ask_outside(now, two_way=False)
    return None if decision.allowed else Refusal(decision.rule, decision.reason + decision.next_step)


def ask_outside(now: datetime, *, two_way: bool) -> Decision:
    """What the policy says of a fixed question to a body outside, without content; ``two_way``: it asks back (S6)."""
    return decide(
        Request(
            act=Act.ASK,
            moment=now,
            category=Category.ORDINARY,
            compartment=Compartment.SHIEN,
            basis=SHIEN_BASIS.code,
            hosted_by_municipality=True,
            two_way=two_way,
            carries_content=False,
        )
    )


def letter(asked: AskCooperation, profile: Profile) -> str:
    """The text of the request: fixed words, nothing of the case (S5)."""
    return (
        f"{agency_name(profile, asked.agency)} 御中\n\n"
        f"{SHIEN_BASIS.article}(協力の求め)に基づき、次のとおり協力を依頼します。\n\n"
        f"{TEMPLATE_TEXT[asked.template]}\n"
        f"回答の期限: {in_era(asked.due_on)}\n\n"
        f"{profile.office} 電話 {profile.office_phone}\n"
    )


def in_era(day: date) -> str:
    """A day as offices write it, e.g. 令和8年11月24日. The letter's dates all lie in 令和."""
    year = day.year - 2018
    return f"令和{'元' if year == 1 else year}年{day.month}月{day.day}日"
