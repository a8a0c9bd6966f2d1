"""What the README says of settings, commands and pictures is so."""

import re
from pathlib import Path

from mfcc_assets.cli.main import main
from mfcc_assets.settings import Settings

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    listed = set(re.findall(r"^\| `(MFCC_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE))
    assert listed == {
        (f"MFCC_{name.upper()}", "" if field.default in ("", None) else f"{field.default}", field.description)
        for name, field in Settings.model_fields.items()
    }


def test_every_make_target_of_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`|^\$ make ([a-z]+)", README, re.MULTILINE))
    assert {quoted or typed for quoted, typed in named} <= targets


def test_every_mfcc_command_is_shown_in_the_readme() -> None:
    assert set(re.findall(r"^\$ mfcc ([a-z]+)", README, re.MULTILINE)) == set(main.commands)


def test_the_readme_s_pictures_and_files_exist() -> None:
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (REPOSITORY / path).exists()] == []


def test_the_commands_shown_in_the_readme_have_succeeded() -> None:
    assert not re.search(
        r"no answer|rejected|\bError\b|Traceback|failed", "".join(re.findall(r"```console.*?```", README, re.S))
    )
