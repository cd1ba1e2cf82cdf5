"""What people fill in."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import BaseUserCreationForm, PasswordChangeForm
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

NAME_MAX = 40
PASSWORD_MAX = 256  # nobody makes the server hash a novel
RESERVED = {"admin", "administrator", "glassplane", "root", "system", "operator", "support"}


def _password(label: Any, purpose: str, help_text: Any = "") -> forms.CharField:
    entry = forms.PasswordInput(attrs={"autocomplete": purpose})
    return forms.CharField(label=label, strip=False, max_length=PASSWORD_MAX, widget=entry, help_text=help_text)


class SignInForm(forms.Form):
    """Name and password."""

    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = _password(_("Password"), "current-password")


class SignUpForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """A new account: a name and a password, twice. A name that is taken and one that is reserved look alike."""

    username = forms.CharField(
        label=_("Name"),
        max_length=NAME_MAX,
        validators=[RegexValidator(r"^[\w.@+-]+\Z", _("Letters, digits and @ . + - _ only."))],
        help_text=_("At most 40 letters, digits and @ . + - _; it need not be the real one."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password1 = _password(
        _("Password"), "new-password", _("At least 8 characters, not all digits, and nothing that everybody takes.")
    )
    password2 = _password(_("The same password again"), "new-password")

    class Meta:
        """The user model, and the one field of it that is asked for."""

        model = get_user_model()
        fields: ClassVar = ("username",)

    error_messages = {"password_mismatch": _("The two passwords are not the same.")}

    def clean_username(self) -> str:
        """Refuse what is taken, however it is capitalized, and what would be mistaken for somebody official."""
        name = get_user_model().normalize_username(self.cleaned_data["username"])
        taken = get_user_model().objects.filter(username__iexact=name).exists()
        if taken or name.casefold() in RESERVED:
            raise forms.ValidationError(_("This name cannot be had. Please take another one."))
        return str(name)


class NewPasswordForm(PasswordChangeForm):
    """The old password, and a new one twice."""

    old_password = _password(_("Present password"), "current-password")
    new_password1 = _password(
        _("New password"), "new-password", _("At least 8 characters, not all digits, and nothing that everybody takes.")
    )
    new_password2 = _password(_("The same password again"), "new-password")

    error_messages = {
        "password_mismatch": _("The two passwords are not the same."),
        "password_incorrect": _("This is not the present password."),
    }


class DeleteForm(forms.Form):
    """The password, once more, before everything goes."""

    password = _password(_("Password"), "current-password")
