"""Panel section 'Questions': typed or chosen, answered in a growing list, each with where the model looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import qt
import slicer
from LGETextDetectLib import mrml_roles
from slicer.i18n import tr as _

from .panel_words import EXAMPLES, answer_rows
from .result_section import fill_table


class QuestionSection:
    """Owns the list of answers, which is also a table node of the scene."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.rows: list[tuple[str, str, str, str]] = []  # as mrml_tables.ANSWER_COLUMNS
        table = self._ui.answersTable
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels([_("Question"), _("Probability")])
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        self._ui.examplesComboBox.addItems([_("Examples..."), *EXAMPLES])
        self._ui.askButton.connect("clicked(bool)", self.on_ask)
        self._ui.promptLineEdit.connect("returnPressed()", self.on_ask)
        self._ui.examplesComboBox.connect("activated(int)", self.on_example)
        table.connect("cellClicked(int,int)", lambda row, column: self.look_at(row))
        table.connect("currentCellChanged(int,int,int,int)", lambda row, *_rest: self.look_at(row))
        self._ui.clearButton.connect("clicked(bool)", self.on_clear)

    @property
    def questions(self) -> list[str]:
        """The texts of the list, each once."""
        return list(dict.fromkeys(row[0] for row in self.rows))

    def update(self, busy: bool) -> None:
        ready = self._panel.ready and not busy
        self._ui.askButton.enabled = ready
        self._ui.askButton.toolTip = _("Ask this question.") if ready else _("Choose a volume first.")
        self._ui.examplesComboBox.enabled = ready
        self._ui.clearButton.enabled = bool(self.rows)

    def on_ask(self, checked=False) -> None:
        text = self._panel.parameters.prompt.strip() if self._panel.parameters is not None else ""
        if text and self._ui.askButton.enabled:
            self._panel.ask(text)

    def on_example(self, index: int) -> None:
        if index > 0:
            self._panel.parameters.prompt = EXAMPLES[index - 1]
            self._ui.examplesComboBox.currentIndex = 0
            self.on_ask()

    def add(self, result: Mapping[str, Any]) -> None:
        """Put a result's answers at the end of the list; a question that stands there already moves."""
        places = [" ".join(str(n) for n in prompt["meaning"]["segments"]) for prompt in result["prompts"]]
        fresh = [(*row, place) for row, place in zip(answer_rows(result), places, strict=True)]
        asked = {row[0] for row in fresh}
        self._set([*(row for row in self.rows if row[0] not in asked), *fresh])
        if fresh:
            self.look_at(len(self.rows) - 1)

    def on_clear(self, checked=False) -> None:
        self._set([])

    def restore(self) -> None:
        """Show the answers that the scene holds for the volume in use."""
        node = mrml_roles.part_of(self._panel.volume_node, slicer.mrmlScene, "answers")
        rows: list[tuple[str, str, str, str]] = []
        if node is not None and node.GetNumberOfColumns() == 4:
            for k in range(node.GetNumberOfRows()):
                question, probability, understood, segments = (str(node.GetCellText(k, c)) for c in range(4))
                rows.append((question, probability, understood, segments))
        self._show(rows)

    def forget(self) -> None:
        """Empty the list; the scene keeps its table."""
        self._show([])

    def _set(self, rows: list[tuple[str, str, str, str]]) -> None:
        from LGETextDetectLib import mrml_results, mrml_tables

        volume_node, scene = self._panel.volume_node, slicer.mrmlScene
        node = mrml_roles.part_of(volume_node, scene, "answers")
        if node is None:
            node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{volume_node.GetName()} LGE answers")
            node.SetAttribute(mrml_roles.PART_ATTRIBUTE, "answers")
            node.SetAttribute(mrml_roles.KEPT_ATTRIBUTE, "1")
            node.SetNodeReferenceID(mrml_roles.INPUT_ROLE, volume_node.GetID())
            mrml_results.join_result(node, volume_node, scene)
        mrml_tables.answers_to_node(rows, node)
        self._show(rows)

    def _show(self, rows: list[tuple[str, str, str, str]]) -> None:
        self.rows = rows
        shown = [(f"{question}\n{understood}", probability) for question, probability, understood, _segments in rows]
        fill_table(self._ui.answersTable, shown)
        self._ui.answerLabel.text = ""
        self._ui.clearButton.enabled = bool(rows)

    def look_at(self, row: int) -> None:
        """Say and show the evidence in the segments that a question was about."""
        nodes = self._panel.nodes
        if nodes is None or not 0 <= row < len(self.rows):
            return
        _question, probability, understood, segments = self.rows[row]
        numbers = [int(n) for n in segments.split()] or list(range(1, 18))
        labels = self._panel.result.segment_labels()
        if labels is None or not probability[:1].isdigit():
            self._ui.answerLabel.text = understood
            return
        from LGETextDetectLib.aha import NAMES

        evidence = np.where(np.isin(labels, numbers), self._panel.result.evidence(), 0.0)
        place = np.unravel_index(int(evidence.argmax()), evidence.shape)
        strongest = int(labels[place])
        words = [_("Looked at: {where}.").format(where=segments.replace(" ", ", ") if segments else _("all segments"))]
        if evidence.max() > 0:
            words.append(
                _("Strongest evidence {value:.2f} in segment {number}, {name}, slice {index}.").format(
                    value=float(evidence.max()), number=strongest, name=NAMES[strongest], index=int(place[0]) + 1
                )
            )
            self._panel.result.jump_to_index(place)
        else:
            words.append(_("No evidence there."))
        self._ui.answerLabel.text = " ".join(words)
        self._panel.result.show_evidence_of(evidence.astype(np.float32), numbers)
