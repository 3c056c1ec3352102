"""posthog-python behind PostHog's sdk-test-harness protocol: the contract over HTTP, and the adapter as a subject."""

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.__main__ import AGREE, FINDINGS, UNAVAILABLE, main
from harness.subjects.catalogue import find
from harness.subjects.child import Child, TroubleKind
from harness.subjects.protocol import evaluate
from tests.unit.harness.adapter.contract_cases import CASES, DEFINITIONS, fits
from tools.sdks.lanes import LANES

SDK = "posthog-python@7.91.1"
OLDER = "posthog-python@7.42.0"


class Served:
    """A command of ours that says where it listens; ends when it is told to."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline()
        self.address = self.said.split()[-1].removeprefix("http://")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # nothing happens to one that has been stopped
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def adapter(lane):
    return Served("harness", "adapter", "--sdk", lane, "--port", "0", "--lanes", str(LANES))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    file = tmp_path_factory.mktemp("service") / "definitions.json"
    file.write_text(json.dumps(DEFINITIONS))
    with Served("reference.service", "--definitions", str(file), "--port", "0") as service:
        yield service.address


@pytest.mark.parametrize("lane", [SDK, OLDER])
def test_the_contract_holds_over_http_with_the_real_sdk(installed, service, lane):
    installed(lane)
    with adapter(lane) as served:
        assert served.said.startswith(f"adapter for {lane.replace('@', ' ')} on http://127.0.0.1:")
        assert (broken_cases(served.address, service), served.stop()) == ([], 0)


def broken_cases(address, service):
    failed = []
    with contextlib.closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        for case in CASES:
            connection.request("POST", "/reset")
            connection.getresponse().read()
            for step in case.steps:
                body = None if step.body is None else json.dumps(step.body).replace("{host}", f"http://{service}")
                connection.request(step.method, step.path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = json.loads(response.read())
                wrong = fits(answer, step.answer)
                if response.status != step.status or wrong:
                    failed.append((case.name, case.source, step.path, response.status, wrong or answer))
    return failed


def test_reference_service_and_the_sdk_behind_the_adapter_give_the_same_values(installed, tmp_path, capsys):
    installed(SDK)
    report = tmp_path / "report.json"
    with adapter(SDK) as served:
        subjects = f"reference,service,adapter+http://{served.address}"
        code = main(["run", "--subjects", subjects, "--batches", "4", "--seconds", "100", "--json", str(report), "--quiet"])
        said = capsys.readouterr().out
        assert (code, served.stop()) == (AGREE, 0), said
    outcome = json.loads(report.read_bytes())
    assert [one["version"] for one in outcome["took"]][2] == "posthog-python 7.91.1"
    assert outcome["batches"] == 4
    assert outcome["kinds"][f"adapter+http://{served.address}"]["agree"] > 1000


class Scripted(BaseHTTPRequestHandler):
    """An adapter that is all there until it is asked about a flag."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send({"sdk_name": "posthog-scripted", "sdk_version": "1.0", "adapter_version": "1.0"})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/get_feature_flag":
            self.send({"success": True})
        elif self.server.way == "hangs":
            self.server.over.wait()
            self.close_connection = True
        elif self.server.way == "dies":
            self.close_connection = True
            self.connection.shutdown(2)
        elif self.server.way == "contradicts":
            self.send({"success": True, "value": "nobody's variant"})
        else:
            self.send({"success": False, "error": "broken"}, 500)

    def send(self, content, status=200):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def scripted(way):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.way, server.over = way, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"adapter+http://127.0.0.1:{server.server_port}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("way", "kind"), [("dies", "crash"), ("contradicts", "value"), ("fails", "failure")])
def test_an_adapter_that_dies_contradicts_or_fails_is_a_finding(way, kind, tmp_path, capsys):
    report = tmp_path / "report.json"
    with scripted(way) as name:
        asked = ["--batches", "1", "--seconds", "2", "--json", str(report), "--quiet"]
        code = main(["run", "--subjects", f"reference,{name}", *asked])
    assert code == FINDINGS
    assert kind in {finding["cause"]["kind"] for finding in json.loads(report.read_bytes())["new"]}
    assert "posthog-scripted 1.0" in capsys.readouterr().out


async def test_a_silent_adapter_is_given_up_after_its_time_and_asked_anew(tmp_path):
    with scripted("hangs") as name:
        async with Child(find(name, tmp_path)) as child:
            assert (await child.load(DEFINITIONS)).ok
            child.answer_s = 0.2
            assert [one.kind for one in await child.ask([evaluate({"distinct_id": "a"})])] == [TroubleKind.HANG]
            child.answer_s = 60
            assert (await child.load(DEFINITIONS)).ok
    assert child.restarts == 1


def test_an_adapter_that_is_not_there_is_unavailable(capsys):
    assert main(["run", "--subjects", "reference,adapter+http://127.0.0.1:1"]) == UNAVAILABLE
    assert "ConnectionRefusedError" in capsys.readouterr().err
