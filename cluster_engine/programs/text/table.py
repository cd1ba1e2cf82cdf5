"""The text tools, by name."""

from cluster_engine.programs.awk.main import awk
from cluster_engine.programs.jq.main import jq
from cluster_engine.programs.running import Program
from cluster_engine.programs.text.cut import column, cut, paste
from cluster_engine.programs.text.encoding import base64_, digest
from cluster_engine.programs.text.lines import comm, nl, rev, tac, uniq
from cluster_engine.programs.text.others import env, timeout, watch, xargs
from cluster_engine.programs.text.sed import sed
from cluster_engine.programs.text.tr import tr

TEXT_TOOLS = (
    Program("jq", jq),
    Program("sed", sed),
    Program("awk", awk),
    Program("base64", base64_),
    Program("md5sum", digest("md5")),
    Program("sha1sum", digest("sha1")),
    Program("sha256sum", digest("sha256")),
    Program("cut", cut),
    Program("paste", paste),
    Program("column", column),
    Program("tr", tr),
    Program("uniq", uniq),
    Program("rev", rev),
    Program("tac", tac),
    Program("nl", nl),
    Program("comm", comm),
    Program("xargs", xargs),
    Program("watch", watch),
    Program("env", env),
    Program("printenv", env),
    Program("timeout", timeout),
)
