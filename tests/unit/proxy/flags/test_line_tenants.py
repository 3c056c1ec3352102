from __future__ import annotations

import json

from proxy.answer.answer import Source
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import ErrorAnswer, Refusal, error_answer
from proxy.config.settings import RUNGS, Policy, Project, Settings, Upstream
from proxy.edge.flags.tenants import Tenants
from tests.fakes.line import FakeLine

UPSTREAMS = {name: Upstream(url=f"http://{name}.invalid") for name in ("default", "us")}
PROJECTS = {
    "shop": Project(tokens=("phc_shop", "phc_shop_old"), policy=Policy(fresh_s=60)),
    "blog": Project(tokens=("phc_blog",), upstream="us"),
}


def test_a_token_names_project_upstream_and_policy() -> None:
    tenants = Tenants(Settings(upstreams=UPSTREAMS, projects=PROJECTS))
    shop, blog = tenants.of({"token": "phc_shop_old"}), tenants.of({"token": "phc_blog"})
    assert shop is not None
    assert blog is not None
    assert (shop.project, shop.upstream, shop.policy.fresh_s) == ("shop", "default", 60)
    assert (blog.project, blog.upstream, blog.policy.fresh_s) == ("blog", "us", 0)


def test_with_an_allow_list_nobody_else_is_served() -> None:
    tenants = Tenants(Settings(upstreams=UPSTREAMS, projects=PROJECTS))
    for fields in (None, {}, {"token": ""}, {"token": None}, {"token": ["phc_shop"]}, {"token": "phc_x"}):
        assert tenants.of(fields) is None


def test_without_projects_any_token_and_any_body_is_served() -> None:
    tenants = Tenants(Settings(upstreams=UPSTREAMS))
    for fields in (None, {}, {"token": "phc_x"}):
        tenant = tenants.of(fields)
        assert tenant is not None
        assert (tenant.project, tenant.upstream) == ("default", "default")


def test_projects_of_an_upstream_are_counted_once_however_many_tokens_they_have() -> None:
    tenants = Tenants(Settings(upstreams=UPSTREAMS, projects=PROJECTS))
    assert (tenants.sharing("default"), tenants.sharing("us"), tenants.sharing("x")) == (1, 1, 0)


async def test_refusals_are_the_services_own_words() -> None:
    line = FakeLine(projects=PROJECTS, upstreams=UPSTREAMS)
    assert line.decode({"distinct_id": "u"}) == error_answer(Refusal.NO_TOKEN)
    assert line.decode({"token": "", "distinct_id": "u"}) == error_answer(Refusal.NO_TOKEN)
    assert line.decode({"token": "phc_x", "distinct_id": "u"}) == error_answer(Refusal.UNKNOWN_TOKEN)
    assert line.decode(b"nonsense!") == error_answer(Refusal.NO_TOKEN)
    assert isinstance(line.decode(b"{token: 'phc_blog'}"), FlagsRequest)


async def test_two_projects_never_share_an_answer_even_with_one_identity() -> None:
    line = FakeLine(projects=PROJECTS, upstreams=UPSTREAMS)
    for token in ("phc_shop", "phc_blog", "phc_shop_old"):
        answer = await line.ask({"token": token, "distinct_id": "u"})
        assert answer.source is Source.UPSTREAM
    assert len(line.line.memory.cache) == 3


async def test_a_known_body_under_other_headers_or_another_target_is_read_again() -> None:
    line = FakeLine(policy=Policy(fresh_s=60))
    text = json.dumps({"token": "t", "distinct_id": "u"}).encode()
    seen = set()
    for target, agent in (("/flags/?v=2", "a/1"), ("/flags/?v=3", "a/1"), ("/decide/?v=2", "a/1"), ("/flags/?v=2", "b/1")):
        for _ in range(2):
            request = line.decode(text, target=target, headers=(("User-Agent", agent),))
            assert not isinstance(request, ErrorAnswer)
            seen.add(request.key)
    assert len(seen) == 4


async def test_every_rung_that_settings_may_name_exists() -> None:
    assert set(FakeLine().line._flags._ladder._asking._walk._rungs) == RUNGS
