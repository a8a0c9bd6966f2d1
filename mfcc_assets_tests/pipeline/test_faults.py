"""What an examination finds."""

from typing import NoReturn

from mfcc_assets.errors import StoreError
from mfcc_assets.pipeline.faults import Examined, examined, first_faults


def test_an_error_of_a_part_is_a_fault_of_it() -> None:
    def fail() -> NoReturn:
        raise StoreError("it is gone", subject="the store", remedy="Bring it back")

    def refuse() -> NoReturn:
        raise PermissionError(13, "Permission denied", "/a/file")

    assert examined("store", fail) == Examined("store", faults=["the store: it is gone. Bring it back."])
    assert examined("disk", refuse).faults == [
        "/a/file: it cannot be read or written (Permission denied). Check its permissions and its disk."
    ]


def test_many_faults_of_a_kind_are_counted() -> None:
    assert first_faults(["a"]) == ["a"]
    assert first_faults([f"{number}" for number in range(12)])[9:] == ["9", "There are 2 more like these."]
