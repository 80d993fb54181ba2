"""``make bench``: every benchmark, or those named, prints its ratios."""

import asyncio
import sys

from bench import hop, kill, notify, path, permit, timetable, vault, wall, year

BENCHES = {
    "hop": hop.main,
    "notify": notify.main,
    "path": path.main,
    "permit": permit.main,
    "timetable": timetable.main,
    "vault": vault.main,
    "wall": wall.main,
    "year": year.main,
    "kill": kill.main,
}


async def main() -> None:
    """Run them one after the other."""
    for name in sys.argv[1:] or BENCHES:
        await BENCHES[name]()


if __name__ == "__main__":
    asyncio.run(main())
