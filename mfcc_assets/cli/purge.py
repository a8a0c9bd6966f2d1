"""`mfcc purge`: everything of an upload removed."""

import click

from mfcc_assets.library import Library


@click.command()
@click.argument("upload")
@click.pass_obj
def purge(library: Library, upload: str) -> None:
    """Remove UPLOAD, named by its id: files, document, recommendations, and the features of its audio."""
    from mfcc_assets.pipeline.purge import purge_upload

    purged = purge_upload(library, upload)
    if not (purged.blobs or purged.had_document or purged.recommendations):
        raise click.ClickException(f"There is nothing of an upload {upload}.")
    features = "and the features of its audio" if purged.audio_id else "no features: none, or a soundtrack's as well"
    document = "its document" if purged.had_document else "no document"
    click.echo(f"Removed {purged.blobs} blobs, {document}, {purged.recommendations} recommendations, {features}.")
