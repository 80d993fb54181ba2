"""Tokens of addresses: what they tell, what they do not, and that nobody makes one."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.links import compartment_of, new_link
from contracts.mail_addresses import compartment_of_mail, mail_address, mail_token, read_address, ref_of_mail
from contracts.message import Compartment

KEY = bytes(range(32))
DOMAIN = "fukushi.kobayashi.example"


@given(st.uuids(), st.sampled_from(list(Compartment)))
def test_a_token_leads_back_to_seat_and_compartment_and_to_no_other_use(ref: UUID, where: Compartment) -> None:
    token = mail_token(KEY, "answer", where, ref)
    assert compartment_of_mail(KEY, "answer", token) is where
    assert ref_of_mail(token) == ref
    assert compartment_of_mail(KEY, "bounce", token) is None
    assert compartment_of_mail(bytes(32), "answer", token) is None


def test_a_seat_keeps_its_address_for_ever_so_that_its_calendars_organiser_does_not_change() -> None:
    ref = uuid4()
    assert mail_token(KEY, "answer", Compartment.JUSO, ref) == mail_token(KEY, "answer", Compartment.JUSO, ref)


def test_an_address_survives_relays_that_change_its_case() -> None:
    token = mail_token(KEY, "bounce", Compartment.SHIEN, uuid4())
    address = mail_address("bounce", token, DOMAIN)
    assert len(address.partition("@")[0]) <= 64, "RFC 5321 4.5.3.1.1"
    for arrived in (address, address.upper(), f"<{address}>", f" {address} "):
        assert read_address(arrived, DOMAIN) == ("bounce", token)


@pytest.mark.parametrize(
    "address",
    ["", "kaigi@fukushi.kobayashi.example", "answer@x", "answer+abc@fukushi.kobayashi.example", "answer+" + "a" * 39],
)
def test_an_address_that_is_not_ours_says_nothing(address: str) -> None:
    assert read_address(address, DOMAIN) is None
    assert read_address(mail_address("answer", "a" * 39, "elsewhere.example"), DOMAIN) is None


@given(st.text(max_size=60))
def test_whatever_is_given_for_a_token_is_either_ours_or_nobodys(token: str) -> None:
    assert compartment_of_mail(KEY, "answer", token) is None


def test_a_token_with_one_sign_changed_is_nobodys() -> None:
    token = mail_token(KEY, "answer", Compartment.JUSO, uuid4())
    for place in range(len(token)):
        changed = token[:place] + ("b" if token[place] == "a" else "a") + token[place + 1 :]
        assert compartment_of_mail(KEY, "answer", changed) is None


def test_an_address_in_a_shared_calendar_does_not_open_the_answer_window() -> None:
    link = new_link(KEY, Compartment.JUSO, bytes(16))
    assert compartment_of_mail(KEY, "answer", link) is None
    assert compartment_of(KEY, mail_token(KEY, "answer", Compartment.JUSO, uuid4())) is None
