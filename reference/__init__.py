"""A pure evaluator of PostHog's feature-flag semantics: definitions × person → results.

It is the proxy's last resort and the harness's oracle. Where it is not sure it says *inconclusive* instead of guessing.
No clock, no randomness, no I/O, no logging: time and identity come in as arguments.

    program = compile_definitions(parse_definitions(document))
    evaluation = program.evaluate(Context(distinct_id="user-17"), now=datetime.now(UTC))
"""

from .context import Context, Memberships, Runtime, Selection
from .definitions.errors import DefinitionsError
from .definitions.model import Definitions
from .definitions.parse import parse_definitions
from .evaluate import Program, compile_definitions
from .outcome import Evaluation, Outcome, Reason, Status

__all__ = [
    "Context",
    "Definitions",
    "DefinitionsError",
    "Evaluation",
    "Memberships",
    "Outcome",
    "Program",
    "Reason",
    "Runtime",
    "Selection",
    "Status",
    "compile_definitions",
    "parse_definitions",
]
