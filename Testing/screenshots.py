"""Pictures of the module for the README, rendered off-screen from the bundled virtual patient: `make screenshots`.

Real MRML slice logic, VTK and Qt around the stand-in application; nothing is drawn by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from panel_cases import PARTS, ROOT, wait_until
from PIL import Image

import slicer  # isort: skip
import slicer.util
import slicer_stand_in
import vtk
from qt_stand_in import QtCore, QtGui, QtWidgets

import LGETextDetect  # isort: skip
from LGETextDetectWidgets.bullseye import bullseye_pixmap

OUT = ROOT / "Resources" / "Screenshots"
VIEW_PIXELS = (420, 420)
PANEL_WIDTH = 400
QUESTION = "subendocardial scar in the inferior wall"


def main(out: Path = OUT) -> None:
    """Detect on the sample study in the panel, then save what would be on the screen."""
    out.mkdir(parents=True, exist_ok=True)
    vtk.vtkObject.GlobalWarningDisplayOff()  # slice logic says of every empty layer that it is empty
    PARTS.app.layout_manager = views = slicer_stand_in.LayoutManager(slicer.mrmlScene, VIEW_PIXELS)
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as panel:
        panel.ui.sampleButton.click()
        grey(panel.volume_node)
        panel.ui.promptLineEdit.text = QUESTION
        panel.ui.applyButton.click()
        wait_until(lambda: panel.watch.run is None)
        assert panel.nodes is not None, panel.ui.errorLabel.text
        found = panel.nodes.result["segments"]
        panel.result.bullseye.choose(max(found, key=lambda row: row["probability"])["aha"])
        panel.ui.reorientButton.click()
        whole_panel = panel_picture(panel)
        shown = [slice_view(views, name) for name in views.sliceViewNames()]
        save(joined(shown), out / "slices.png")
        named = {n for lesion in panel.nodes.result["finding"]["lesions"] for n in lesion["segments"]}
        save(bullseye_pixmap({row["aha"]: row for row in found}, named, 0, 420).toImage(), out / "bullseye.png")
        part = whole_panel.copy(0, 0, PANEL_WIDTH, min(whole_panel.height(), 2 * VIEW_PIXELS[1]))
        save(joined([part, joined([shown[0], three_d(panel)], down=True)]), out / "LGETextDetect.png")
    PARTS.app.layout_manager = None


def grey(volume_node) -> None:
    """The application's grey colours, which a bare scene lacks."""
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToGrey()
    table.SetName("Grey")
    display = volume_node.GetDisplayNode()
    display.SetAndObserveColorNodeID(slicer.mrmlScene.AddNode(table).GetID())
    low, high = np.percentile(slicer.util.arrayFromVolume(volume_node), (2, 99.5))
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(float(low), float(high))


def save(image: QtGui.QImage, path: Path) -> None:
    """With 256 colours: half the size, and nobody sees it."""
    image.save(str(path))
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def panel_picture(panel) -> QtGui.QImage:
    """The whole panel as it is laid out in a dock of usual width."""
    frame = panel.parent.widget
    frame.show()
    for _ in range(3):
        height = max(frame.layout().totalHeightForWidth(PANEL_WIDTH), QtWidgets.QWidget.minimumSizeHint(frame).height())
        frame.resize(PANEL_WIDTH, height)
        PARTS.qt_application.processEvents()
    return frame.grab().toImage()


def slice_view(views, name: str) -> QtGui.QImage:
    """One slice view: what Slicer's slice logic blends, below the module's own overlay."""
    widget = views.sliceWidget(name)
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    logic.SetSliceNode(widget.mrmlSliceNode())
    logic.SetSliceCompositeNode(layers(name))
    logic.UpdatePipeline()
    mapper = vtk.vtkImageMapper()
    mapper.SetInputConnection(logic.GetImageDataConnection())
    mapper.SetColorWindow(255.0)
    mapper.SetColorLevel(127.5)
    image = vtk.vtkActor2D()
    image.SetMapper(mapper)
    image.GetProperty().SetDisplayLocationToBackground()
    window = widget.sliceView().renderWindow()
    window.GetRenderers().GetItemAsObject(0).AddViewProp(image)
    window.Render()
    return captured(window)


