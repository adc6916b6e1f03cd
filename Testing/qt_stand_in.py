"""PySide6 in the style of PythonQt, with small stand-ins for the qMRML and ctk widgets that the panels use.

In PythonQt a property is an attribute (``w.text = "x"``, ``w.enabled``) and ``connect`` takes a signal's signature.
"""

from __future__ import annotations

import ctypes
import os
import sys
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

if sys.version_info < (3, 12):
    # PySide6 6.12 takes these for immortal, as they are from Python 3.12 on: it gives back references that it never
    # took, and a long test run would end in a fatal error of the interpreter.
    for immortal in (None, True, False, Ellipsis, NotImplemented, *range(-5, 257)):
        ctypes.c_ssize_t.from_address(id(immortal)).value += 100_000_000


def _property(name: str) -> property:
    return property(lambda self: self.property(name), lambda self, value: self.setProperty(name, value))


def _connect(self, signature: str, slot) -> None:
    getattr(self, signature.split("(")[0]).connect(slot)


def python_qt(base: type) -> type:
    """A subclass whose Qt properties are attributes and whose ``connect`` takes a signature.

    Only what can be set: some read-only properties are virtual functions, which an attribute would replace.
    """
    meta = base.staticMetaObject
    properties = (meta.property(k) for k in range(meta.propertyCount()))
    written_here = {
        name for name, value in vars(base).items() if isinstance(value, QtCore.Property)
    }  # attributes already
    members = {p.name(): _property(p.name()) for p in properties if p.isWritable() and p.name() not in written_here}
    return type(base.__name__, (base,), {**members, "name": _property("objectName"), "connect": _connect})


def _shown_inside(widget, inner):
    """What a stand-in looks like: an ordinary widget that fills it and takes its keyboard focus."""
    layout = QtWidgets.QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(inner)
    inner.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
    widget.setFocusProxy(inner)
    return inner


class _MrmlWidget(QtWidgets.QWidget):
    """Hands the scene to the widgets that the .ui file's connections name."""

    receivers: tuple[str, ...] = ()

    def setMRMLScene(self, scene) -> None:
        for receiver in self.receivers:
            self.findChild(QtCore.QObject, receiver).setMRMLScene(scene)


class _Collapsible(QtWidgets.QWidget):
    """A titled section that folds: the title is painted above the contents, as tall as a line of text."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False

    def _set_text(self, text: str) -> None:
        self._text = text
        self.setContentsMargins(0, self.fontMetrics().height() + 6, 0, 0)

    def _set_collapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(self.fontMetrics().height() + 6 if collapsed else 16777215)

    text = QtCore.Property(str, lambda self: self._text, _set_text)
    collapsed = QtCore.Property(bool, lambda self: self._collapsed, _set_collapsed)

    def paintEvent(self, event) -> None:
        painter = QtGui.QPainter(self)
        line = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), QtWidgets.QWidget.fontMetrics(self).height() + 4)
        painter.fillRect(line, QtGui.QColor(205, 210, 216))
        painter.drawText(line.adjusted(6, 0, 0, 0), 0x80, ("\u25b8 " if self._collapsed else "\u25be ") + self._text)
        painter.end()


class _NodeComboBox(QtWidgets.QWidget):
    """Follows a real scene: a node that goes is unselected; the first that comes is selected unless none is allowed."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.nodeTypes: list[str] = []
        self._filter = SimpleNamespace(hiddenNodeIDs=[])
        self._scene, self._node, self._observers = None, None, []
        self._box = _shown_inside(self, QtWidgets.QComboBox())

    def setMRMLScene(self, scene) -> None:
        if self._scene is not None:
            for tag in self._observers:
                self._scene.RemoveObserver(tag)
        self._scene, self._observers = scene, []
        if scene is None:
            return
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
        self._observers = [scene.AddObserver(event, self._scene_changed) for event in events]
        self._scene_changed()

    def sortFilterProxyModel(self):
        return self._filter

    def nodes(self):
        """What the list offers, in the scene's order."""
        kinds = self.nodeTypes or self.property("nodeTypes") or []
        found = [
            self._scene.GetNthNodeByClass(k, c) for c in kinds for k in range(self._scene.GetNumberOfNodesByClass(c))
        ]
        return [node for node in found if node.GetID() not in self._filter.hiddenNodeIDs]

    def currentNode(self):
        return self._node

    def setCurrentNode(self, node) -> None:
        if node is not self._node:
            self._node = node
            self._box.clear()
            self._box.addItem(node.GetName() if node is not None else "None")
            self.currentNodeChanged.emit(node)

    def _scene_changed(self, caller=None, event=None) -> None:
        present = self.nodes()
        if self._node is not None and not self._scene.IsNodePresent(self._node):
            self.setCurrentNode(None)
        if self._node is None and self.property("noneEnabled") is False and present:
            self.setCurrentNode(present[0])


