"""What a process writes into its log: our own sentences whole, of a library's only where it spoke and how loudly.

A library's message may carry a byte of what somebody typed in (consent.md 4.3); ours are written not to.
"""

import logging

OURS = "kasane"


def set_up() -> None:
    """Log to standard error from here on, warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_withhold)


def _withhold(record: logging.LogRecord) -> bool:
    if record.name.split(".")[0] != OURS:
        kind = record.exc_info[0] if record.exc_info else None
        record.msg = f"{record.name} {record.funcName}:{record.lineno}" + (f" {kind.__name__}" if kind else "")
        record.args = record.exc_info = record.exc_text = record.stack_info = None
    return True
