"""A finding as a program to paste, in each language whose SDK can be asked.

The program serves the reproducer's definitions on loopback and asks the SDK about its person, as an application would.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from harness.case import request_of
from harness.search.cause import Specimen
from harness.subjects.protocol import load

from . import compiled

_PYTHON: Final = """\
# pip install posthog
import http.server, json, threading
from posthog import Posthog
{clock}
DEFINITIONS = json.loads({definitions!r})
PERSON = json.loads({person!r})

class Definitions(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(DEFINITIONS).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Definitions)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Posthog("phc_x", host=f"http://127.0.0.1:{{server.server_port}}", secret_key="phx_x", send=False)
client.load_feature_flags()
print(client.get_all_flags_and_payloads(
    PERSON["distinct_id"], groups=PERSON.get("groups"), person_properties=PERSON.get("person_properties"),
    group_properties=PERSON.get("group_properties"), only_evaluate_locally=True))
"""
_NODE: Final = """\
// npm install posthog-node
const http = require('node:http')
const {{ PostHog }} = require('posthog-node')
{clock}const definitions = {definitions}
const person = {person}
const server = http.createServer((_, response) => response.end(JSON.stringify(definitions)))
server.listen(0, '127.0.0.1', async () => {{
  const host = `http://127.0.0.1:${{server.address().port}}`
  const client = new PostHog('phc_x', {{ host, personalApiKey: 'phx_x', disableGeoip: true }})
  await client.reloadFeatureFlags()
  console.log(await client.getAllFlagsAndPayloads(person.distinct_id, {{
    groups: person.groups, personProperties: person.person_properties, groupProperties: person.group_properties,
    onlyEvaluateLocally: true }}))
  process.exit(0)
}})
"""
# The clock, for a finding that depends on the hour: as the drivers set it.
_PYTHON_CLOCK: Final = """\
import datetime, types
from posthog import feature_flags
class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromisoformat({now!r}).astimezone(tz)
feature_flags.datetime = types.SimpleNamespace(**{{**vars(datetime), "datetime": Clock}})
"""
_NODE_CLOCK: Final = """\
const now = Date.parse({now})
const Machine = Date
globalThis.Date = class extends Machine {{
  constructor(...given) {{ super(...(given.length ? given : [now])) }}
  static now() {{ return now }}
}}
"""


def programs(specimen: Specimen) -> dict[str, str]:
    """Return language → program; `lines` is for the reference, or any subject that speaks the line protocol."""
    return {name: write(specimen) for name, write in _WRITERS.items()}


def _python(specimen: Specimen) -> str:
    definitions, person = json.dumps(specimen.definitions), json.dumps(specimen.person)
    now = specimen.person.get("now")
    return _PYTHON.format(definitions=definitions, person=person, clock="" if now is None else _PYTHON_CLOCK.format(now=now))


def _node(specimen: Specimen) -> str:
    definitions, person = json.dumps(specimen.definitions), json.dumps(specimen.person)
    now = specimen.person.get("now")
    return _NODE.format(
        definitions=definitions, person=person, clock="" if now is None else _NODE_CLOCK.format(now=json.dumps(now))
    )


def _lines(specimen: Specimen) -> str:
    requests = ({"id": 1, **load(specimen.definitions)}, {"id": 2, **request_of(specimen.person)})
    return "python -m reference jsonlines <<'END'\n" + "\n".join(json.dumps(one) for one in requests) + "\nEND\n"


_WRITERS: Final[dict[str, Callable[[Specimen], str]]] = {
    "python": _python,
    "node": _node,
    "go": compiled.go,
    "rust": compiled.rust,
    "java": compiled.java,
    "lines": _lines,
}
