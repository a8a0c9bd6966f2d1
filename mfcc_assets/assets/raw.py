"""Files as they arrive: soundtracks observed, uploads received."""

import dagster as dg

from mfcc_assets.assets.answering import answering_run
from mfcc_assets.assets.policies import soundtrack_asset, upload_asset
from mfcc_assets.assets.presentation import add_counts, names_as_markdown, uploads_as_markdown
from mfcc_assets.library import Library
from mfcc_assets.stages.observing import observe_soundtracks
from mfcc_assets.stages.uploading import receive_uploads


@soundtrack_asset(kinds={"python", "sql"}, code_version="1")
def raw_soundtracks(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The files in the container `soundtracks`: rows of SOUNDTRACKS with tags and digests, pictures in `artworks`."""
    found = observe_soundtracks(library, context.partition_keys, run_id=context.run.run_id)
    add_counts(context, found.outcomes, ("new", "changed", "gone", "unchanged"), digits=library.settings.shard_digits)
    names = {"new": found.new, "changed": found.changed, "gone": found.gone}
    return dg.MaterializeResult(metadata={"names": names_as_markdown(names)})


@upload_asset(kinds={"python", "json"}, code_version="1")
def raw_upload(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """A listener's file, copied from `uploads` to `batch`, and the document that follows it through its life."""
    received = receive_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(received)})
