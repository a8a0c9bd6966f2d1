"""The answers of calls, as JSON or as XML. Both have the same members."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TypeAlias

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from mfcc_assets.web.subsonic.failures import CallFailed, Code

Content: TypeAlias = Mapping[str, Any]
"""Members of an answer: texts, numbers, truth values, further members, and lists of these."""

_PROTOCOL = "1.16.1"
_SERVER = "mfcc"
_NAMESPACE = "http://subsonic.org/restapi"
_TEXT = "value"
"""Name of the member that XML has as the text of an element. All other texts and numbers are attributes."""


def answer(content: Content) -> Response:
    """Return the answer of a call that was done."""
    return _sent({"status": "ok", **_about_server(), **content}, _format())


def failed_answer(failure: CallFailed) -> Response:
    """Return the answer of a call that failed. Its HTTP status is that of success: players read the code inside."""
    content = {
        "status": "failed",
        **_about_server(),
        "error": {"code": int(failure.code), "message": failure.said},
    }
    try:
        asked = request.values.get("f")
    except HTTPException:  # the form itself is what failed
        asked = request.args.get("f")
    return _sent(content, "json" if asked == "json" else "xml")


def check_format() -> None:
    """Raise `CallFailed` if the call asks for a form in which nothing is answered."""
    _format()


def protocol_time(when: datetime) -> str:
    """Return a time as the protocol writes it.

    Examples
    --------
    >>> protocol_time(datetime(2026, 11, 29, 20, 15, tzinfo=UTC))
    '2026-11-29T20:15:00.000Z'
    """
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def without_missing(content: Content) -> dict[str, Any]:
    """Return the members that are not None."""
    return {name: value for name, value in content.items() if value is not None}


def as_xml(content: Content) -> bytes:
    """Return an answer as XML: members as attributes, further members and lists as elements.

    Examples
    --------
    >>> as_xml({"status": "ok", "genres": {"genre": [{"value": "Jazz", "songCount": 2}]}}).decode().splitlines()[1]
    '<subsonic-response xmlns="http://subsonic.org/restapi" status="ok"><genres><genre songCount="2">Jazz</genre></genres></subsonic-response>'
    """  # noqa: E501  the answer is one line
    root = ET.Element("subsonic-response", xmlns=_NAMESPACE)
    _fill(root, content)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _fill(element: ET.Element, content: Content) -> None:
    for name, value in content.items():
        if isinstance(value, Mapping):
            _fill(ET.SubElement(element, name), value)
        elif isinstance(value, list):
            for item in value:
                child = ET.SubElement(element, name)
                if isinstance(item, Mapping):
                    _fill(child, item)
                else:
                    child.text = _written(item)
        elif name == _TEXT:
            element.text = _written(value)
        else:
            element.set(name, _written(value))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _format() -> str:
    asked = request.values.get("f", "xml")
    if asked not in ("xml", "json"):
        # A script of another site could read JSONP with a key that its user has typed elsewhere.
        raise CallFailed(Code.GENERIC, "Answers are XML or JSON. Send f=xml or f=json.")
    return asked


def _about_server() -> Content:
    return {"version": _PROTOCOL, "type": _SERVER, "serverVersion": version("mfcc-assets"), "openSubsonic": True}


def _sent(content: Content, form: str) -> Response:
    if form == "json":
        return jsonify({"subsonic-response": content})
    return Response(as_xml(content), content_type="application/xml; charset=utf-8")
