"""Panel section 'Input': what the series is, the sample study, the better stack, model and device, wheels."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from LGETextDetectLib import mrml_roles
from slicer.i18n import tr as _

from . import slice_views
from .dicom_source import instance_files, load_best_stack
from .models import available_models, card_text, model_of
from .packages import WHEELS_SETTING
from .panel_words import error_text, place_problem, volume_problem, volume_text


class InputSection:
    """Owns the widgets of the section; ``panel`` is the module's widget."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self._hidden: list[str] = []
        self._said_of: tuple[Any, ...] = ()
        self._problem_of: tuple[Any, ...] = ()
        self._problem = ""
        self._ui.sampleButton.connect("clicked(bool)", self.on_sample)
        self._ui.stackButton.connect("clicked(bool)", self.on_best_stack)
        self._ui.cardButton.connect("clicked(bool)", self.on_card)
        self._ui.modelComboBox.connect("activated(int)", self.on_model)
        self._ui.wheelsPath.currentPath = str(qt.QSettings().value(WHEELS_SETTING) or "")
        self._ui.wheelsPath.connect("currentPathChanged(QString)", self.on_wheels)
        self._keys: list[str] = []

    def fill_models(self) -> None:
        """Offer the models that are here now, and select the scene's."""
        models = available_models()
        self._keys = [model.key for model in models]
        self._ui.modelComboBox.clear()
        self._ui.modelComboBox.addItems([model.title for model in models])

    def update(self, busy: bool) -> None:
        self._offer_images()
        node, parameters = self._panel.volume_node, self._panel.parameters
        image = node.GetImageData() if node is not None else None
        fact = (
            node,
            node.GetMTime() if node is not None else 0,
            image.GetMTime() if image is not None else 0,
            _place(node),
        )
        if fact != self._said_of:
            self._said_of = fact
            self._ui.seriesLabel.text = volume_text(node)
        self._ui.sampleButton.enabled = not busy
        self._ui.stackButton.enabled = not busy and bool(instance_files(node))
        if parameters is not None and parameters.model in self._keys:
            self._ui.modelComboBox.currentIndex = self._keys.index(parameters.model)

    def _offer_images(self) -> None:
        """Leave evidence overlays out of the selector: they are volumes, but no images to look for scar in."""
        volumes = mrml_roles.scalar_volumes(slicer.mrmlScene)
        made = [node.GetID() for node in volumes if mrml_roles.made_here(node)]
        if made != self._hidden:
            self._hidden = made
            self._ui.inputSelector.sortFilterProxyModel().hiddenNodeIDs = made

    def ready(self) -> bool:
        """Whether there is an image that can be read."""
        node = self._panel.volume_node
        if node is None:
            return False
        image = node.GetImageData()
        fact = (image, image.GetMTime() if image is not None else 0, mrml_roles.made_here(node), _place(node))
        if fact != self._problem_of:  # every voxel is looked at, and this is asked often
            self._problem_of, self._problem = fact, volume_problem(node) or place_problem(node)
        return not self._problem

    def on_sample(self, checked=False) -> None:
        with slicer.util.tryWithErrorDisplay(_("The sample study could not be loaded."), waitCursor=True):
            self._use(self._panel.logic.load_sample())

    def on_best_stack(self, checked=False) -> None:
        self._panel.show_error("")
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                self._panel.logic.ensure_packages()
                self._use(load_best_stack(self._panel.volume_node))
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._panel.show_error(error_text(error))

    def _use(self, node: Any) -> None:
        self._panel.parameters.inputVolume = node
        slice_views.show_volume(node, fit=True)

    def on_model(self, index: int) -> None:
        self._panel.parameters.model = self._keys[index]

    def on_wheels(self, path: str) -> None:
        qt.QSettings().setValue(WHEELS_SETTING, path)

    def on_card(self, checked=False) -> None:
        """The chosen model's card in a window of its own."""
        try:
            self.card = card_dialog(card_text(model_of(self._panel.parameters.model)), slicer.util.mainWindow())
        except Exception as error:
            self._panel.show_error(error_text(error))
        else:
            self.card.show()


def _place(volume_node: Any) -> tuple[Any, ...]:
    """The transform that a volume lies under, and when it or one above it was changed."""
    transform = volume_node.GetParentTransformNode() if volume_node is not None else None
    return (transform, transform.GetTransformToWorldMTime()) if transform is not None else ()


def card_dialog(text: str, parent: Any) -> Any:
    """A window with a Markdown text to read and copy."""
    dialog = qt.QDialog(parent)
    dialog.setWindowTitle(_("Model card"))
    dialog.resize(640, 720)
    view = qt.QTextEdit()
    view.setReadOnly(True)
    view.setMarkdown(text)
    layout = qt.QVBoxLayout(dialog)
    layout.addWidget(view)
    close = qt.QPushButton(_("Close"))
    close.connect("clicked(bool)", lambda checked=False: dialog.close())
    layout.addWidget(close)
    return dialog
