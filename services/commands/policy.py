"""``kasane policy``: the table as people read it, why one request is allowed or refused, and who may hear an item."""

import argparse
import asyncio
import sys
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.consent import CONSENT_TEXT, ConsentState
from contracts.coordination import ExplainItem, ItemExplanation
from contracts.legal_basis import CATALOGUE
from contracts.message import Account, Compartment
from contracts.policy import ALWAYS, NEVER, POLICY_VERSION, Category, Emergency, Period, Request, applies, decide, unmet
from contracts.policy_rows import ROWS
from contracts.policy_terms import Act, Condition, Fact, Fit, Row, Standing
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT
from services.commands import Adder
from services.commands.line import day, reference
from services.operator import operator
from services.settings import Settings, read_profile

TOKYO = ZoneInfo("Asia/Tokyo")
ACT_TEXT = {
    Act.SHOW: "画面で見る",
    Act.HEAR: "聞く",
    Act.INVITE: "招集",
    Act.NOTIFY: "通知",
    Act.EXPORT: "出力",
    Act.ASK: "協力依頼",
    Act.CARRY: "引継",
    Act.EMERGENCY: "緊急提供",
    Act.DERIVE: "会議の種類",
}
COMPARTMENT_TEXT = {Compartment.JUSO: "重層的支援会議", Compartment.SHIEN: "支援会議", None: "両方"}
FACT_TEXT: dict[tuple[Fact, object], str] = {
    (Fact.TAX, True): "税の情報である",
    (Fact.TAX, False): "税の情報でない",
    (Fact.TAX_COVERED, True): "同意が税の情報に及ぶ",
    (Fact.TAX_COVERED, False): "同意が税の情報に及ばない",
    (Fact.BASIS, Fit.FITS): "区切りの法的根拠が合う",
    (Fact.BASIS, Fit.OTHER): "区切りの法的根拠がこの会議のものでない",
    (Fact.BASIS, Fit.NOT_IN_FORCE): "区切りの法的根拠がその日に施行されていない",
    (Fact.HOST, True): "市町村が主催する",
    (Fact.HOST, False): "市町村が主催していない",
    (Fact.SEAT, True): "この区切りの出席者である",
    (Fact.SEAT, False): "この区切りの出席者でない",
    (Fact.OFFICE, True): "支援会議を開く市町村の担当者である",
    (Fact.OFFICE, False): "支援会議を開く市町村の担当者でない",
    (Fact.AGENCY, True): "機関が同意の範囲内",
    (Fact.AGENCY, False): "機関が同意の範囲外",
    (Fact.PURPOSE, True): "目的が同意の範囲内",
    (Fact.PURPOSE, False): "目的が同意の範囲外",
    (Fact.MEMBER, True): "世帯員が同意の範囲内",
    (Fact.MEMBER, False): "世帯員が同意の範囲外",
    (Fact.COMMISSION, True): "委嘱が有効",
    (Fact.COMMISSION, False): "有効な委嘱がない",
    (Fact.TWO_WAY, True): "双方向のやりとりになる",
    (Fact.TWO_WAY, False): "一方向である",
    (Fact.CONTENT, True): "事案の内容を含む",
    (Fact.CONTENT, False): "定型の問いだけである",
    (Fact.DECIDED, True): "項目ごとに引き継ぐ決定がある",
    (Fact.DECIDED, False): "項目ごとに引き継ぐ決定がない",
    (Fact.PROVIDER, True): "情報を出した機関の了解がある",
    (Fact.PROVIDER, False): "情報を出した機関の了解がない",
    (Fact.NECESSITY, True): "支援会議で扱う必要性を記録している",
    (Fact.NECESSITY, False): "支援会議で扱う必要性を記録していない",
    (Fact.RECORD, True): "名宛人・項目・理由・事後審査の予定を記録している",
    (Fact.RECORD, False): "名宛人・項目・理由・事後審査の予定のどれかがない",
    (Fact.LIMIT, True): "期限が60分以内",
    (Fact.LIMIT, False): "期限が60分以内でない",
    (Fact.REVIEWED, True): "前の緊急提供の事後審査が済んでいる",
    (Fact.REVIEWED, False): "前の緊急提供の事後審査が済んでいない",
}
STANDING_TEXT = {Standing(state.value): text for state, text in CONSENT_TEXT.items()} | {Standing.NOT_BEGUN: "開始前"}
COLUMNS = ("番号", "行為", "区画", "会議の根拠", "条件", "結論", "根拠条文", "規則", "理由", "次の手順")


