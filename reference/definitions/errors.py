"""How parsing goes wrong: a document as a whole (`DefinitionsError`), or one place inside it (`Flaw`).

A `Flaw` never leaves this package: the parser turns it into the `Defect` of the flag or cohort it was found in. Neither
carries a value of the document, only where it stands and what is allowed there.
"""

from __future__ import annotations


class DefinitionsError(ValueError):
    """The document as a whole cannot be used; the only exception `parse_definitions` raises.

    Attributes:
        path: JSON path of the place, `$` for the document itself.
        message: What is wrong and what is allowed, without any value of the document.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class Flaw(Exception):  # noqa: N818 - an inner signal of the parser, always caught; the outer error is DefinitionsError
    """One flag or cohort cannot be understood."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message
