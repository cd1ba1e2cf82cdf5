"""The API server's command line: what counts, what is as ever, and what is refused in the real words."""

import pytest

from cluster_engine.apiserver.flags import FlagError, read
from cluster_engine.cast import PROGRAMS, with_flags


def test_the_command_line_of_kubeadm_is_read_and_is_as_none_at_all():
    assert read(PROGRAMS[0].argv) == read(("kube-apiserver",))


def test_without_an_authorization_mode_everything_is_allowed():
    assert read(("kube-apiserver", "--secure-port=6443")).authorization_mode == ("AlwaysAllow",)


def test_flags_are_given_in_both_forms():
    found = read(("x", "--audit-log-maxsize", "3", "--authorization-webhook-cache-authorized-ttl=1m30s"))
    assert (found.audit_log_maxsize, found.authorization_webhook_cache_authorized_ttl) == (3, 90)


def test_more_flags_stand_beside_those_of_kubeadm_or_instead_of_them():
    argv = with_flags(PROGRAMS, "kube-apiserver", ("--authorization-mode=RBAC", "--audit-log-maxage=3"))[0].argv
    assert read(argv).authorization_mode == ("RBAC",)
    assert sorted(argv[1:]) == list(argv[1:])
    assert "--audit-log-maxage=3" in argv


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--foo=1"], "unknown flag: --foo"),
        (["--audit-log-path"], "flag needs an argument: --audit-log-path"),
        (
            ["--audit-log-maxage=x"],
            'invalid argument "x" for "--audit-log-maxage" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (["--authorization-mode=Foo"], 'authorization-mode "Foo" is not a valid mode'),
        (
            ["--authorization-mode=RBAC,RBAC"],
            'authorization-mode ["RBAC" "RBAC"] has mode specified more than once',
        ),
        (["--authorization-mode=ABAC"], "authorization-mode ABAC's authorization policy file not passed"),
        (["--authorization-mode=Webhook"], "authorization-mode Webhook's authorization config file not passed"),
        (
            ["--authorization-policy-file=/a"],
            "cannot specify --authorization-policy-file without mode ABAC",
        ),
        (["--audit-log-path=/a", "--audit-log-maxage=-1"], "--audit-log-maxage -1 can't be a negative number"),
    ],
)
def test_a_bad_command_line_is_refused_in_the_real_words(flags, why):
    with pytest.raises(FlagError) as error:
        read(("kube-apiserver", *flags))
    assert str(error.value) == why
