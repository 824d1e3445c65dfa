"""Who may still guess: a device is stopped by its own wrong guesses, and never by others' alone."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.guessing import FEWER, FEWEST, TIGHT, Shared, allowance, may_guess, range_of

COUNTS = st.integers(0, 10**6)
BOUNDS = st.integers(1, 10**5)
SHARED = st.lists(st.builds(Shared, COUNTS, BOUNDS), max_size=4)


@pytest.mark.parametrize(
    ("guessed", "allowed"),
    [(0, 10), (99, 10), (100, FEWER), (399, FEWER), (400, FEWEST), (100_000, FEWEST)],
)
def test_a_device_s_own_bound_shrinks_while_others_guess(guessed: int, allowed: int) -> None:
    assert allowance(10, [Shared(guessed, 100)]) == allowed


def test_the_hardest_pressed_counts() -> None:
    assert allowance(10, [Shared(100, 100), Shared(1, 1_000), Shared(40, 10)]) == FEWEST


def test_calm_days() -> None:
    assert allowance(10, []) == 10
    assert [may_guess(guessed, 10, []) for guessed in (0, 9, 10, 11)] == [True, True, False, False]


@given(bound=BOUNDS, shared=SHARED)
def test_who_has_not_guessed_wrong_is_never_refused(bound: int, shared: list[Shared]) -> None:
    assert may_guess(0, bound, shared)


@given(bound=st.integers(2, 100), shared=SHARED)
def test_one_slip_stops_nobody(bound: int, shared: list[Shared]) -> None:
    assert may_guess(1, bound, shared)


@given(bound=BOUNDS, shared=SHARED, more=st.builds(Shared, COUNTS, BOUNDS))
def test_pressure_never_widens_an_allowance(bound: int, shared: list[Shared], more: Shared) -> None:
    assert allowance(bound, [*shared, more]) <= allowance(bound, shared) <= bound


@given(bound=BOUNDS, shared_bound=BOUNDS, beyond=COUNTS)
def test_what_is_full_need_not_be_counted_further(bound: int, shared_bound: int, beyond: int) -> None:
    full = Shared(TIGHT * shared_bound, shared_bound)
    assert full.is_full
    assert not Shared(full.guessed - 1, shared_bound).is_full
    assert allowance(bound, [full]) == allowance(bound, [Shared(full.guessed + beyond, shared_bound)])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("10.1.255.255", "10.1.255.0/24"),
        ("2001:db8:1:2ff:a:b:c:d", "2001:db8:1:200::/56"),
        ("::1", "::/56"),
    ],
)
def test_the_range_of_an_address(address: str, network: str) -> None:
    assert range_of(ip_address(address)) == network
