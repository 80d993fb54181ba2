"""Answer links: the window knows from the link alone whom to ask, and asks nobody about a forged one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.links import compartment_of, new_link
from contracts.message import Compartment

KEY = b"k" * 32
RANDOM = st.binary(min_size=16, max_size=16)


@given(RANDOM, st.sampled_from(Compartment))
def test_a_link_names_its_compartment_only_to_whoever_has_the_key(randomness: bytes, compartment: Compartment) -> None:
    token = new_link(KEY, compartment, randomness)
    assert len(token) == 32
    assert compartment_of(KEY, token) is compartment
    assert compartment_of(b"x" * 32, token) is None


@given(RANDOM, st.integers(0, 31), st.sampled_from("AQgw-_Zz09+/=あ"))
def test_a_link_changed_in_one_sign_is_no_link(randomness: bytes, place: int, sign: str) -> None:
    token = new_link(KEY, Compartment.SHIEN, randomness)
    changed = token[:place] + sign + token[place + 1 :]
    assert changed == token or compartment_of(KEY, changed) is None


@given(st.text(max_size=40))
def test_whatever_is_typed_into_the_address_line_is_no_link(text: str) -> None:
    assert compartment_of(KEY, text) is None


def test_both_kinds_of_link_look_alike_but_share_nothing() -> None:
    juso, shien = (new_link(KEY, one, b"r" * 16) for one in Compartment)
    assert juso[:20] == shien[:20]
    assert juso[24:] != shien[24:]


def test_too_little_randomness_makes_no_link() -> None:
    with pytest.raises(ValueError, match="16"):
        new_link(KEY, Compartment.JUSO, b"short")
