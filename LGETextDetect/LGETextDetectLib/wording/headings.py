"""Headings of a report's sections (before a colon or alone on a line) and what their sections are about."""

from __future__ import annotations

_TABLE = """
history: indication | indications | history | clinical | clinical history | clinical details | clinical information |
    clinical indication | clinical question | clinical context | clinical data | background | reason for study |
    reason for of study | reason for exam | reason for examination | reason for referral | referral | question |
    referring question | referral question | request | comparison | comparisons | baseline | prior | previous |
    previous cmr | prior cmr | prior studies | previous imaging | past medical history | pmh | hx | anamnese |
    fragestellung | klinik | klinische angaben | klinische fragestellung | renseignements cliniques | motivo |
    antecedentes | indicacion | indikation | clinical summary | clin | clinical info | relevant history | details |
    previous mri | prior mri | known | previous study | prior study | contexte | motif | datos clinicos |
    voruntersuchung | question to answer | reason | hpi | previous examinations | clinical notes | risk factors | ecg
    | echo | angio | angiography | coronary angiography | cath | previous findings | prior findings
technique: technique | protocol | sequences | method | methods | procedure | scan details | technik | contrast |
    scanner | acquisition | tecnica | imaging protocol | exam | examination | study | protokoll | sequenzen | methode
    | medication | contrast agent | sequences acquired | kontrastmittel | limitations | image quality | quality
conclusion: conclusion | conclusions | impression | opinion | summary | assessment | diagnosis | interpretation |
    beurteilung | fazit | conclusion | zusammenfassung | comment | comments | advice | final | overall | verdict | key
    findings | bottom line | imp | conc | synthese | diagnostico | opinion | concl | in summary | in conclusion |
    conclusion and recommendations | final diagnosis | final impression | summary of findings
findings: findings | finding | befund | resultats | hallazgos | results | report | cmr findings | description | cine |
    cines | body | ergebnis | mri findings | reporte | observations | today | current | now | current study | result |
    compte rendu
lge: lge | lge presence | scar presence | late gadolinium enhancement | late enhancement | late gadolinium | late gadolinium enhancement of | delayed
    enhancement | scar | viability | viability assessment | viability study | viability imaging | delayed enhancement
    imaging | late enhancement sequences | lge assessment | lge sequences | myocardial viability | late gadolinium
    enhancement images | scar burden | scar mass | scar size | scar volume | lge burden | lge mass | infarct size | infarct mass |
    infarct volume | lge quantification | total scar | total lge | fibrosis mass | lge by level | lge by segment | lge per segment | lge by wall | lge by territory | segmental lge | delayed hyperenhancement | late gadolinium enhancement assessment | delayed
    imaging | delayed images | post gadolinium | after contrast | after gadolinium | contrast images | late contrast
    images | delayed postcontrast | delayed post contrast | delayed post contrast imaging | tissue characterisation |
    tissue characterization | late imaging | late images | fibrosis | gadolinium | hyperenhancement | late
    hyperenhancement | post contrast | lge findings | lge imaging | scar assessment | myocardial scar | infarct | scar
    imaging | late contrast enhancement | enhancement | lge images | viable | myocardium viable | myocardium scar |
    late phase | late gadolinium imaging | contrast | lge psir | psir | psir lge | scar / fibrosis | late enhancement
    imaging | enhancement late | realce tardio | lge result | scar pattern | scar fibrosis | lge viable | late gad |
    de | tissue | late gadolinium images | scar and fibrosis | late enhancement findings | late gadolinium enhancement
    imaging | midwall fibrosis | myocardium tissue characterisation | myocardial tissue characterisation
    | late gadolinium enhancement lge | late gadolinium enhancement ( lge ) | infarct imaging | myocardium enhancement
    | lge series
scmr: enhancement pattern | pattern of enhancement | level | levels | location | locations | myocardium distribution | myocardial distribution | myocardium territory | distribution |
    pattern | extent | transmurality | territory | layer | transmural extent | lge location | lge pattern | lge extent
    | lge distribution | lge territory | segment | segments | location of lge | pattern of lge | extent of lge |
    myocardium layer | wall layer | site | where | how deep | depth | segments involved | segment involved |
    lokalisation | localization | wall | walls | walls involved | verteilung | ausdehnung | localisation | localizacion | thickness | involved segment | affected
    segment | lge segment | scar segment | segment with lge | lv segment with lge | segment with scar | lge transmurality | scar location | lge layer
other: valves | valve | aortic valve | mitral valve | tricuspid valve | other valves | atria | atrium | left atrium |
    right atrium | la | ra | pericardium | perikard | pericardial | pleura | lungs | extracardiac | extra cardiac |
    extracardiac findings | non cardiac | noncardiac | incidental | incidental findings | perfusion | stress perfusion
    | rest perfusion | stress | stress rest perfusion | first pass | first pass perfusion | mapping | t1 mapping | t2
    mapping | t1 | t2 | t2 * | t2* | t2 map | t2 maps | t1 map | t1 maps | t1 t2 mapping | t1 and t2 mapping | native
    t1 | stir | t2 stir | oedema | edema | ecv | rv | right ventricle | rvef | haemodynamics | hemodynamics | thrombus
    | aorta | great vessels | flow | quantification | haemodynamic | wall motion | rwma | regional wall motion | t2
    star | fat imaging | ege | early gadolinium | early gadolinium enhancement | vessels | other | volumes | lymph
    nodes | strain | dimensions | hypokinesia | function | rv function | lv function | right ventricular function
lv: lv | left ventricle | left ventricular | ventricle | heart | myocardium | cardiac
presence: presence | present
noreflow: mvo | microvascular obstruction | no reflow | obstruction microvascular
"""


def _read_table() -> dict[str, str]:
    headings: dict[str, str] = {}
    for entry in _TABLE.strip().replace("\n    ", " ").split("\n"):
        section, _, names = entry.partition(": ")
        headings |= dict.fromkeys(names.split(" | "), section)
    return headings | {"interpretation": "conclusion"}


HEADINGS = _read_table()
