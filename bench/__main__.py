"""``make bench``: every benchmark, or those named, prints its ratios."""

import asyncio
import sys

from bench import hop, kill, path, vault

BENCHES = {"hop": hop.main, "path": path.main, "kill": kill.main, "vault": vault.main}


async def main() -> None:
    """Run them one after the other."""
    for name in sys.argv[1:] or BENCHES:
        await BENCHES[name]()


if __name__ == "__main__":
    asyncio.run(main())
