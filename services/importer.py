"""``kasane import``: a file of つなぐシート to intake, and to the person what became of each line."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from contracts.intake import Sheet, SheetResult
from contracts.message import Account
from contracts.same_person import KnownBefore, KnownSheet, SheetKey
from services.intake.csv_import import Fault, ImportReading, read_sheets, rejected_csv
from services.operator import Operator, operator, portions
from services.service import AskFailed
from services.settings import Settings, read_profile

KEYS_PER_QUESTION = 2000
SILENCES = 2
"""After as many questions in a row that nobody answered the others are not asked: each may cost half a minute."""


@dataclass(frozen=True)
class Imported:
    """How many lines took which way. ``held``: nobody may hear them yet (C11)."""

    accepted: int
    unchanged: int
    held: int
    refused: int
    """Lines with a fault, and lines that nobody took: all that must be imported again."""


async def import_file(
    path: Path, settings: Settings, say: Callable[[str], None], dry_run: bool = False, rejected: Path | None = None
) -> Imported:
    """Check the file here, hand the good lines to intake, write the others back. Raises NotRunning.

    A trial writes only where it was told to; nothing that exists is ever overwritten.
    """
    reading = read_sheets(path, read_profile(settings.profile))
    if rejected and _exists(rejected):
        say(f"{rejected} は既にあります。何も取り込んでいません。--rejected に別の名前を指定してください。")
        return Imported(0, 0, 0, max(1, len(reading.rows)))
    results: list[SheetResult] = []
    known: list[str] = []
    if reading.sheets:
        async with operator(settings) as asking:
            results = await _take_in(asking, [sheet for _, sheet in reading.sheets], dry_run)
            known = [] if dry_run else await _known_before(asking, reading, results)
    reading = reading.refused(one for one in results if one.outcome == "refused")
    reading = _with_untaken(reading, {one.index for one in results}, dry_run)
    done = _count(reading, results)
    for line in _report(reading, done, dry_run):
        say(line)
    for line in known:
        say(line)
    if reading.rejected_rows:
        say(_NO_FILE if dry_run and not rejected else _write_rejected(reading, path, rejected))
    return done


async def _take_in(asking: Operator, sheets: Sequence[Sheet], dry_run: bool) -> list[SheetResult]:
    """The results there are. A part without an answer leaves a gap and holds up no other."""
    results: list[SheetResult] = []
    silences = 0
    for first, part in portions(sheets):
        if silences == SILENCES:
            break
        try:
            answers = await asking.take_in(part, dry_run)
        except AskFailed as failure:
            silences = silences + 1 if failure.unanswered else 0
            continue
        silences = 0
        results += [one.model_copy(update={"index": first + one.index}) for one in answers]
    return results


async def _known_before(asking: Operator, reading: ImportReading, results: Sequence[SheetResult]) -> list[str]:
    """What is said of sheets whose client an earlier referral is certainly about, too: somebody has to look (C11)."""
    taken = [reading.sheets[one.index][1] for one in results if one.outcome == "accepted"]
    keys = [SheetKey(referrer=one.referrer, number=one.number) for one in taken if one.resident_number]
    found: list[KnownSheet] = []
    try:
        for first in range(0, len(keys), KEYS_PER_QUESTION):
            part = tuple(keys[first : first + KEYS_PER_QUESTION])
            found += (await asking.ask(Account.INTAKE, KnownBefore(sheets=part))).known
    except AskFailed:
        return ["同じ人のつなぎがあるかは、確かめられませんでした。kasane same list で確かめてください。"]
    said = [
        f"受付番号 {one.number}: 同じ人のつなぎがあります"
        f"({f'受付番号 {one.earlier}' if one.earlier else 'ほかの機関からの紹介'})。"
        for one in found
    ]
    return [*said, "「受付」の「同じ人かもしれないつなぎ」か kasane same list で確かめてください。"] if said else []


def _with_untaken(reading: ImportReading, answered: set[int], dry_run: bool) -> ImportReading:
    """The reading with a fault for each sheet that got no answer: perhaps it was stored, but nobody knows."""
    message = "応答がなく、確かめられませんでした。" if dry_run else "応答がなく、取り込めたか分かりません。"
    message += "もう一度取り込んでください(既に入っていれば何も変わりません)。"
    untaken = [
        Fault(line, "", "not-taken", message) for place, (line, _) in enumerate(reading.sheets) if place not in answered
    ]
    return replace(reading, faults=tuple(sorted((*reading.faults, *untaken), key=lambda fault: fault.line)))


def _count(reading: ImportReading, results: Sequence[SheetResult]) -> Imported:
    return Imported(
        accepted=sum(one.outcome == "accepted" for one in results),
        unchanged=sum(one.outcome == "unchanged" for one in results),
        held=sum(one.outcome == "held" for one in results),
        refused=len({fault.line for fault in reading.faults}),
    )


def _report(reading: ImportReading, done: Imported, dry_run: bool) -> Iterator[str]:
    yield from reading.report()
    yield (
        f"{'確認のみ: ' if dry_run else ''}受付 {done.accepted}、変更なし {done.unchanged}、"
        f"保留 {done.held}、受け付けない行 {done.refused}"
    )
    if untaken := sum(fault.rule == "not-taken" for fault in reading.faults):
        yield f"うち {untaken} 行には応答がありませんでした。kasane up の画面と記録を確かめてください。"
    if done.held:
        yield "保留の申込みは kasane held で理由と次の手順を確かめられます。"


_NO_FILE = "確認のみなので、受け付けない行は書き出していません(--rejected で書き出せます)。"


def _exists(path: Path) -> bool:
    """Also a link that points nowhere."""
    return os.path.lexists(path)


def _write_rejected(reading: ImportReading, source: Path, wanted: Path | None) -> str:
    """Write the rejected rows into a new file that only its owner reads, and say where; or why that failed."""
    content = rejected_csv(reading)
    for target in [wanted] if wanted else _names(source):
        try:
            file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        except OSError:
            break
        try:
            with os.fdopen(file, "wb") as out:
                out.write(content)
        except OSError:  # the disk is full: half a file would pass for the whole
            target.unlink()
            break
        return f"受け付けなかった行を {target} に書きました。直して、もう一度取り込めます。"
    return (
        f"受け付けなかった行を {target.parent} に書けません。フォルダーの権限と空き容量を確かめるか、"
        "--rejected で別の場所を指定して、もう一度取り込んでください(取り込み済みの行は変わりません)。"
    )


def _names(source: Path) -> Iterator[Path]:
    """FILE-rejected.csv, FILE-rejected-2.csv, …"""
    yield source.with_name(f"{source.stem}-rejected.csv")
    yield from (source.with_name(f"{source.stem}-rejected-{number}.csv") for number in count(2))
