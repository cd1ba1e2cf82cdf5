"""What a script is once it has been read: lists of pipelines of commands, and words of parts.

    echo "$HOME" | wc -c && date &

    (Item(AndOr((Pipeline((Simple(words=(echo, "$HOME")), Simple(words=(wc, -c)))), Pipeline((Simple(words=(date,)),))),
                ("&&",)),
          background=True),)

Modelled on POSIX.1-2017, Shell Command Language, section 2.10. `syntax.py` makes these, `interpreter.py` walks them.
"""

from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

# -- words -------------------------------------------------------------------------------------------------------------


class Literal(msgspec.Struct, frozen=True):
    """Text that stands for itself; where it is quoted it is neither a pattern nor a tilde."""

    text: str
    quoted: bool = False


class Variable(msgspec.Struct, frozen=True):
    """`$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME%word}`; `operator` is what stands after the name.

    It is "" for nothing, and "#" without an argument for a length.
    """

    name: str
    quoted: bool = False
    operator: str = ""
    argument: "Word | None" = None


class Substitution(msgspec.Struct, frozen=True):
    """`$(script)`: what the script writes."""

    script: "Script"
    quoted: bool = False


class Arithmetic(msgspec.Struct, frozen=True):
    """`$((expression))`: its value in decimal. Variables in the expression are expanded first."""

    expression: "Word"
    quoted: bool = False


Part: TypeAlias = Literal | Variable | Substitution | Arithmetic


class Word(msgspec.Struct, frozen=True):
    """Parts that stand beside each other without a blank."""

    parts: tuple[Part, ...] = ()

    @property
    def plain(self) -> str | None:
        """The text of a word that is one unquoted literal, as reserved words are; None for any other."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Literal) and not self.parts[0].quoted:
            return self.parts[0].text
        return None


# -- commands ----------------------------------------------------------------------------------------------------------


class Redirect(msgspec.Struct):
    """Where one descriptor of a command leads: `<` `>` `>>` a file, `<&` `>&` another descriptor, `<<` the word itself.

    The word of a here-document is put in when the line that announces it has ended.
    """

    descriptor: int
    operator: OneOf["<", ">", ">>", "<&", ">&", "<<"]
    target: Word


class Simple(msgspec.Struct, frozen=True):
    """Assignments and words: `A=b program argument`."""

    assignments: tuple[tuple[str, Word], ...] = ()
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


class Loop(msgspec.Struct, frozen=True):
    """`while` or `until` the condition holds."""

    condition: "Script"
    body: "Script"
    until: bool = False
    redirects: tuple[Redirect, ...] = ()


class For(msgspec.Struct, frozen=True):
    """`for name in words`."""

    name: str
    words: tuple[Word, ...]
    body: "Script"
    redirects: tuple[Redirect, ...] = ()


class If(msgspec.Struct, frozen=True):
    """`if`, each `elif`, and `else` (None where there is none)."""

    branches: tuple[tuple["Script", "Script"], ...]
    otherwise: "Script | None" = None
    redirects: tuple[Redirect, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """`{ list; }`, or `( list )`, which changes nothing outside itself."""

    body: "Script"
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """`case word in`: each branch has patterns, of which one must match, and a list that may be empty."""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], "Script"], ...]
    redirects: tuple[Redirect, ...] = ()


class Function(msgspec.Struct, frozen=True):
    """`name() body`; `size` is how many characters it was written with."""

    name: str
    body: "Command"
    size: int
    redirects: tuple[Redirect, ...] = ()


Command: TypeAlias = Simple | Loop | For | If | Group | Case | Function


class Pipeline(msgspec.Struct, frozen=True):
    """Commands joined by `|`; `!` before them turns the exit code round."""

    commands: tuple[Command, ...]
    negated: bool = False


class AndOr(msgspec.Struct, frozen=True):
    """Pipelines joined by `operators`, each `&&` or `||`, one fewer than there are pipelines."""

    pipelines: tuple[Pipeline, ...]
    operators: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """One member of a list, and its text; run beside what follows where it ended in `&`."""

    and_or: AndOr
    background: bool = False
    text: str = ""


Script: TypeAlias = tuple[Item, ...]
