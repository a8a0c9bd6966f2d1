"""`make bench`: compare this package with its peers on real music, and write the pages with the figures."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from mfcc_assets_tests.benchmarks import (
    article,
    cascade,
    decoders,
    features,
    growth,
    kernels,
    orchestration,
    peers,
    report,
    scale,
    scaling,
    web,
)
from mfcc_assets_tests.benchmarks.corpus import Corpus, fetch
from mfcc_assets_tests.benchmarks.measuring import machine
from mfcc_assets_tests.benchmarks.report import Section

SECTIONS: Mapping[str, Callable[[Corpus], Section]] = {
    "kernels": kernels.measure,
    "cascade": cascade.measure,
    "decoders": decoders.measure,
    "features": features.measure,
    "article": article.measure,
    "peers": peers.measure,
    "scale": scale.measure,
    "growth": growth.measure,
    "scaling": scaling.measure,
    "orchestration": orchestration.measure,
    "web": web.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder with the music; missing music is downloaded to it"
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="folder that keeps features and libraries between runs"
    )
    parser.add_argument(
        "sections",
        nargs="*",
        choices=[*SECTIONS, []],
        help="sections to measure, whose text is replaced; all by default",
    )
    chosen = parser.parse_args()
    try:
        fetch(chosen.corpus)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Part of the corpus cannot be downloaded ({error}). The part that is there is used.\n")
    corpus = Corpus(chosen.corpus, chosen.work)
    begun = time.monotonic()
    sections = []
    for name in chosen.sections or SECTIONS:
        sys.stderr.write(f"{time.monotonic() - begun:6.0f} s  {name}\n")
        sections.append(SECTIONS[name](corpus))
        sys.stdout.write(f"{sections[-1]}\n\n")
    when = f"{datetime.now(UTC):%Y-%m-%d}, on {machine()}"
    if chosen.sections:
        report.replace([section.text(f"Measured alone, {when}.") for section in sections])
    else:
        heading = (
            "# Measurements\n\n"
            f"`make bench`, {when}: {len(corpus.tracks)} tracks of real music, "
            f"{sum(track.seconds for track in corpus.tracks) / 3600:.1f} hours. All contestants of a table ran in "
            "turns in the same process. Figures are medians, with the minimum and the maximum in parentheses.\n\n"
            f"All measurements together took {(time.monotonic() - begun) / 60:.1f} minutes."
        )
        report.write(heading, sections)
    for page in dict.fromkeys(section.page for section in sections):
        sys.stderr.write(f"{page}\n")


if __name__ == "__main__":
    main()
