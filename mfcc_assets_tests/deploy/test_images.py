"""The images pass the linter, run as a user without rights, and contain compiled kernels that processes can use."""

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mfcc_assets_tests.deploy.bicep_files import DEPLOY
from mfcc_assets_tests.services.processes import REPOSITORY

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
STAGES = dict(re.findall(r"^FROM [^\n]* AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
DOCKERFILES = sorted(DEPLOY.glob("*Dockerfile"))
LINTER = Path(sys.executable).with_name("hadolint")

KERNEL = """
import numpy as np
from mfcc_assets.jit import compiled

@compiled
def double(values):
    return values * 2

double(np.ones(2, np.float32))
print(sum(double.stats.cache_hits.values()), sum(double.stats.cache_misses.values()))
"""


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_linter_finds_no_fault(path: Path) -> None:
    linted = subprocess.run([LINTER, path], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("stage", ["mfcc", "functions"])
def test_an_image_runs_as_a_user_without_rights(stage: str) -> None:
    (uid,) = re.findall(r"^USER (\d+)$", STAGES[stage], re.MULTILINE)
    assert f"--uid {uid} " in STAGES[stage]


def test_the_image_contains_no_compiler_and_no_source() -> None:
    assert "build-essential" not in DOCKERFILE
    assert "gcc" not in DOCKERFILE
    assert "--from=environment /opt/mfcc" in STAGES["mfcc"]


def test_images_install_the_tested_versions() -> None:
    installs = re.findall(r"pip install .*?(?=&& \w|\n[A-Z]|\Z)", DOCKERFILE, re.DOTALL)
    assert installs
    assert all("constraints.txt" in install for install in installs)


def test_extras_that_the_image_installs_exist() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (named,) = re.findall(r"^ARG EXTRAS=([\w,]+)$", DOCKERFILE, re.MULTILINE)
    assert "${wheel}[${EXTRAS}]" in DOCKERFILE
    assert set(named.split(",")) <= set(extras)


def test_images_have_a_supported_python() -> None:
    versions = re.findall(r"^ARG (?:FUNCTIONS_)?PYTHON=3\.(\d+)$", DOCKERFILE, re.MULTILINE)
    assert len(versions) == 2
    assert all(11 <= int(version) < 14 for version in versions)


def test_the_functions_host_runs_on_debian_12() -> None:
    (version,) = re.findall(r"^ARG FUNCTIONS_PYTHON=3\.(\d+)$", DOCKERFILE, re.MULTILINE)
    assert int(version) >= 12
    assert "4-python${FUNCTIONS_PYTHON} AS functions" in DOCKERFILE


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_every_copied_file_is_sent_to_the_builder(path: Path) -> None:
    ignored = path.with_name(f"{path.name}.dockerignore").read_text().splitlines()
    sent = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copies = re.findall(r"^COPY ((?!--).*) \S+$", path.read_text(), re.MULTILINE)
    sources = [source for copied in copies for source in copied.split()]
    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert any(fnmatch.fnmatch(source, each) or source.startswith(f"{each}/") for each in sent), source


def test_the_wheel_contains_every_file_of_the_package() -> None:
    setuptools = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
    ]
    for path in (REPOSITORY / "mfcc_assets").rglob("*"):
        name = path.relative_to(REPOSITORY).as_posix()
        if path.is_dir() or "__pycache__" in name:
            continue
        if path.suffix == ".py":
            assert (path.parent / "__init__.py").exists(), name
        else:
            assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns), name


def test_a_process_in_a_container_uses_the_kernels_compiled_in_the_image(tmp_path: Path) -> None:
    names = dict(re.findall(r"\b(NUMBA_\w+)=(\S*)", STAGES["mfcc"]))
    (cpu,) = re.findall(r"^ARG CPU=(\S+)$", STAGES["mfcc"], re.MULTILINE)
    environment = {name: value.replace("${CPU}", cpu) for name, value in names.items()}
    assert set(environment) == {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}
    built, pulled = tmp_path / "image", tmp_path / "as built"
    built.mkdir()
    (built / "kernel.py").write_text(KERNEL)

    assert _runs(built, environment) == "0 1"
    # Layers of an image store times in whole seconds.
    subprocess.run(["tar", "--format=ustar", "-cf", tmp_path / "layer.tar", "-C", built, "."], check=True)
    built.rename(pulled)
    built.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "layer.tar", "-C", built], check=True)

    assert _runs(built, environment) == "1 0"


def _runs(folder: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", "import kernel"]
    variables = {
        **environment,
        "PYTHONPATH": f"{folder}:{REPOSITORY}",
        "PATH": "/usr/bin:/bin",
        "NUMBA_CACHE_DIR": str(folder / "cache"),
    }
    ran = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)
    return ran.stdout.strip()
