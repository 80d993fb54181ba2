"""Which processes one municipality's kasane is made of."""

from contracts.message import Compartment
from services import coordination, desk, directory, gate, intake, mailin, meetings, notify
from services.service import Process

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
PROCESSES = (
    Process(directory.service),
    Process(intake.service),
    Process(coordination.service, JUSO),
    Process(coordination.service, SHIEN),
    Process(meetings.service, JUSO),
    Process(meetings.service, SHIEN),
    Process(notify.service),
    Process(mailin.service),
    Process(gate.service),
    Process(desk.service, JUSO),
    Process(desk.service, SHIEN),
    Process(desk.service),
)
