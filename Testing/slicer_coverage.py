"""Says at the end of a run which parts of the Slicer modules were exercised, and which can be tried only in the application.

A pytest plugin (`make test-slicer` loads it). A test named here that no longer exists fails the run.
"""

from __future__ import annotations

import pytest

PARTS = {
    "series line, unfit series": ["test_apply_waits_for_a_volume", "test_the_line_says_why_a_series_is_unfit"],
    "sample study, checksums, Sample Data": [
        "test_sample_data_is_registered_when_start_up_is_complete", "test_sample_files_are_those_that_were_shipped",
        "test_a_changed_sample_file_is_refused",
    ],
    "better stack, DICOM source, support rule": [
        "test_kind_and_files_of_a_dicom_volume", "test_dicom_support_rule_suggests_the_extension_for_lge",
    ],
    "landmarks auto, by hand, locked, moved": [
        "test_auto_places_points_without_a_result", "test_a_moved_point_is_by_hand_and_the_answer_follows",
        "test_points_placed_by_hand_get_their_names", "test_moving_the_anterior_insertion_point_turns_the_segments",
    ],
    "AHA borders on slice views, reorient": ["test_segments_are_drawn_where_the_points_are"],
    "orientation transform": ["test_the_orientation_transform_turns_the_heart_upright"],
    "Apply, progress, Cancel, log, errors": [
        "test_apply_shows_the_finding_and_its_nodes", "test_cancel_in_the_middle_of_the_real_engine",
        "test_a_crash_shows_what_the_engine_said_last", "test_a_refused_series_shows_code_cause_and_remedy",
        "test_the_log_is_copied",
    ],
    "first-use packages, offline wheels": [
        "test_only_what_is_missing_is_installed_wheels_only_and_slicers_own_stay", "test_wheels_from_a_folder_need_no_internet",
    ],
    "words, flags, abstention": ["test_the_answer_in_words", "test_flags_are_plain_words_the_serious_first"],
    "bull's eye, table, jumps": ["test_a_wedge_and_a_row_jump_to_their_segment"],
    "overlay, threshold, legend, plot": ["test_overlay_threshold_legend_and_visibility"],
    "segmentation, Segment Editor": [
        "test_scar_segmentation_has_terminology_geometry_and_voxels",
        "test_edit_opens_the_segment_editor_and_keeps_the_segmentation",
    ],
    "questions and evidence": ["test_answers_grow_with_what_was_understood_and_where_it_looked"],
    "export": ["test_report_folder_scene_and_dicom_are_saved", "test_the_exported_scene_holds_the_result_and_no_names"],
    "batch": ["test_a_batch_fills_its_table_and_opens_a_study"],
    "models and card": ["test_models_are_offered_and_their_card_is_shown"],
    "result nodes through MRB": ["test_from_volume_to_result_nodes_and_through_an_mrb"],
    "no cut text, tooltips, Tab order": [
        "test_no_text_is_cut", "test_every_control_has_a_tooltip_and_every_parameter_a_widget",
        "test_tab_goes_through_the_panel_from_top_to_bottom",
    ],
    "package built and opened": ["test_modules_open_from_the_package"],
}  # fmt: skip
ONLY_IN_SLICER = (
    "PythonQt's own bindings, ctk and qMRML widgets (here: PySide6 and stand-ins)",
    "slice, 3D and plot views on a screen; dragging and placing points by mouse",
    "Segment Editor, DICOM browser and database, Sample Data dialog, pip in Slicer's Python",
    "Slicer --no-main-window --python-script, and the suite of Testing/InSlicer",
    "a GPU run from the panel",
)


class Coverage:
    def __init__(self) -> None:
        self.outcomes: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report) -> None:
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.rpartition("::")[2].partition("[")[0]
            self.outcomes.setdefault(name, set()).add(report.outcome)

    def said(self, name: str) -> str:
        found = self.outcomes.get(name, set())
        return "failed" if "failed" in found else "passed" if "passed" in found else "not run"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter) -> None:
        terminalreporter.section("what was exercised of the Slicer modules")
        for part, names in PARTS.items():
            said = [self.said(name) for name in names]
            word = next((w for w in ("failed", "not run") if w in said), "passed")
            missing = [name for name, one in zip(names, said, strict=True) if one == "not run"]
            terminalreporter.line(f"{word:8} {part}" + (f"  ({', '.join(missing)})" if missing else ""))
        terminalreporter.section("NOT exercised here: needs the application")
        for line in ONLY_IN_SLICER:
            terminalreporter.line(f"- {line}")


def pytest_configure(config) -> None:
    config.pluginmanager.register(Coverage(), "slicer-module-coverage")


def pytest_collection_modifyitems(config, items) -> None:
    """Names above that are in no collected file are stale, when every file of the suite was collected."""
    if {item.path.name for item in items} >= {
        "test_slicer_modules.py",
        "test_slicer_sample.py",
        "test_mrml.py",
        "test_packaging.py",
    }:
        stale = {name for names in PARTS.values() for name in names} - {item.originalname for item in items}
        if stale:
            raise pytest.UsageError(f"slicer_coverage.py names tests that do not exist: {sorted(stale)}")
