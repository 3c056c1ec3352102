"""`python -m reference jsonlines`: the evaluator as a line protocol."""

from __future__ import annotations

import argparse
import os
import sys

from . import jsonlines

_DESCRIPTION = """\
Evaluate PostHog feature flags without PostHog: definitions and a person in, values out.

  jsonlines   answer one JSON object per line on standard input with one per line on standard output

Try it:

  printf '%s\\n' \\
    '{"id":1,"op":"describe"}' \\
    '{"id":2,"op":"load","definitions":{"flags":[{"key":"beta","filters":{"groups":[{"rollout_percentage":50}]}}]}}' \\
    '{"id":3,"op":"evaluate","context":{"distinct_id":"user-17"}}' | python -m reference jsonlines

The flag service over HTTP is `python -m reference.service`.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when the input ended, 1 when the reader of the output went away, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reference",
        description=_DESCRIPTION,
        epilog=jsonlines.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["jsonlines"])
    parser.parse_args(arguments)
    try:
        jsonlines.serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody reads any more. Python would flush standard output once again at exit, and fail once again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
