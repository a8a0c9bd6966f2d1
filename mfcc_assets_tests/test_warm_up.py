"""Tests that `warm_up` compiles all kernels that an answer needs."""

import subprocess
import sys
from pathlib import Path

from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import copied_home

ANSWER_WARM = """
import pkgutil, sys
from importlib import import_module
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

import mfcc_assets
from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH
from mfcc_assets.recognition.duplicates import is_same_recording
from mfcc_assets.warm_up import warm_up
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.pipeline.recommend_file import recommend_file

home, query = map(Path, sys.argv[1:])
modules = [import_module(module.name) for module in pkgutil.walk_packages(mfcc_assets.__path__, "mfcc_assets.")
           if module.name.split(".")[1] in ("features", "similarity", "search", "recognition")]
kernels = {kernel for module in modules for kernel in vars(module).values() if isinstance(kernel, Dispatcher)}
assert len(kernels) > 8, kernels
warm_up()
compiled = {kernel: list(kernel.signatures) for kernel in kernels}
with Library(Settings(home=home)) as library:
    for exact in (False, True):
        assert len(recommend_file(library, query, count=5, exact=exact).recommendations) == 5
# The answer compares fingerprints only if two tracks have about the same length.
fingerprint = np.random.default_rng(0).standard_normal((60, FINGERPRINT_WIDTH)).astype(np.float32)
assert is_same_recording(fingerprint, fingerprint)
new = {kernel.__name__: kernel.signatures for kernel in kernels if kernel.signatures != compiled[kernel]}
assert not new, new
"""


def test_an_answer_compiles_nothing_after_warm_up(up_to_date_home: Path, tmp_path: Path) -> None:
    home = copied_home(up_to_date_home, tmp_path / "home")
    query = write_music(tmp_path / "query.flac", 3.0, seed=99)

    # A new process is needed, because other tests may have compiled missing kernels in this one.
    answered = subprocess.run(
        [sys.executable, "-c", ANSWER_WARM, str(home), str(query)], capture_output=True, text=True
    )

    assert answered.returncode == 0, answered.stderr
