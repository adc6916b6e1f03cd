"""What the panel runs and shows: one engine at a time, its progress, its result, its errors."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from . import slice_views
from .detection_run import Request, show_run
from .panel_words import error_text, stage_text


class PanelRuns:
    """Part of the module's widget, which has the sections, ``parameters``, ``nodes``, ``watch`` and ``logic``."""

    def onApply(self, checked=False):
        """Detect with the questions so far; unfit input is said in the panel."""
        text = self.parameters.prompt.strip()
        questions = self.questions.questions
        self._start(prompts=[*questions, *([text] if text and text not in questions else [])])

    def find_landmarks(self):
        """Auto: give up points set by hand, once there are others; with a result shown, find all of it anew."""
        self._start(prompts=self.questions.questions, only_landmarks=self.nodes is None, landmarks_node=None)

    def run_again(self):
        """Points moved: what depends on them is asked for anew, after the run under way if there is one."""
        if self.watch.run is not None:
            self._again = True
        elif self.ready:
            self._start(prompts=self.questions.questions, only_landmarks=self.nodes is None)

    def ask(self, text):
        """Answer one question; without a result of these images the whole detection runs, for all questions."""
        if self.nodes is None or self.result.stale:
            self.onApply()
        else:
            self._start(prompts=[text], command="query")

    def run_for_dicom(self, folder):
        """Run on the volume's own DICOM files; the export section takes the objects."""
        self._start(prompts=self.questions.questions, dicom_folder=folder)

    def _start(self, **wishes):
        self.show_error("")
        self.ui.logText.plainText = ""
        parameters = self.parameters
        wishes = {"landmarks_node": parameters.landmarks, **wishes}
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                request = Request(parameters.inputVolume, device=parameters.device, model=parameters.model, **wishes)
                self.watch.watch(self.logic.start(request))
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self.export.close()  # no run takes the files that were gathered for it
            self.show_error(error_text(error))
        else:
            self._show_progress(_("Starting"), 0, 0)
        self._checkCanApply()

    def onCancel(self, checked=False):
        self.watch.cancel()
        self._show_progress(_("Cancelling"), 0, 0)
        self._checkCanApply()

    def _on_event(self, event):
        kind = event["event"]
        if kind == "progress" and not self.watch.cancelling:
            done, total = int(event.get("done", 0)), int(event.get("total", 0))
            self._show_progress(stage_text(str(event.get("stage", ""))), done, total)
        elif kind in ("log", "warning"):
            self.log(str(event.get("text", "")))

    def _on_end(self, run, cancelled):
        try:
            if cancelled:
                self._show_progress(_("Cancelled"), 0, 1)
            else:
                self._take(run)
                self._show_progress(_("Done"), 1, 1)
        except Exception as error:  # as in _start
            self._show_progress("", 0, 1)
            self.show_error(error_text(error))
        finally:
            if run.request.dicom_folder is not None:
                self.export.close()  # a run that failed or was cancelled needs the files no longer either
            self._checkCanApply()
        again, self._again = self._again and not cancelled, False
        if again:
            self.run_again()

    def _take(self, run):
        """Show what a run found; of a volume that is no longer chosen it only becomes nodes, found again with it.

        Points that somebody moved meanwhile, at rest or not, stay where they are and are asked about next.
        """
        if self.landmarks.mark_moved() and self.parameters.autoUpdate:
            self._again = True
        if run.request.dicom_folder is not None:
            run.check()
            self.export.finish_dicom(run.result_folder)
        elif run.request.volume_node is not self.volume_node:
            if run.request.command != "query":
                show_run(run)
            self.log(_("The run was of another volume than the one that is chosen now."))
        elif run.request.command == "query":
            run.check()
            self.questions.add(run.answer)
        elif run.request.only_landmarks:
            self.parameters.landmarks = self.landmarks.take_over(lambda: show_run(run))
        else:
            nodes = self.landmarks.take_over(lambda: show_run(run))
            self._forget_result()
            self._result_folder = run.keep_folder()
            self._use_result(nodes)
            self.questions.add(nodes.result)

    def _use_result(self, nodes):
        self.nodes = nodes
        self.parameters.landmarks = nodes.landmarks
        self.result.show(nodes)

    def _forget_result(self):
        """Show no result; the scene keeps its nodes."""
        self.nodes = None
        if self._result_folder is not None:
            self._result_folder.cleanup()
            self._result_folder = None
        self.result.clear()

    def open_study(self, source, result_folder, name):
        """A study of a batch with its result, as if it had been detected here; images replaced since are refused."""
        from LGETextDetectLib import mrml, mrml_results

        node = self.logic.load_study(source, name)
        try:
            nodes = mrml_results.load_result(result_folder, node, slicer.mrmlScene)
        except Exception:  # as it was: images without the result that they were opened for would mislead
            mrml.remove_with_parts(node, slicer.mrmlScene)
            raise
        self.parameters.inputVolume = node  # shows the result that it finds in the scene
        slice_views.show_volume(node, nodes.evidence, fit=True)

    # --- words

    def log(self, text):
        self.ui.logText.appendPlainText(text)

    def onCopyLog(self, checked=False):
        self.ui.logText.selectAll()
        self.ui.logText.copy()

    def _show_progress(self, stage, done, total):
        """A stage's name and the bar; ``total`` 0 is a bar without an end."""
        self.ui.stageLabel.text = stage
        self.ui.progressBar.maximum = total
        self.ui.progressBar.value = done

    def show_error(self, text):
        self.ui.errorLabel.text = text
        self.ui.errorLabel.visible = bool(text)
