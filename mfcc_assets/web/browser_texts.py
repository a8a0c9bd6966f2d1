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
        "now_playing": _("Now playing: {title}"),
        "radio_failed": _("The radio cannot be reached. Try again in a little while."),
        "radio_ended": _("The radio found no further tracks."),
        "stretch_place": _("{place} of {count}"),
        "map_failed": _("The map cannot be loaded. Try again in a little while."),
        "map_changed": _("The library has changed. Load the page again to see the new map."),
        "map_others": _("{count} others are grey"),
        "map_found": _("Tracks found: {count}"),
        "map_found_none": _("No track of the library has these words in its names."),
        "almost": _("Almost there …"),
        "answered": _("The answer is recorded."),
        "cancel": _("Cancel"),
        "close": _("Close"),
        "comparing": _("Comparing both tracks …"),
        "copied": _("The link was copied."),
        "copy": _("Copy"),
        "deleted": _("This upload was deleted."),
        "logged_out": _("You are logged out. Load this page again, and log in."),
        "no_answer": _("There is no answer."),
        "not_explained": _("This cannot be explained now. Try again in a little while."),
        "not_sent": _("The file was not sent. Try again."),
        "not_shared": _("No link could be made. Try again."),
        "offline": _("The server cannot be reached. This page tries again by itself."),
        "only_first": _("Only the first of these files is sent."),
        "previewed": _("This is the answer already. A run is recording it."),
        "search_failed": _("The search does not answer now. Try again in a little while."),
        "sending": _("Sending {name}"),
        "shared_for": _("Whoever has this link sees the answer for {days} days. It is shown only now."),
        "shared_link": _("Link to the answer"),
        "too_large": _("This file is too large. The limit is {limit} MB."),
        "upload": _("Upload"),
    }
