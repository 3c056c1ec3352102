"""What holding definitions costs: the time to parse and compile one document and the memory its program keeps.

`python -m tests.bench.reference.footprint N` prints one JSON line for a document of N flags. A process measures one size
only, so that no earlier program's freed memory flatters a later one.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path

from reference.definitions.parse import parse_definitions
from reference.evaluate import compile_definitions
from tests.bench.lines import say

from .documents import document

REPEATS = 5


def main(count: int) -> None:
    """Measure one size and print it."""
    text = json.dumps(document(count)).encode()
    compile_definitions(parse_definitions(json.dumps(document(10)).encode()))  # imports and first-use caches are not the size's
    gc.collect()
    before = resident_kb()
    kept = compile_definitions(parse_definitions(text))
    gc.collect()
    resident = resident_kb() - before
    del kept
    gc.disable()  # a full collection comes once in so many objects: a step that has nothing to do with this document's size
    times = [_timed(text) for _ in range(REPEATS)]
    gc.enable()
    say({
        "flags": count,
        "document_kb": len(text) / 1024,
        "parse_ms": min(parse for parse, _ in times) * 1e3,
        "compile_ms": min(compiling for _, compiling in times) * 1e3,
        "rss_kb": resident,
        "traced_kb": _traced(text) / 1024,
    })  # fmt: skip


def resident_kb() -> int:
    """Return this process's resident memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _timed(text: bytes) -> tuple[float, float]:
    """Return the CPU seconds of parsing and of compiling."""
    started = time.process_time()
    definitions = parse_definitions(text)
    parsed = time.process_time()
    compile_definitions(definitions)
    return parsed - started, time.process_time() - parsed


def _traced(text: bytes) -> int:
    """Return the bytes that a program keeps alive, as Python's allocator counts them."""
    gc.collect()
    tracemalloc.start()
    kept = compile_definitions(parse_definitions(text))
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size


if __name__ == "__main__":
    main(int(sys.argv[1]))
