"""What `curl --help` and `curl --version` print."""

from cluster_engine.programs.curl.arguments import TABLE

VERSION = """curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.19 zlib/1.2.13 nghttp2/1.52.0
Release-Date: 2023-02-20, security patched: 7.88.1-10+deb12u14
Protocols: http https
Features: HTTP2 Largefile libz SSL threadsafe UnixSockets
"""
HELP = """Usage: curl [options...] <url>
 -d, --data <data>          HTTP POST data
 -f, --fail                 Fail fast with no output on HTTP errors
 -h, --help <category>      Get help for commands
 -i, --include              Include protocol response headers in the output
 -o, --output <file>        Write to file instead of stdout
 -O, --remote-name          Write output to a file named as the remote file
 -s, --silent               Silent mode
 -T, --upload-file <file>   Transfer local FILE to destination
 -u, --user <user:password> Server user and password
 -A, --user-agent <name>    Send User-Agent <name> to server
 -v, --verbose              Make the operation more talkative
 -V, --version              Show version number and quit

This is not the full help, this menu is stripped into categories.
Use "--help category" to get an overview of all categories.
For all options use the manual or "--help all".
"""


def help_of(categories: list[str]) -> str:
    """Return the help: with "all", every option that there is here."""
    if categories != ["all"]:
        return HELP
    lines = []
    for option in sorted(TABLE, key=lambda one: one.long):
        letter = f"-{option.short}, " if option.short else "    "
        lines.append(f" {letter}--{option.long}{' <value>' if option.takes else ''}\n")
    return "Usage: curl [options...] <url>\n" + "".join(lines)
