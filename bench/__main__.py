"""``make bench``: each benchmark prints its ratios."""

import asyncio
import sys

from bench import hop, path

BENCHES = {"hop": hop.main, "path": path.main}


def main() -> None:
    """Run all benchmarks, or those named."""
    for name in sys.argv[1:] or list(BENCHES):
        asyncio.run(BENCHES[name]())


main()
