"""Takes referrals (つなぎ) in, keeps whom they are about and the consents, and tells where each may be heard."""

from services.intake.handlers import service as service
