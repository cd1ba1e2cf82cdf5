"""`python -m cluster_engine shell --pcapng FILE`, and `open FILE`: what one writes the other tells."""

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def engine(*arguments):
    line = [sys.executable, "-m", "cluster_engine", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT)


def test_what_a_shell_has_written_down_can_be_opened(tmp_path):
    capture, journal, again = (tmp_path / name for name in ("run.pcapng", "run.jsonl", "again.jsonl"))
    line = "kubectl create configmap a"
    assert engine("shell", "--nodes=1", "--pcapng", capture, "--journal", journal, "-c", line).returncode == 0
    told = engine("open", capture)
    assert (told.returncode, told.stderr) == (0, "")
    assert "asks kube-apiserver to create ConfigMap a in namespace default" in told.stdout
    assert engine("open", capture, "--journal", again).stdout == ""
    kinds = [
        {one["kind"] for one in map(json.loads, file.read_text().splitlines()) if one["connection"]}
        for file in (journal, again)
    ]
    assert kinds[0] == kinds[1] >= {"http.request", "grpc.request", "watch.event", "tls.certificate"}


def test_a_run_and_a_capture_become_pages_that_play_without_a_server(tmp_path):
    capture, run, again = (tmp_path / name for name in ("run.pcapng", "run.html", "again.html"))
    line = "kubectl create configmap a"
    assert engine("shell", "--nodes=1", "--pcapng", capture, "--html", run, "-c", line).returncode == 0
    told = engine("open", capture, "--html", again, "--language=de")
    assert (told.returncode, told.stdout) == (0, "")
    pages = [file.read_text() for file in (run, again)]
    assert '<html lang="en">' in pages[0] and '<html lang="de">' in pages[1]
    for page in pages:
        about, end = (
            json.loads(page.partition(f'id="{name}">')[2].partition("</script>")[0])
            for name in ("recording", "recording-end")
        )
        assert about["first"] == end["opened"] == 1
        assert about["last"] > 500
        assert page.endswith("</html>\n")
    packed = pages[0].partition('class="terminals">')[2].partition("</script>")[0]
    typed, output, done = json.loads(zlib.decompress(base64.b64decode(packed), zlib.MAX_WBITS | 16))
    assert (typed["line"], output["text"], done["code"]) == (line, "configmap/a created\n", 0)
    assert 0 < typed["after"] < output["after"] <= done["after"]
    assert 'class="terminals"' not in pages[1]


def test_what_is_no_capture_is_refused_in_words(tmp_path):
    file = tmp_path / "a"
    file.write_text("hello")
    assert engine("open", file).stderr == "glassplane: this is no capture: neither pcap nor pcapng\n"
    assert "No such file" in engine("open", tmp_path / "b").stderr
