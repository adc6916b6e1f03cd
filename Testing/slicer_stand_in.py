"""A stand-in for the Slicer application around the real MRML of PyPI slicer-core; not a copy of Slicer's own files.

``install()`` puts into ``slicer`` and ``sys.modules`` what the wheel lacks: the application, ``qt`` and ``ctk``, the
scripted-module base classes, parameterNodeWrapper, i18n, the installation of packages and SampleData.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import tempfile
import typing
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import qt_stand_in
import slicer
import slicer.util
import vtk


@dataclass
class Application:
    """``slicer.app``: signals kept until :meth:`emit`, no main window, testing mode on unless told otherwise."""

    testing: bool = True
    slots: dict[str, list] = field(default_factory=dict)
    layout_manager: object = None

    def connect(self, signature, slot):
        self.slots.setdefault(signature, []).append(slot)

    def emit(self, signature):
        for slot in self.slots.get(signature, []):
            slot()

    def testingEnabled(self):
        return self.testing

    def layoutManager(self):
        return self.layout_manager

    def setOverrideCursor(self, cursor):
        pass

    def restoreOverrideCursor(self):
        pass


@dataclass
class LayoutManager:
    """Slice views of a scene, drawn off-screen; remembers the layout."""

    scene: object
    pixels: tuple[int, int] = (400, 400)
    layout: int = 0
    widgets: dict[str, SimpleNamespace] = field(default_factory=dict)

    def __post_init__(self):
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene)
        for name in ("Red", "Yellow", "Green"):
            node = self.scene.AddNewNodeByClass("vtkMRMLSliceNode", name)  # takes the scene's orientation presets
            node.SetLayoutName(name)
            node.SetOrientationToAxial() if name == "Red" else node.SetOrientationToSagittal()
            node.SetDimensions(*self.pixels, 1)
            node.SetFieldOfView(200.0, 200.0 * self.pixels[1] / self.pixels[0], 1.0)
            layers = slicer.vtkMRMLSliceCompositeNode()
            layers.SetLayoutName(name)
            layers.SetSingletonTag(name)
            self.scene.AddNode(layers)
            window = vtk.vtkRenderWindow()
            window.SetOffScreenRendering(True)
            window.SetSize(*self.pixels)
            window.AddRenderer(vtk.vtkRenderer())
            view = SimpleNamespace(renderWindow=lambda window=window: window)
            self.widgets[name] = SimpleNamespace(mrmlSliceNode=lambda node=node: node, sliceView=lambda view=view: view)
        self.scene.AddNewNodeByClass("vtkMRMLPlotViewNode", "plot")

    def sliceViewNames(self):
        return list(self.widgets)

    def sliceWidget(self, name):
        return self.widgets[name]

    def setLayout(self, layout):
        self.layout = layout

    def resetSliceViews(self):
        pass


@dataclass(frozen=True)
class Choice:
    choices: list


@dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent=None):
        self.parent, self.layout = parent, parent.widget.layout()
        self.moduleName = type(self).__name__.removesuffix("Widget")

    def setup(self):
        pass

    def resourcePath(self, name):
        return str(Path(sys.modules[type(self).__module__].__file__).parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self):
        """The module's node in the scene; made when it is not there yet."""
        found = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if found is None:
            found = slicer.vtkMRMLScriptedModuleNode()
            found.SetSingletonTag(self.moduleName)
            found.SetModuleName(self.moduleName)
            found = slicer.mrmlScene.AddNode(found)
        return found


class ScriptedLoadableModuleTest:
    def delayDisplay(self, text):
        pass


