"""`mfcc web`: serve the pages for listeners."""

import click

from mfcc_assets.library import Library


@click.command()
@click.option("--host", help="Address at which the pages are served; by default MFCC_WEB_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the pages; by default MFCC_WEB_PORT.")
@click.option("--open", "open_browser", is_flag=True, help="Show the pages in the browser of this machine.")
@click.pass_obj
def web(library: Library, host: str | None, port: int | None, open_browser: bool) -> None:
    """Serve the web pages on which listeners upload, hear and see.

    Uploads are answered at once as a preview. Dagster records the answers: start it beside the pages, as `make dev`
    does.
    """
    from mfcc_assets.web.server import serve

    given = {"web_host": host, "web_port": port}
    settings = library.settings.model_copy(update={name: value for name, value in given.items() if value is not None})
    serve(settings, open_browser=open_browser, say=lambda sentence: click.echo(sentence, err=True))