def condition_text(condition: Condition) -> str:
    """One condition in Japanese."""
    if condition.fact is Fact.STANDING:
        return "同意が「" + "」か「".join(text for one, text in STANDING_TEXT.items() if one in condition.among) + "」"
    return "又は".join(FACT_TEXT[condition.fact, value] for value in condition.among)


def table() -> str:
    """The whole decision table as a Markdown table in Japanese, with its version."""
    lines = [f"共有の判断表(版 {POLICY_VERSION})。上から順に見て、最初に当てはまる行で決まります。", ""]
    lines += [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *(_line(_cells(row)) for row in ROWS)]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    everything = row is ROWS[-1]
    return [
        row.id,
        "すべて" if everything else "・".join(ACT_TEXT[act] for act in row.acts),
        "すべて" if everything else COMPARTMENT_TEXT[row.compartment],
        CATALOGUE[row.basis].article if row.basis else "—",
        "、".join(condition_text(one) for one in row.conditions) or ("その他すべて" if everything else "—"),
        "可" if row.allowed else "不可",
        row.article,
        "・".join(row.rules),
        row.reason,
        row.next_step or "—",
    ]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def explain(request: Request) -> str:
    """Whether this is allowed and by what; if not, all that stands in the way of each row that would allow it."""
    decision = decide(request)
    where = "" if request.act is Act.DERIVE else f"{COMPARTMENT_TEXT[request.compartment]}の項目を"
    verdict = "可" if decision.allowed else "不可"
    if request.act is Act.DERIVE and decision.compartment:
        verdict = COMPARTMENT_TEXT[decision.compartment]
    lines = [
        f"{where}{ACT_TEXT[request.act]}: {verdict}",
        f"  行        {decision.row}(規則 {'・'.join(decision.rules)}、判断表の版 {decision.version})",
        f"  根拠条文  {decision.basis}",
        f"  理由      {decision.reason}",
    ]
    if decision.next_step:
        lines.append(f"  次の手順  {decision.next_step}")
    if not decision.allowed and request.act is not Act.DERIVE:
        lines += [f"  {row.id} で可になるには  {'、'.join(_missing(row, request))}" for row in _open_to(request)]
    return "\n".join(lines)


def _open_to(request: Request) -> list[Row]:
    """The rows that could allow this act where the item lies."""
    fitting = [row for row in ROWS if request.act in row.acts and row.compartment in (None, request.compartment)]
    return [row for row in fitting if row.allowed and request.compartment is not None]


def _missing(row: Row, request: Request) -> list[str]:
    """What a row that allows still wants, and what the rows tried before it forbid."""
    before = [one for one in ROWS[: ROWS.index(row)] if not one.allowed and applies(one, request)]
    forbidden = [f"{one.id} に当たらない(いまは{'、'.join(map(condition_text, one.conditions))})" for one in before]
    basis = CATALOGUE[row.basis] if row.basis else None
    if basis and basis.code != request.basis and not before:
        forbidden.append(f"区切りの法的根拠が{basis.article}")
    return forbidden + [condition_text(one) for one in unmet(row, request)]


def explain_item(found: ItemExplanation, profile: Profile) -> str:
    """Who may hear an item now and by what, and why another may not, agency by agency, the allowed first (8.7)."""
    if not found.found:
        return "この番号の議題はありません。番号と --compartment を確かめてください。"
    if found.fenced:
        return "同意の状態を確かめられないため、だれにも共有していません。少し待って、もう一度お試しください。"
    names = {one.code: one.name for one in profile.agencies}
    ground = f"同意 第{found.consent_version}版" if found.consent_version else "委嘱"
    purpose = PURPOSE_TEXT[found.purpose] if found.purpose else ""
    at = f"{found.decided_at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}" if found.decided_at else ""
    lines = [f"目的 {purpose}、もとになるもの {ground}、判断表の版 {found.policy}、{at}"]
    for one in sorted(found.decisions, key=lambda one: not one.allowed):
        lines.append(f"{'可  ' if one.allowed else '不可'}  {names.get(one.agency, one.agency)}")
        lines.append(f"      行 {one.row}(規則 {one.rules})、根拠条文 {one.basis}")
        lines.append(f"      理由 {one.reason}")
        lines += [f"      次の手順 {one.next_step}"] if one.next_step else []
    return "\n".join(lines)


