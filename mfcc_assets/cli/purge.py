"""`mfcc purge`: remove everything of an upload."""

import click

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library


@click.command()
@click.argument("upload")
@click.pass_obj
def purge(library: Library, upload: str) -> None:
    """Remove the upload with the id UPLOAD: its files, document, recommendations, and the features of its audio."""
    from mfcc_assets.pipeline.purge import purge_upload

    purged = purge_upload(library, UploadId(upload))
    if not (purged.blobs or purged.had_document or purged.recommendations):
        raise click.ClickException(f"Nothing is stored of an upload {upload}.")
    features = (
        "and the features of its audio"
        if purged.audio_id
        else "and no features: there were none, or a soundtrack has the same audio"
    )
    document = "its document" if purged.had_document else "no document"
    click.echo(f"Removed {purged.blobs} blobs, {document}, {purged.recommendations} recommendations, {features}.")
