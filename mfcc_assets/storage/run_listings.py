"""Listings of folders that the steps of one run share, because a listing of a million names takes 200 requests."""

from threading import Lock

from mfcc_assets.storage.blobs.port import Blob, BlobStore


class RunListings:
    """Lists each folder of a container once in a run, and once more after this process has written or deleted there.

    What another process writes meanwhile is not seen before the next run, which takes it for missing until then. So
    this is for blobs that may be computed twice.

    Parameters
    ----------
    blobs, container
        The container.
    """

    def __init__(self, blobs: BlobStore, container: str) -> None:
        self._blobs, self._container = blobs, container
        self._run_id, self._kept, self._lock = "", dict[str, list[Blob]](), Lock()

    def of(self, folder: str, run_id: str) -> list[Blob]:
        """Return the blobs of a folder.

        Parameters
        ----------
        folder
            The folder, with the slash at its end.
        run_id
            The run that asks. If it is empty, the folder is listed now.
        """
        if not run_id:
            return list(self._blobs.list(self._container, folder))
        with self._lock:
            if run_id != self._run_id:
                self._run_id, self._kept = run_id, {}
            kept = self._kept.get(folder)
            if kept is None:
                kept = self._kept[folder] = list(self._blobs.list(self._container, folder))
            return kept

    def forget(self) -> None:
        """Forget all listings, for example because another attempt of a run begins."""
        with self._lock:
            self._kept.clear()

    def changed(self, name: str) -> None:
        """Forget the listing of the folder of a blob that was written or deleted."""
        with self._lock:
            for folder in [folder for folder in self._kept if name.startswith(folder)]:
                del self._kept[folder]