def layers(name: str):
    scene = slicer.mrmlScene
    nodes = (scene.GetNthNodeByClass(k, "vtkMRMLSliceCompositeNode") for k in range(3))
    return next(node for node in nodes if node.GetLayoutName() == name)


def three_d(panel) -> QtGui.QImage:
    """Scar surface and landmarks around its most basal short-axis slice."""
    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    renderer.SetBackground(0.16, 0.17, 0.21)
    window.SetOffScreenRendering(True)
    window.SetSize(*VIEW_PIXELS)
    window.AddRenderer(renderer)
    surface = vtk.vtkPolyData()
    segments = panel.nodes.segmentation.GetSegmentation()
    slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentClosedSurfaceRepresentation(
        panel.nodes.segmentation, segments.GetNthSegmentID(0), surface
    )
    renderer.AddViewProp(solid(surface, segments.GetNthSegment(0).GetColor()))
    node = panel.nodes.landmarks
    for k in range(node.GetNumberOfControlPoints()):
        ball = vtk.vtkSphereSource()
        ball.SetCenter(*node.GetNthControlPointPositionWorld(k))
        ball.SetRadius(2.0)
        ball.SetThetaResolution(20)
        ball.SetPhiResolution(20)
        ball.Update()
        colour = (0.34, 0.71, 0.91) if "rvip" in node.GetNthControlPointLabel(k) else (0.94, 0.89, 0.26)
        renderer.AddViewProp(solid(ball.GetOutput(), colour))
    renderer.AddViewProp(plane_of(panel))
    frame = panel.landmarks.frames()[0]
    across, up = (np.multiply(v, (-1, -1, 1)) for v in (np.cross(frame.right, frame.up), frame.up))
    centre = np.multiply(panel.landmarks.frames()[len(panel.landmarks.frames()) // 2].centre, (-1, -1, 1))
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + 170 * across + 130 * np.cross(across, up) + 60 * up))
    camera.SetViewUp(*up)
    renderer.ResetCameraClippingRange()
    window.Render()
    return captured(window)


def solid(data, colour):
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(data)
    mapper.ScalarVisibilityOff()
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*colour)
    return actor


def plane_of(panel):
    """The most basal slice of the LV as it lies in the patient."""
    node, matrix = panel.volume_node, vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    frames = panel.landmarks.frames()
    basal_first = frames if frames[0].level in ("basal", "outside") else frames[::-1]
    low, high = np.percentile(slicer.util.arrayFromVolume(node), (2, 99))
    actor = vtk.vtkImageSlice()
    mapper = vtk.vtkImageSliceMapper()
    mapper.SetInputData(node.GetImageData())
    mapper.SetSliceNumber(next(f.index for f in basal_first if f.level == "basal"))
    actor.SetMapper(mapper)
    actor.GetProperty().SetColorWindow(float(high - low))
    actor.GetProperty().SetColorLevel(float(high + low) / 2)
    actor.SetUserMatrix(matrix)
    return actor


def captured(window) -> QtGui.QImage:
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.WriteToMemoryOn()
    writer.SetInputConnection(grab.GetOutputPort())
    writer.Write()
    data = bytes(memoryview(writer.GetResult()))
    return QtGui.QImage.fromData(QtCore.QByteArray(data), "PNG")


def joined(images: list[QtGui.QImage], down: bool = False) -> QtGui.QImage:
    """Pictures side by side, or one below the other."""
    across = [image.width() for image in images], [image.height() for image in images]
    size = (max(across[0]), sum(across[1])) if down else (sum(across[0]), max(across[1]))
    whole = QtGui.QImage(*size, QtGui.QImage.Format.Format_RGB32)
    whole.fill(QtGui.QColor(0, 0, 0))
    painter, x, y = QtGui.QPainter(whole), 0, 0
    for image in images:
        painter.drawImage(x, y, image)
        x, y = (x, y + image.height()) if down else (x + image.width(), y)
    painter.end()
    return whole


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
