"""Budgets and pauses, on a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.api import throttle
from crypto_bot.api.throttle import Budget, Limits, Throttle, is_loopback, network_of


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_budget_is_used_up_and_comes_back(clock: Clock) -> None:
    counted, budget = Throttle(clock=clock), Budget(rate=10, burst=3)
    assert [counted.take("a", budget) for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])
    assert counted.take("b", budget) == 0
    clock.now += 0.1
    assert [counted.take("a", budget) for _ in range(2)] == pytest.approx([0, 0.1])
    clock.now += 1e6
    assert [counted.take("a", budget) for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_more_is_given_than_the_budget_holds(pauses: list[float]) -> None:
    clock, budget = Clock(), Budget(rate=2, burst=5)
    counted, given_out = Throttle(clock=clock), 0
    for pause in pauses:
        clock.now += pause
        given_out += counted.take("a", budget) == 0
    assert given_out <= 5 + 2 * sum(pauses) + 1e-6


def test_pauses_double_up_to_five_minutes(clock: Clock) -> None:
    counted = Throttle(Limits(tries=5), clock)
    pauses = [counted.missed("203.0.113.9") for _ in range(20)]
    assert pauses[:4] == [0] * 4
    assert pauses[4:] == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[300] * 7]
    assert counted.paused_s("203.0.113.9") == 300 and counted.paused_s("203.0.113.10") == 0
    clock.now += 299
    assert counted.paused_s("203.0.113.9") == pytest.approx(1)
    clock.now += throttle.FORGOTTEN_S + 2
    assert counted.missed("203.0.113.9") == 0, "an address that kept quiet begins anew"


def test_neighbours_of_ipv6_count_as_one_caller() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert (network_of("192.0.2.1"), network_of("unix")) == ("192.0.2.1", "unix")


def test_own_addresses() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("", "0.0.0.0", "192.168.0.1", "127.1", "localhost.example", "::ffff:1.2.3.4")))


def test_what_is_remembered_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "ENTRIES_MAX", 100)
    counted = Throttle(clock=clock)
    for number in range(1_000):
        counted.take(str(number), Budget(1, 1))
        counted.missed(f"10.0.{number % 250}.{number // 250}")
        counted.welcome(str(number), "digest")
    tables = (counted._buckets, counted._misses, counted._seen)
    assert [len(table) for table in tables] == [100, 100, 100]
    assert counted.is_welcome("999", "digest") and not counted.is_welcome("0", "digest")
