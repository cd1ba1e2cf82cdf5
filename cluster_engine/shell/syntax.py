"""Reading a script: from text to the tree of `syntax_tree.py`, in one pass and in time proportional to its length.

    parse("kubectl get pods | grep web && echo found")

Modelled on POSIX.1-2017, Shell Command Language; errors are bash's. Left out: aliases, `$'…'`, brace expansion, of
which the first is refused. Words are read in `tokens.py`.
"""

import re

from msgspec.structs import replace

from cluster_engine.shell.syntax_tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Item,
    Literal,
    Loop,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Variable,
    Word,
)
from cluster_engine.shell.tokens import NESTING_MAX, SyntaxFailure, Tokens, UnfinishedError

_REDIRECTIONS = frozenset({"&>>", "<<-", "<<<", "<<", ">>", "<&", ">&", ">|", "&>", "<", ">"})
_RESERVED = frozenset({"do", "done", "then", "elif", "else", "fi", "esac", "}"})
_OPENING = {"if": "fi", "while": "done", "until": "done", "for": "done", "case": "esac", "{": "}"}
"""The words that begin a compound command, and those that end it."""
_FUNCTION_NAME = re.compile(r"[\w:.@+,/!?^%-]+")
_PARENTHESES = re.compile(r"[ \t]*\([ \t]*\)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


def parse(text: str) -> Script:
    """Read a script. SyntaxFailure says what is wrong in it; TooDeepError where it is nested beyond NESTING_MAX."""
    parser = _Parser(text, 0, 0)
    script = parser.script(frozenset())
    if parser.peek() != "":
        raise parser.unexpected()
    parser.check_documents()
    return script


def is_name(text: str) -> bool:
    """Return whether a variable can be called so."""
    return _NAME.fullmatch(text) is not None


class _Parser(Tokens):
    """Reads lists, pipelines and commands from a place in a text on."""

    # -- lists, pipelines ----------------------------------------------------------------------------------------------

    def script(self, closers: frozenset[str]) -> Script:
        """Read a list up to one of the closing words or operators, which is left."""
        items: list[Item] = []
        while True:
            while self.peek() == "\n":
                self.take()
            if self.peek() in ("", ")", ";;") or self.keyword() in closers:
                return tuple(items)
            begins = self._begins
            and_or = self._and_or()
            ends = self._begins
            separator = self.peek()
            if separator in (";", "&", "\n"):
                self.take()
            elif separator not in ("", ")", ";;"):
                raise self.unexpected()
            items.append(Item(and_or, separator == "&", self.text[begins:ends].strip()))

    def _and_or(self) -> AndOr:
        pipelines, operators = [self._pipeline()], []
        while self.peek() in ("&&", "||"):
            operators.append(str(self.take()))
            self._skip_newlines()
            pipelines.append(self._pipeline())
        return AndOr(tuple(pipelines), tuple(operators))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self.keyword() == "!":
            self.take()
            negated = not negated
        commands = [self._command()]
        while (operator := self.peek()) in ("|", "|&"):
            self.take()
            if operator == "|&":
                commands[-1] = _with_redirects(commands[-1], [Redirect(2, ">&", Word((Literal("1"),)))])
            self._skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _skip_newlines(self) -> None:
        while self.peek() == "\n":
            self.take()

    # -- commands ------------------------------------------------------------------------------------------------------

    def _command(self) -> Command:
        word = self.keyword()
        if word == "function" or (word and _PARENTHESES.match(self.text, self.at)):
            return self._function()
        if word in _RESERVED:
            raise self.unexpected()
        return self._compound() if self._opens() else self._simple()

    def _opens(self) -> bool:
        """Return whether a compound command begins here."""
        return self.peek() == "(" or self.keyword() in _OPENING

    def _compound(self) -> Command:
        opening = self.keyword() or "("
        closing = _OPENING.get(opening, ")")
        self.go_deeper()
        self.take()
        command: Command
        if opening == "if":
            command = self._if()
        elif opening == "for":
            command = self._for()
        elif opening == "case":
            command = self._case()
        elif opening in ("{", "("):
            command = Group(self._body(closing), subshell=opening == "(")
        else:
            condition = self._body("do")
            self.expect("do")
            command = Loop(condition, self._body("done"), until=opening == "until")
        self.expect(closing)
        self.depth -= 1
        redirects: list[Redirect] = []
        while self._redirect(redirects):
            pass
        return _with_redirects(command, redirects)

    def _body(self, *closers: str) -> Script:
        """Read a list that may not be empty."""
        script = self.script(frozenset(closers))
        if not script:
            raise self.unexpected()
        return script

    def _if(self) -> If:
        branches = []
        otherwise = None
        while True:
            condition = self._body("then")
            self.expect("then")
            branches.append((condition, self._body("elif", "else", "fi")))
            if self.keyword() != "elif":
                break
            self.take()
        if self.keyword() == "else":
            self.take()
            otherwise = self._body("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For:
        name = self.keyword()
        if not _NAME.fullmatch(name):
            raise self.unexpected()
        self.take()
        words = [Word((Variable("@", quoted=True),))]
        self._skip_newlines()
        if self.keyword() == "in":
            self.take()
            words = []
            while isinstance(word := self.peek(), Word):
                words.append(word)
                self.take()
        if self.peek() in (";", "\n"):
            self.take()
        self._skip_newlines()
        self.expect("do")
        return For(name, tuple(words), self._body("done"))

    def _case(self) -> Case:
        word = self.peek()
        if not isinstance(word, Word):
            raise self.unexpected()
        self.take()
        self._skip_newlines()
        self.expect("in")
        self._skip_newlines()
        branches = []
        while self.keyword() != "esac":
            if self.peek() == "(":
                self.take()
            patterns = [self._pattern()]
            while self.peek() == "|":
                self.take()
                patterns.append(self._pattern())
            self.expect(")")
            branches.append((tuple(patterns), self.script(frozenset({"esac"}))))
            if self.peek() != ";;":
                break
            self.take()
            self._skip_newlines()
        return Case(word, tuple(branches))

    def _pattern(self) -> Word:
        word = self.peek()
        if not isinstance(word, Word):
            raise self.unexpected()
        self.take()
        return word

    def _function(self) -> Function:
        """Read `name() body`, or `function name body`, where the name stands."""
        if self.keyword() == "function":
            self.take()
        begins, name = self._begins, self.keyword()
        if not _FUNCTION_NAME.fullmatch(name):
            raise self.unexpected()
        self.take()
        if self.peek() == "(":
            self.take()
            self.expect(")")
        self._skip_newlines()
        if not self._opens():
            raise self.unexpected()
        self.go_deeper()
        body = self._compound()
        self.depth -= 1
        return Function(name, body, self.at - begins)

    def _simple(self) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if self._redirect(redirects):
                continue
            word = self.peek()
            if not isinstance(word, Word):
                break
            self.take()
            assigned = None if words else _assignment(word)
            if assigned is None:
                words.append(word)
            else:
                assignments.append(assigned)
        if not (assignments or words or redirects):
            raise self.unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    # -- redirections --------------------------------------------------------------------------------------------------

    def _redirect(self, redirects: list[Redirect]) -> bool:
        """Read one redirection, where one stands here."""
        descriptor = None
        token = self.peek()
        if isinstance(token, Word):
            digit = token.plain or ""
            if digit not in ("0", "1", "2") or self.text[self.at : self.at + 1] not in ("<", ">"):
                return False
            descriptor = int(digit)
            self.take()
            token = self.peek()
        if token not in _REDIRECTIONS:
            return False
        operator = str(self.take())
        target = self.peek()
        if target == "":
            raise SyntaxFailure("syntax error near unexpected token `newline'")
        if not isinstance(target, Word):
            raise self.unexpected()
        self.take()
        if descriptor is None:
            descriptor = 0 if operator.startswith("<") else 1
        match operator:
            case "<<" | "<<-":
                redirects.append(Redirect(descriptor, "<<", Word()))
                self.announce(redirects[-1], target, strips_tabs=operator == "<<-")
            case "<<<":
                redirects.append(Redirect(descriptor, "<<", Word((*target.parts, Literal("\n", quoted=True)))))
            case "&>" | "&>>":
                redirects.append(Redirect(1, ">" if operator == "&>" else ">>", target))
                redirects.append(Redirect(2, ">&", Word((Literal("1"),))))
            case ">" | ">|":
                redirects.append(Redirect(descriptor, ">", target))
            case "<" | ">>" | "<&" | ">&":
                redirects.append(Redirect(descriptor, operator, target))
        return True


def _assignment(word: Word) -> tuple[str, Word] | None:
    """Read NAME=value; None where a word is no assignment."""
    first = word.parts[0] if word.parts else None
    found = _ASSIGNMENT.match(first.text) if isinstance(first, Literal) and not first.quoted else None
    if found is None or not isinstance(first, Literal):
        return None
    rest = first.text[found.end() :]
    return found[1], Word((*([Literal(rest)] if rest else []), *word.parts[1:]))


def _with_redirects(command: Command, redirects: list[Redirect]) -> Command:
    return replace(command, redirects=(*command.redirects, *redirects)) if redirects else command


__all__ = ["NESTING_MAX", "SyntaxFailure", "UnfinishedError", "is_name", "parse"]
