"""The texts that scripts in the browser show, in the language of the request."""

from mfcc_assets.web.i18n import gettext as _


def browser_texts() -> dict[str, str]:
    """Return the texts by the names that the scripts know. Scripts put values in place of ``{name}``."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "play_track": _("Play {title}"),
        "pause_track": _("Pause {title}"),
        "place": _("{time} of {length}"),
        "place_in": _("Place in {title}"),
        "queued": _("{title} plays later."),
        "remove_from_queue": _("Remove {title} from the queue"),
        "cannot_be_played": _("{title} cannot be played."),
        "radio_failed": _("The radio cannot be reached. Try again in a little while."),
        "radio_ended": _("The radio found no further tracks."),
        "stretch_place": _("{place} of {count}"),
        "map_failed": _("The map cannot be loaded. Try again in a little while."),
        "map_changed": _("The library has changed. Load the page again to see the new map."),
        "map_others": _("{count} others are grey"),
        "map_found_none": _("No track of the library has these words in its names."),
        "offline": _("The server cannot be reached. This page tries again by itself."),
    }
