"""How curl fails: its exit codes, and a sentence for each (libcurl-errors(3))."""

UNSUPPORTED_PROTOCOL = 1
FAILED_INIT = 2
URL_MALFORMAT = 3
COULDNT_RESOLVE_PROXY = 5
COULDNT_RESOLVE_HOST = 6
COULDNT_CONNECT = 7
PARTIAL_FILE = 18
HTTP_RETURNED_ERROR = 22
WRITE_ERROR = 23
READ_ERROR = 26
OPERATION_TIMEDOUT = 28
SSL_CONNECT_ERROR = 35
BAD_FUNCTION_ARGUMENT = 43
TOO_MANY_REDIRECTS = 47
GOT_NOTHING = 52
RECV_ERROR = 56
SSL_CERTPROBLEM = 58
SSL_CIPHER = 59
PEER_FAILED_VERIFICATION = 60
BAD_CONTENT_ENCODING = 61
SSL_CACERT_BADFILE = 77
HTTP2_STREAM = 92

MORE_DETAILS = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.
"""


class CurlError(Exception):
    """A transfer has failed: `code` is curl's exit code, the text what it says."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class UsageError(Exception):
    """The command line cannot be read: the text is what curl says, without its name, after what it says `before`."""

    def __init__(self, text: str, before: str = "", code: int = FAILED_INIT) -> None:
        super().__init__(text)
        self.before, self.code = before, code
