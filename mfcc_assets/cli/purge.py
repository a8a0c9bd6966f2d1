"""`mfcc purge`: remove everything of an upload, or of all uploads whose time of retention has passed."""

import click

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library


@click.command()
@click.argument("upload", required=False)
@click.option("--lapsed", is_flag=True, help="Remove all uploads that are older than MFCC_RETENTION_DAYS.")
@click.pass_obj
def purge(library: Library, upload: str | None, lapsed: bool) -> None:
    """Remove everything of the upload with the id UPLOAD.

    This is its files, its document, its recommendations, and the features of its audio. The command fails if anything
    of it is left.
    """
    from mfcc_assets.pipeline.purge import purge_lapsed_uploads, purge_upload

    if lapsed == (upload is not None):
        raise click.UsageError("Name an upload, or use --lapsed.")
    if upload is None:
        click.echo(f"Purged {len(purge_lapsed_uploads(library))} uploads.")
        return
    purged = purge_upload(library, UploadId(upload))
    if not purged.was_known:
        raise click.ClickException(f"Nothing is stored of an upload {upload}.")
    features = (
        "and the features of its audio"
        if purged.audio_id
        else "and no features: there were none, or a soundtrack has the same audio"
    )
    document = "its document" if purged.had_document else "no document"
    click.echo(f"Removed {purged.blobs} blobs, {document}, {purged.recommendations} recommendations, {features}.")
