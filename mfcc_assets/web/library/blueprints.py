"""All blueprints of the pages of the library."""

from mfcc_assets.web.library import health, lists, playlists, track_files, tracks

BLUEPRINTS = (lists.blueprint, tracks.blueprint, track_files.blueprint, playlists.blueprint, health.blueprint)
