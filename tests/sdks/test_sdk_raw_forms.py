"""The request forms of all other SDKs as byte streams through the proxy: the service's own answer, and the same one stale."""

import json

import pytest

from tests.sdks.support import world
from tests.sdks.support.raw import BEARER, DEFINITIONS, FORMS, exchange, request_of
from tests.sdks.support.until import until

# Differ from answer to answer, whoever gives it.
OWN_OF_EACH_ANSWER = ("requestId", "evaluatedAt", "errorsWhileComputingFlags")


def status(answer):
    return int(answer.first_line.split()[1])


def content(answer):
    document = json.loads(answer.body)
    return {name: value for name, value in document.items() if name not in OWN_OF_EACH_ANSWER}


def stream_of(form):
    return request_of("POST", form.target, form.headers, form.body)


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gets_the_services_own_answer(name, shared):
    form = FORMS[name]
    direct = exchange(shared.service.url, stream_of_direct(form))
    proxied = exchange(shared.proxy.url, stream_of(form))
    assert status(direct) == status(proxied) == 200
    assert content(proxied) == content(direct)
    assert proxied.headers["content-type"] == direct.headers["content-type"]
    assert ("; stored" in proxied.headers["cache-status"]) is form.is_remembered
    if "Origin" in form.headers:
        assert proxied.headers["access-control-allow-origin"] == form.headers["Origin"]


def stream_of_direct(form):
    """PostHog's ingress marks `/decide` with a header (contract §1.4); asking the service directly we are the ingress."""
    marked = {**form.headers, "X-Original-Endpoint": "decide"} if form.target.startswith("/decide") else form.headers
    return request_of("POST", form.target, marked, form.body)


def test_every_form_is_answered_from_memory_while_the_service_is_dead_and_freshly_after(stack):
    before = {name: exchange(stack.proxy.url, stream_of(form)) for name, form in FORMS.items()}
    stack.service.kill()
    for name, form in FORMS.items():
        told = exchange(stack.proxy.url, stream_of(form))
        if form.is_remembered:
            assert (name, status(told), content(told)) == (name, 200, content(before[name]))
            assert "detail=stale" in told.headers["cache-status"]
            assert json.loads(told.body)["errorsWhileComputingFlags"] is True
        else:  # Not strict JSON: the proxy never claims to know what it asks (decision: only certain keys are remembered).
            assert (name, status(told)) == (name, 503)
            assert "detail=none" in told.headers["cache-status"]
    stack.service.start()
    for form in FORMS.values():
        told = until(lambda form=form: fresh(exchange(stack.proxy.url, stream_of(form))), "a fresh answer")
        assert status(told) == 200


def fresh(answer):
    return None if "detail=" in answer.headers["cache-status"] else answer


@pytest.mark.parametrize("name", DEFINITIONS)
def test_each_definitions_form_gets_the_services_own_answer(name, shared):
    target, headers = DEFINITIONS[name]
    stream = request_of("GET", target, {**headers, **BEARER})
    direct, proxied = exchange(shared.service.url, stream), exchange(shared.proxy.url, stream)
    assert (proxied.first_line, proxied.body) == (direct.first_line, direct.body)
    assert proxied.headers.get("etag") == direct.headers.get("etag")
    assert name == "rs" or len(json.loads(direct.body)["flags"]) == len(world.definitions("")["flags"])


def test_a_definitions_poll_with_the_etag_it_was_given_is_not_modified(shared):
    target, headers = DEFINITIONS["go"]
    first = exchange(shared.proxy.url, request_of("GET", target, {**headers, **BEARER}))
    again = exchange(shared.proxy.url, request_of("GET", target, {**headers, **BEARER, "If-None-Match": first.headers["etag"]}))
    assert (status(first), status(again), again.body) == (200, 304, b"")
