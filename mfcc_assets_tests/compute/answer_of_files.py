"""Everything that the heavy stages compute of some files: `python -m … HOME MASTER FILE…` prints it as JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.quality import measured_recall
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks, compute_features_of_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets.storage.ranking_store import STAGES
from mfcc_assets_tests.ranked_library import stored_pairs


def answer_of_files(settings: Settings, paths: Sequence[Path]) -> dict[str, Any]:
    """Return the outcome of each file, digests of all features, the version of the index, all lists, and the recall.

    A file that is no music is added to them.
    """
    with Library(settings) as library:
        for number, path in enumerate(paths):
            library.blobs.upload_file("soundtracks", f"{number:02} {path.name}", path)
        library.blobs.write("soundtracks", "broken.flac", b"no music")
        observe_soundtracks(library, library.shards, run_id="run")
        report = analyse_soundtracks(library, library.shards, run_id="run")
        compute_features_of_soundtracks(library, library.shards, run_id="run")
        index = build_index(library, run_id="run").index
        list(find_candidates(library, index, library.shards))
        list(rank_candidates(library, index, library.shards))
        parameters = library.feature_parameters
        return {
            "outcomes": dict(sorted(report.outcomes.items())),
            "rejects": [reject.reason for reject in report.rejects],
            "features": {
                audio_id: _digest(library.features.read_track_features(audio_id, parameters))
                for audio_id in index.tracks
            },
            "version": index.version,
            "recall": measured_recall(library, index),
            "lists": {stage: stored_pairs(library, index, stage) for stage in STAGES},
        }


def assert_same_answer(answer: dict[str, Any], other: dict[str, Any], *, within: float) -> None:
    """Check that two answers are equal, but that distances may differ by `within`."""
    lists, other_lists = answer.pop("lists"), other["lists"]
    assert answer == {name: value for name, value in other.items() if name != "lists"}
    for stage, by_query in other_lists.items():
        assert len(by_query) > 40
        assert lists[stage].keys() == by_query.keys()
        for query, found in by_query.items():
            assert [audio_id for audio_id, _ in lists[stage][query]] == [audio_id for audio_id, _ in found]
            far = np.array([distance for _, distance in lists[stage][query]]) - [distance for _, distance in found]
            assert np.abs(far).max(initial=0) <= within


def _digest(features: TrackFeatures) -> str:
    arrays = (np.asarray(getattr(features, field.name)) for field in fields(features))
    return blake2b(b"".join(array.tobytes() for array in arrays), digest_size=8).hexdigest()


if __name__ == "__main__":
    _home, _master, *_paths = sys.argv[1:]
    _settings = Settings(home=Path(_home), settle_seconds=0, compute="spark", spark_master=_master)
    print(json.dumps(answer_of_files(_settings, [Path(path) for path in _paths])))  # noqa: T201