class ParameterNode:
    """Typed view of a vtkMRMLScriptedModuleNode: node references by role, everything else as JSON text."""

    hints: typing.ClassVar[dict[str, object]]

    def __init__(self, node):
        object.__setattr__(self, "parameterNode", node)
        object.__setattr__(self, "connections", [])

    def __getattr__(self, name):
        if name not in self.hints:
            return getattr(self.parameterNode, name)
        kind = _plain(self.hints[name])
        if issubclass(kind, slicer.vtkMRMLNode):
            return self.parameterNode.GetNodeReference(name)
        stored = self.parameterNode.GetParameter(name)
        return kind(json.loads(stored)) if stored else getattr(type(self), f"default_{name}", kind())

    def __setattr__(self, name, value):
        if issubclass(_plain(self.hints[name]), slicer.vtkMRMLNode):
            self.parameterNode.SetNodeReferenceID(name, value.GetID() if value is not None else None)
        else:
            self.parameterNode.SetParameter(name, json.dumps(str(value) if isinstance(value, Path) else value))

    def connectGui(self, ui):
        """Both ways, by each widget's SlicerParameterName; returns a tag for :meth:`disconnectGui`."""
        bound = {name: w for w in vars(ui).values() if (name := w.property("SlicerParameterName"))}
        if unknown := set(bound) - set(self.hints):
            raise ValueError(f"no parameters {unknown}")
        links = [_link(self, name, widget) for name, widget in bound.items()]
        for signal, changed, show in links:
            show()
            signal.connect(changed)
        tag = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: [show() for _, _, show in links])
        self.connections.append((tag, links))
        return tag

    def disconnectGui(self, tag):
        for known, links in [c for c in self.connections if c[0] == tag]:
            self.parameterNode.RemoveObserver(known)
            for signal, changed, _ in links:
                signal.disconnect(changed)
        self.connections[:] = [c for c in self.connections if c[0] != tag]


def _plain(hint):
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _link(parameters, name, widget):
    """(signal, widget -> parameter, parameter -> widget)."""

    def change(read):
        return lambda *_: setattr(parameters, name, read())

    def show(write):
        return lambda: write(getattr(parameters, name))

    if isinstance(widget, qt_stand_in.qMRMLNodeComboBox):
        return widget.currentNodeChanged, change(widget.currentNode), show(widget.setCurrentNode)
    if isinstance(widget, qt_stand_in.ctkPathLineEdit):
        write = show(lambda value: setattr(widget, "currentPath", str(value)))
        return widget.currentPathChanged, change(lambda: widget.currentPath), write
    if isinstance(widget, qt_stand_in.CLASSES["QCheckBox"]):
        return widget.toggled, change(lambda: widget.checked), show(lambda value: setattr(widget, "checked", value))
    if isinstance(widget, (qt_stand_in.ctkSliderWidget, qt_stand_in.CLASSES["QSpinBox"])):
        return widget.valueChanged, change(lambda: widget.value), show(lambda value: setattr(widget, "value", value))
    if isinstance(widget, qt_stand_in.CLASSES["QLineEdit"]):
        return widget.textChanged, change(lambda: widget.text), show(lambda value: setattr(widget, "text", value))
    choices = next(a for a in typing.get_args(parameters.hints[name]) if isinstance(a, Choice)).choices
    widget.clear()
    widget.addItems(choices)
    write = show(lambda value: setattr(widget, "currentIndex", choices.index(value)))
    return widget.currentIndexChanged, change(lambda: choices[widget.currentIndex]), write


def parameter_node_wrapper(cls):
    hints = typing.get_type_hints(cls, include_extras=True)
    defaults = {f"default_{name}": getattr(cls, name) for name in hints if hasattr(cls, name)}
    return type(cls.__name__, (ParameterNode,), {"hints": hints, **defaults})


@dataclass
class Packages:
    """``slicer.util.pip_install`` of Slicer 5.12, of which 5.10 has the first parameter: installs nothing, keeps the words."""

    installed: list[list[str]] = field(default_factory=list)

    def pip_install(
        self,
        requirements,
        constraints=None,
        no_deps_requirements=None,
        skip_packages=None,
        blocking=True,
        show_progress=True,
        requester=None,
        parent=None,
        logCallback=None,
        completedCallback=None,
    ):
        self.installed.append(list(requirements))

    def ensuring_module(self, name):
        """Slicer 5.12's module ``name`` of requirements, as far as it tells what it would hand to pip."""

        def load_requirements(path):
            lines = (line.strip() for line in Path(path).read_text("utf-8").splitlines())
            return [line for line in lines if line and line[0] not in "#-"]

        def pip_ensure(
            requirements,
            constraints=None,
            skip_packages=None,
            prompt_install=True,
            prompt_restart=True,
            requester=None,
            skip_in_testing=True,
            show_progress=True,
        ):
            slicer.util.pip_install([*requirements, *(["-c", str(constraints)] if constraints else [])])

        return _module(name, load_requirements=load_requirements, pip_ensure=pip_ensure)


