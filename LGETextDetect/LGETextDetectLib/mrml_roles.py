"""How the scene's nodes say what they are to each other: parts of a result, and the volume that it belongs to.

Asked often and before anything is installed: imports nothing.
"""

from __future__ import annotations

from typing import Any

INPUT_ROLE = "LGETextDetect.Input"  # reference from every result node to the volume that it belongs to
PART_ATTRIBUTE = "LGETextDetect.Part"  # which part of the result a node is: a field of ResultNodes, or 'answers'
KEPT_ATTRIBUTE = "LGETextDetect.Kept"  # on a corrected segmentation and on given answers: a new result leaves them


def made_here(node: Any) -> bool:
    """Whether a node is part of a result; a reference alone does not say it, it goes with the volume."""
    return node.GetAttribute(PART_ATTRIBUTE) is not None


def result_nodes(volume_node: Any, scene: Any) -> list[Any]:
    """The nodes in the scene that belong to a volume's result."""
    count = scene.GetNumberOfNodes()
    found = (scene.GetNthNode(k) for k in range(count))
    return [node for node in found if node.GetNodeReferenceID(INPUT_ROLE) == volume_node.GetID()]


def part_of(volume_node: Any, scene: Any, part: str) -> Any:
    """The node that is one part of a volume's result; None without."""
    found = (node for node in result_nodes(volume_node, scene) if node.GetAttribute(PART_ATTRIBUTE) == part)
    return next(found, None)


def scalar_volumes(scene: Any) -> list[Any]:
    """All scalar volumes in the scene, parts of results too."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    return [scene.GetNthNodeByClass(k, "vtkMRMLScalarVolumeNode") for k in range(count)]


def first_image(scene: Any) -> Any:
    """The scene's first scalar volume that is no part of a result; None without."""
    return next((node for node in scalar_volumes(scene) if not made_here(node)), None)
