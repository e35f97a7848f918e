"""Finds retired wording in messages, templates, scripts and documents: `python -m tests.language`.

Python files are searched in their string constants and comments, all other files line by line. docs/glossary.md has the
terms to use instead.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SEARCHED = (
    "core",
    "segments",
    "destinations",
    "activations",
    "dinmo",
    "templates",
    "static/dinmo",
    "docs",
    "deploy",
    ".github",
)
SUFFIXES = {".py", ".html", ".js", ".css", ".md", ".yml", ".yaml"}
GENERATED = {"docs/attio-types.md", "docs/intercom-types.md"}

WORDS: dict[str, str] = {
    r"\banew\b|(?<!start-)(?<!start_)\bafresh\b": "again, reset",
    r"\bany more\b": "no longer",
    r"\bby (it|them)sel(f|ves)\b": "automatically, alone",
    r"\bails?\b|\bmend(s|ed|ing)?\b|\bput right\b": "fails, fix, correct",
    r"\bso many\b": "a number with its unit",
    r"\b(e-?)?mail address(es)?\b(?<!email address)(?<!email addresses)": "email address",
    r"\bsmall letters?\b|\bcapitals\b|\bcapital letters?\b": "lowercase, uppercase",
    r"\bblanks\b": "whitespace",
    r"\b[Ww]ho hears\b|\bhears? of\b": "alert recipients",
    r"\b[Ww]hat becomes of\b|\bwhat became of\b": "the outcome of, type conversions",
    r"\b[Ww]here (it|there) is none\b|\bwhere there are none\b|\bNone where\b": "if there is none",
    r"(?<!there )(?<!There )(?<!it )\bis no (?!longer\b|more\b)[a-z]": "is not a valid …",
    r"\bstands? against\b|\bstood against\b": "prevents, blocks",
    r"\blook-ups?\b": "lookup",
    r"\brefusals?\b(?=.*\bvendor)": "rejection",
    r"\bsays nothing\b": "no longer applies",
    r"\bthe former one\b": "the previous one",
    r"\bat once\b(?=[.,;]| and| when| where| if)": "immediately",
    r"\brights\b|\b(the|a|no|any) right (to |“|\*)": "permission",
    r'^\s*"""(Says|Tells|Asks|Hears|Judges)\b': "Returns, Reports, Requests, Validates",
    r"\b[Ee]-mail\b": "email",
    r"\bencrypted again\b": "re-encrypted",
    r"\b(go|goes|went) on running\b": "keeps running",
    r"\bwithout a question\b": "automatically",
    r"\bsees one moment\b|\bone moment of\b": "a consistent snapshot",
    r"\bas the web server has it\b|\bwhat is going on\b": "the client address, the current context",
    r"\bneighbour|\bcolour|\bbehaviour|\b(re|un)?organis|synchronis|recognis|normalis|centre\b": "US spelling",
}
_PATTERNS = [(re.compile(pattern), instead) for pattern, instead in WORDS.items()]


def findings(line: str) -> Iterator[tuple[str, str]]:
    """The wording in one line that has been left behind, each with what to write instead."""
    for pattern, instead in _PATTERNS:
        if match := pattern.search(line):
            yield match.group(), instead


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that people read, with their numbers: of Python, string constants and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.COMMENT)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in kinds:
            yield from enumerate(token.string.splitlines(), token.start[0])


def files() -> Iterator[Path]:
    """The files that are searched."""
    for room in SEARCHED:
        yield from (path for path in sorted((ROOT / room).rglob("*")) if path.suffix in SUFFIXES and _ours(path))
    yield from sorted(ROOT.glob("*.md"))


def _ours(path: Path) -> bool:
    return "migrations" not in path.parts and str(path.relative_to(ROOT)) not in GENERATED


def main() -> int:
    """Prints every finding; the exit code is 1 if there is any."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word!r}; write: {instead}"
        for path in files()
        for number, line in prose(path)
        for word, instead in findings(line)
    ]
    print("\n".join(found) or "No retired wording.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
