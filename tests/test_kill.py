"""Kill any process at any moment: nothing is lost, nothing is done twice."""

import pytest

from tests.chaos import survive


@pytest.mark.kill
@pytest.mark.parametrize("seed", range(10))
def test_whatever_dies_every_referral_leads_to_one_case_one_item_and_one_invitation_per_seat(seed: int) -> None:
    aftermath = survive(seed)
    assert aftermath.kills >= 10
    assert aftermath.mails > 0
    assert aftermath.faults == ()
