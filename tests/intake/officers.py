"""Who works at the office of intake of the small town, and a 多機関協働事業者 outside it."""

from uuid import UUID

from contracts.office import Officer
from contracts.profile import Agency
from tests.intake.paper import TOWN

CITY = Officer(person=UUID("6d0f6a52-6a0b-4a83-9d53-0f6f0a6f1c01"), agency="kenko")
COLLEAGUE = Officer(person=UUID("6d0f6a52-6a0b-4a83-9d53-0f6f0a6f1c02"), agency="kenko")
OUTSIDE = Officer(person=UUID("6d0f6a52-6a0b-4a83-9d53-0f6f0a6f1c03"), agency="kyodo")
REFERRER = Officer(person=UUID("6d0f6a52-6a0b-4a83-9d53-0f6f0a6f1c04"), agency="houkatsu")
STRANGER = Officer(person=UUID("6d0f6a52-6a0b-4a83-9d53-0f6f0a6f1c05"), agency="kodomo")
COORDINATOR = Agency(code="kyodo", name="小林市多機関協働センター", kind="coordinator", outsourced=True)
TOWN_WITH_COORDINATOR = TOWN.model_copy(update={"agencies": (*TOWN.agencies, COORDINATOR)})
