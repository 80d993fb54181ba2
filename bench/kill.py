"""The kill test with a hundred seeds: how many runs ended with anything lost or done twice."""

from tests.chaos import survive

SEEDS = 100


async def main() -> None:
    """Prints a line per failed seed and the count."""
    import asyncio

    failed = kills = 0
    for seed in range(1000, 1000 + SEEDS):
        aftermath = await asyncio.to_thread(survive, seed)
        kills += aftermath.kills
        if aftermath.faults:
            failed += 1
            print(f"  seed {seed}: {'; '.join(aftermath.faults)}")
    print(f"kill: {SEEDS} runs, {kills} kills, {failed} runs with a fault")
