import multiprocessing
import threading

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.test import Client, RequestFactory

from dermascan.core.throttles import QuickCheckThrottle
from diagnosis.api.throttles import PredictionThrottle
from tests.api.helpers import BATCH, EXPLANATION, PREDICT, assert_problem, upload

NOW = 1_800_000_000.0  # the start of a minute


@pytest.fixture
def clock(monkeypatch):
    """Time that moves only when told."""

    class Clock:
        now = NOW

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(PredictionThrottle, "timer", clock, raising=True)
    monkeypatch.setattr(QuickCheckThrottle, "timer", clock, raising=True)
    return clock


@pytest.fixture
def rates(settings):
    def _rates(**rates):
        framework = {**settings.REST_FRAMEWORK}
        framework["DEFAULT_THROTTLE_RATES"] = {**framework["DEFAULT_THROTTLE_RATES"], **rates}
        settings.REST_FRAMEWORK = framework

    return _rates


def visitor(address="192.0.2.7", **headers):
    return RequestFactory().post("/quick-check/", REMOTE_ADDR=address, headers=headers)


def test_the_rates_are_those_that_were_asked_for():
    rates = [(throttle.num_requests, throttle.duration) for throttle in (PredictionThrottle(), QuickCheckThrottle())]
    assert rates == [(600, 60), (10, 60)]


@pytest.mark.django_db
def test_a_members_predictions_are_counted(api, staff, dermatologist, rates, clock):
    rates(predictions="3/min")
    client = api(staff)
    for _number in range(3):
        assert_problem(client.post(PREDICT, {"file": upload(b"text")}), 415, "not-an-image")
    response = client.post(PREDICT, {"file": upload(b"text")})
    problem = assert_problem(response, 429, "throttled")
    assert int(response["Retry-After"]) == problem["retry_after"] >= 1

    assert api(dermatologist).post(PREDICT, {"file": upload(b"text")}).status_code == 415, "another's count is theirs"
    clock.now += int(response["Retry-After"])
    assert client.post(PREDICT, {"file": upload(b"text")}).status_code == 415, "Retry-After was true"


@pytest.mark.slow
@pytest.mark.django_db
def test_six_hundred_a_minute(api, staff, clock):
    client = api(staff)
    statuses = [client.post(PREDICT, {"file": upload(b"x")}).status_code for _number in range(601)]
    assert statuses == [415] * 600 + [429]


@pytest.mark.django_db
def test_a_batch_counts_by_its_files(api, staff, rates, clock):
    rates(predictions="5/min")
    client = api(staff)
    three = {"files": [upload(b"1"), upload(b"2"), upload(b"3")]}
    assert client.post(BATCH, three).status_code == 200
    three = {"files": [upload(b"1"), upload(b"2"), upload(b"3")]}
    response = client.post(BATCH, three)
    assert_problem(response, 429, "throttled")
    assert response["Retry-After"]
    assert client.post(BATCH, {"files": [upload(b"1"), upload(b"2")]}).status_code == 200, "a refused one counts not"
    assert client.post(PREDICT, {"file": upload(b"1")}).status_code == 429, "batch and single share one allowance"


@pytest.mark.django_db
def test_token_and_browser_share_one_allowance(api, staff, sign_in, rates, clock):
    rates(predictions="1/min")
    assert api(staff).post(PREDICT, {"file": upload(b"1")}).status_code == 415
    assert sign_in(staff).post(PREDICT, {"file": upload(b"1")}).status_code == 429


@pytest.mark.django_db
def test_explanations_have_a_rate_of_their_own(api, staff, rates):
    rates(explanations="2/day", predictions="1/day")
    client = api(staff)
    assert [client.post(EXPLANATION, {"condition": "nv"}).status_code for _number in range(3)] == [200, 200, 429]
    assert client.post(PREDICT, {"file": upload(b"1")}).status_code == 415


@pytest.mark.django_db
def test_who_is_refused_uses_up_nothing(rates, clock):
    rates(predictions="1/min")
    assert [Client().post(PREDICT, {"file": upload(b"1")}).status_code for _number in range(3)] == [401] * 3


def test_the_quick_check_counts_by_address(clock):
    answers = [QuickCheckThrottle().retry_after(visitor()) for _number in range(11)]
    assert answers[:10] == [None] * 10
    assert answers[10] == 60
    assert QuickCheckThrottle().retry_after(visitor("192.0.2.8")) is None
    clock.now += answers[10]
    assert QuickCheckThrottle().retry_after(visitor()) is None


