"""The rate of requests to a service, and the rest of a service that fails."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mfcc_assets.recognition.services.pacing import CircuitBreaker, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestPace:
    def test_three_requests_per_second_are_a_third_of_a_second_apart(self, clock):
        pace = Pace(3, clock)
        assert [pace.take_turn(10) for _ in range(4)] == pytest.approx([0, 1 / 3, 2 / 3, 1])

    def test_a_later_request_waits_less(self, clock):
        pace = Pace(2, clock)
        pace.take_turn(10)
        clock.now += 0.4
        assert pace.take_turn(10) == pytest.approx(0.1)

    def test_unused_turns_are_not_saved_up(self, clock):
        pace = Pace(2, clock)
        clock.now += 100
        assert [pace.take_turn(10) for _ in range(3)] == pytest.approx([0, 0.5, 1])

    def test_a_request_that_cannot_wait_takes_no_turn(self, clock):
        pace = Pace(1, clock)
        pace.take_turn(10)
        assert pace.take_turn(0.5) is None
        assert pace.take_turn(10) == 1

    def test_looking_at_the_next_turn_does_not_take_it(self, clock):
        pace = Pace(1, clock)
        pace.take_turn(10)
        assert (pace.seconds_to_turn(), pace.seconds_to_turn(), pace.take_turn(10)) == (1, 1, 1)
        clock.now += 5
        assert pace.seconds_to_turn() == 0

    def test_each_thread_has_its_own_turn(self, clock):
        pace = Pace(10, clock)
        with ThreadPoolExecutor(8) as threads:
            turns = list(threads.map(lambda _: pace.take_turn(100), range(50)))
        assert sorted(turn for turn in turns if turn is not None) == pytest.approx([turn / 10 for turn in range(50)])


class TestCircuitBreaker:
    @pytest.fixture
    def breaker(self, clock):
        return CircuitBreaker(3, 60, clock)

    def fail(self, breaker: CircuitBreaker, times: int) -> None:
        for _ in range(times):
            assert breaker.admits()
            breaker.failed()

    def test_no_request_is_admitted_for_a_minute_after_three_failures_in_a_row(self, breaker, clock):
        self.fail(breaker, 3)
        assert not breaker.admits()
        clock.now += 59
        assert not breaker.admits()
        clock.now += 1
        assert breaker.admits()

    def test_a_success_between_failures_resets_the_count(self, breaker):
        self.fail(breaker, 2)
        breaker.succeeded()
        self.fail(breaker, 2)
        assert breaker.admits()

    def test_one_request_is_admitted_after_the_rest_and_its_success_admits_all(self, breaker, clock):
        self.fail(breaker, 3)
        clock.now += 60
        assert [breaker.admits() for _ in range(3)] == [True, False, False]
        breaker.succeeded()
        assert [breaker.admits() for _ in range(3)] == [True, True, True]

    def test_a_failure_after_the_rest_begins_another_rest(self, breaker, clock):
        self.fail(breaker, 3)
        clock.now += 60
        self.fail(breaker, 1)
        assert not breaker.admits()
        clock.now += 60
        assert breaker.admits()

    def test_a_request_without_a_report_does_not_block_the_service_for_ever(self, breaker, clock):
        self.fail(breaker, 3)
        clock.now += 60
        assert breaker.admits()
        clock.now += 60
        assert breaker.admits()
