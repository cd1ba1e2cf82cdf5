"""xargs, watch, env, timeout: programs that run other programs. Modelled on findutils 4.9, procps 4.0.2, coreutils 9.1.

    kubectl get pods -o name | xargs -n 1 kubectl delete
    watch -n 5 kubectl get pods
    env KUBECONFIG=anna.conf kubectl get pods

What is run counts as run by the line itself (`Invocation.execute`). watch prints again and again, since this terminal
has no screen to clear, until Ctrl-C. Left out: running side by side (xargs -P), showing what has changed (watch -d).
"""

import asyncio
from collections.abc import AsyncIterator

from cluster_engine.programs.clock import interval
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import Bytes, Captured, Nowhere, Streams
from cluster_engine.programs.text.matching import raw
from cluster_engine.programs.text.reading import Complaint, Options, complain, lines, read, say

ARGUMENTS_LENGTH_MAX = 128 * 1024
"""Of one command, as xargs has it."""
WATCHED_BYTES_MAX = 256 * 1024


async def xargs(invocation: Invocation) -> int:
    """Run xargs."""
    long = ["null", "delimiter=", "replace=", "max-args=", "max-lines=", "no-run-if-empty", "verbose", "max-procs="]
    try:
        options = read(invocation, "0d:I:n:L:rtP:s:", long, mixed=False)
        numbers = {names: _number(options, names) for names in ("-n|--max-args", "-L|--max-lines")}
    except Complaint as complaint:
        return complain(invocation, complaint)
    command = options.operands or ["echo"]
    replaced = options.value("-I|--replace")
    per_command = numbers["-n|--max-args"] or 10**9
    code, batch, length, has_run = 0, list[str](), 0, False
    try:
        if replaced:
            async for line in lines(invocation, end=_end(options)):
                if line.strip():
                    code = await _run(invocation, options, [w.replace(replaced, line.lstrip()) for w in command], code)
            return code
        if limit := numbers["-L|--max-lines"]:
            async for line in lines(invocation):
                batch += line.split()
                length += 1
                if length >= limit:
                    code, batch, length = await _run(invocation, options, [*command, *batch], code), [], 0
            return await _run(invocation, options, [*command, *batch], code) if batch else code
        async for word in _words(invocation, options):
            if batch and (len(batch) >= per_command or length + len(word) > ARGUMENTS_LENGTH_MAX):
                code, batch, length, has_run = await _run(invocation, options, [*command, *batch], code), [], 0, True
            batch.append(word)
            length += len(word) + 1
        if batch or not (has_run or "-r|--no-run-if-empty" in options):
            code = await _run(invocation, options, [*command, *batch], code)
    except Complaint as complaint:
        return complain(invocation, complaint)
    return code


