"""Writes the folder of a new plug-in from its templates, which are kept in `templates/`."""

from __future__ import annotations

import importlib.util
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.template import Context, Engine

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = "-tpl"
LONGEST_NAME = 30
"""In characters. Longer names would not fit into the lines of the generated code."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def checked_name(name: str, taken: Iterable[str] = ()) -> str:
    """The name of a module.

    Raises:
        Misconfigured: it is not one, it is one of the standard library's, or the generated folder already has it.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Misconfigured(
            "name_invalid",
            f"{name!r} can't be a name. Use up to {LONGEST_NAME} lowercase letters, digits and single underscores, "
            "beginning with a letter.",
        )
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in taken:
        raise Misconfigured("name_taken", f"{name!r} already has a meaning in Python or in the folder. Choose another.")
    return name


def checked_label(label: str) -> str:
    """The name of a vendor or a database, for people.

    Raises:
        Misconfigured: it can't be written into the code as it is.
    """
    label = label.strip()
    if len(label) > LONGEST_NAME or not label.isprintable() or set(label) & set('"\\{}'):
        raise Misconfigured(
            "label_invalid", f"The label has up to {LONGEST_NAME} characters, without quotes, braces and backslashes."
        )
    return label


def class_name(*names: str) -> str:
    """`acme`, `won_deals` → `AcmeWonDeals`."""
    return "".join(word.capitalize() for name in names for word in name.split("_"))


def rendered(kind: str, context: Mapping[str, Any]) -> dict[str, str]:
    """The files of a template by their path inside it, without the suffix of templates."""
    engine = Engine()
    root = TEMPLATES / kind
    return {
        str(path.relative_to(root)).removesuffix(SUFFIX): engine.from_string(path.read_text(encoding="utf-8")).render(
            Context(dict(context), autoescape=False)
        )
        for path in sorted(root.rglob(f"*{SUFFIX}"))
    }


def write(files: Mapping[Path, str], folder: Path) -> None:
    """Writes new files, and brings them into the project's style.

    Args:
        folder: the folder of the plug-in, which must not exist yet.

    Raises:
        Misconfigured: it exists, or so does one of the files, or they can't be written. Nothing is overwritten.
    """
    for path in (folder, *files):
        if path.exists():
            raise Misconfigured("exists", f"{path} already exists. Choose a different name, or change it by hand.")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured("not_writable", f"{folder} can't be written: {error.strerror}.") from None
    _style(files)


def _style(paths: Iterable[Path]) -> None:
    """Sorts imports and breaks lines, which depend on the length of the names, if the formatter is installed."""
    if importlib.util.find_spec("ruff"):
        for arguments in (("check", "--quiet", "--select", "I", "--fix"), ("format", "--quiet")):
            subprocess.run([sys.executable, "-m", "ruff", *arguments, *map(str, paths)], check=False)  # noqa: S603
