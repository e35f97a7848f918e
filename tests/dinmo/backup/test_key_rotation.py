"""Key rotation: every stored secret is re-encrypted with the first key, and nothing that a user saves is lost."""

from __future__ import annotations

import io
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, TextField
from django.db.models.functions import Cast

from dinmo.backup import key_rotation
from dinmo.management import checks
from segments.models import Source

pytestmark = pytest.mark.django_db
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def stored() -> list[str]:
    return list(Source.objects.annotate(stored=Cast(F("secrets"), TextField())).values_list("stored", flat=True))


@pytest.fixture
def sources(settings: Any) -> list[Source]:
    settings.ENCRYPTION_KEYS = [OLD]
    made = [Source.objects.create(name=f"S{n}", engine="csv", secrets={"password": f"p{n}"}) for n in range(7)]
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    return made


def test_old_key_can_be_removed_afterwards(sources: list[Source], settings: Any) -> None:
    Source.objects.create(name="New", engine="csv", secrets={"password": "x"})
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    assert "sources: 7 re-encrypted, 1 already used the first key" in said.getvalue()
    settings.ENCRYPTION_KEYS = [NEW]
    found = Source.objects.filter(name__startswith="S").order_by("name")
    assert [source.secrets for source in found] == [{"password": f"p{n}"} for n in range(7)]


def test_second_factors_outlive_the_old_key(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    user = User.objects.create_user("ann")
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert key_rotation.outdated() == 1
    assert key_rotation.rotate().rotated["second factors"] == 1
    assert key_rotation.outdated() == 0
    settings.ENCRYPTION_KEYS = [NEW]
    assert get_adapter().decrypt(Authenticator.objects.get().data["secret"]) == "JBSWY3DPEHPK3PXP"


def test_second_rotation_changes_nothing(sources: list[Source]) -> None:
    key_rotation.rotate()
    before = stored()
    done = key_rotation.rotate()
    assert (done.rotated.total(), done.current.total()) == (0, 7)
    assert stored() == before


def test_rows_beyond_one_batch_are_rotated(sources: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    assert key_rotation.rotate().rotated.total() == 7


def test_secret_that_is_saved_meanwhile_is_kept(sources: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    reads = key_rotation._reads

    def read_while_a_person_saves(key: Fernet, token: str) -> bool:
        Source.objects.filter(pk=sources[0].pk).update(secrets={"password": "changed"})
        return reads(key, token)

    monkeypatch.setattr(key_rotation, "_reads", read_while_a_person_saves)
    key_rotation.rotate()
    assert Source.objects.get(pk=sources[0].pk).secrets == {"password": "changed"}


def test_secret_whose_key_is_lost_is_reported_and_left_alone(sources: list[Source], settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    before, said = stored(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_keys", stderr=said)
    assert ended.value.code == 1
    assert "7 can't be decrypted" in said.getvalue()
    assert stored() == before


def test_doctor_says_whether_the_old_key_is_still_needed(sources: list[Source]) -> None:
    finding = checks.stored_secrets()
    assert finding.level == checks.Level.WARN
    assert finding.message == "7 of 7 still need a key other than the first of ENCRYPTION_KEYS"
    key_rotation.rotate()
    assert checks.stored_secrets().level == checks.Level.OK
