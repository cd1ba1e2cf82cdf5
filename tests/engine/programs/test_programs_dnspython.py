"""dnspython is told which of its features are there, and would find out the same."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import dns

from cluster_engine.programs import network


def test_dnspython_is_told_what_it_would_find_out():
    specification = importlib.util.spec_from_file_location("its_own", Path(dns.__file__).with_name("_features.py"))
    assert specification is not None
    assert specification.loader is not None
    its_own = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(its_own)
    assert network.have("idna") == its_own.have("idna")


def test_dig_reads_no_metadata_of_packages():
    loads = "import cluster_engine.programs.network.dig, dns.name, sys"
    tells = "print(dns.name.have_idna_2008, 'importlib.metadata' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", f"{loads}; {tells}"], capture_output=True, text=True, check=True)
    assert told.stdout == "True False\n"
