"""A child process that says when it is ready, and is gone when the test is."""

import os
import signal
import subprocess
import tempfile


class Child:
    """One process; its standard output is read until `find` recognises the line that says it is ready."""

    def __init__(self, command, find, environment=None):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 — closed with the process
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        for line in self.process.stdout:
            self.ready = find(line)
            if self.ready is not None:
                return
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode()[-2000:]
        self._close()
        raise AssertionError(f"{command[:4]} ended with {self.process.returncode}: {said}")

    def kill(self):
        """Stop it at once, as an outage does."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Ask it to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, signum):
        if not self.process.stdout.closed:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signum)
            self.process.stdout.read()
            self._close()
        return self.process.wait()

    def _close(self):
        self.process.stdout.close()
        self.errors.close()
