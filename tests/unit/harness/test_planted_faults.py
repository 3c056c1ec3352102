"""The planted faults: each one's text stands once in the reference of today, and leaves a program behind."""

import ast

import pytest

from tests.sensitivity.planted import FAULTS, ROOT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault):
    text = (ROOT / "reference" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1
    assert ast.dump(ast.parse(text.replace(fault.old, fault.new))) != ast.dump(ast.parse(text))


def test_there_are_sixty_and_each_has_a_name_of_its_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 60
