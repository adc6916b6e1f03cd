"""A form of every entry of a hospital's recipe, made from the recipe's own definition."""

from __future__ import annotations

from typing import Any

import qt
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.recipe import EntryDoc, HospitalRecipe, build_recipe, documented


class RecipeForm:
    """Fills a container with one row an entry; its tool tip says what the entry does."""

    def __init__(self, container: Any) -> None:
        layout = qt.QFormLayout(container)
        layout.setContentsMargins(0, 0, 0, 0)
        self.docs = documented(HospitalRecipe)
        self.widgets: dict[str, Any] = {}
        for doc in self.docs:
            widget = _widget(doc)
            widget.toolTip = f"{doc.said[0].upper()}{doc.said[1:]}."
            widget.setAccessibleName(doc.name)
            label = qt.QLabel(doc.name.replace("_", " ").replace(".", ": "))
            label.toolTip = widget.toolTip
            layout.addRow(label, widget)
            self.widgets[doc.name] = widget

    def show(self, recipe: HospitalRecipe) -> None:
        """Show a recipe's values."""
        for doc in self.docs:
            table, _, name = doc.name.rpartition(".")
            value = getattr(getattr(recipe, table) if table else recipe, name)
            widget = self.widgets[doc.name]
            if doc.kind == "bool":
                widget.checked = bool(value)
            elif doc.choices:
                widget.currentIndex = doc.choices.index(value)
            else:
                widget.text = str(value)

    def recipe(self) -> HospitalRecipe:
        """The recipe as the form stands; raises InputRefused('bad-recipe') that names the entry."""
        values: dict[str, Any] = {}
        for doc in self.docs:
            table, _, name = doc.name.rpartition(".")
            holder = values.setdefault(table, {}) if table else values
            holder[name] = self._value(doc)
        built: HospitalRecipe = build_recipe(HospitalRecipe, values)
        return built

    def set(self, name: str, value: str) -> None:
        """Put a text into one entry."""
        self.widgets[name].text = value

    def _value(self, doc: EntryDoc) -> Any:
        widget = self.widgets[doc.name]
        if doc.kind == "bool":
            return bool(widget.checked)
        if doc.choices:
            return doc.choices[int(widget.currentIndex)]
        text = str(widget.text).strip()
        if doc.kind == "str":
            return text
        try:
            return int(text) if doc.kind == "int" else float(text)
        except ValueError as error:
            raise InputRefused("bad-recipe", f"'{doc.name}' must be a number, got {text!r}.") from error


def _widget(doc: EntryDoc) -> Any:
    if doc.kind == "bool":
        widget = qt.QCheckBox()
        widget.checked = bool(doc.default)
        return widget
    if doc.choices:
        widget = qt.QComboBox()
        widget.addItems(list(doc.choices))
        widget.currentIndex = doc.choices.index(doc.default)
        return widget
    widget = qt.QLineEdit()
    widget.text = "" if doc.default is None else str(doc.default)
    return widget
