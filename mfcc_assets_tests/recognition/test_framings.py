"""The framings of a recording."""

import numpy as np

from mfcc_assets.features.fingerprint import COARSE, spectral_changes
from mfcc_assets.recognition.framings import PHASES, framings_of
from mfcc_assets_tests.recognition.test_match import PARAMETERS, track


def test_each_framing_begins_a_part_of_a_frame_behind_the_one_before_and_knows_its_times() -> None:
    cepstra = track(20, 5)
    kept = np.arange(300, len(cepstra))

    framings = framings_of(cepstra, kept, PARAMETERS, COARSE, phases=PHASES)

    frame = round(COARSE.seconds / PARAMETERS.step_seconds)
    begins = [300 + phase * frame // PHASES for phase in range(PHASES)]
    for framing, begin in zip(framings, begins, strict=True):
        np.testing.assert_array_equal(framing.changes, spectral_changes(cepstra[begin:], PARAMETERS, COARSE))
        assert framing.seconds[0] == np.float64(begin * PARAMETERS.step_seconds)
        assert np.allclose(np.diff(framing.seconds), COARSE.seconds)
