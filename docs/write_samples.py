"""Write the outputs of commands and programs, and the pictures that they draw, into the pages.

Run `python -m docs.write_samples`. The programs of docs/table.md need pandas, Spark and Java.
"""

import shutil
import tempfile
from pathlib import Path

from docs.samples import (
    PAGES,
    PROGRAMS,
    REPOSITORY,
    make_checkout,
    make_demo,
    page_as_run,
    program_as_run,
    programs_of,
    written_pictures,
)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        checkout = make_checkout(Path(name))
        first_demo = make_demo(checkout)
        home, kept = checkout / "mfcc_data", Path(name) / "kept"
        home.rename(kept)
        for page in PAGES:
            shutil.copytree(kept, home)
            text = page_as_run(page.read_text(), checkout, first_demo)
            if page.name in PROGRAMS:
                for part in programs_of(text).values():
                    text = text.replace(part, program_as_run(part, checkout))
            page.write_text(text)
            shutil.rmtree(home)
        shutil.copytree(kept, home)
        for picture, drawn in written_pictures(checkout).items():
            shutil.copy(drawn, REPOSITORY / "docs" / picture)


if __name__ == "__main__":
    main()
