"""Which upstream a relayed request belongs to."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from proxy.config.settings import Project
from proxy.edge.through.tenants import DEFAULT, TOKEN_HEADER, Tenants

TENANTS = Tenants({
    "one": Project(tokens=("phc_one", "phc_one_old"), upstream="eu"),
    "two": Project(tokens=("phc_two",), upstream="us"),
})  # fmt: skip


def upstream(tenants: Tenants, query: str, *header: str) -> str | None:
    request = make_mocked_request(
        "GET", f"/flags/definitions?{query}", headers=CIMultiDict([(TOKEN_HEADER, one) for one in header])
    )
    return tenants.upstream(request, query)


@pytest.mark.parametrize(
    ("query", "header", "name"),
    [
        ("token=phc_one", (), "eu"),
        ("token=phc_one_old&send_cohorts", (), "eu"),
        ("send_cohorts&token=phc_two", (), "us"),
        ("", ("phc_two",), "us"),
        ("token=phc%5Fone", (), "eu"),
        ("token=phc_one&token=phc_one_old", ("phc_one",), "eu"),
        ("", (), DEFAULT),
        ("token=", (), DEFAULT),
    ],
)
def test_a_known_token_names_its_upstream(query: str, header: tuple[str, ...], name: str) -> None:
    assert upstream(TENANTS, query, *header) == name


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("token=phc_other", ()),
        ("", ("phc_other",)),
        ("token=phc_one&token=phc_other", ()),
        ("token=phc_one", ("phc_other",)),
        ("token=phc_one&token=phc_two", ()),
        ("token=phc_one", ("phc_two",)),
        ("&".join(["a=1"] * 100), ()),
        ("token=phc_one&x=" + "x" * 5000, ()),
    ],
)
def test_foreign_mixed_and_hidden_tokens_are_nobodys(query: str, header: tuple[str, ...]) -> None:
    assert upstream(TENANTS, query, *header) is None


def test_without_projects_any_token_is_served() -> None:
    assert upstream(Tenants({}), "token=phc_any") == DEFAULT
