"""Helper that runs a command of `mfcc` in the process of a test."""

from pathlib import Path

from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main


def mfcc(home: Path, *arguments: str | Path) -> Result:
    """Run `mfcc` with these arguments on the library in a home."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"MFCC_HOME": str(home)})
