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
