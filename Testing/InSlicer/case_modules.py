"""Both modules inside the application: loaded, opened, clicked, and the scene saved and read back."""

from __future__ import annotations

import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import slicer
import slicer.util

PATIENCE_S = 120.0


def wait_until(condition) -> None:
    """Run the application's event loop until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        slicer.app.processEvents()


class Modules(unittest.TestCase):
    def setUp(self) -> None:
        slicer.mrmlScene.Clear(0)

    def panel(self, name: str):
        return getattr(slicer.modules, name).widgetRepresentation().self()

    def test_both_modules_are_loaded_and_open(self) -> None:
        for name in ("lgetextdetect", "lgetexttrain"):
            self.assertTrue(hasattr(slicer.modules, name), name)
            self.assertIn("not for diagnosis", self.panel(name).ui.researchLabel.text)

    def test_bindings_follow_the_parameter_node(self) -> None:
        panel = self.panel("lgetextdetect")
        panel.enter()
        panel.ui.promptLineEdit.text = "mid-wall scar"
        self.assertEqual(panel.logic.getParameterNode().prompt, "mid-wall scar")
        panel.logic.getParameterNode().device = "cpu"
        self.assertEqual(panel.ui.deviceComboBox.currentText, "cpu")

    def test_apply_waits_for_a_volume(self) -> None:
        panel = self.panel("lgetextdetect")
        panel.enter()
        self.assertFalse(panel.ui.applyButton.enabled)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "LGE")
        slicer.util.updateVolumeFromArray(node, np.ones((8, 64, 64), np.float32))
        panel.ui.inputSelector.setCurrentNode(node)
        self.assertTrue(panel.ui.applyButton.enabled)

    def test_refusal_is_said_in_the_panel(self) -> None:
        panel = self.panel("lgetextdetect")
        panel.enter()
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "constant")
        slicer.util.updateVolumeFromArray(node, np.ones((8, 64, 64), np.float32))
        panel.ui.inputSelector.setCurrentNode(node)
        panel.ui.applyButton.click()
        wait_until(lambda: panel.ui.errorLabel.text)
        self.assertIn("[constant-image]", panel.ui.errorLabel.text)

    def test_result_in_the_panel_and_on_the_views(self) -> None:
        panel = self.panel("lgetextdetect")
        panel.enter()
        panel.ui.sampleButton.click()
        panel.ui.promptLineEdit.text = "scar in the inferior wall"
        panel.ui.applyButton.click()
        wait_until(lambda: panel.watch.run is None)
        self.assertEqual(panel.ui.errorLabel.text, "")
        self.assertIn("Probability", panel.ui.resultLabel.text)
        self.assertEqual(panel.ui.segmentsTable.rowCount, 17)
        self.assertEqual(len(panel.questions.rows), 1)
        panel.ui.reorientButton.click()
        node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
        self.assertIsNotNone(panel.landmarks.overlay.frame_at(node))
        panel.result.bullseye.choose(10)
        self.assertIn("Segment 10", panel.ui.segmentLabel.text)
        panel.ui.plotButton.click()
        with tempfile.TemporaryDirectory() as folder:
            panel.export.choose_file = lambda name, kind: str(Path(folder) / name)
            panel.ui.pdfButton.click()
            panel.ui.sceneButton.click()
            self.assertEqual(panel.ui.errorLabel.text, "")
            self.assertTrue((Path(folder) / "report.pdf").is_file() and (Path(folder) / "LGE.mrb").is_file())
        panel.ui.editSegmentationButton.click()

    def test_a_moved_point_runs_again(self) -> None:
        panel = self.panel("lgetextdetect")
        panel.enter()
        panel.ui.sampleButton.click()
        panel.ui.applyButton.click()
        wait_until(lambda: panel.watch.run is None)
        node, before = panel.parameters.landmarks, panel.nodes
        number = node.GetControlPointIndexByLabel("rvip_anterior_4")
        place = node.GetNthControlPointPositionWorld(number)
        node.SetNthControlPointPositionWorld(number, place[0], place[1] + 8.0, place[2])
        wait_until(lambda: panel.nodes is not before and panel.watch.run is None)
        self.assertEqual(panel.nodes.result["landmarks"]["source"], "mixed")

    def test_the_modules_own_tests(self) -> None:
        import LGETextDetect
        import LGETextTrain

        for test in (LGETextDetect.LGETextDetectTest(), LGETextTrain.LGETextTrainTest()):
            test.runTest()

    def test_results_survive_an_mrb_file(self) -> None:
        import LGETextDetect

        logic = LGETextDetect.LGETextDetectLogic()
        nodes = logic.process(logic.load_sample())
        evidence = slicer.util.arrayFromVolume(nodes.evidence).copy()
        name = nodes.evidence.GetName()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.mrb"
            self.assertTrue(slicer.util.saveScene(str(path)))
            slicer.mrmlScene.Clear(0)
            self.assertTrue(slicer.util.loadScene(str(path), properties={}))
        again = slicer.util.getNode(name)
        self.assertTrue(np.array_equal(slicer.util.arrayFromVolume(again), evidence))
