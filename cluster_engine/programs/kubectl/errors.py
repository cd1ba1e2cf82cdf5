"""How kubectl says that something went wrong: one line on stderr, exit code 1.

    CommandError("required flag(s) \\"image\\" not set")       error: required flag(s) "image" not set
    Refusal 404                                              Error from server (NotFound): pods "x" not found
    Refusal 422                                              The Pod "x" is invalid: spec.containers: Required value
    ConnectionRefusedError                                   The connection to the server 10.0.0.1:6443 was refused - …

Modelled on kubectl/pkg/cmd/util/helpers.go (`checkErr`, `StandardErrorMessage`).
"""

from cluster_engine.api.status import Refusal


class CommandError(Exception):
    """A command that cannot be carried out; the text follows "error: ". `plain` texts stand for themselves.

    `printed` is what goes to standard output before.
    """

    def __init__(self, message: str, *, plain: bool = False, code: int = 1, printed: str = "") -> None:
        super().__init__(message)
        self.plain = plain
        self.printed = printed
        self.code = code


class UsageError(CommandError):
    """A command line that cannot be understood."""


def describe(error: BaseException, server: str) -> str:
    """Say it as kubectl does, without the newline at the end."""
    if isinstance(error, CommandError):
        return str(error) if error.plain else f"error: {error}"
    if isinstance(error, Refusal):
        return refusal_text(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"error: open {error.filename}: {error.strerror.lower()}"
    if isinstance(error, ConnectionRefusedError):
        return f"The connection to the server {server} was refused - did you specify the right host or port?"
    return f"Unable to connect to the server: {network_text(error)}"


def refusal_text(refusal: Refusal, context: str = "") -> str:
    """Say what the server answered; `context` is what kubectl was about to do ("error when creating …")."""
    if refusal.code == 401:
        return f"error: You must be logged in to the server ({refusal.message or refusal.reason})"
    message = f"{context}: {refusal.message}" if context else refusal.message
    if refusal.reason == "Invalid" and not context:
        return _invalid_text(refusal)
    if refusal.reason:
        return f"Error from server ({refusal.reason}): {message}"
    return f"Error from server: {message}"


def network_text(error: BaseException) -> str:
    """Say why the server could not be reached."""
    return str(error) or type(error).__name__


def _invalid_text(refusal: Refusal) -> str:
    details = refusal.details
    subject = "The request is invalid"
    causes = details.get("causes") or []
    if details.get("kind") or details.get("name"):
        subject = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    elif refusal.message and not causes:
        return f"{subject}: {refusal.message}"
    texts = [f"{cause['field']}: {cause['message']}" if cause.get("field") else cause["message"] for cause in causes]
    if not texts:
        return subject
    if len(texts) == 1:
        return f"{subject}: {texts[0]}"
    return "\n".join([f"{subject}: ", *(f"* {text}" for text in texts)])
