"""``kasane import``: a file of つなぐシート to intake, and to the person what became of each line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts.intake import SheetResult
from services.intake.csv_import import read_sheets, rejected_csv
from services.operator import operator
from services.settings import Settings, read_profile


@dataclass(frozen=True)
class Imported:
    """How many lines took which way. ``held``: nobody may hear them yet (C11)."""

    accepted: int
    unchanged: int
    held: int
    refused: int


async def import_file(
    path: Path, settings: Settings, say: Callable[[str], None], dry_run: bool = False, rejected: Path | None = None
) -> Imported:
    """Check the file here, hand the good lines to intake, write the others back. Raises NotRunning, AskFailed."""
    reading = read_sheets(path, read_profile(settings.profile))
    results: list[SheetResult] = []
    if reading.sheets:
        async with operator(settings) as asking:
            results = await asking.take_in([sheet for _, sheet in reading.sheets], dry_run)
    reading = reading.refused(one for one in results if one.outcome == "refused")
    for line in reading.report():
        say(line)
    done = Imported(
        accepted=sum(one.outcome == "accepted" for one in results),
        unchanged=sum(one.outcome == "unchanged" for one in results),
        held=sum(one.outcome == "held" for one in results),
        refused=len({fault.line for fault in reading.faults}),
    )
    say(
        f"{'確認のみ: ' if dry_run else ''}受付 {done.accepted}、変更なし {done.unchanged}、"
        f"保留 {done.held}、受け付けない行 {done.refused}"
    )
    if done.held:
        say("保留の申込みは kasane held で理由と次の手順を確かめられます。")
    if reading.rejected_rows:
        target = rejected or path.with_name(f"{path.stem}-rejected.csv")
        target.write_bytes(rejected_csv(reading))
        say(f"受け付けなかった行を {target} に書きました。直して、もう一度取り込めます。")
    return done