# -- the command line --------------------------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``policy table`` and ``policy explain``; ``options.words`` makes the text."""
    below = parser.add_subparsers(required=True, metavar="内容")
    text = "判断表を日本語のMarkdownで出力する"
    below.add_parser("table", help=text, description=text, parents=[shared]).set_defaults(words=lambda _: table())
    text = "ある行為がいま許されるか、何によってか、許されないなら何が要るかを説明する"
    one = below.add_parser("explain", help=text, description=text, parents=[shared])
    one.set_defaults(words=lambda options: _explained(one, options))
    one.add_argument(
        "--item", type=reference, help="動いている kasane の議題の番号。だれが聞けるかを --compartment と一緒に"
    )
    one.add_argument("--act", dest="what", type=Act, choices=list(Act), help="行為")
    one.add_argument("--compartment", type=Compartment, choices=list(Compartment), help="項目のある区画")
    one.add_argument("--category", type=Category, choices=list(Category), help="税の情報か")
    one.add_argument("--basis", default="", help=f"区切りの法的根拠({'、'.join(CATALOGUE)})")
    one.add_argument("--consent", type=ConsentState, choices=list(ConsentState), default=ConsentState.NOT_ASKED)
    one.add_argument("--consent-from", type=day, help="同意の初日(既定 限りなし)", metavar="年-月-日")
    one.add_argument("--consent-until", type=day, help="同意の最後の日", metavar="年-月-日")
    one.add_argument("--commission-from", type=day, help="委嘱の初日(なければ委嘱なし)", metavar="年-月-日")
    one.add_argument("--commission-until", type=day, help="委嘱の最後の日", metavar="年-月-日")
    one.add_argument("--at", type=_instant, help="その時刻(時差を付ける。既定 いま)", metavar="2026-11-20T10:00+09:00")
    for name, flag in FLAGS.items():
        one.add_argument(name, action="store_true", help=flag)


def _explained(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    if options.what is None or options.category is None:
        parser.error("--act と --category か、--item と --compartment を指定してください。")
    return explain(request_from(options, datetime.now(UTC)))


FLAGS = {
    "--municipal-host": "市町村が主催する",
    "--seat": "この区切りの出席者である",
    "--office": "支援会議を開く市町村の担当者である",
    "--covers-tax": "同意が税の情報に及ぶ",
    "--agency-inside": "機関が同意の範囲内",
    "--purpose-inside": "目的が同意の範囲内",
    "--member-inside": "世帯員が同意の範囲内",
    "--one-way": "一方向の協力依頼である",
    "--fixed-questions": "定型の問いだけである",
    "--carry-decided": "項目ごとに引き継ぐ決定がある",
    "--provider-agreed": "情報を出した機関の了解がある",
    "--necessity-recorded": "支援会議で扱う必要性を記録している",
    "--emergency-recorded": "緊急提供の名宛人・項目・理由・期限(60分)・事後審査の予定を記録している",
    "--earlier-reviewed": "前の緊急提供の事後審査が済んでいる",
}


def request_from(options: argparse.Namespace, now: datetime) -> Request:
    """The request that plain options describe."""
    moment, recorded = options.at or now, options.emergency_recorded
    emergency = Emergency(
        ends=moment + timedelta(minutes=60),
        recipient_named=recorded,
        items_named=recorded,
        reason_written=recorded,
        review_planned=recorded,
        earlier_reviewed=options.earlier_reviewed,
    )
    return Request(
        act=options.what,
        moment=moment,
        category=options.category,
        compartment=options.compartment,
        basis=options.basis,
        hosted_by_municipality=options.municipal_host,
        seat=options.seat,
        office=options.office,
        consent=options.consent,
        consent_period=_period(options.consent_from, options.consent_until),
        covers_tax=options.covers_tax,
        agency_inside=options.agency_inside,
        purpose_inside=options.purpose_inside,
        member_inside=options.member_inside,
        commission=_period(options.commission_from, options.commission_until) if options.commission_from else NEVER,
        two_way=not options.one_way,
        carries_content=not options.fixed_questions,
        carry_decided=options.carry_decided,
        provider_agreed=options.provider_agreed,
        necessity_recorded=options.necessity_recorded,
        emergency=emergency,
    )


def _period(first: date | None, last: date | None) -> Period:
    return Period(
        datetime.combine(first, time(), TOKYO) if first else ALWAYS.starts,
        datetime.combine(last + timedelta(days=1), time(), TOKYO) if last else ALWAYS.ends,
    )


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.utcoffset() is None:
        raise ValueError("no zone")
    return found


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("policy", _act, "共有の判断表を見る、説明する", alone=True), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    if getattr(options, "item", None) is None:
        print(options.words(options))
        return 0
    if options.compartment is None:
        print("--item には --compartment juso か shien を付けてください。", file=sys.stderr)
        return 2

    async def ask() -> int:
        async with operator(settings) as asking:
            found = await asking.ask(Account(options.compartment), ExplainItem(item=options.item))
        print(explain_item(found, read_profile(settings.profile)))
        return 0 if found.found else 1

    return asyncio.run(ask())
