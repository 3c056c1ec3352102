"""One short real run of `flags-load`: Locust in a child process against a server on loopback."""

import asyncio
import json
import sys

from aiohttp import web

from load.arrivals import arrivals

USERS, RATE, SECONDS, SEED = 5, 40.0, 1.5, 7
FROZEN_S = 0.5


async def served(answer):
    server = web.ServerRunner(web.Server(answer))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    return server, f"http://127.0.0.1:{server.addresses[0][1]}"


async def load(url):
    command = [sys.executable, "-m", "load", "run", "--url", url, "--users", str(USERS), "--rate", str(RATE)]
    child = await asyncio.create_subprocess_exec(
        *command, "--duration", str(SECONDS), "--seed", str(SEED), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return child.returncode, said.decode()


def scheduled():
    return {
        f"load-{user}": len(list(arrivals(user, rate=RATE, users=USERS, duration_s=SECONDS, seed=SEED)))
        for user in range(USERS)
    }


async def test_every_scheduled_request_is_sent_and_a_frozen_server_looks_slow():
    counts = dict.fromkeys(scheduled(), 0)
    thawed = asyncio.Event()

    async def answer(request):
        counts[json.loads(await request.read())["distinct_id"]] += 1
        if not thawed.is_set():
            asyncio.get_running_loop().call_later(FROZEN_S, thawed.set)
        await thawed.wait()
        return web.json_response({"flags": {}})

    server, url = await served(answer)
    code, said = await load(url)
    await server.cleanup()
    assert (code, counts) == (0, scheduled())
    assert f"requests  {sum(counts.values())} in" in said
    # The first request waits the whole freeze, whatever the machine does: an open loop cannot hide it.
    assert float(said.split("p99.9 ")[1].split()[0]) >= FROZEN_S * 1000


async def test_answers_other_than_200_are_failures_and_exit_code_1():
    async def answer(request):
        refused = json.loads(await request.read())["distinct_id"] == "load-0"
        return web.json_response({"flags": {}}, status=503 if refused else 200)

    server, url = await served(answer)
    code, said = await load(url)
    await server.cleanup()
    assert code == 1
    assert f"{scheduled()['load-0']} × 503" in said
