"""The roles have what the table says, the documentation shows the table, and no user lost a permission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from dinmo.permissions.roles import fill
from dinmo.permissions.table import TABLE, Role, markdown, permissions_of
from segments.permission_grants import extend

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db


def names(group: Group) -> set[str]:
    return {f"{app}.{name}" for app, name in group.permissions.values_list("content_type__app_label", "codename")}


def test_each_role_has_exactly_what_the_table_says() -> None:
    for role in Role:
        assert names(Group.objects.get(name=role)) == permissions_of(role)


def test_each_role_has_all_of_the_one_before() -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        assert permissions_of(lower) < permissions_of(higher)


def test_a_viewer_may_only_look() -> None:
    assert {name.partition(".")[2].partition("_")[0] for name in permissions_of(Role.VIEWER)} == {"view"}
    assert "segments.view_values" not in permissions_of(Role.VIEWER)


def test_the_documentation_shows_the_table() -> None:
    text = (settings.BASE_DIR / "docs" / "roles.md").read_text(encoding="utf-8")
    assert markdown() in text, f"Replace the table in docs/roles.md:\n\n{markdown()}"
    for role in Role:
        assert f"**{role}**: {role.words}" in text


def test_a_role_that_somebody_changed_is_corrected_and_other_groups_are_left_alone() -> None:
    own = Group.objects.create(name="Marketing")
    own.permissions.add(Permission.objects.get(codename="view_run"))
    Group.objects.get(name=Role.VIEWER).permissions.add(Permission.objects.get(codename="delete_source"))
    Group.objects.get(name=Role.EDITOR).delete()
    fill()
    fill()
    assert names(Group.objects.get(name=Role.VIEWER)) == permissions_of(Role.VIEWER)
    assert names(Group.objects.get(name=Role.EDITOR)) == permissions_of(Role.EDITOR)
    assert names(own) == {"activations.view_run"}


def test_migrating_again_changes_nothing() -> None:
    before = {group.name: names(group) for group in Group.objects.all()}
    call_command("migrate", verbosity=0)
    assert {group.name: names(group) for group in Group.objects.all()} == before


@pytest.mark.parametrize("by_group", [False, True])
def test_whoever_could_change_activations_may_still_run_them(by_group: bool) -> None:
    user, group = User.objects.create_user("old", is_staff=True), Group.objects.create(name="Old")
    bystander = User.objects.create_user("bystander", is_staff=True)
    change = Permission.objects.get(codename="change_activation")
    if by_group:
        user.groups.add(group)
        group.permissions.add(change)
    else:
        user.user_permissions.add(change)
    Permission.objects.filter(codename="run_activation").delete()
    extend(apps, "activations.run_activation", "Words", "activation", ["activations.change_activation"])
    assert User.objects.get(pk=user.pk).has_perm("activations.run_activation")
    assert not User.objects.get(pk=bystander.pk).has_perm("activations.run_activation")


def test_a_new_installation_needs_no_new_permissions_for_anybody() -> None:
    Permission.objects.all().delete()
    extend(apps, "activations.run_activation", "Words", "activation", ["activations.change_activation"])
    assert not Permission.objects.exists()


@pytest.fixture
def operator() -> Client:
    user = User.objects.create_user("operator", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.OPERATOR))
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def test_a_refused_page_names_the_roles_that_have_the_permission(operator: Client) -> None:
    answer = operator.get("/admin/segments/segment/add/")
    html = answer.content.decode()
    assert answer.status_code == 403
    assert f"“{TABLE['segments'].sentence}”, which the roles Editor and Admin have" in html


def test_a_refused_button_and_endpoint_say_it_as_well(one_of_each: Activation, operator: Client) -> None:
    answer = operator.post("/admin/segments/source/1/do/test/")
    assert answer.status_code == 403
    assert "which the role Admin has" in answer.content.decode()
    refused: Any = operator.post("/api/destinations/1/fields/", "{}", content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    assert "which the role Admin has" in refused.json()["message"]


def test_an_operator_sees_the_buttons_that_they_may_press(one_of_each: Activation, operator: Client) -> None:
    html = operator.get("/admin/activations/activation/1/change/").content.decode()
    for name in ("run", "dry_run", "full", "pause"):
        assert f"/do/{name}/" in html
    for hidden in ("/do/duplicate/", "?step=mapping", "/tokens/", 'name="_save"'):
        assert hidden not in html
