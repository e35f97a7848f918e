"""PURE. The settings of text files: how their lines, columns and numbers are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.parameters import Parameter
from segments.engines.declared_types import Declared, declared_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DETECT = "detect"
ENCODING = Parameter(
    "encoding",
    "Encoding",
    "choice",
    default=DETECT,
    choices=(
        (DETECT, "Detect (UTF-8 or UTF-16)"),
        ("utf-8", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("windows-1252", "Windows-1252 (Western Europe)"),
        ("latin-1", "ISO 8859-1 (Latin 1)"),
        ("iso-8859-15", "ISO 8859-15 (Latin 9)"),
        ("windows-1250", "Windows-1250 (Central Europe)"),
        ("windows-1251", "Windows-1251 (Cyrillic)"),
        ("shift_jis", "Shift JIS (Japanese)"),
        ("gb18030", "GB 18030 (Chinese)"),
    ),
    help="How the file stores characters. Choose Windows-1252 for most CSV files saved by Excel.",
)
SEPARATOR = Parameter(
    "separator",
    "Separator",
    "choice",
    default=DETECT,
    choices=(
        (DETECT, "Detect"),
        ("comma", "Comma"),
        ("semicolon", "Semicolon"),
        ("tab", "Tab"),
        ("bar", "Vertical bar"),
    ),
    help="What separates the values of a line.",
)
QUOTE = Parameter(
    "quote",
    "Quotation mark",
    "choice",
    default="double",
    choices=(("double", 'Double: "'), ("single", "Single: '"), ("none", "None")),
    help="What encloses a value that contains separators or line breaks.",
)
DECIMAL = Parameter(
    "decimal",
    "Decimal mark",
    "choice",
    default="point",
    choices=(("point", "Point: 12.50"), ("comma", "Comma: 12,50")),
    help="What separates the decimals of a number.",
)
BAD_LINES = Parameter(
    "bad_lines",
    "Bad lines",
    "choice",
    default="refuse",
    choices=(("refuse", "Refuse the file"), ("skip", "Skip the line and list it as invalid")),
    help="What happens if a line can't be read.",
)
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_QUOTES = {"double": '"', "single": "'", "none": ""}


@dataclass(frozen=True)
class FileFormat:
    """How text files are read.

    Args:
        encoding: its name, or "" to detect it.
        separator: the character between values, or "" to detect it.
        quote: the quotation mark, or "" if there is none.
        columns: the declared types, by the name of the column.
    """

    encoding: str = ""
    separator: str = ""
    quote: str = '"'
    decimal_comma: bool = False
    skips_bad_lines: bool = False
    columns: Mapping[str, Declared] = field(default_factory=dict)

    def key(self) -> tuple[str, ...]:
        """What the content of the files, as it is read, depends on."""
        declared = sorted(f"{name}:{chosen}" for name, chosen in self.columns.items())
        return self.encoding, self.separator, self.quote, str(self.decimal_comma), str(self.skips_bad_lines), *declared


def file_format(settings: Mapping[str, Any], parameters: Sequence[Parameter]) -> FileFormat:
    """The format that a source's settings describe. A setting that is missing has its default.

    Raises:
        Misconfigured: a setting is invalid.
    """
    chosen = {each.name: each.clean(settings.get(each.name)) for each in parameters if each.kind == "choice"}
    return FileFormat(
        encoding="" if chosen["encoding"] == DETECT else chosen["encoding"],
        separator=_SEPARATORS.get(chosen.get("separator", DETECT), ""),
        quote=_QUOTES[chosen.get("quote", "double")],
        decimal_comma=chosen.get("decimal") == "comma",
        skips_bad_lines=chosen["bad_lines"] == "skip",
        columns=declared_types(settings),
    )
