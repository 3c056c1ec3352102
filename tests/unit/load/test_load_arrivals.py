"""The open loop's schedule."""

import pytest

from load.arrivals import arrivals

RUN = {"rate": 50.0, "users": 4, "duration_s": 100.0, "seed": 3}


def every(**changed):
    run = {**RUN, **changed}
    return [list(arrivals(user, **run)) for user in range(run["users"])]


def test_one_seed_gives_one_schedule_and_another_gives_another():
    assert every() == every()
    assert every() != every(seed=4)


def test_arrivals_ascend_and_stay_inside_the_run():
    for times in every():
        assert times == sorted(times)
        assert times[0] > 0
        assert times[-1] < RUN["duration_s"]


@pytest.mark.parametrize("users", [1, 4, 40])
def test_all_users_together_arrive_at_the_asked_rate(users):
    total = sum(len(times) for times in every(users=users))
    assert abs(total - 5000) < 4 * 5000**0.5  # Poisson: within four sigma


def test_users_have_schedules_of_their_own():
    first, second, *_ = every()
    assert not set(first) & set(second)
