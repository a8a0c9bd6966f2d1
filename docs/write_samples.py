"""Write the outputs of commands, and the pictures that they draw, into the pages: `python -m docs.write_samples`."""

import shutil
import tempfile
from pathlib import Path

from docs.samples import PAGES, REPOSITORY, make_checkout, make_demo, page_as_run, written_pictures


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        checkout = make_checkout(Path(name))
        first_demo = make_demo(checkout)
        home, kept = checkout / "mfcc_data", Path(name) / "kept"
        home.rename(kept)
        for page in PAGES:
            shutil.copytree(kept, home)
            page.write_text(page_as_run(page.read_text(), checkout, first_demo))
            shutil.rmtree(home)
        shutil.copytree(kept, home)
        for picture, drawn in written_pictures(checkout).items():
            shutil.copy(drawn, REPOSITORY / "docs" / picture)


if __name__ == "__main__":
    main()
