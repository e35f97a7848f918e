"""A file uploaded in the browser becomes a source."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from segments.models import Source
from segments.sources.discovery import sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db
ADD = "/admin/segments/source/add/?engine="


@pytest.fixture
def staff(tmp_path: Path, settings: Any) -> Client:
    settings.SOURCE_FILES_ROOT = tmp_path / "root"
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


def form(name: str, content: bytes, **more: str) -> dict[str, Any]:
    return {
        "name": "Companies",
        "timezone": "UTC",
        "setting_path": "",
        "upload": SimpleUploadedFile(name, content),
        **more,
    }


def test_uploaded_file_is_read(staff: Client, tmp_path: Path) -> None:
    page = staff.post(
        ADD + "csv", form("My Companies (2026).CSV", b"id,name\n1,Acme\n", _test=""), follow=True
    ).content.decode()
    assert "The source works" in page
    source = Source.objects.get()
    assert source.config["path"] == "uploads/my-companies-2026.csv"
    assert sample(source, "my-companies-2026")[1] == [{"id": 1, "name": "Acme"}]


def test_json_lines_can_be_uploaded(staff: Client) -> None:
    staff.post(ADD + "jsonl", form("a.ndjson", b'{"id": 1}\n'))
    assert sample(Source.objects.get(), "a")[1] == [{"id": 1}]


def test_new_upload_replaces_the_previous_one_and_keeps_the_table_name(staff: Client, tmp_path: Path) -> None:
    staff.post(ADD + "csv", form("first.csv", b"id\n1\n"))
    source = Source.objects.get()
    change = f"/admin/segments/source/{source.pk}/change/"
    staff.post(change, form("second.csv", b"id\n2\n", setting_path="uploads/first.csv"))
    source.refresh_from_db()
    assert source.config["path"] == "uploads/first.csv"
    assert sample(source, "first")[1] == [{"id": 2}]
    assert [path.name for path in (tmp_path / "root" / "uploads").iterdir()] == ["first.csv"]


def test_upload_never_replaces_a_file_of_a_different_source(staff: Client, tmp_path: Path) -> None:
    staff.post(ADD + "csv", form("same.csv", b"id\n1\n"))
    staff.post(ADD + "csv", form("same.csv", b"id\n2\n") | {"name": "Second"})
    assert [source.config["path"] for source in Source.objects.order_by("pk")] == [
        "uploads/same.csv",
        "uploads/same-2.csv",
    ]
    (tmp_path / "root" / "own.csv").write_text("id\n3\n")
    source = Source.objects.create(name="Own", engine="csv", config={"path": "own.csv"})
    staff.post(f"/admin/segments/source/{source.pk}/change/", form("x.csv", b"id\n4\n") | {"name": "Own"})
    source.refresh_from_db()
    assert source.config["path"] == "uploads/x.csv"
    assert (tmp_path / "root" / "own.csv").read_text() == "id\n3\n"


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "/etc/evil.csv", "..\\evil.csv", ".csv.csv", "日本.csv", "a*[b].csv", "x" * 300 + ".csv"]
)
def test_no_file_name_escapes_the_uploads_directory(name: str, staff: Client, tmp_path: Path) -> None:
    staff.post(ADD + "csv", form(name, b"id\n1\n"))
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.parent == tmp_path / "root" / "uploads"
    source = Source.objects.get()
    assert source.config["path"] == f"uploads/{path.name}"
    assert sample(source, path.stem)[1] == [{"id": 1}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"x" * 2_001, "uploads are limited to 2 kB"),
        ("a.exe", b"id\n1\n", "must end in .csv"),
        ("a.csv", b"", "empty"),
    ],
)
def test_invalid_upload_is_refused_with_a_message_and_not_stored(
    name: str, content: bytes, message: str, staff: Client, tmp_path: Path, settings: Any
) -> None:
    settings.SOURCE_UPLOAD_MAX_BYTES = 2_000
    answer = staff.post(ADD + "csv", form(name, content))
    assert message in str(answer.context["adminform"].form.errors["upload"])
    assert not Source.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_nothing_is_stored_if_the_form_is_invalid(staff: Client, tmp_path: Path) -> None:
    staff.post(ADD + "csv", form("a.csv", b"id\n1\n") | {"timezone": "Mars"})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_path_or_upload_is_required_and_databases_have_no_upload(staff: Client) -> None:
    answer = staff.post(ADD + "csv", {"name": "A", "timezone": "UTC", "setting_path": ""})
    assert "Choose a file" in str(answer.context["adminform"].form.errors["upload"])
    for engine, has_upload in {
        "csv": True,
        "parquet": True,
        "jsonl": True,
        "sqlite": False,
        "postgres": False,
        "mysql": False,
    }.items():
        assert ('type="file"' in staff.get(ADD + engine).content.decode()) is has_upload, engine


@pytest.mark.parametrize("named_first", [True, False])
def test_upload_replaces_only_what_the_same_source_uploaded(
    staff: Client, tmp_path: Path, *, named_first: bool
) -> None:
    """A different source that names the path of an upload does not own it, whichever of the two is older."""
    if named_first:
        Source.objects.create(name="Other", engine="csv", config={"path": "elsewhere.csv"})
    staff.post(ADD + "csv", form("prices.csv", b"id\n1\n"))
    other, _ = Source.objects.update_or_create(
        name="Other", defaults={"engine": "csv", "config": {"path": "uploads/prices.csv"}}
    )
    change = f"/admin/segments/source/{other.pk}/change/"
    staff.post(change, form("mine.csv", b"id\n2\n", setting_path="uploads/prices.csv") | {"name": "Other"})
    other.refresh_from_db()
    assert other.config["path"] == "uploads/mine.csv"
    assert (tmp_path / "root" / "uploads" / "prices.csv").read_bytes() == b"id\n1\n"
    owner = Source.objects.get(name="Companies")
    staff.post(f"/admin/segments/source/{owner.pk}/change/", form("new.csv", b"id\n3\n"))
    owner.refresh_from_db()
    assert owner.config["path"] == "uploads/prices.csv"
    assert sample(owner, "prices")[1] == [{"id": 3}]


def test_full_disk_leaves_nothing_behind(staff: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Iterator[bytes]:
        yield b"id\n"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SimpleUploadedFile, "chunks", fails)
    monkeypatch.setattr("django.core.files.uploadedfile.InMemoryUploadedFile.chunks", fails)
    for _ in range(2):
        answer = staff.post(ADD + "csv", form("a.csv", b"id\n1\n"))
        assert "enough free space" in str(answer.context["adminform"].form.errors["upload"])
    assert list((tmp_path / "root" / "uploads").iterdir()) == []
