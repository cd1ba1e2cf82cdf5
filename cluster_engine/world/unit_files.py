"""What an administrator's own unit files say: with which command line a machine's program is started.

A machine's programs are units that came with it. A file of one's own counts instead, and drop-ins beside it, as with
`systemctl edit`; the next start reads them.

    /etc/systemd/system/kube-apiserver.service                  instead of the machine's own
    /etc/systemd/system/kube-apiserver.service.d/audit.conf     added to it, in the order of names
        [Service]
        ExecStart=
        ExecStart=kube-apiserver --audit-policy-file=/etc/kubernetes/audit-policy.yaml …

Of a file only ExecStart of its section Service counts; an empty one forgets those before. Modelled on systemd.service
and systemd.unit (252). Left out: everything else in a unit file, and that a change counts after `daemon-reload` only.
"""

import shlex
from collections.abc import Sequence

from cluster_engine.world.files import FileSystem

FOLDER = "/etc/systemd/system"
BYTES_MAX = 64 * 1024


def own_files(files: FileSystem, name: str) -> list[str]:
    """Return the paths of the files of one's own about a unit, in the order in which they count."""
    whole, drop_ins = f"{FOLDER}/{name}.service", f"{FOLDER}/{name}.service.d"
    found = [whole] if files.is_file(whole) else []
    return found + sorted(path for path in files.below(drop_ins) if path.endswith(".conf"))


def command_line(files: FileSystem, name: str, usual: Sequence[str]) -> tuple[str, ...]:
    """Return with which command line a program is started; `usual` is the machine's own."""
    argv = tuple(usual)
    for path in own_files(files, name):
        for words in _commands(files.read(path)[:BYTES_MAX].decode("utf-8", "replace")):
            argv = words or argv
    return argv


def _commands(text: str) -> list[tuple[str, ...]]:
    found, section = [], ""
    for line in map(str.strip, text.replace("\\\n", " ").splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line.startswith("ExecStart="):
            try:
                found.append(tuple(shlex.split(line.removeprefix("ExecStart="))))
            except ValueError:  # a quote without its end: systemd ignores the line
                continue
    return found
