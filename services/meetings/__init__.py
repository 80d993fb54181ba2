"""Finds each agenda item the sitting that may hear it, seats the people, invites them and keeps their answers."""

from services.meetings import commissioning as commissioning
from services.meetings import conducting as conducting
from services.meetings import cooperations as cooperations
from services.meetings import facts as facts
from services.meetings import holding as holding
from services.meetings import mailed as mailed
from services.meetings import pledges as pledges
from services.meetings import polls as polls
from services.meetings import polls_mailing as polls_mailing
from services.meetings import printing as printing
from services.meetings import proposing as proposing
from services.meetings import proposing_views as proposing_views
from services.meetings import regular_carrying as regular_carrying
from services.meetings import regular_moving as regular_moving
from services.meetings import replanning as replanning
from services.meetings import reseating as reseating
from services.meetings import room as room
from services.meetings import views as views
from services.meetings.handlers import service as service
from services.meetings.inviting import send_notices as send_notices
from services.meetings.parts import tell_parts as tell_parts
from services.meetings.placing import place_items as place_items
