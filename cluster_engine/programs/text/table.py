"""The text tools, by name."""

from cluster_engine.programs.running import Program
from cluster_engine.programs.text.encoding import digest

TEXT_TOOLS = (
    Program("jq", "jq.main:jq"),
    Program("sed", "text.sed:sed"),
    Program("awk", "awk.main:awk"),
    Program("base64", "text.encoding:base64_"),
    Program("md5sum", digest("md5")),
    Program("sha1sum", digest("sha1")),
    Program("sha256sum", digest("sha256")),
    Program("cut", "text.cut:cut"),
    Program("paste", "text.cut:paste"),
    Program("column", "text.cut:column"),
    Program("tr", "text.tr:tr"),
    Program("uniq", "text.lines:uniq"),
    Program("rev", "text.lines:rev"),
    Program("tac", "text.lines:tac"),
    Program("nl", "text.lines:nl"),
    Program("comm", "text.lines:comm"),
    Program("xargs", "text.others:xargs"),
    Program("watch", "text.others:watch"),
    Program("env", "text.others:env"),
    Program("printenv", "text.others:env"),
    Program("timeout", "text.others:timeout"),
)
