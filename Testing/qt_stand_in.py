"""PySide6 in the style of PythonQt, with small stand-ins for the qMRML and ctk widgets that the panels use.

In PythonQt a property is an attribute (``w.text = "x"``, ``w.enabled``) and ``connect`` takes a signal's signature.
"""

from __future__ import annotations

import os
from types import ModuleType
from xml.etree import ElementTree

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtUiTools, QtWidgets


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
    members = {p.name(): _property(p.name()) for p in properties if p.isWritable()}
    return type(base.__name__, (base,), {**members, "name": _property("objectName"), "connect": _connect})


class _MrmlWidget(QtWidgets.QWidget):
    """Hands the scene to the widgets that the .ui file's connections name."""

    receivers: tuple[str, ...] = ()

    def setMRMLScene(self, scene) -> None:
        for receiver in self.receivers:
            self.findChild(QtCore.QObject, receiver).setMRMLScene(scene)


class _Collapsible(QtWidgets.QWidget):
    pass


class _NodeComboBox(QtWidgets.QWidget):
    """Follows a real scene: a node that goes is unselected; the first that comes is selected unless none is allowed."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.nodeTypes: list[str] = []
        self._scene, self._node, self._observers = None, None, []

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

    def currentNode(self):
        return self._node

    def setCurrentNode(self, node) -> None:
        if node is not self._node:
            self._node = node
            self.currentNodeChanged.emit(node)

    def _scene_changed(self, caller=None, event=None) -> None:
        present = [
            self._scene.GetFirstNodeByClass(kind) for kind in (self.nodeTypes or self.property("nodeTypes") or [])
        ]
        if self._node is not None and not self._scene.IsNodePresent(self._node):
            self.setCurrentNode(None)
        if self._node is None and self.property("noneEnabled") is False and any(present):
            self.setCurrentNode(next(node for node in present if node is not None))


class _PathLineEdit(QtWidgets.QWidget):
    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._path = ""

    @property
    def currentPath(self) -> str:
        return self._path

    @currentPath.setter
    def currentPath(self, path: str) -> None:
        if path != self._path:
            self._path = path
            self.currentPathChanged.emit(path)


PLAIN = ("QWidget", "QLabel", "QPushButton", "QLineEdit", "QComboBox", "QProgressBar", "QPlainTextEdit")
qMRMLNodeComboBox = python_qt(_NodeComboBox)
ctkPathLineEdit = python_qt(_PathLineEdit)
CLASSES = {
    **{name: python_qt(getattr(QtWidgets, name)) for name in PLAIN},
    "qMRMLWidget": python_qt(_MrmlWidget),
    "ctkCollapsibleButton": python_qt(_Collapsible),
    "qMRMLNodeComboBox": qMRMLNodeComboBox,
    "ctkPathLineEdit": ctkPathLineEdit,
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
    for source in (QtCore, QtWidgets):
        for name in dir(source):
            if name.startswith("Q"):
                setattr(module, name, getattr(source, name))
    for name, stand_in in CLASSES.items():
        setattr(module, name, stand_in)
    module.QTimer = python_qt(QtCore.QTimer)
    module.QUiLoader = UiLoader
    return module
