"""``kasane import``, ``held``, ``open-shien``, ``erase``, ``staff``: referrals at the counter."""

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from contracts.erasure import ERASE_REASON_TEXT, EraseAnswers, EraseCase, EraseReason, EraseReferral
from contracts.intake import Held, OpenWithoutConsent
from contracts.message import Account, Compartment
from services.commands import Adder
from services.commands.line import reference
from services.importer import import_file
from services.operator import operator
from services.settings import Settings, read_profile

SHIEN = Compartment.SHIEN


def add(command: Adder) -> None:
    """Put the commands on the line."""
    take = command("import", _import, "つなぐシートのCSVを取り込む")
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="確かめるだけで、何も保存しない")
    take.add_argument("--rejected", type=Path, help="受け付けなかった行を書くファイル")
    command("held", _held, "保留になっている申込みを見る")
    opening = command("open-shien", _open, "保留の申込みを支援会議で扱うと決める(法106条の6)")
    opening.add_argument("referral", type=reference)
    opening.add_argument("--reason", required=True, help="支援会議で扱う必要性(記録されます)")
    erasing = command("erase", _erase, "本人の情報と自由記載を消去する(鍵を壊すので、古い控えからも開けなくなる)")
    what = erasing.add_mutually_exclusive_group(required=True)
    what.add_argument("--referral", type=_referral, help="つなぎの番号、または 紹介元機関コード/受付番号")
    what.add_argument("--case", type=reference, help="事案の番号(--compartment も付ける)")
    erasing.add_argument("--compartment", choices=[one.value for one in Compartment])
    reasons = "、".join(f"{code.value} {text}" for code, text in ERASE_REASON_TEXT.items())
    erasing.add_argument("--reason", required=True, choices=[one.value for one in EraseReason], help=reasons)
    command("staff", _staff, "関係機関の職員と職員番号を見る")


def _import(options: argparse.Namespace, settings: Settings) -> int:
    done = asyncio.run(import_file(options.file, settings, print, options.dry_run, options.rejected))
    return 1 if done.refused else 0


def _held(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            for one in (await asking.ask(Account.INTAKE, Held())).held:
                print(f"{one.referral}  受付番号 {one.number}  受付 {one.received_on}")
                print(f"    {one.reason}[{one.rule}]")
                print(f"    次の手順: {one.next_step}")
                print(f"    支援会議で扱うと判断したとき: kasane open-shien {one.referral} --reason 理由")
        return 0

    return asyncio.run(ask())


def _open(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            answer = await asking.ask(
                Account.INTAKE, OpenWithoutConsent(referral=options.referral, reason=options.reason)
            )
        print(answer.message or "支援会議で扱う判断を記録しました。")
        return 0 if answer.done else 1

    try:
        return asyncio.run(ask())
    except ValidationError:
        print("理由は5文字以上で書いてください。", file=sys.stderr)
        return 2


def _erase(options: argparse.Namespace, settings: Settings) -> int:
    if (options.case is None) != (options.compartment is None):
        print("--case には --compartment juso か shien を付けてください(--referral には付けません)。", file=sys.stderr)
        return 2
    reason = EraseReason(options.reason)
    questions: list[tuple[Account, EraseAnswers | EraseCase | EraseReferral]] = []
    if options.case is not None:
        questions.append((Account(options.compartment), EraseCase(case=options.case, reason=reason)))
        questions.append((Account(options.compartment), EraseAnswers(case=options.case)))
    if options.compartment != SHIEN:  # who a juso case is about, intake keeps
        known = {"juso_case": options.case} if options.case else options.referral
        questions.append((Account.INTAKE, EraseReferral(**known, reason=reason)))

    async def ask() -> int:
        async with operator(settings) as asking:
            for account, question in questions:
                answer = await asking.ask(account, question)
                if not answer.done:
                    break
        print(answer.message or "消去しました。古い控えからも、もう開けません。")
        if options.compartment == SHIEN and answer.done:
            print("受付の記録は別です。kasane erase --referral 紹介元機関コード/受付番号 で消去してください。")
        return 0 if answer.done else 1

    return asyncio.run(ask())


def _referral(text: str) -> dict[str, object]:
    """A referral's reference, or its referrer's code and its number. Raises ArgumentTypeError."""
    referrer, separator, number = text.partition("/")
    try:
        named: dict[str, object] = {"referrer": referrer, "number": number} if separator else {"referral": UUID(text)}
        EraseReferral.model_validate({**named, "reason": EraseReason.REQUEST})
    except ValueError:
        raise argparse.ArgumentTypeError("つなぎの番号か、紹介元機関の code/受付番号 で指定してください") from None
    return named


def _staff(options: argparse.Namespace, settings: Settings) -> int:
    names = {agency.code: agency.name for agency in read_profile(settings.profile).agencies}

    async def ask() -> int:
        async with operator(settings) as asking:
            for one in await asking.staff():
                print(f"{one.number:<8}  {one.name}  {names.get(one.agency, one.agency)}  {'・'.join(one.posts)}")
        return 0

    return asyncio.run(ask())
