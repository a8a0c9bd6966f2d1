"""The texts that scripts in the browser show, in the language of the request."""

from mfcc_assets.web.i18n import gettext as _


def browser_texts() -> dict[str, str]:
    """Return the texts by the names that the scripts know. Scripts put values in place of ``{name}``."""
    return {
        "offline": _("The server cannot be reached. This page tries again by itself."),
    }
