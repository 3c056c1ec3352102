"""What the documents promise exists: links, make targets, commands with their options, configuration samples."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.problem import Problems

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("reference/**/*.md"), *ROOT.glob("harness/**/*.md")})
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
TARGET = re.compile(r"(?:^|`)make ([a-z]+)\b", re.MULTILINE)
COMMAND = re.compile(
    r"\b(flags-proxy|flags-harness|flags-load|python -m reference(?:\.service)?)((?: [a-z][a-z-]*)?)((?: --[a-z-]+)*)"
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    missing = [link for link in LINK.findall(text_of(name)) if not (ROOT / name).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_named_in_code_exists(name: str) -> None:
    code = "\n".join([*re.findall(r"`([^`\n]+)`", text_of(name)), *(body for _, body in BLOCK.findall(text_of(name)))])
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    assert set(TARGET.findall(code)) <= targets


def commands() -> list[tuple[str, str, tuple[str, ...]]]:
    found = set()
    for name in NAMES:
        code = re.findall(r"`([^`\n]+)`", text_of(name)) + [body for _, body in BLOCK.findall(text_of(name))]
        for program, word, options in COMMAND.findall("\n".join(code)):
            found.add((program, word.strip(), tuple(options.split())))
    return sorted(found)


@pytest.mark.parametrize(("program", "word", "options"), commands())
def test_every_command_named_in_code_knows_its_words(program: str, word: str, options: tuple[str, ...]) -> None:
    module = {"flags-proxy": "proxy", "flags-harness": "harness", "flags-load": "load"}.get(
        program, program.rsplit(maxsplit=1)[-1]
    )
    said = subprocess.run(
        [sys.executable, "-m", module, *([word] if word else []), "--help"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert [option for option in options if option not in said.stdout] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_toml_block_is_a_configuration_that_loads(name: str, tmp_path: Path) -> None:
    for kind, body in BLOCK.findall(text_of(name)):
        if kind != "toml":
            continue
        tomllib.loads(body)
        sample = tmp_path / "sample.toml"
        sample.write_text(body, encoding="utf-8")
        loaded = load(sample, {})
        assert not isinstance(loaded, Problems), str(loaded)


def test_the_documents_exist_at_all() -> None:
    assert {"README.md", "ARCHITECTURE.md", "CHANGELOG.md"} <= set(NAMES)
    assert commands() != []
