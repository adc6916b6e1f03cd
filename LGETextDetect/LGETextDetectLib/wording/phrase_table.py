"""The phrases of LGE reports and prompts in canonical words, one entry for each thing said.

An entry is written 'kind what: phrase | phrase' and goes on while lines are indented. What a kind may say is in
phrases.py.
"""

TABLE = """
term lge: lge | late gadolinium enhancement | late gadolinium hyperenhancement | late enhancement | late
    hyperenhancement | hyperenhancement | enhancement | enhances | late post contrast enhancement | late contrast
    enhancement | late myocardium enhancement | contrast enhancement | enhancement late | enhancement late of
    gadolinium | enhancement of gadolinium | enhancement of contrast late | gadolinium enhancement | gadolinium uptake
    | late uptake | contrast uptake | late gadolinium uptake | gadolinium retention | retention gadolinium | contrast retention | late contrast retention | retention contrast | uptake gadolinium | accumulation gadolinium | gadolinium accumulation |
    gadolinium deposition | contrast accumulates late | contrast medium accumulates late | contrast medium accumulates | accumulates contrast | accumulates gadolinium | hyperenhanced | positive late | late gadolinium positivity | lge positivity
term scar: partially viable | partly viable | incompletely viable | not fully viable | not entirely viable | no viability | absence viability | negative viability | viability negative | without viability | no residual viability | no significant viability | scar | fibrosis | myocardium fibrosis | replacement fibrosis | scar tissue | myocardium scar | fibrous
    tissue | fibrous scar | myocardium damage | myocardium injury | damaged myocardium | dead muscle | dead tissue | myocardium death |
    dead myocardium | necrosis | myocardium necrosis | nonviable | unviable | non viable | non viability | no viable | not viable | nonviability
    | viability unlikely | viability very unlikely | viability highly unlikely | viability is unlikely | viability doubtful | viability lost | unlikely viable
    | unlikely to viable | unlikely to be viable | not expected to be viable
    | devitalised | irreversible damage | irreversibly damaged | irreversible injury | fibrofatty replacement |
    hyperintense scar | delayed bright
term damage: damage | damaged | dead | injury | injured | destroyed | dead area | weak area | injured area
term stripe: stripe | lge stripe
term infarct: infarct | myocardium infarct | myocardial infarct | infarct scar | infarct pattern | infarct scar tissue
term event: mi | myocardium attack | old attack | old coronary event | previous coronary event | prior coronary event | silent coronary event |
    old ischaemic event | previous ischaemic event | prior ischaemic event
term bright: bright | bright signal | bright spot | bright area | bright focus | high signal | hyperintensity |
    hyperintense | hyperintense signal | increased signal | signal increase | white area | white bits | lit up | lights up | bright
    patch | bright region | brightness | white | light up | hyperintense focus | bright line | bright band | bright
    rim | signal | abnormal signal | signal abnormality
term pattern: pattern | hallazgos patologicos | pathological findings | abnormal findings | lesion | lesions | abnormality | abnormalities | involvement | focus
layer subendocardial: subendocardial | endomyocardial | less than transmural | less than full thickness | less than full wall thickness | partly transmural | inner layer | inner third | inner half | inner wall |
    from the inside | subendocardial layer | inside layer | inner rim | inner surface | inner lining | non transmural
    | nontransmural | no transmural extension | not transmural | partial thickness | partially transmural |
    subendocardial based | not fully transmural | incompletely transmural | no full thickness
layer near: near transmural | nahezu transmural | fast transmural | beinahe transmural | casi transmural | presque transmural | nearly transmural | almost transmural | subtransmural | almost full thickness | near
    full thickness | nearly full thickness | nearly fully transmural | virtually transmural | close to transmural |
    quasi transmural | nearly whole thickness | almost whole thickness | nearly entire thickness | almost entire
    thickness | nearly whole wall thickness | almost whole wall thickness | nearly entire wall thickness | almost
    entire wall thickness | nearly whole wall | most of wall thickness | most of thickness | nearly all of wall
    thickness
layer mid-wall: midwall | mid wall | mid myocardium | middle layer | mid layer | middle third | middle third of wall |
    mid third of wall | central layer | mid portion of wall | mid myocardial | midwall layer | mid mural | within wall
    | inside wall | middle layers | middle wall | middle of wall | mid part of wall | middle part of wall | centre of wall | center of wall
layer subepicardial: subepicardial | outer two thirds | outer 2 / 3 | outer layer | outer third | outer half | outer wall | outer surface | outer rim |
    outside layer | subepicardial layer | subepicardial half
layer transmural: transmural | trans mural | through full wall | through whole wall | through entire wall | fully
    transmural | full thickness | full wall thickness | whole thickness | entire thickness | entire wall thickness |
    whole wall thickness | whole of wall | thickness of wall complete | complete thickness | full of thickness | full
    thickness of wall | all way across wall | all way to wall | entire width | whole width | whole depth | full depth
    | full width | right to wall | complete wall thickness | all layers | endo to subepicardial | subendocardial to
    subepicardial | wholly transmural | completely transmural
layer diffuse: diffuse | diffusely
layer patchy: patchy | multifocal patchy
level basal: basal | basal half | basal level | basal third | basal slice | basal slices | at base | basal ventricle | basal ring
level mid: mid | middle | papillary muscle level | middle segments | mid ventricular | mid ventricle | mid cavity | mid level | mid third | mid
    lv | mid slice | mid slices | papillary level | level of papillary muscle | level of papillary muscles | mid
    papillary
level apical: apical | apical half | apical level | apical third | apical slice | apical slices | distal | distal third
level basal+mid+apical: all levels | every level | all three levels | at all levels | basal mid apical | whole length
    | entire length | full length | whole extent of wall
apex: apex | true apical | apical cap | true apex | lv apex | left ventricle apex | left ventricular apex | cap | apical tip | tip |
    tip of myocardium | segment apex | cardiac apex | myocardium apex | very tip | apex proper | tip of ventricle |
    true apical cap | true apex cap
wall inferolateral: posterior | posterior wall | back wall | back of myocardium | back of of myocardium | post wall | posterior lateral | posterior lateral wall |
    inferior lateral | inferior lateral wall | posterolateral | rear wall
wall anterolateral: anterior lateral | anterior lateral wall | antero lateral | antero lateral wall
wall inferolateral: infero lateral | infero lateral wall | postero lateral | postero lateral wall
wall anteroseptal: anterior septal | antero septal | antero septal wall | anterior part of septal | anterior septal
    wall | septal anterior | anterior half of septal | anterior portion of septal | septal anterior part
wall inferoseptal: inferior septal | septal inferior | infero septal | postero septal | posterior septal | infero septal wall | inferior
    septal wall | inferior part of septal | inferior half of septal | inferior portion of septal | posterior septal
    wall
wall lateral: lateral free wall | free wall | lv free wall | left ventricular free wall | side wall | free lateral
    wall | left free wall | outer side wall | side of heart | left side wall
wall anterior: front wall | front | front of myocardium | front of of myocardium | front side | superior wall
wall inferior: bottom wall | underside | lower wall | inferior surface | bottom of myocardium | bottom | underside of
    myocardium | floor
wall septal: septal wall | septal septal | partition | dividing wall | wall between ventricle | wall between of
    ventricle | wall between of two ventricle | wall between of chambers | wall between chambers | wall between of two
    chambers | septal myocardium
wall all: whole circumference | entire circumference | full circumference | circumferential | all round | all around | ring like | global | all walls | all segment | every segment | entire left ventricle |
    whole left ventricle | whole ventricle | entire lv | entire ventricle | to left ventricle | to of left ventricle |
    to lv | to myocardium | to of myocardium | entire myocardium | whole myocardium | all over myocardium | all over |
    all myocardial segment | all lv segment | all 16 segment | all left ventricular segment | entire left ventricular
    myocardium | to left ventricular myocardium | to lv myocardium | to of lv | to of lv myocardium
wall all17: all 17 segment | 17 segment
vessel multi: multi vessel | multivessel
neg: mimics | mimicking | mimic | simulates | simulating | might not | no | nobody | without | absence | absence of | negative for | no evidence of | no evidence for | no convincing
    | not | never | nothing | nor | fails to | failed to | free from | devoid of | rather than | no signs of | no sign
    of | no trace of | nowhere | neither | no longer | lacks | not a single | not any | complete resolution | full resolution | interval resolution | resolution all | disappearance | ausschluss | scant | hardly any
negpost negative: negative | might not seen | score 0 | grade 0 | unlikely | improbable | very unlikely | aborted | none | not seen | no seen | not present
    | excluded | is excluded | ruled out | was excluded | has resolved | resolved | completely resolved | not involved
    | not affected | disappeared | regressed completely | completely regressed | fully regressed | not found | not noted | not detected | not identified | gone | not visible |
    not demonstrable | not evident | not observed | no longer seen | no longer present | no longer visible | no longer
    evident | vanished | not apparent | might not be reproduced | not reproduced | not be reproduced | not be confirmed | not be found | not be demonstrated | not demonstrated | not detectable | not detected | can be excluded | not be
    seen | not be identified | not appreciated | not confirmed | not seen seen | fehlt | nihil
negpost normal: normal | null completely | null normally | null uniformly | dark everywhere | black everywhere | dark throughout | black throughout | completely black | completely dark | uniformly dark | homogeneous nulling |
    uniform nulling | homogeneously nulled | nothing to report | nothing significant | nothing relevant | nothing remarkable | nothing of note | nothing abnormal | viable | free | fully viable | preserved | completely viable | nulls normally | nulled
    normally | well nulled | wholly viable | entirely viable | fine | ok | okay | undamaged | not damaged | unharmed |
    alive | nulls | good | unscathed | uninjured | remains viable | scarless
notstated: not reported | not mentioned | not commented on | not commented | not assessed | not evaluated | not
    assessable | not assessed on
scarfree: scar free | infarct free | fibrosis free | enhancement free | lge free | lge negative | free of scar |
    scarless
spare: spare | spare of | relative spare | spare of of | not involving | not reaching | not extending to | not extend
    to | not reach | not affecting | respecting | not including
except: except | except for | other than | apart from | with exception of | with of exception of | exception of |
    aside from | excluding | bar | but for | save for | save in | save at | beyond | outside | outside of | away from | anywhere but |
    everywhere but | not counting | besides | only | barring | elsewhere than | exclusive of | with sole exception of
    | with single exception of | with of sole exception of | with of only exception of
other: other | elsewhere | otherwise | further | additional | new | rest | remaining | remainder | anywhere else |
    others | remote | additionally | residual segment | other areas | large | extensive | ubrig | sonst | neue | neuen
    | neues | recent | acute | ailleurs | autre | otro | otra | resto | ubrigen | convincing large | nuevo
maybe: whether this | not say | not tell | possible | not rule out | unable to rule out | unable to exclude | might be | might represent | might reflect | might | not be excluded | not exclude | not fully
    exclude | not be entirely excluded | not be ruled out | not be fully excluded | not be confidently excluded | not
    be completely excluded | not excluded | hard to exclude | difficult to exclude | not certain | suggestion of |
    impression of | not be judged | queried | raises possibility | raises of possibility | low confidence | hint of |
    not definite | not definitely | not conclusive | of doubtful | not sure | versus | vs | not be determined | not be
    reliably excluded | artefact or | not clear | not definitive | not be differentiated | not be distinguished | not
    reliably excluded | insufficient | arguable | not entirely excluded | limited confidence | possible that | not
    sicher | not sicher auszuschliessen | not auszuschliessen | not ausgeschlossen | probable artefact | ne peut etre
    exclu | no se puede descartar | no puede descartarse | not be safely excluded
notmaybe: not explain | not fully explain | not account for | unlikely to recover | unlikely to improve | likely to recover | likely to improve | pulmonary hypertension | pulmonary arterial hypertension | pulmonary artery hypertension | valvular cardiomyopathy | valvular heart disease | valve disease | unlikely to clinically | unlikely clinically | unlikely relevant | unlikely to relevant | unlikely of significance | unlikely to explain | unlikely to account | 17 segment model | 16 segment model | segment model | rv sided | rv side | right ventricular side | right ventricle side | uncertain significance | of uncertain significance | of uncertain aetiology | of uncertain etiology |
    possible aetiology | unclear significance | unclear aetiology | unclear etiology | of unclear aetiology |
    uncertain aetiology | uncertain etiology | significance uncertain | significance unclear | significance possible |
    possible significance | of possible significance | of of possible significance | of possible etiology | of
    possible aetiology | possible clinical significance | of possible clinical significance | possible prognostic
    significance | possible viability | viability possible | possible relevance | of possible relevance | possible clinical relevance | of possible clinical relevance | possible prognostic relevance | of possible prognostic relevance | possible cause | aetiology possible | cause possible
artefact: slow flow | slow flowing blood | slow blood flow | stagnant blood | gibbs | susceptibility | artefact | artifact | artefacts | artifacts | artefactual | artifactual | partial volume | partial voluming
    | ghosting | partial volume effect | subepicardial fat | fat | vessel | crossing fibres | noise | poor nulling |
    imperfect nulling | suboptimal nulling | inadequate nulling | suboptimal inversion time
organ: keloid | base of papillary muscle | base of papillary muscles | at base of papillary muscle | at base of papillary muscles | coronary wall | coronary artery wall | vessel wall | right septal side | anterior rv wall | inferior rv wall | anterior rv | rvot | papillary | papillary muscle |
    papillary muscles | posteromedial papillary muscle | anterolateral papillary muscle | anterior papillary muscle | lateral papillary muscle | medial papillary muscle | lateral papillary | medial papillary | anterior papillary | posterior papillary | septal papillary muscle |
    anterior lateral papillary muscle | inferolateral papillary muscle | posterior papillary muscle | papillary muscle
    tip | atrial | atrium | atria | left atrial | left atrium | right atrium | la | ra | biatrial | interatrial septal
    | atrial septal | atrial wall | pulmonary vein | pulmonary veins | pericardial | pericardium | perikard |
    pericarde | pericardio | pericardiaque | pericardiac | pericardico | liver | hepatic | hepatico | leber | foie |
    hepatique | higado | lung | lungs | pulmonary | pleural | kidney | renal | spleen | splenic | node | nodes | hilar
    | adenopathy | lymphadenopathy | lymph | nodule | nodules | mediastinal | mediastinum | breast | bone | vertebral
    | thyroid | adrenal | brain | cerebral | spinal | pancreas | pancreatic | aorta | aortic | valve | valves |
    leaflet | leaflets | valvular | mitral | tricuspid | mass | within of mass | tumour | tumor | myxoma | cyst |
    thymus | bowel | muscle of chest | chest wall | oesophagus | esophagus | esophageal | oesophageal | prostate |
    prostatic | knee | uterus | skin | gut | stomach | gastric | colon | thrombus | thrombus apical | trombo | trombo apical | clot | graft | conduit | patch |
    meningeal | hippocampal | pituitary | bladder | cystic | retinal | tumoral | ovary | ovarian | wrist | joint |
    synovial | intramural thrombus | mural thrombus | midwall thrombus | gallbladder | lumbar | basal ganglia |
    moderator band | nephrogenic | sternotomy | chest | abdomen | upper chamber | upper chambers | right side of heart | right heart | stroke | white matter | optic
topic: biopsy | endomyocardial biopsy | biphasic response | contractile reserve | normal signal | not move | not moving | not contract | not contracting | ischaemic burden | burden of ischaemic | signal intensity | low signal | signal loss | signal void | signal drop | reduced signal | coronaries | normal coronaries | coronary arteries | normal coronary arteries | perfusion | hypoperfusion | hypoperfused | perfused | defect | defects | ischaemia | inducible | stress | rest
    perfusion | oedema | edema | oedematous | edematous | odem | edeme | oedeme | edema | stir | t2 | t2 * | t2* | t1
    | t1 map | t1 mapping | t2 mapping | native | ecv | mapping | maps | map | hypokinesis | hypokinesia | hypokinetic
    | akinesis | akinesia | akinetic | dyskinesis | dyskinesia | dyskinetic | dyssynchrony | wall motion | wall motion
    abnormality | rwma | contracts | contraction | contractility | thinning | thinned | thin | thickening | thickened
    | hypertrophy | hypertrophied | hypertrophic wall | aneurysm | aneurysmal | ballooning | apical
    ballooning | stenosis | occlusion | occluded | cto | stent | stented | pci | cabg | angioplasty | culprit | bypass |
    angiography | angiogram | mm | ml | lvef | ef | ejection | fraction | strain | volume | volumes | haemorrhage |
    hemorrhage | midwall haemorrhage | midwall hemorrhage | imh | fatty | lipomatous | metaplasia | diffuse fibrosis |
    interstitial fibrosis | diffuse interstitial fibrosis | diffuse myocardium fibrosis | interstitial | peri infarct
    ischaemia | peri infarct | hypoperfusion | wave | st elevation | st segment | q waves | q wave | ecg |
    trabeculation | noncompaction | non compaction | ratio | septal bounce | septal shift | septal flattening | septal
    motion | septal hypertrophy | first pass | dark rim | early enhancement | early gadolinium enhancement | ege |
    first pass enhancement | reperfusion | rest | blood pool | regional wall motion | hibernating | stunned | stunning
    | function | systolic | diastolic | filling | gradient | obliteration | sam | bundle | leads | lead | myocardial
    salvage | salvage | area at risk | mass index | fever | weather | troponin | kinetik | kinetics | contusion |
    wandbewegungsstorung | hypokinesie | akinesie | acinesia | hipocinesia | hypocinesie | akinesie | septal defect |
    ventricular septal defect | septal ablation | pr interval | mitral regurgitation | thickness mm | water | velocity
    | diameter
noreflow: microvascular obstruction | dark subendocardial core | dark subendocardial zone | hypoenhanced subendocardial core | micro vascular obstruction | black centre | black center | obstruction microvascular | mvo | no reflow | no
    reflow zone | no reflow phenomenon | no reflow area | reflow | dark core | hypoenhanced core | hypoenhancing core
    | hypointense core | hypoenhancement | dark central zone | dark centre | dark center | central hypoenhancement |
    hypoenhanced area | hypoenhanced zone | hypo enhanced core | non enhancing core | nonenhancing core | black core |
    central dark zone | dark zone | microvascular occlusion | hypointense centre | hypointense center | hypoenhanced
    centre | hypoenhanced center | low signal core | dark area within scar | dark area within infarct | microvascular
    damage | microvascular injury | unenhanced core | core of low signal | core hypoenhancement | dark core within |
    central core of hypoenhancement | no reflow region | noreflow | hypoenhanced | hypo enhancement | non perfused
    core | core without enhancement | normal core | dark hypoenhanced core | dark spot in middle | dark middle | dark
    central core | hypo intense core | central dark core | microvascular obstruction zone | dark central area | signal
    void core | dark heart of scar
vote ischaemic: left main disease | left main stenosis | left main coronary disease | one vessel disease | one vessel cad | one vessel coronary disease | one vessel coronary artery disease |
    two vessel disease | two vessel cad | two vessel coronary disease | two vessel coronary artery disease |
    three vessel disease | three vessel cad | three vessel coronary disease | three vessel coronary artery
    disease | single vessel disease | single vessel cad | single vessel coronary disease | single vessel
    coronary artery disease | double vessel disease | double vessel cad | double vessel coronary disease |
    double vessel coronary artery disease | triple vessel disease | triple vessel cad | triple vessel
    coronary disease | triple vessel coronary artery disease | 1 vessel disease | 1 vessel cad | 1 vessel
    coronary disease | 1 vessel coronary artery disease | 2 vessel disease | 2 vessel cad | 2 vessel coronary
    disease | 2 vessel coronary artery disease | 3 vessel disease | 3 vessel cad | 3 vessel coronary disease
    | 3 vessel coronary artery disease | multi vessel disease | multi vessel cad | multi vessel coronary
    disease | multi vessel coronary artery disease | multivessel disease | multivessel cad |
    ischaemic | cad | cad type | ischaemic pattern | ischaemic aetiology | coronary disease | coronary artery disease |
    embolic | ischaemic cardiomyopathy | icm | ihd | coronary pattern | pattern coronary | atherosclerotic | coronary origin | coronary
    cause | coronary distribution | ischaemic heart disease | ischaemic myocardium disease
vote non-ischaemic: nonischaemic | non ischaemic | no ischaemic scar pattern | nicm | myocarditis | myocarditis like |
    dcm | idcm | nidcm | idiopathic cardiomyopathy | cardiomyopathy no ischaemic | dilated cardiomyopathy no ischaemic
    | cardiomyopathy dilated | cardiomyopathy dilated no ischaemic | cardiomyopathy hypertrophic | cardiomyopathy
    dilated not ischaemic | dilated cardiomyopathy not ischaemic | scar no ischaemic | lge no ischaemic | pattern no
    ischaemic | dilated cardiomyopathy | hcm | apical hcm | hocm | hypertrophic cardiomyopathy | hypertrophic
    obstructive cardiomyopathy | hypertrophic non obstructive cardiomyopathy | hypertrophic nonobstructive cardiomyopathy | sarcoid | sarcoidosis | amyloid | amyloidosis | amylose | attr | fabry | anderson fabry |
    duchenne | becker | dystrophy | muscular dystrophy | danon | chagas | lmna | lamin | laminopathy | filamin | hiv cardiomyopathy | alcoholic cardiomyopathy | toxic cardiomyopathy | arvc | arvd | acm | alvc |
    arrhythmogenic cardiomyopathy | arrhythmogenic | endomyocardial fibrosis | loeffler | eosinophilic | takotsubo |
    inflammatory | myopericarditis | perimyocarditis | amyloidose | sarkoidose | sarcoidose | amiloidosis | non
    coronary | noncoronary | not ischaemic | unlikely ischaemic | unlikely to ischaemic | unlikely to be ischaemic | not coronary | not due to coronary disease | not due to coronary artery
    disease | not due to ischaemic | not caused by coronary disease | not of ischaemic | not of coronary origin | not
    caused by infarct | not due to infarct | not an infarct | non infarct | noninfarct | non cad | not cad | lvnc | inflammation |
    phospholamban | desmoplakin | dsp | dsp cardiomyopathy | hypereosinophilic | hypereosinophilic syndrome | friedreich | hypertensive heart disease | hypertensive heart | hypertensive cardiomyopathy | iron overload cardiomyopathy | tako tsubo
    | peripartum cardiomyopathy | cardiotoxicity | phenocopy | storage disease | infiltrative | infiltrative disease |
    infiltration | infiltrative cardiomyopathy | covid myocarditis | post myocarditis | viral | lake louise criteria positive | lake louise positive | lake louise criteria fulfilled | lake louise criteria met | criteria lake louise met | criteria lake louise positive | lupus | vasculitis |
    egpa | systemic sclerosis | scleroderma
history: echo suggested | echo showed | echo suggests | ecg suggested | ecg suggests | ecg showed | ct suggested | ct showed | prior ct | previous ct | prior echo | previous echo | on ct | previous cmr | prior cmr | previous study | prior study | previous scan | prior scan | previous examination |
    prior examination | previous exam | prior exam | previous mri | prior mri | previous imaging | prior imaging |
    last cmr | last scan | last study | earlier cmr | earlier scan | earlier study | earlier mri | old cmr | old mri |
    baseline | known | history of | history | outside hospital | elsewhere reported | referral states | referral
    letter | was reported | then | previously | years ago | months ago | year ago | weeks ago | formerly | hx | h/o |
    pmh | family history | initial scan | first scan | initial study | index scan | initial cmr | at that time | used
    to | background of | diagnosed with | voruntersuchung | vorbefund | vor-mrt | anamnestisch | reportedly | index
    cmr | external cmr | outside cmr | outside mri | outside study | original scan | antecedent | antecedentes |
    antecedents | atcd | remote history | referred with | referred for | referred after | referred because | previous
    report | prior report | acute scan | acute study | baseline scan | on echo | by ecg | on ecg | carries a diagnosis
    | told | presented with | presenting with | admitted with | estudio previo | irm previa | irm precedente
after: after | post | status post | s p | z n | z . n | secondary prevention
now: now | today | current | currently | residual | on this study | present study | this study | this examination |
    todays | today's | current study | presently | this scan | at present | aktuell | heute | actual | actuel |
    actualmente | actuellement | jetzt | new | newly
again: again seen | no significant change | no significant interval change | no relevant change | without change | without significant change | not changed | not changed significantly | not significantly changed | as known | as already known | already known | again | unchanged | as before | still | remains | as previously | no change | similar to | known
    and unchanged | as described previously | as on prior | comparable to | comparable with | compared with | compared
    to | same as | previously described and unchanged | continues to | remain | in keeping with known | stable
    appearance | no interval change | corresponding to known | consistent with known | confirms | confirm | confirmed
    | progression | progressed | increased since | larger than | smaller than | grown | regressed | persisting | has
    shrunk | improved | decreased | less than on | increase | reduction | than on | than in | than at | since | in
    comparison with | corresponding to previous | in line with known | reflecting known | redemonstration | matching
    known | wie vorbeschrieben | vergleich zur voruntersuchung | no cambios | respecto estudio previo | comparacion estudio previo | no cambios
    respecto estudio previo | par rapport irm precedente | par rapport examen precedent | vergleich zur vor-mrt | vergleich zum vorbefund
explain: corresponding | in keeping with | consistent with | compatible with | suggestive of | suggesting | suggests | corresponding
    to | indicating | indicates | represents | representing | reflecting | due to | related to | caused by | likely |
    most likely | probably | probable | typical for | concerning for | suspicious for | possible for | highly
    suggestive of | characteristic of | secondary to | attributable to | attributed to | consequent to | matching | =
    | favouring | favoring | vereinbar with | vereinbar mit | passend zu | hinweisend auf | evocateur of | evocateur |
    sugestivo of | compatible avec | compatible con | sugestivo | in line with | raising suspicion of | as in | as
    seen in | bei | might represent scar | in context of | in of context of | in context | context of | as part of |
    in setting of | keeping with | in of setting of | reminiscent of | diagnostic of | so called | raising | argues
    for | points to | pointing to | pointing towards | evidence for a | confirming | supports | supporting | denoting
    | equals | felt to represent | favoured to represent | favored to represent | favoured to be | favored to be | favoured as | favored as | thought to represent | felt to be | thought to be | believed to represent | considered to represent | explained by | stemming from | arising from | resulting from
tech: might not completed | not completed | abandoned | done | n/a | not applicable | sequences | sequence | min after | minutes after | mins after | mmol | mmol / kg | acquired | performed |
    protocol | technique | inversion time | ti | was obtained | were obtained | obtained | gadobutrol | gadoterate |
    dotarem | gadovist | gadobenate | psir | single shot | nulling | administered | administration | injection | not
    given | declined | not performed | not acquired | not available | unavailable | not done | could not be acquired |
    non contrast | wideband | kontrastmittelgabe | breath hold | quality | nondiagnostic images | not administered |
    not obtained | not possible | slices | planned | scheduled | recommend | recommended | suggest repeat | was
    planned | awaited | pending | requested | please | if clinically | would be | motion degraded
asked: rule out | zum ausschluss | to exclude | to look for | to evaluate | to assess | assessment of | assess for | for assessment |
    evaluate for | for evaluation of | referral | question | query | looking for | work up for | workup for |
    evaluation for
assert: present | seen | shows | positive | + | yes | involving | involves | involvement | located | extending |
    extends | extend | affecting | affects | confined | limited | small | tiny | minor | trace | traces | sliver | speck | trivial | slight | subtle | faint | focal |
    linear | dense | extensive | widespread | confluent | large | mild | moderate | severe | chronic | old | marked |
    intense | multifocal | multiple | established | completed | some | subacute | healed | vorhanden | demonstrates |
    discrete | definite | area of | areas of | region of | occupies | occupying | continues | evidence of | typical |
    abnormal | significant | there | rim | underlying | ja | oui | si | xx | minimal | replacement | convincing |
    clear cut | burden | healing | mature | wrap around
coref: it | this | these | latter | former | also | additional | additionally | similar | same | likewise | second |
    another | further | in addition | furthermore | moreover | plus | separate | first | third | smaller | ebenso |
    zusatzlich | they | what persists | including | both
break: ; | but | sondern | sino | while | whereas | although | though | however | whilst | despite | aber | mais |
    pero | yet | wahrend | together with | on other hand
plus: matched by | matched with | matched to | plus | as well as | with additional | in addition | also | accompanied by | with a | along with | and to |
    combined with | with
sep ,: ,
sep and: and | & | + | and of | and of of | or | / | and/or | and / or | and in | and at | and also | and of also
sep to: to | - | – | — | to of | down to | up to of | extending to | - to - | -> | into | all way to
colon: : | => | → | ->
all: all | every | each | only | entire | whole
segword: segment | aha | aha segment | level | levels
lv: left ventricle | left side of heart | left heart | left ventricular | myocardium | main pumping chamber | pumping chamber | left ventricle
    myocardium | left ventricular myocardium | lv myocardium | in lv
thick: thickness | transmurality | wall thickness | transmural extent | transmural extension | thickness of wall |
    wall depth | transmural thickness | transmural spread | through wall | of its thickness |
    of thickness | transmural depth | extent of transmurality
notthick: of lv mass | lv mass | of left ventricular mass | of myocardial mass | total extent | lge mass | scar mass |
    infarct size | scar burden | lge extent | lge burden | of total | of total lv mass | of total myocardium | lge
    volume | scar size | g | of lv volume | lge quantification | scar volume | infarct mass | of total myocardial mass
    | of total left ventricular mass | lge amount | lge quantity | extent of lge | total scar burden | total lge
viab: viability
tokens: late images | lge image | late image | lge slice | late gadolinium image | delayed image | sequences enhancement late | images enhancement late |
    sequences late enhancement | late imaging | late phase | late gadolinium images | late gadolinium imaging | lge images | lge
    imaging | late gadolinium | lge sequences | late gadolinium sequences | on late images | lge sequence | late
    contrast images | post contrast | late post contrast images | gadolinium | late enhancement images | late
    enhancement imaging | late enhancement sequences | late gadolinium enhancement images | late gadolinium
    enhancement imaging | late gadolinium enhancement sequences | late acquisitions | late sequences | late series |
    psir images | lge series | lge stack | late scan | lge study | delayed images | late pictures | lge acquisitions |
    late phase images | lge cmr | lge mri | late gadolinium mri | delayed enhancement mri | delayed enhancement cmr |
    delayed enhancement images | delayed enhancement imaging | hyperenhancement imaging | late enhancement mri | late
    enhancement cmr
"""
