"""Gate: the only way from a 支援会議 to a 重層的支援会議, one entry at a time, with nothing kept here (C10)."""

from services.gate import publishing as publishing
from services.gate.handlers import service as service
