"""A player in the process of a test: it calls with a key, and reads answers as JSON or XML."""

import xml.etree.ElementTree as ET
from typing import Any

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets_tests.web.clients import client_of

NAME = "anna"


class Player:
    """Calls the API of a library with a key of its own."""

    def __init__(self, library: Library) -> None:
        self.client = client_of(library)
        self.key = make_key(library, NAME, is_operator=False)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the content of an answer in JSON."""
        return content_of(self.get(method, f="json", **parameters))

    def get(self, method: str, **parameters: Any) -> Any:
        """Return the response to a call."""
        return self.client.get(f"/rest/{method}", query_string={"apiKey": self.key, **parameters})

    def code(self, method: str, **parameters: Any) -> int:
        """Return the number of the failure of a call."""
        answer = self.call(method, **parameters)
        assert answer["status"] == "failed"
        number: int = answer["error"]["code"]
        return number


def content_of(response: Any) -> dict[str, Any]:
    """Return the content of a response in JSON."""
    assert response.status_code == 200
    content: dict[str, Any] = response.json["subsonic-response"]
    return content


def xml_of(response: Any) -> ET.Element:
    """Return the outermost element of a response in XML, whose names have no namespace."""
    root = ET.fromstring(response.data)
    for element in root.iter():
        space, _, name = element.tag.rpartition("}")
        assert space == "{http://subsonic.org/restapi"
        element.tag = name
    return root
