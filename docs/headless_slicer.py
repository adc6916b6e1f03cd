"""Detection in Slicer without a window: a volume file in, a scene with the result out.

Slicer --no-splash --no-main-window --python-script docs/headless_slicer.py VOLUME.nrrd OUT.mrb ["question" ...]
"""

import sys
from pathlib import Path

import slicer
import slicer.util
from LGETextDetectLib.refusal import InputRefused

import LGETextDetect


def main(words: list[str]) -> int:
    """0 when the scene was written, 3 when the input was refused."""
    source, target, *questions = words
    logic = LGETextDetect.LGETextDetectLogic()
    try:
        node = logic.load_study(Path(source), "LGE")
        nodes = logic.process(node, prompts=questions)
    except InputRefused as refused:
        print(f"refused [{refused.code}]: {refused.cause} {refused.remedy}")
        return 3
    print(nodes.result["caption"])
    for answer in nodes.result["prompts"]:
        print(answer["text"], answer["probability"])
    print("Research use, not for diagnosis.")
    return 0 if slicer.mrmlScene.WriteToMRB(str(target)) else 1


if __name__ == "__main__":
    slicer.util.exit(main(sys.argv[1:]))