def _number(options: Options, names: str) -> int:
    text = options.value(names, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Complaint(f'invalid number "{text}" for {names[:2]} option', hint=True)
    if names in options and int(text) == 0:
        raise Complaint(f"value {text} for {names[:2]} option should be >= 1", hint=True)
    return int(text)


def _end(options: Options) -> bytes:
    if "-0|--null" in options:
        return b"\0"
    mark = options.value("-d|--delimiter", "\n")
    return {"\\n": b"\n", "\\t": b"\t", "\\0": b"\0"}.get(mark, raw(mark)[:1] or b"\n")


async def _words(invocation: Invocation, options: Options) -> AsyncIterator[str]:
    """Yield the arguments in what is piped in: split at blanks, quoted as a shell would, or split at one mark."""
    if "-0|--null" in options or "-d|--delimiter" in options:
        async for word in lines(invocation, end=_end(options)):
            yield word
        return
    async for line in lines(invocation):
        word, quote, is_word, is_escaped = "", "", False, False
        for one in line:
            if is_escaped:
                word, is_escaped = word + one, False
            elif quote:
                word, quote = (word, "") if one == quote else (word + one, quote)
            elif one in "'\"":
                quote, is_word = one, True
            elif one == "\\":
                is_escaped = is_word = True
            elif one in " \t":
                if is_word:
                    yield word
                word, is_word = "", False
            else:
                word, is_word = word + one, True
        if quote:
            kind = "single" if quote == "'" else "double"
            text = f"unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option"
            raise Complaint(text)
        if is_word:
            yield word


async def _run(invocation: Invocation, options: Options, words: list[str], code: int) -> int:
    """Run one command; give the exit code so far. Complaint where xargs is to end."""
    if "-t|--verbose" in options:
        invocation.err(" ".join(words) + "\n")
    streams = Streams(Nowhere(), invocation.streams.stdout, invocation.streams.stderr)
    await invocation.drain()
    try:
        found = await invocation.execute(words, streams, invocation.environment)
    except FileNotFoundError as error:
        raise Complaint(f"{words[0]}: {error.strerror}", 127) from error
    if found == 255:
        raise Complaint(f"{words[0]}: exited with status 255; aborting", 124)
    if found > 128:
        raise Complaint(f"{words[0]}: terminated by signal {found - 128}", 125)
    return 123 if found else code


async def watch(invocation: Invocation) -> int:
    """Run watch."""
    long = ["interval=", "no-title", "differences", "chgexit", "errexit", "exec", "beep", "color"]
    try:
        options = read(invocation, "n:tdgexbc", long, mixed=False, code=1)
        seconds = _interval(options.value("-n|--interval", "2"))
        if not options.operands:
            raise Complaint("no command given", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    line = " ".join(options.operands)
    words = options.operands if "-x|--exec" in options else ["sh", "-c", line]
    before: str | None = None
    while True:
        shown = Captured(WATCHED_BYTES_MAX)
        try:
            code = await invocation.execute(words, Streams(Bytes(), shown, shown), invocation.environment)
        except FileNotFoundError:
            say(invocation, f"unable to execute '{words[0]}': No such file or directory\n")
            return 1
        if "-t|--no-title" not in options:
            now, host = invocation.process.now(), invocation.process.host.name
            left, right = f"Every {seconds:.1f}s: {line}", f"{host}: {now:%a %b %e %H:%M:%S %Y}"
            say(invocation, f"{left:<{max((invocation.columns or 80) - len(right), len(left) + 1)}}{right}\n\n")
        say(invocation, f"{shown.text}\n" if shown.text else "")
        await invocation.drain()
        if ("-g|--chgexit" in options and before not in (None, shown.text)) or ("-e|--errexit" in options and code):
            return 0 if "-g|--chgexit" in options else code
        before = shown.text
        await asyncio.sleep(seconds)


def _interval(text: str) -> float:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        raise Complaint(f"failed to parse argument: '{text}'") from None
    return min(max(found, 0.1), 2_678_400.0) if found == found else 2.0  # noqa: PLR0124 - not a number


async def env(invocation: Invocation) -> int:
    """Run env: the environment, or a program in another one; printenv: the variables named."""
    if invocation.argv[0] == "printenv":
        names = invocation.argv[1:]
        for name in names or sorted(invocation.environment):
            value = invocation.environment.get(name)
            if value is not None:
                invocation.out(f"{value}\n" if names else f"{name}={value}\n")
        return 0 if all(name in invocation.environment for name in names) else 1
    try:
        options = read(invocation, "iu:0C:", ["ignore-environment", "unset=", "null", "chdir="], code=125, mixed=False)
    except Complaint as complaint:
        return complain(invocation, complaint)
    words = list(options.operands)
    clears = "-i|--ignore-environment" in options or words[:1] == ["-"]
    words = words[1:] if words[:1] == ["-"] else words
    inner = {} if clears else dict(invocation.environment)
    for name, value in options.pairs:
        if name in ("-u", "--unset"):
            inner.pop(value, None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        inner[name] = value
    if not words:
        end = "\0" if "-0|--null" in options else "\n"
        say(invocation, "".join(f"{name}={value}{end}" for name, value in inner.items()))
        return 0
    try:
        return await invocation.execute(words, invocation.streams, inner)
    except FileNotFoundError as error:
        return complain(invocation, Complaint(f"'{words[0]}': {error.strerror}", 127))


TERMINATED = 143


async def timeout(invocation: Invocation) -> int:
    """Run timeout DURATION COMMAND: the command, for so long and no longer (124)."""
    words = list(invocation.argv[1:])
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-s", "-k") and words:
            words.pop(0)
    if len(words) < 2:
        return complain(invocation, Complaint("missing operand", 125, hint=True))
    seconds = interval(words[0])
    if seconds is None:
        return complain(invocation, Complaint(f"invalid time interval '{words[0]}'", 125, hint=True))
    try:
        async with asyncio.timeout(seconds or None):
            return await invocation.execute(words[1:], invocation.streams, invocation.environment)
    except TimeoutError:
        return TERMINATED if invocation.is_in_container else 124  # BusyBox's is that of who was ended
    except FileNotFoundError as error:
        return complain(invocation, Complaint(f"failed to run command '{words[1]}': {error.strerror}", 127))
