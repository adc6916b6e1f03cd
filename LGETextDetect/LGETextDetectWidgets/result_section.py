"""Panel section 'Result': the finding in words, table, bull's eye, evidence overlay, plot, jumps to segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import qt
import slicer
from LGETextDetectLib import mrml_roles
from slicer.i18n import tr as _

from . import slice_views
from .bullseye import Bullseye
from .panel_words import device_text, error_text, flags_text, image_type, result_text

COLUMNS = ("#", "Segment", "Prob.", "Layer, depth")
STALE = "The images are not those that this result was made of, or have changed since. Press Apply to detect again."
ASKED = "asked"  # part of the overlay that shows a question's evidence only


def fill_table(table: Any, rows: Sequence[Sequence[str]]) -> None:
    """Replace a table widget's rows by texts."""
    blocked = table.blockSignals(True)
    table.setRowCount(len(rows))
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            table.setItem(number, column, item)
    table.blockSignals(blocked)


class ResultSection:
    """Shows one study's result nodes; ``panel`` is the module's widget."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.bullseye = Bullseye(self.show_segment)
        self._ui.bullseyeHolder.layout().addWidget(self.bullseye)
        qt.QWidget.setTabOrder(self._ui.cancelButton, self.bullseye)
        qt.QWidget.setTabOrder(self.bullseye, self._ui.segmentsTable)
        table = self._ui.segmentsTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels([_(title) for title in COLUMNS])
        for column in range(len(COLUMNS)):
            mode = qt.QHeaderView.Stretch if column == 1 else qt.QHeaderView.ResizeToContents
            table.horizontalHeader().setSectionResizeMode(column, mode)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.connect("cellClicked(int,int)", lambda row, column: self.bullseye.choose(row + 1))
        table.connect("currentCellChanged(int,int,int,int)", lambda row, *_rest: self._choose_row(row))
        self._ui.plotButton.connect("clicked(bool)", lambda checked=False: slice_views.show_chart(self._nodes.chart))
        self._ui.editSegmentationButton.connect("clicked(bool)", self.on_edit)
        self._shown_volume: Any = None
        self._text = ""
        self._compared: tuple[Any, ...] = ((), False)  # result and images, and whether they belong together

    @property
    def _nodes(self) -> Any:
        return self._panel.nodes

    def show(self, nodes: Any) -> None:
        """Fill the section from result nodes and lay the evidence over the images."""
        result = nodes.result
        self._text = result_text(result) + "\n" + device_text(result["model"])
        self._say_finding()
        known = image_type(self._panel.volume_node) != "unknown"  # pixels alone, as the engine got them, do not say it
        flags = [flag for flag in result["quality"] if not (known and flag["code"] == "image-type-unknown")]
        self._ui.flagsLabel.text = flags_text(flags)
        segments = _segment_rows(result)
        self.bullseye.show_result(segments, self._found())
        fill_table(self._ui.segmentsTable, [_segment_row(row) for row in segments])
        self._ui.segmentLabel.text = ""
        self._apply_display()
        slice_views.show_volume(self._panel.volume_node, self._overlay(), fit=True)

    def clear(self) -> None:
        """Show nothing."""
        for label in (self._ui.resultLabel, self._ui.flagsLabel, self._ui.segmentLabel):
            label.text = ""
        self.bullseye.show_result([], [])
        fill_table(self._ui.segmentsTable, [])

    def update(self, busy: bool) -> None:
        there = self._nodes is not None
        for widget in (self._ui.plotButton, self._ui.editSegmentationButton, self._ui.thresholdSlider):
            widget.enabled = there
        self._ui.noticeLabel.visible = there
        for widget in (self.bullseye, self._ui.segmentsTable):
            widget.visible = there
        self._ui.flagsLabel.visible = there and bool(self._ui.flagsLabel.text)
        if there:
            self._say_finding()
            self._apply_display()

    @property
    def stale(self) -> bool:
        """Whether the result that is shown is of other images than the volume's as they are now."""
        nodes, volume_node = self._nodes, self._panel.volume_node
        if nodes is None or volume_node is None:
            return False
        image = volume_node.GetImageData()
        places = [node.GetTransformNodeID() for node in (volume_node, nodes.evidence)]
        fact = (nodes, places, volume_node.GetMTime(), image, image.GetMTime() if image is not None else 0)
        if self._compared[0] != fact:  # every voxel is looked at, and this is asked often
            from LGETextDetectLib import mrml_results

            self._compared = (fact, not mrml_results.made_of(nodes, volume_node))
        return bool(self._compared[1])

    def _say_finding(self) -> None:
        self._ui.resultLabel.text = f"{_(STALE)}\n{self._text}" if self.stale else self._text

    def _found(self) -> list[int]:
        """Segments of the finding."""
        return [n for lesion in self._nodes.result["finding"]["lesions"] for n in lesion["segments"]]

    # --- overlay

    def _overlay(self) -> Any:
        return self._nodes.evidence if self._panel.parameters.showEvidence else None

    def _apply_display(self) -> None:
        """Threshold, legend and visibility of the evidence, as chosen."""
        parameters, evidence = self._panel.parameters, self._nodes.evidence
        evidence.GetDisplayNode().SetThreshold(parameters.evidenceThreshold, 1.0)
        legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(evidence)
        if legend is not None:
            legend.SetVisibility(parameters.showLegend and parameters.showEvidence)
        if self._shown_volume != (evidence.GetID(), parameters.showEvidence):
            self._shown_volume = (evidence.GetID(), parameters.showEvidence)
            slice_views.show_volume(self._panel.volume_node, self._overlay())

    def show_evidence_of(self, evidence: npt.NDArray[np.float32], numbers: Sequence[int]) -> None:
        """Lay only a question's evidence (on the engine's grid) over the images, and outline its segments."""
        from LGETextDetectLib import mrml, mrml_results

        node = mrml_roles.part_of(self._panel.volume_node, slicer.mrmlScene, ASKED)
        if node is not None:
            mrml.remove_with_parts(node, slicer.mrmlScene)
        on_grid = mrml.from_engine_grid(evidence, self._panel.volume_node)
        name = f"{self._panel.volume_node.GetName()} LGE evidence asked"
        node = mrml_results.evidence_to_node(on_grid, self._panel.volume_node, slicer.mrmlScene, name)
        node.SetAttribute(mrml_roles.PART_ATTRIBUTE, ASKED)
        node.SetNodeReferenceID(mrml_roles.INPUT_ROLE, self._panel.volume_node.GetID())
        mrml_results.join_result(node, self._panel.volume_node, slicer.mrmlScene)
        node.GetDisplayNode().SetThreshold(self._panel.parameters.evidenceThreshold, 1.0)
        self.bullseye.show_result(_segment_rows(self._nodes.result), numbers)
        self._shown_volume = None  # the next choice of a segment or setting shows all evidence again
        if self._panel.parameters.showEvidence:
            slice_views.show_volume(self._panel.volume_node, node)

    # --- places

    def evidence(self) -> npt.NDArray[np.float32]:
        """(slice, row, column) evidence as the engine sees the volume."""
        from LGETextDetectLib import mrml

        return mrml.engine_volume(self._nodes.evidence).array

    def segment_labels(self) -> npt.NDArray[np.uint8] | None:
        """(slice, row, column) AHA segments on the engine's grid; None when the landmarks give none, or the result is stale."""
        from LGETextDetectLib import mrml, segment_places

        frames = self._panel.landmarks.frames()
        if not frames or self.stale:
            return None
        return segment_places.segment_labels(mrml.engine_volume(self._panel.volume_node), frames)

    def show_segment(self, number: int) -> None:
        """Jump to a segment's slice and centre, and say what was found there."""
        from LGETextDetectLib import segment_places

        frames = self._panel.landmarks.frames()
        if self._nodes is None or not frames or self.stale:
            return
        labels, evidence = self.segment_labels(), self.evidence()
        weight = np.where(labels == number, evidence, 0).sum(axis=(1, 2))
        index, lps = segment_places.segment_centre(frames, number, weight)
        slice_views.jump_to(np.multiply(lps, (-1, -1, 1)))
        row = _segment_rows(self._nodes.result)[number - 1]
        self._ui.segmentLabel.text = _segment_words(row) + " " + _("Slice {index}.").format(index=index + 1)
        blocked = self._ui.segmentsTable.blockSignals(True)
        self._ui.segmentsTable.setCurrentCell(number - 1, 0)
        self._ui.segmentsTable.blockSignals(blocked)

    def jump_to_index(self, index: Sequence[int]) -> None:
        """Jump to a voxel of the engine's grid."""
        from LGETextDetectLib import mrml

        lps = mrml.engine_volume(self._panel.volume_node).to_lps(index)
        slice_views.jump_to(np.multiply(lps, (-1, -1, 1)))

    def _choose_row(self, row: int) -> None:
        if row >= 0:
            self.bullseye.choose(row + 1)

    def on_edit(self, checked=False) -> None:
        """Hand the scar segmentation to the Segment Editor; it is the user's from now on."""
        self._nodes.segmentation.SetAttribute(mrml_roles.KEPT_ATTRIBUTE, "1")
        try:
            slice_views.edit_segmentation(self._nodes.segmentation, self._panel.volume_node)
        except (AttributeError, RuntimeError) as error:  # an application without the Segment Editor
            self._panel.show_error(error_text(error))


def _segment_rows(result: Any) -> list[Any]:
    from LGETextDetectLib.outputs.report_words import segment_rows

    return segment_rows(result)


def _segment_row(row: Any) -> list[str]:
    from LGETextDetectLib.outputs.report_words import probability_words

    return [str(row["aha"]), row["name"], probability_words(row["probability"]), "\n".join(_layer_and_depth(row))]


def _layer_and_depth(row: Any) -> list[str]:
    """What is known of both, as words."""
    from LGETextDetectLib.outputs.report_words import TRANSMURALITY

    depth = None if row["transmurality"] is None else TRANSMURALITY[row["transmurality"]]
    return [part for part in (row["layer"], depth) if part]


def _segment_words(row: Any) -> str:
    from LGETextDetectLib.outputs.report_words import probability_words

    words = _("Segment {number}, {name}: probability {p}").format(
        number=row["aha"], name=row["name"], p=probability_words(row["probability"])
    )
    return ", ".join([words, *_layer_and_depth(row)]) + "."
