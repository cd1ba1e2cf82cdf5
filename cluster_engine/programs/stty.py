"""stty and tput: what a program's terminal is, of which only the size is known and can be changed.

    stty size             40 120            rows, columns
    stty cols 80          as if the window had changed, for every program at this terminal
    tput cols             120

Modelled on coreutils 9.1 and ncurses 6.4. Left out: what else a terminal can be told; `-a` says what Linux begins with.
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.window import CELLS_MAX, Size, size_of, window_of

SETTINGS = """\
intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>; swtch = <undef>; start = ^Q;
stop = ^S; susp = ^Z; rprnt = ^R; werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;
-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts
-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff -iuclc -ixany -imaxbel iutf8
opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0
isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt echoctl echoke -flusho -extproc
"""
UNKNOWN = Size(0, 0)
DEFAULT = Size(80, 24)
IGNORED = frozenset({"sane", "raw", "-raw", "cooked", "echo", "-echo", "icanon", "-icanon", "erase", "^H", "^?"})


async def stty(invocation: Invocation) -> int:
    """Run stty."""
    window = window_of(invocation.streams.stdin)
    if window is None:
        invocation.err("stty: 'standard input': Inappropriate ioctl for device\n")
        return 1
    words = list(invocation.argv[1:])
    if not words:
        invocation.out("speed 38400 baud; line = 0;\n")
    while words:
        word = words.pop(0)
        size = window.size or UNKNOWN
        if word == "size":
            invocation.out(f"{size.rows} {size.columns}\n")
        elif word in ("-a", "--all"):
            invocation.out(f"speed 38400 baud; rows {size.rows}; columns {size.columns}; line = 0;\n{SETTINGS}")
        elif word == "speed":
            invocation.out("38400\n")
        elif word in ("cols", "columns", "rows"):
            if not words:
                return _wrong(invocation, f"missing argument to '{word}'")
            number = words.pop(0)
            if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= CELLS_MAX):
                invocation.err(f"stty: invalid integer argument: '{number}'\n")
                return 1
            rows, columns = (int(number), size.columns) if word == "rows" else (size.rows, int(number))
            window.resize(columns or DEFAULT.columns, rows or DEFAULT.rows)
        elif word not in IGNORED:
            return _wrong(invocation, f"invalid argument '{word}'")
    return 0


def _wrong(invocation: Invocation, text: str) -> int:
    invocation.err(f"stty: {text}\nTry 'stty --help' for more information.\n")
    return 1


async def tput(invocation: Invocation) -> int:
    """Run tput: cols or lines; other capabilities print nothing."""
    if len(invocation.argv) < 2:
        invocation.err("usage: tput [-V] [-S] [-T termname] capname\n")
        return 2
    streams = invocation.streams
    size = size_of(streams.stdout) or size_of(streams.stderr) or size_of(streams.stdin) or DEFAULT
    known = {"cols": f"{size.columns}\n", "lines": f"{size.rows}\n"}
    invocation.out(known.get(invocation.argv[1], ""))
    return 0
