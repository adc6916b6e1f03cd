"""Codes of the DICOM objects: (value, scheme, meaning); what no standard scheme names has the scheme 99LGETD."""

from __future__ import annotations

from pydicom.sr.coding import Code

OWN = "99LGETD"
TISSUE = Code("85756007", "SCT", "Tissue")
SCAR = Code("12402003", "SCT", "Scar tissue")
LEFT_VENTRICLE = Code("87878005", "SCT", "Left ventricle")
ARTIFICIAL_INTELLIGENCE = Code("113307", "DCM", "Artificial Intelligence")
MRI_OF_HEART = Code("241620005", "SCT", "Magnetic resonance imaging of heart")
LATE_ENHANCEMENT = Code("122664", "DCM", "Late Contrast Enhancement")
SCARRED = Code("122113", "DCM", "Scarred Myocardium")
COMMENT = Code("121106", "DCM", "Comment")
NO_UNITS = Code("1", "UCUM", "no units")
PRESENCE = {
    "present": Code("52101004", "SCT", "Present"),
    "absent": Code("272519000", "SCT", "Absent"),
    "uncertain": Code("82334004", "SCT", "Indeterminate"),
}
PROBABILITY = Code("PROBABILITY", OWN, "Probability of scar")
LAYER = Code("LAYER", OWN, "Layer of the wall")
LAYERS = {
    "subendocardial": Code("304059001", "SCT", "endocardial"),
    "subepicardial": Code("261073003", "SCT", "epicardial"),
    "transmural": Code("103354007", "SCT", "Transmural"),
    "mid-wall": Code("MIDWALL", OWN, "Mid-wall"),
    "insertion-point": Code("INSERTION", OWN, "RV insertion point"),
    "diffuse": Code("DIFFUSE", OWN, "Diffuse"),
    "patchy": Code("PATCHY", OWN, "Patchy"),
}
TRANSMURALITY = Code("TRANSMURALITY", OWN, "Transmurality score")
TRANSMURALITY_SCORES = {
    0: Code("TRANSMURALITY-0", OWN, "0 %"),
    1: Code("TRANSMURALITY-1", OWN, "1-25 %"),
    2: Code("TRANSMURALITY-2", OWN, "26-50 %"),
    3: Code("TRANSMURALITY-3", OWN, "51-75 %"),
    4: Code("TRANSMURALITY-4", OWN, "76-100 %"),
}
AETIOLOGY = Code("AETIOLOGY", OWN, "Pattern of enhancement")
AETIOLOGIES = {
    "ischaemic": Code("ISCHAEMIC", OWN, "Ischaemic"),
    "non-ischaemic": Code("NON-ISCHAEMIC", OWN, "Non-ischaemic"),
}
NO_REFLOW = Code("NO-REFLOW", OWN, "Microvascular obstruction")

# CID 3717 in AHA order.
_SITES = (
    ("264850008", "left ventricle basal anterior segment"),
    ("396482007", "left ventricle basal anteroseptal segment"),
    ("396646008", "left ventricle basal inferoseptal segment"),
    ("264846001", "left ventricle basal inferior segment"),
    ("396652009", "left ventricle basal inferolateral segment"),
    ("396654005", "left ventricle basal anterolateral segment"),
    ("264848000", "left ventricle mid anterior segment"),
    ("396647004", "left ventricle mid anteroseptal segment"),
    ("396649001", "left ventricle mid inferoseptal segment"),
    ("264847005", "left ventricle mid inferior segment"),
    ("396655006", "left ventricle mid inferolateral segment"),
    ("396656007", "left ventricle mid anterolateral segment"),
    ("264844003", "left ventricle apical anterior segment"),
    ("264845002", "left ventricle apical septal segment"),
    ("264849008", "left ventricle apical inferior segment"),
    ("264853005", "left ventricle apical lateral segment"),
    ("128564006", "Apex of left ventricle"),
)
SEGMENT_SITES = {number: Code(value, "SCT", meaning) for number, (value, meaning) in enumerate(_SITES, 1)}
