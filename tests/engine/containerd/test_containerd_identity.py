"""Who a container's programs are, and what the files of a pod keep them from."""

import errno

import pytest

from cluster_engine.containerd.identity import files_of, user_of
from cluster_engine.containerd.rootfs import Mount, RootFiles
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FileSystem
from cluster_engine.world.users import User

MEMCACHE = "memcache:x:11211:11211::/home:/bin/sh"


def security(user=None, group=None, add=(), drop=(), **fields):
    said = cri.LinuxContainerSecurityContext(
        capabilities=cri.Capability(add_capabilities=add, drop_capabilities=drop), **fields
    )
    if user is not None:
        said.run_as_user.value = user
    if group is not None:
        said.run_as_group.value = group
    return said


@pytest.mark.parametrize(
    ("said", "image_user", "uid", "gid", "groups"),
    [
        (security(), "", 0, 0, (0,)),
        (security(1000), "", 1000, 0, (0,)),
        (security(1000, 3000, supplemental_groups=[4000, 2000]), "", 1000, 3000, (2000, 3000, 4000)),
        (security(), "memcache", 11211, 11211, (11211,)),
        (security(run_as_username="memcache"), "memcache", 11211, 11211, (11211,)),
        (security(11211), "", 11211, 11211, (11211,)),
        (security(), "101", 101, 0, (0,)),
    ],
)
def test_a_container_runs_as_cri_says_or_else_as_its_image(said, image_user, uid, gid, groups):
    user = user_of(said, image_user, MEMCACHE)
    assert (user.uid, user.gid, user.groups) == (uid, gid, groups)


@pytest.mark.parametrize(
    ("said", "permitted", "limit"),
    [
        (security(0), "00000000a80425fb", "00000000a80425fb"),
        (security(0, add=["NET_ADMIN", "SYS_TIME"]), "00000000aa0435fb", "00000000aa0435fb"),
        (security(0, drop=["ALL"], add=["NET_BIND_SERVICE"]), "0000000000000400", "0000000000000400"),
        (security(0, privileged=True), "000001ffffffffff", "000001ffffffffff"),
        (security(1000), "0000000000000000", "00000000a80425fb"),
    ],
)
def test_the_kernel_tells_the_capabilities(said, permitted, limit):
    status = files_of(user_of(said, "", ""), said, "")["/proc/1/status"].decode()
    assert f"CapPrm:\t{permitted}\n" in status
    assert f"CapBnd:\t{limit}\n" in status


def seen_by(user, **mounts):
    host = FileSystem()
    host.write("/volumes/keys/key", b"secret", 0o400)
    host.make_directory("/volumes/empty")
    host.change_mode("/volumes/empty", 0o2777)
    host.change_owner("/volumes/empty", (0, 2000))
    image = {"/etc/app.conf": b"conf"}
    mounts = [Mount("/keys", "/volumes/keys"), Mount("/data", "/volumes/empty")]
    return host, RootFiles(host, image, "/run/c1/rootfs", mounts, user=user)


NOBODY = User(1000, 1000, (1000, 2000))


@pytest.mark.parametrize(
    ("do", "path"),
    [
        (lambda files, path: files.write(path, b"x"), "/x"),
        (lambda files, path: files.write(path, b"x"), "/etc/app.conf"),
        (lambda files, path: files.append(path, b"x"), "/etc/app.conf"),
        (lambda files, path: files.remove(path), "/etc/app.conf"),
        (lambda files, path: files.make_directory(path), "/etc/new"),
        (lambda files, path: files.read(path), "/keys/key"),
    ],
)
def test_who_is_not_root_is_kept_from_what_is_roots(do, path):
    _, files = seen_by(NOBODY)
    with pytest.raises(PermissionError, match=path) as refused:
        do(files, path)
    assert refused.value.errno == errno.EACCES


def test_what_one_writes_is_ones_own_or_of_the_group_that_a_volume_was_given():
    host, files = seen_by(NOBODY)
    files.write("/tmp/a", b"1")
    files.write("/data/a", b"1")
    files.make_directory("/data/inner")
    assert (files.owner("/tmp/a"), files.owner("/data/a")) == ((1000, 1000), (1000, 2000))
    assert (files.owner("/data/inner"), files.mode("/data/inner")) == ((1000, 2000), 0o2755)
    files.write("/data/inner/b", b"2")
    files.remove("/data/inner/b")
    assert host.owner("/volumes/empty/a") == (1000, 2000)


def test_only_the_owner_changes_a_mode_and_only_root_an_owner():
    _, files = seen_by(NOBODY)
    files.write("/tmp/a", b"1")
    files.change_mode("/tmp/a", 0o600)
    assert files.mode("/tmp/a") == 0o600
    for change in (lambda: files.change_mode("/etc/app.conf", 0o666), lambda: files.change_owner("/tmp/a", (0, 0))):
        with pytest.raises(PermissionError) as refused:
            change()
        assert refused.value.errno == errno.EPERM


def test_nginx_cannot_start_where_it_may_not_write_or_bind(on_node):
    async def story(node):
        ends = []
        for number, (image, said, volumes) in enumerate(CASES):
            sandbox = await node.sandbox(f"web-{number}", f"u{number}")
            config = cri.LinuxContainerConfig(security_context=said)
            mounts = [cri.Mount(container_path=path, host_path=f"/volumes{path}") for path in volumes]
            for path in mounts:
                node.host.files.make_directory(path.host_path)
                node.host.files.change_mode(path.host_path, 0o777)
            id_ = await node.container(sandbox, image, linux=config, mounts=mounts)
            await node.seconds(1)
            status = await node.status(id_)
            log = node.log(f"web-{number}", f"u{number}")
            ends.append(
                (status.exit_code, [line.split("nginx: ")[1] for line in log.splitlines() if "nginx: [" in line])
            )
        return ends

    warning = (
        '[warn] the "user" directive makes sense only if the master process runs with super-user privileges, '
        "ignored in /etc/nginx/nginx.conf:2"
    )
    assert on_node(story) == [
        (1, [warning, '[emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)']),
        (1, [warning, "[emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"]),
        (1, ['[emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)']),
        (1, ['[emerg] open() "/var/run/nginx.pid" failed (30: Read-only file system)']),
        (1, ['[emerg] chown("/var/cache/nginx/client_temp", 101) failed (1: Operation not permitted)']),
        (0, []),
        (0, []),
    ]


CASES = [
    ("nginx", security(1000), []),
    ("nginx", security(1000), ["/var/cache/nginx", "/var/run"]),
    ("nginx", security(0, readonly_rootfs=True), []),
    ("nginx", security(0, readonly_rootfs=True), ["/var/cache/nginx"]),
    ("nginx", security(0, drop=["ALL"]), []),
    ("nginx", security(0, readonly_rootfs=True), ["/var/cache/nginx", "/var/run"]),
    ("nginxinc/nginx-unprivileged", security(readonly_rootfs=True), ["/tmp"]),
]
