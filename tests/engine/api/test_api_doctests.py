"""The worked examples in the modules of `api` are true."""

import doctest
import importlib
import pkgutil

import pytest

import cluster_engine.api

MODULES = [each.name for each in pkgutil.walk_packages(cluster_engine.api.__path__, "cluster_engine.api.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_most_modules_that_teach_have_an_example() -> None:
    with_examples = [name for name in MODULES if doctest.testmod(importlib.import_module(name)).attempted]
    assert len(with_examples) >= 14
