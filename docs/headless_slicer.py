"""Detection in Slicer without a window: a volume file in, a scene with the result out.

Slicer --no-splash --no-main-window --python-script docs/headless_slicer.py VOLUME.nrrd OUT.mrb ["question" ...]
"""

import sys
from pathlib import Path

import slicer
import slicer.util

DONE, WRONG_WORDS, REFUSED, BROKEN = 0, 2, 3, 4  # exit codes, as those of the command line


def main(words: list[str]) -> int:
    """The exit code; what was found, or what is wrong, is printed."""
    from LGETextDetectLib.refusal import InputRefused
    from LGETextDetectWidgets.engine_process import EngineFailed

    import LGETextDetect

    if len(words) < 2:
        print(__doc__)
        return WRONG_WORDS
    source, target, *questions = words
    logic = LGETextDetect.LGETextDetectLogic()
    try:
        node = logic.load_study(Path(source), "LGE")
        nodes = logic.process(node, prompts=questions)
    except InputRefused as refused:
        print(f"refused [{refused.code}]: {refused.cause} {refused.remedy}")
        return REFUSED
    except EngineFailed as failed:
        print(failed)
        return BROKEN
    if not slicer.mrmlScene.WriteToMRB(str(target)):
        print(f"{target} cannot be written.")
        return BROKEN
    print(nodes.result["caption"])
    for answer in nodes.result["prompts"]:
        print(answer["text"], answer["probability"])
    print("Research use, not for diagnosis.")
    return DONE


if __name__ == "__main__":
    code = BROKEN
    try:
        code = main(sys.argv[1:])
    finally:  # whatever happens: without it Slicer waits for a window that nobody sees
        slicer.util.exit(code)
