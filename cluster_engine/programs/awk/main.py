"""awk: a program for lines and fields.

    kubectl get pods | awk 'NR > 1 { count[$3]++ } END { for (one in count) print one, count[one] }'

Modelled on mawk 1.3.4, Debian's awk; large integers are printed whole, as gawk does. Left out: getline, pipes and
`system` (nothing runs other programs from within), regular expressions as RS but for one character or "" (paragraphs).
"""

import contextlib
from collections.abc import AsyncIterator, Sequence

from cluster_engine.programs.awk.evaluate import Awk, ExitError, NextError
from cluster_engine.programs.awk.syntax import SyntaxFailure, parse
from cluster_engine.programs.awk.values import AwkError, assignment
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.text.matching import SpentError, raw
from cluster_engine.programs.text.reading import lines, say, text_of

FAILED = 2
USAGE = "Usage: awk [-F value] [-v var=value] [--] 'program text' [file ...]\n"


async def awk(invocation: Invocation) -> int:
    """Run awk."""
    words, separator, given, source = list(invocation.argv[1:]), None, list[str](), None
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        value = word[2:] or (words.pop(0) if words else "")
        if word[:2] == "-F":
            separator = {"t": "\t", "\\t": "\t"}.get(value, value)
        elif word[:2] == "-v":
            given.append(value)
        elif word[:2] == "-f":
            try:
                source = (source or "") + text_of(invocation.files.read(invocation.absolute(value))) + "\n"
            except OSError:
                invocation.err(f"awk: cannot open {value} (No such file or directory)\n")
                return FAILED
        else:
            invocation.err(f"awk: not an option: {word}\n")
            return FAILED
    if source is None:
        if not words:
            invocation.err(USAGE)
            return 0
        source = words.pop(0)
    try:
        return await _run(invocation, source, separator, given, words)
    except SyntaxFailure as failure:
        where = f"line {failure.line}: " if failure.line else ""
        invocation.err(f"awk: {where}{failure}\n")
    except (AwkError, SpentError) as problem:
        invocation.err(f"awk: {problem}\n")
    except NextError:
        invocation.err("awk: next stands outside of a rule\n")
    except RecursionError:
        invocation.err("awk: the program is nested too deeply\n")
    return FAILED


async def _run(
    invocation: Invocation, source: str, separator: str | None, given: Sequence[str], operands: Sequence[str]
) -> int:
    opened: dict[str, None] = {}

    def write(text: str, path: str, mode: str) -> None:
        if not path or path == "/dev/stdout":
            say(invocation, text)
        elif path == "/dev/stderr":
            invocation.err(raw(text))
        elif path != "/dev/null":
            full, data = invocation.absolute(path), raw(text)
            try:
                if mode == ">" and full not in opened:
                    invocation.files.write(full, b"")
                invocation.files.append(full, data)
            except OSError as error:
                raise AwkError(f'cannot open "{path}" for output ({error.strerror})') from None
            opened[full] = None

    process = invocation.process
    program = parse(source)
    run = Awk(program, write, environment=invocation.environment, rng=process.rng, now=process.now().timestamp())
    if separator is not None:
        run.variables["FS"] = separator
    for text in given:
        run.set_variable(*assignment(text))
    run.variables["ARGC"] = float(len(operands) + 1)
    run.variables["ARGV"] = {str(at): one for at, one in enumerate(["awk", *operands])}
    try:
        run.begin()
        if program.rules or program.end:
            await _records(invocation, run, operands)
    except ExitError:
        pass
    with contextlib.suppress(ExitError):
        run.end()
    return run.exit_code


async def _records(invocation: Invocation, run: Awk, operands: Sequence[str]) -> None:
    has_read = False
    for operand in [*operands, None]:
        if operand is None and has_read:
            return
        if operand is not None and "=" in operand and operand.partition("=")[0].isidentifier():
            run.set_variable(*assignment(operand))
            continue
        has_read = True
        path = operand or "-"
        run.variables["FILENAME"], run.variables["FNR"] = ("" if path == "-" else path), 0.0
        try:
            async for record in _parts(invocation, path, run.text(run.variables["RS"])):
                run.record(record)
                await invocation.drain()
        except OSError as error:
            invocation.err(f"awk: cannot open {path} ({error.strerror})\n")
            run.exit_code = FAILED
            return


async def _parts(invocation: Invocation, path: str, separator: str) -> AsyncIterator[str]:
    """Yield the records of a file."""
    if separator:
        async for line in lines(invocation, path, separator[:1].encode()):
            yield line
        return
    paragraph: list[str] = []
    async for line in lines(invocation, path):
        if line:
            paragraph.append(line)
        elif paragraph:
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)
