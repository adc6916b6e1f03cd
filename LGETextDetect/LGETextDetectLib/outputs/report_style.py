"""The report's look: readable on screen, on paper and without colour vision; contrast at least 4.5 to 1."""

STYLE = """
:root { --ink: #1a1f24; --soft: #48525c; --line: #cdd4da; --panel: #f5f7f9; --blue: #0b5fa5; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 0 24px 32px; color: var(--ink); background: #fff;
  font: 15px/1.5 "Segoe UI", "Helvetica Neue", Helvetica, Arial, sans-serif; }
h1 { margin: 0; font-size: 26px; font-weight: 600; }
h2 { margin: 0 0 12px; font-size: 19px; font-weight: 600; }
p { margin: 0 0 8px; }
a { color: var(--blue); }
.disclaimer { margin: 0 -24px 20px; padding: 10px 24px; background: #4a1034; color: #fff; }
header { display: flex; flex-wrap: wrap; gap: 4px 24px; align-items: baseline; justify-content: space-between; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
section { margin-top: 28px; }
#answer { display: flex; flex-wrap: wrap; gap: 16px 32px; align-items: center; justify-content: space-between;
  margin-top: 16px; padding: 18px 22px; background: var(--panel); border: 1px solid var(--line); border-left: 8px solid #5b6570; border-radius: 4px; }
#answer > div { flex: 1 1 420px; }
#answer.present { border-left-color: #ba3d39; }
#answer.absent { border-left-color: #0b5fa5; }
#answer.unknown { border-left-color: #8a6d00; }
#answer h2 { margin-bottom: 4px; font-size: 30px; }
#answer .caption { font-size: 17px; }
#answer .caption::first-letter { text-transform: uppercase; }
#answer .caution { color: #6b4e00; font-weight: 600; }
.meter { flex: 0 0 300px; font-size: 12px; fill: var(--soft); }
.meter .value { font-size: 24px; font-weight: 600; text-anchor: middle; fill: var(--ink); }
.meter .track { fill: #dbe1e6; }
.meter .bar { fill: #5b6570; }
.present .meter .bar { fill: #ba3d39; }
.absent .meter .bar { fill: #0b5fa5; }
.unknown .meter .bar { fill: #8a6d00; }
.meter .mark { stroke: var(--ink); stroke-width: 2.5; fill: none; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 12px; margin: 0; }
dl > div { padding: 12px 16px; border: 1px solid var(--line); border-radius: 4px; }
dt { margin-bottom: 4px; color: var(--soft); font-size: 13px; font-weight: 600; }
dd { margin: 0; }
dd ol { margin: 0; padding-left: 20px; }
dd li::first-letter { text-transform: uppercase; }
dd p { margin: 0; }
dd p::first-letter { text-transform: uppercase; }
.pair { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
.pair > figure { flex: 1 1 380px; margin: 0; }
.pair > div { flex: 1 1 500px; }
.pair svg { width: 100%; height: auto; }
figcaption, caption, .legend { color: var(--soft); font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption { padding-bottom: 4px; text-align: left; }
th, td { padding: 3px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid var(--soft); font-weight: 600; overflow-wrap: normal; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.segments td, .segments th { padding: 3px 6px; white-space: nowrap; overflow-wrap: normal; }
.facts th { width: 220px; color: var(--soft); }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border: 1px solid var(--soft); vertical-align: -1px; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 16px 12px; }
.strip figure { margin: 0; }
.strip img { display: block; width: 100%; height: auto; background: #000; image-rendering: auto; }
.layers { position: relative; margin-top: 3px; }
.layers img + img { position: absolute; top: 0; left: 0; background: none; }
.strip figcaption { padding-top: 4px; line-height: 1.35; }
.strip .outside img { opacity: 0.55; }
.key { display: inline-block; width: 18px; height: 10px; margin: 0 3px 0 10px; border: 1px solid var(--soft); }
.key.evidence { background: #ff7800; }
.key.endo { background: #56b4e9; }
.key.epi { background: #f0e442; }
q { font-style: italic; }
ul { margin: 0; padding: 0; list-style: none; }
#quality li { margin-bottom: 6px; padding: 6px 12px; background: var(--panel); border-left: 5px solid #5b6570; }
#quality li.warning { border-left-color: #c98a00; }
#quality li.error { border-left-color: #ba3d39; }
footer { margin-top: 32px; padding-top: 8px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
@media print {
  @page { margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 11px; }
  .disclaimer { margin: 0 0 10px; padding: 6px 10px; color: #000; background: #fff; border: 2px solid #000; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  section { margin-top: 12px; }
  figure, tr, li, table, dl > div, #answer { break-inside: avoid; }
  h2 { margin-bottom: 6px; break-after: avoid; font-size: 15px; }
  figcaption, caption, .legend, footer { font-size: 10px; }
  caption, .legend { break-after: avoid; }
  #answer { flex-wrap: nowrap; padding: 10px 16px; }
  #answer > div { flex: 1 1 auto; }
  #answer h2 { font-size: 22px; }
  #answer .caption { font-size: 13px; }
  .meter { flex: 0 0 230px; width: 230px; height: auto; }
  dl { grid-template-columns: repeat(4, 1fr); gap: 8px; }
  dl > div { padding: 8px 10px; }
  dt { font-size: 11px; }
  table { font-size: 10px; }
  .segments td, .segments th { padding: 1px 5px; }
  .pair { flex-wrap: nowrap; }
  .pair > figure, .pair > div { flex: 1 1 45%; }
  .strip { grid-template-columns: repeat(5, 1fr); gap: 8px; }
  #slices { break-before: page; }
}
"""