class _PathLineEdit(QtWidgets.QWidget):
    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._path = ""
        self._line = _shown_inside(self, QtWidgets.QLineEdit())

    @property
    def currentPath(self) -> str:
        return self._path

    @currentPath.setter
    def currentPath(self, path: str) -> None:
        if path != self._path:
            self._path = path
            self._line.setText(path)
            self.currentPathChanged.emit(path)


class _Slider(QtWidgets.QWidget):
    """ctkSliderWidget: a slider beside a number."""

    valueChanged = QtCore.Signal(float)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider, self._box = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal), QtWidgets.QDoubleSpinBox()
        self._slider.setMaximum(1000)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self.setFocusProxy(self._slider)
        self._slider.valueChanged.connect(lambda step: self._box.setValue(step / 1000 * self._box.maximum()))
        self._box.valueChanged.connect(self._changed)

    def _changed(self, value: float) -> None:
        self._slider.setValue(round(1000 * value / self._box.maximum()))
        self.valueChanged.emit(value)

    value = QtCore.Property(float, lambda self: self._box.value(), lambda self, v: self._box.setValue(v))
    minimum = QtCore.Property(float, lambda self: self._box.minimum(), lambda self, v: self._box.setMinimum(v))
    maximum = QtCore.Property(float, lambda self: self._box.maximum(), lambda self, v: self._box.setMaximum(v))
    singleStep = QtCore.Property(float, lambda self: self._box.singleStep(), lambda self, v: self._box.setSingleStep(v))
    decimals = QtCore.Property(int, lambda self: self._box.decimals(), lambda self, v: self._box.setDecimals(v))


PLAIN = (
    "QWidget", "QLabel", "QPushButton", "QLineEdit", "QComboBox", "QCheckBox", "QProgressBar", "QPlainTextEdit", "QSpinBox",
    "QTableWidget",
)  # fmt: skip
qMRMLNodeComboBox = python_qt(_NodeComboBox)
ctkPathLineEdit = python_qt(_PathLineEdit)
ctkSliderWidget = python_qt(_Slider)
CLASSES = {
    **{name: python_qt(getattr(QtWidgets, name)) for name in PLAIN},
    "qMRMLWidget": python_qt(_MrmlWidget),
    "ctkCollapsibleButton": python_qt(_Collapsible),
    "qMRMLNodeComboBox": qMRMLNodeComboBox,
    "ctkPathLineEdit": ctkPathLineEdit,
    "ctkSliderWidget": ctkSliderWidget,
}


class UiLoader(QtUiTools.QUiLoader):
    """Loads a .ui file into the stand-ins; a class without one is an error."""

    def createWidget(self, class_name, parent=None, name=""):
        widget = CLASSES[class_name](parent)
        widget.setObjectName(name)
        return widget

    def load(self, file, parent=None):
        tree = ElementTree.fromstring(bytes(file.readAll()))
        wanted = [c for c in tree.iter("connection") if c.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"]
        receivers = tuple(c.findtext("receiver") for c in wanted if c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)")
        tree.find("connections").clear()  # C++ signatures that Python signals cannot have
        for parent_of in tree.iter():
            for prop in [p for p in parent_of.findall("property") if p.get("name") == "filters"]:
                parent_of.remove(prop)  # flags of a C++ class
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(tree))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        widget.receivers = receivers
        return widget


def qt_module() -> ModuleType:
    """The ``qt`` of PythonQt, as far as the panels use it."""
    module = ModuleType("qt")
    for source in (QtCore, QtGui, QtWidgets):
        for name in dir(source):
            if name.startswith("Q"):
                setattr(module, name, getattr(source, name))
    for name, stand_in in CLASSES.items():
        setattr(module, name, stand_in)
    module.QTimer = python_qt(QtCore.QTimer)
    module.QUiLoader = UiLoader
    return module
