"""Takes referrals (つなぎ) in, keeps whom they are about and the ledger of consents, tells where each is heard."""

from services.intake.desk import referral_of as referral_of
from services.intake.duplicates import decide_same as decide_same
from services.intake.erasing import erase_referral as erase_referral
from services.intake.handlers import service as service
from services.intake.household_members import set_secrecy as set_secrecy
from services.intake.households import look_at_household as look_at_household
from services.intake.known_before import known_before as known_before
from services.intake.ledger import confirm_versions as confirm_versions
from services.intake.particulars import details_of_client as details_of_client
from services.intake.permits import redeem as redeem
from services.intake.referring import refer as refer
from services.intake.signals import report_signal as report_signal
from services.intake.triage import decide_triage as decide_triage