def test_the_window_slides(clock):
    """Ten at the end of a minute leave no room at the start of the next."""
    clock.now = NOW + 59
    assert [QuickCheckThrottle().retry_after(visitor()) for _number in range(10)] == [None] * 10
    clock.now = NOW + 61
    assert QuickCheckThrottle().retry_after(visitor())
    clock.now = NOW + 119
    assert QuickCheckThrottle().retry_after(visitor()) is None


@pytest.mark.parametrize("used", [1, 3, 10])
@pytest.mark.parametrize("second", [0, 17, 59.9])
@pytest.mark.parametrize("pause", [0.5, 30, 59])
def test_retry_after_is_neither_too_short_nor_needlessly_long(clock, used, second, pause):
    clock.now = NOW + second
    for _number in range(used):
        QuickCheckThrottle().charge(visitor())
    clock.now += pause
    while (retry_after := QuickCheckThrottle().retry_after(visitor())) is None:
        pass
    refused_at = clock.now
    clock.now = refused_at + max(0, retry_after - 1.001)
    if retry_after > 1:
        assert not QuickCheckThrottle().charge(visitor())
    clock.now = refused_at + retry_after
    assert QuickCheckThrottle().charge(visitor())


def test_one_line_of_ipv6_is_one_visitor(clock):
    for number in range(10):
        assert QuickCheckThrottle().retry_after(visitor(f"2001:db8:1:2::{number}")) is None
    assert QuickCheckThrottle().retry_after(visitor("2001:db8:1:2:ffff::1"))
    assert QuickCheckThrottle().retry_after(visitor("2001:db8:1:3::1")) is None


@pytest.mark.parametrize("address", ["", "unix:", "a b\nc", "::ffff:192.0.2.7", "é" * 500])
def test_odd_addresses_are_counted_too(clock, address):
    for _number in range(10):
        assert QuickCheckThrottle().retry_after(visitor(address)) is None
    assert QuickCheckThrottle().retry_after(visitor(address))


def test_a_forged_forwarding_header_helps_nobody(clock):
    for number in range(10):
        QuickCheckThrottle().retry_after(visitor(x_forwarded_for=f"198.51.100.{number}"))
    assert QuickCheckThrottle().retry_after(visitor(x_forwarded_for="198.51.100.99"))


def test_behind_a_proxy_its_word_counts_and_nobody_elses(clock, settings):
    settings.PROXIES = 1
    for number in range(10):
        QuickCheckThrottle().retry_after(visitor("10.0.0.1", x_forwarded_for=f"203.0.113.{number}, 192.0.2.7"))
    assert QuickCheckThrottle().retry_after(visitor("10.0.0.1", x_forwarded_for="192.0.2.7"))
    assert QuickCheckThrottle().retry_after(visitor("10.0.0.1", x_forwarded_for="192.0.2.8")) is None


@pytest.fixture
def file_cache(settings, tmp_path):
    settings.CACHES = {"default": {"BACKEND": "dermascan.file_cache.FileCache", "LOCATION": str(tmp_path)}}


def _visit_often(admitted) -> None:
    for _number in range(10):
        if QuickCheckThrottle().retry_after(visitor()) is None:
            with admitted.get_lock():
                admitted.value += 1
    _hang_up()


def _hang_up() -> None:
    """Each thread has a cache of its own; what it leaves open to Redis, Python complains of at some later time."""
    if isinstance(caches["default"], RedisCache):
        caches["default"]._cache.get_client().connection_pool.disconnect()


@pytest.fixture
def redis_cache(settings, redis_url):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}
    yield
    _hang_up()


@pytest.mark.parametrize("cache", ["file_cache", "redis_cache", "memory"])
def test_threads_at_once_get_in_ten_times_in_all(request, clock, cache):
    if cache != "memory":
        request.getfixturevalue(cache)
    admitted = multiprocessing.Value("i", 0)
    threads = [threading.Thread(target=_visit_often, args=(admitted,)) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.value == 10


def test_processes_at_once_get_in_ten_times_in_all(file_cache, clock):
    context = multiprocessing.get_context("fork")
    admitted = context.Value("i", 0)
    processes = [context.Process(target=_visit_often, args=(admitted,)) for _number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert admitted.value == 10


def test_long_windows_outlive_the_caches_own_default(file_cache, rates, clock):
    """The cache forgets after five minutes unless told otherwise."""
    rates(quick_check="1/day")
    assert QuickCheckThrottle().retry_after(visitor()) is None
    clock.now += 3600
    assert QuickCheckThrottle().retry_after(visitor())


def test_no_rate_is_no_limit(rates):
    rates(quick_check=None)
    assert [QuickCheckThrottle().retry_after(visitor()) for _number in range(20)] == [None] * 20
