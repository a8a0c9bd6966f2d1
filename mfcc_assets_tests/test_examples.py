"""Every example in a docstring of the package runs and prints what the docstring shows."""

import doctest
import importlib
import pkgutil

import pytest

import mfcc_assets

NOT_IMPORTED = ("mfcc_assets.demo.__main__", "mfcc_assets.storage.sql.migrations.env")
"""Scripts: to import them is to run them."""


def examples() -> list[doctest.DocTest]:
    names = [module.name for module in pkgutil.walk_packages(mfcc_assets.__path__, "mfcc_assets.")]
    modules = [importlib.import_module(name) for name in names if name not in NOT_IMPORTED]
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [example for module in modules for example in finder.find(module) if example.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_shows_what_it_prints(example: doctest.DocTest) -> None:
    written: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)

    failed = runner.run(example, out=written.append).failed

    assert not failed, "".join(written)
