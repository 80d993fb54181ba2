"""The benchmarks are run by hand; that they can be run is checked here."""

from bench.__main__ import BENCHES


def test_every_benchmark_can_be_started() -> None:
    assert set(BENCHES) == {"hop", "notify", "path", "permit", "timetable", "vault", "wall", "year", "kill"}
    assert all(callable(one) for one in BENCHES.values())
