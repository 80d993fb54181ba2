"""Coordination: the cases of one compartment and their way to a meeting (多機関協働事業)."""

from services.coordination import answering as answering
from services.coordination import asking_members as asking_members
from services.coordination import challenges as challenges
from services.coordination import counting as counting
from services.coordination import entries as entries
from services.coordination import erasing as erasing
from services.coordination import escalating as escalating
from services.coordination import heard as heard
from services.coordination import inquiries as inquiries
from services.coordination import living as living
from services.coordination import papers as papers
from services.coordination import preparing as preparing
from services.coordination import printing as printing
from services.coordination import reminding as reminding
from services.coordination import resources as resources
from services.coordination import rostering as rostering
from services.coordination.handlers import service as service