@dataclass
class SampleData:
    sources: list[dict] = field(default_factory=list)

    def registerCustomSampleDataSource(self, *, uris, fileNames, nodeNames, **source):
        """As in Slicer, a single source has one text for each of these; None is an error there."""
        if not all(isinstance(value, str) for value in (uris, fileNames, nodeNames)):
            raise TypeError("uris, fileNames and nodeNames are needed")
        self.sources.append(source)


def _module(name: str, **members) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


def new_scene():
    """A scene as the application makes it: with every node class, and able to read .mrb files."""
    scene = slicer.vtkMRMLScene()
    for name in ("ColorLegendDisplayNode", "MarkupsJsonStorageNode"):  # modules of the application register these
        scene.RegisterNodeClass(getattr(slicer, f"vtkMRML{name}")())
    scene.cache_folder = tempfile.TemporaryDirectory()
    cache, manager = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(scene.cache_folder.name)
    manager.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(manager)
    return scene


@functools.cache  # one application in a process, whoever asks
def install() -> SimpleNamespace:
    """Put the stand-ins in place; returns them: app, packages, sample_data, qt_application."""
    parts = SimpleNamespace(app=Application(), packages=Packages(), sample_data=SampleData())
    parts.qt_application = qt_stand_in.QtWidgets.QApplication.instance() or qt_stand_in.QtWidgets.QApplication([])
    qt_stand_in.QtCore.QCoreApplication.setOrganizationName("LGETextDetect")
    qt_stand_in.QtCore.QCoreApplication.setApplicationName("stand-in")
    qt_stand_in.QtCore.QSettings.setDefaultFormat(qt_stand_in.QtCore.QSettings.Format.IniFormat)
    place = qt_stand_in.QtCore.QSettings.Format.IniFormat, qt_stand_in.QtCore.QSettings.Scope.UserScope
    parts.settings = tempfile.TemporaryDirectory()  # nobody's own settings are read or changed
    qt_stand_in.QtCore.QSettings.setPath(*place, parts.settings.name)
    slicer.app, slicer.mrmlScene, slicer.modules = parts.app, new_scene(), SimpleNamespace()
    converters = slicer.vtkSegmentationConverterFactory.GetInstance()
    for name in ("BinaryLabelmapToClosedSurface", "ClosedSurfaceToBinaryLabelmap"):  # as the Segmentations module does
        converters.RegisterConverterRule(getattr(slicer, f"vtk{name}ConversionRule")())
    slicer.util.mainWindow = lambda verbose=True: None
    slicer.util.pip_install = parts.packages.pip_install
    slicer.qMRMLNodeComboBox = qt_stand_in.qMRMLNodeComboBox
    bases = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    modules = (
        qt_stand_in.qt_module(),
        _module("ctk", ctkPathLineEdit=qt_stand_in.ctkPathLineEdit),
        _module("slicer.ScriptedLoadableModule", **{base.__name__: base for base in bases}),
        _module(
            "slicer.parameterNodeWrapper",
            parameterNodeWrapper=parameter_node_wrapper,
            Choice=Choice,
            WithinRange=WithinRange,
        ),
        _module("slicer.i18n", tr=lambda text: text, translate=lambda context, text: text),
        _module("SampleData", SampleDataLogic=parts.sample_data),
    )
    for module in modules:
        sys.modules[module.__name__] = module
        if module.__name__.startswith("slicer."):
            setattr(slicer, module.__name__.removeprefix("slicer."), module)
    return parts


@contextlib.contextmanager
def panel(widget_class):
    """A module's panel as Slicer opens it: parent with a layout, setup and enter; cleaned up at the end."""
    frame = qt_stand_in.QtWidgets.QWidget()
    qt_stand_in.QtWidgets.QVBoxLayout(frame)
    widget = widget_class(SimpleNamespace(widget=frame, isEntered=True))
    widget.setup()
    widget.enter()
    try:
        yield widget
    finally:
        widget.cleanup()
        frame.layout().itemAt(0).widget().setMRMLScene(None)
