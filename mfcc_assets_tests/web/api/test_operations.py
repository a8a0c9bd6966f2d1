"""Tests of how functions become operations."""

from flask import Blueprint, Flask
from pydantic import Field

from mfcc_assets.web.api.models import Model, Totals
from mfcc_assets.web.api.operations import Operations


class Query(Model):
    word: str = Field("", max_length=3)


def test_a_function_gets_what_was_checked_and_its_model_is_the_answer() -> None:
    operations = Operations(Blueprint("tried", __name__))

    @operations.get("/tracks/{track_id}", tag="tried", query=Query, answer=Totals)
    def count(track_id: str, query: Query) -> Totals:
        """Count something. It is only tried."""
        return Totals(tracks=len(query.word), seconds=float(len(track_id)))

    app = Flask(__name__)
    app.register_blueprint(operations.blueprint)
    client = app.test_client()

    assert client.get(f"/tracks/{'0f' * 8}?word=ab").get_json() == {"tracks": 2, "seconds": 16.0}
    assert client.get(f"/tracks/{'0f' * 8}?word=abcd").status_code == 422
    for wrong in ("0f", "0F" * 8, "0f" * 8 + "%0A", "٠" * 16):
        assert client.get(f"/tracks/{wrong}").status_code == 404
    [operation] = operations.every
    assert (operation.name, operation.words, operation.places) == (
        "count", "Count something. It is only tried.", ["track_id"],
    )  # fmt: skip
