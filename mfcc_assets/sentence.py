"""Sentences that can be translated: English texts that know from which template and which values they were made."""

from collections.abc import Mapping


class Sentence(str):
    """An English sentence, or a part of one, that a page can say in another language.

    It is a text like any other for whoever reads English: it is printed, joined and written as JSON as it is.

    Parameters
    ----------
    template
        The sentence with places such as ``%(title)s`` for the values. Write it as a literal: the catalogues of
        translations are made from the code.
    values
        What stands in the places. Values that are sentences can be translated themselves.

    Examples
    --------
    >>> heard = Sentence("%(title)s is %(word)s.", title="Palace", word=Sentence("dark"))
    >>> heard
    'Palace is dark.'
    >>> heard.template
    '%(title)s is %(word)s.'
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, str]

    def __new__(cls, template: str, /, **values: str) -> "Sentence":
        made = super().__new__(cls, template % values if values else template)
        made.template = template
        made.values = values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], Mapping[str, str]]:
        # Copies and pickles are made from these. The text alone would be taken for a template.
        return (self.template,), self.values
