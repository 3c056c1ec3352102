"""One project's files: its generations, the last refused sets for inspection, and what an operator rolled back from."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from proxy.definitions import snapshot
from proxy.definitions.document import DefinitionsSet, encode_set

REFUSED_KEPT: Final = 3
BARRED_KEPT: Final = 20
_BARRED: Final = "rolled-back.json"


class Shelf:
    """Files under `folder/project`; nothing here is written unless asked to. Methods that write raise OSError."""

    def __init__(self, folder: Path, project: str, *, generations: int) -> None:
        self.generations = generations
        self._folder = folder
        self._project = project

    def newest(self) -> DefinitionsSet | None:
        """Return the newest generation that checks."""
        return snapshot.newest(self._folder, self._project)

    def read(self, generation: int) -> DefinitionsSet | None:
        """Return one generation, if it is there and checks."""
        found = snapshot.read_set(self.path(generation))
        return found if isinstance(found, DefinitionsSet) else None

    def path(self, generation: int) -> Path:
        """Return where a generation is, or would be."""
        return snapshot.path_of(self._folder, self._project, generation)

    def numbers(self) -> list[int]:
        """Return the generations on disk, newest first."""
        return snapshot.generations(self._folder, self._project)

    def keep(self, kept: DefinitionsSet) -> Path:
        """Write a generation, dropping the oldest."""
        return snapshot.keep(self._folder, kept, generations=self.generations)

    def keep_refused(self, refused: DefinitionsSet) -> Path:
        """Write a refused set for inspection, dropping the oldest."""
        place = self._folder / self._project
        path = place / f"refused-{refused.digest[:12]}.hfd"
        snapshot.private_folder(self._folder)
        snapshot.private_folder(place)
        snapshot.write_durably(path, encode_set(refused))
        for old in sorted(place.glob("refused-*.hfd"), key=_written, reverse=True)[REFUSED_KEPT:]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path

    def barred(self) -> tuple[str, ...]:
        """Return the digests that were rolled back from, oldest first; none when there is no readable list."""
        try:
            return msgspec.json.decode((self._folder / self._project / _BARRED).read_bytes(), type=tuple[str, ...])
        except (OSError, msgspec.DecodeError):
            return ()

    def bar(self, digests: tuple[str, ...]) -> None:
        """Replace that list."""
        snapshot.private_folder(self._folder)
        snapshot.private_folder(self._folder / self._project)
        snapshot.write_durably(self._folder / self._project / _BARRED, msgspec.json.encode(digests[-BARRED_KEPT:]))


def _written(path: Path) -> float:
    return path.stat().st_mtime
