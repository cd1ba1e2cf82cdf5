"""scp: files between hosts of the cluster.

    scp -r manifests worker-1:/tmp      scp worker-1:/etc/kubernetes/kubelet.conf .      scp worker-1:'/tmp/*.pem' pki

Modelled on OpenSSH 9.2. As with `ssh`, no connection is opened for it, and it fails where one would; both ends may be
other hosts. Left out: the meter, -O, bandwidth, users but root.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.programs.invocation import HOME, absolute
from cluster_engine.programs.streams import Streams, is_directory
from cluster_engine.shell import globs, remote
from cluster_engine.shell.shell import Shell

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

USAGE = """usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]
           [-i identity_file] [-J destination] [-l limit]
           [-o ssh_option] [-P port] [-S program] source ... target
"""
LETTERS, WITH_VALUE = frozenset("346ABCOpqRrsTv"), frozenset("cDFiJloPS")


class Place(msgspec.Struct, frozen=True):
    """Where a file is, or is to be: files, the path as it was typed, and the directory in which it begins."""

    files: "FileSystem"
    path: str
    directory: str
    is_remote: bool

    @property
    def full(self) -> str:
        """The path from the root."""
        return absolute(self.path or ".", self.directory)

    @property
    def exists(self) -> bool:
        """Whether a file or directory is there."""
        return is_directory(self.files, self.full) or self.files.exists(self.full)

    def inside(self, name: str) -> "Place":
        """Return what has this name in it."""
        return msgspec.structs.replace(self, path=f"{self.path.rstrip('/') or ('/' if self.path else '.')}/{name}")


class ScpError(Exception):
    """What cannot be done; the text follows "scp: "."""


class _NobodyThereError(Exception):
    """ssh could not go there, and has said so."""


async def scp(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Copy files; return 1 where one could not be copied, 255 where a host could not be reached."""
    options, operands = _read(words[1:])
    if options is None or len(operands) < 2:
        shell.say(USAGE, streams.stderr)
        return 1
    try:
        *sources, target = [await _place(shell, word, streams) for word in operands]
    except _NobodyThereError:
        shell.say("scp: Connection closed\n", streams.stderr)
        return remote.FAILED
    if len(operands) > 2 and not is_directory(target.files, target.full):
        shell.say(f"scp: {target.path}: not a directory\n", streams.stderr)
        return 1
    code = 0
    for source in sources:
        for one in _matching(source):
            try:
                _copy(shell, one, target, with_directories="r" in options)
            except ScpError as problem:
                shell.say(f"scp: {problem}\n", streams.stderr)
                code = 1
    return code


def _read(words: Sequence[str]) -> tuple[set[str] | None, list[str]]:
    rest, options = list(words), set[str]()
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        letters = rest.pop(0)[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in WITH_VALUE and (letters or rest):
                if not letters:
                    rest.pop(0)
                letters = ""
            elif letter not in LETTERS:
                return None, rest
            options.add(letter)
    return options, rest[1:] if rest[:1] == ["--"] else rest


async def _place(shell: Shell, word: str, streams: Streams) -> Place:
    """Find where a file is: `HOST:PATH` is elsewhere, unless a slash comes before the colon. _NobodyThereError."""
    where, colon, path = word.partition(":")
    if not colon or "/" in where or not where:
        return Place(shell.place.files, word, shell.place.directory, is_remote=False)
    host = await remote.gone_to(shell, where, streams)
    if host is None:
        raise _NobodyThereError
    return Place(host.files, path, HOME, is_remote=True)


def _matching(source: Place) -> Iterator[Place]:
    """Give what a source on another host names, which may be a pattern; a local one the shell has expanded."""
    if source.is_remote and not globs.SPECIAL.isdisjoint(source.path):
        for path in globs.paths(source.files, [(source.path, False)], source.directory) or [source.path]:
            yield msgspec.structs.replace(source, path=path)
    else:
        yield source


def _copy(shell: Shell, source: Place, target: Place, *, with_directories: bool) -> None:
    """Copy a file, or a directory with what is in it. ScpError, and SpentError of the shell's budget."""
    if not source.exists:
        said = source.full if source.is_remote else f'stat local "{source.path}"'
        raise ScpError(f"{said}: No such file or directory")
    name = source.full.rpartition("/")[2]
    if is_directory(target.files, target.full):
        target = target.inside(name)
    if not is_directory(source.files, source.full):
        _write(shell, source, target)
        return
    if not with_directories:
        raise ScpError(f'{"download" if source.is_remote else "local"} "{source.path}"{_not_regular(source)}')
    target.files.make_directory(target.full)
    for path in source.files.below(source.full):
        rest = path[len(source.full) :].lstrip("/")
        _write(shell, source.inside(rest), target.inside(rest), made=True)


def _not_regular(source: Place) -> str:
    return ": not a regular file" if source.is_remote else " is not a regular file"


def _write(shell: Shell, source: Place, target: Place, *, made: bool = False) -> None:
    shell.budget.step()
    parent = target.full.rpartition("/")[0] or "/"
    if not made and not is_directory(target.files, parent):
        said = "dest open" if target.is_remote else "open local"
        raise ScpError(f'{said} "{target.path}": No such file or directory')
    try:
        data = source.files.read(source.full)
        shell.budget.work(len(data))
        target.files.write(target.full, data, source.files.mode(source.full))
    except OSError as error:
        raise ScpError(
            f'write remote "{target.path}": Failure'
            if target.is_remote
            else f'write local "{target.path}": {error.strerror}'
        ) from error
