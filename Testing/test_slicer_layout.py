"""The panel as it is seen and used by keyboard: no cut text at 400 and 700 pixels, tooltips, the order of the Tab key."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from panel_cases import HERE, PARTS, clean_scene, wait_until

import slicer  # isort: skip
import slicer_stand_in
from LGETextDetectLib import mrml
from LGETextDetectLib.volume import Volume
from qt_stand_in import QtCore, QtWidgets

import LGETextDetect  # isort: skip
from LGETextDetectWidgets import panel_words

__all__ = ["clean_scene"]  # fixtures
ENGINE = (sys.executable, str(HERE / "engine_stand_in.py"))
WIDTHS = (400, 700)
CONTROLS = (
    "QPushButton", "QComboBox", "QCheckBox", "QLineEdit", "QTableWidget", "QPlainTextEdit", "qMRMLNodeComboBox",
    "ctkPathLineEdit", "ctkSliderWidget",
)  # fmt: skip


@pytest.fixture
def panel(clean_scene):
    """A panel with everything in it: a result, answers, flags, an error, all sections open."""
    import numpy as np

    affine = np.diag([8.0, 1.5, 1.5, 1.0])
    values = np.random.default_rng(0).normal(100, 20, (4, 8, 6)).astype(np.float32)
    mrml.volume_to_node(Volume(values, affine), slicer.mrmlScene, "LGE")
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as widget:
        widget.logic = LGETextDetect.LGETextDetectLogic(ENGINE)
        widget.ui.promptLineEdit.text = "subendocardial scar of the basal inferolateral segment"
        widget.ui.applyButton.click()
        wait_until(lambda: widget.watch.run is None)
        assert widget.nodes is not None
        for control in vars(widget.ui).values():
            if type(control).__name__ == "_Collapsible" or "ctkCollapsible" in type(control).__name__:
                control.collapsed = False
        widget.ui.thresholdSlider.value = 0.2
        yield widget


def resized(panel, width: int):
    """The panel's frame at a width, as high as it wants to be."""
    frame = panel.parent.widget
    frame.show()
    for _ in range(3):
        height = max(frame.layout().totalHeightForWidth(width), QtWidgets.QWidget.minimumSizeHint(frame).height())
        frame.resize(width, height)
        PARTS.qt_application.processEvents()
    return frame


def cut_labels(controls) -> list[str]:
    cut = []
    for label in controls:
        if not isinstance(label, QtWidgets.QLabel) or not label.text or not label.isVisible():
            continue
        size, wanted = QtWidgets.QWidget.size(label), label.sizeHint()
        if label.wordWrap:
            fits = size.height() >= label.heightForWidth(size.width())
            metrics = QtWidgets.QWidget.fontMetrics(label)
            fits &= all(
                metrics.horizontalAdvance(word) <= size.width() for word in label.text.split() if "<" not in word
            )
        else:
            fits = size.width() >= wanted.width() and size.height() >= wanted.height()
        if not fits:
            cut.append(label.objectName if isinstance(label.objectName, str) else label.name)
    return cut


def cut_buttons(controls) -> list[str]:
    kinds = (QtWidgets.QPushButton, QtWidgets.QCheckBox)
    shown = [w for w in controls if isinstance(w, kinds) and w.isVisible()]
    return [w.name for w in shown if QtWidgets.QWidget.size(w).width() < w.minimumSizeHint().width()]


def cut_cells(table) -> list[str]:
    metrics = QtWidgets.QWidget.fontMetrics(table)
    cut = []
    for column in range(table.columnCount):
        room = table.columnWidth(column) - 6
        texts = [table.horizontalHeaderItem(column).text()]
        texts += [table.item(row, column).text() for row in range(table.rowCount)]
        cut += [t for t in texts if any(metrics.horizontalAdvance(word) > room for word in t.split())]
    for row in range(table.rowCount):
        if table.rowHeight(row) < table.sizeHintForRow(row):
            cut.append(f"row {row}")
    return cut


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_is_cut(panel, width: int, tmp_path: Path) -> None:
    panel.show_error("[constant-image] Every pixel is the same.\nGive a series with an image; every pixel is the same.")
    frame = resized(panel, width)
    assert QtWidgets.QWidget.size(frame).width() == width  # nothing needs more room
    controls = list(vars(panel.ui).values())
    assert not cut_labels(controls)
    assert not cut_buttons(controls)
    for table in (panel.ui.segmentsTable, panel.ui.answersTable):
        assert table.rowCount and not cut_cells(table)
        assert not table.horizontalScrollBar().isVisible()
    for box in (panel.ui.modelComboBox, panel.ui.placeComboBox, panel.ui.examplesComboBox, panel.ui.deviceComboBox):
        text = QtWidgets.QWidget.fontMetrics(box).horizontalAdvance(box.currentText)
        assert text + 24 <= QtWidgets.QWidget.size(box).width(), box.currentText
    picture = frame.grab()
    assert picture.width() == width and picture.save(str(tmp_path / "panel.png"))


def test_every_control_has_a_tooltip_and_every_parameter_a_widget(panel) -> None:
    controls = vars(panel.ui).values()
    bound = {w.property("SlicerParameterName") for w in controls} - {None}
    assert bound | {"model"} == set(panel.parameters.hints)  # the model is chosen from what is installed
    assert not [w.name for w in controls if type(w).__name__ in CONTROLS and not w.toolTip]
    assert panel.result.bullseye.toolTip


def test_tab_goes_through_the_panel_from_top_to_bottom(panel) -> None:
    resized(panel, 400)
    frame = panel.parent.widget
    named = {id(w): w for w in vars(panel.ui).values() if type(w).__name__ in CONTROLS}
    named[id(panel.result.bullseye)] = panel.result.bullseye
    order, widget = [], frame
    while (widget := QtWidgets.QWidget.nextInFocusChain(widget)) is not frame:
        owner = widget
        while owner is not None and id(owner) not in named:
            owner = owner.parentWidget()
        enabled = owner is not None and owner.isVisible() and owner.isEnabled()
        if (
            enabled
            and owner not in order
            and (owner.focusPolicy != QtCore.Qt.FocusPolicy.NoFocus or owner.focusProxy())
        ):
            order.append(owner)
    places = [w.mapTo(frame, QtCore.QPoint(0, QtWidgets.QWidget.size(w).height() // 2)) for w in order]
    assert len(order) > 25
    lines = [place.y() // 12 for place in places]
    assert lines == sorted(lines), [w.name for w in order]


def test_examples_are_understood() -> None:
    from LGETextDetectLib.wording import read_prompt

    assert all(read_prompt(text).understood for text in panel_words.EXAMPLES)
