"""The space that files take on a disk."""

from pathlib import Path

from mfcc_assets.storage.disk_use import bytes_on_disk


def test_files_below_folders_count_and_links_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    empty = bytes_on_disk(folder)
    (tmp_path / "elsewhere").write_bytes(bytes(1_000_000))
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert bytes_on_disk(folder) < empty + 100_000

    (folder / "below" / "file").write_bytes(bytes(1_000_000))
    assert 1_000_000 <= bytes_on_disk(folder) - empty < 1_100_000
    assert bytes_on_disk(folder, folder) == 2 * bytes_on_disk(folder)


def test_a_path_without_a_file_takes_no_space(tmp_path: Path) -> None:
    assert bytes_on_disk(tmp_path / "nothing") == 0
