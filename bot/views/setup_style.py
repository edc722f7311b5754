"""The style sheet of the set-up's pages."""

_LIGHT = (
    "--ink:#1d1c1d;--soft:#5c5b5c;--line:#dddcdd;--page:#f6f5f6;--paper:#fff;--go:#0b5cad;--go-ink:#fff;"
    "--bad:#a5132c;--bad-paper:#fdecef;--good:#0f6b3e"
)
_DARK = (
    "--ink:#e8e8e8;--soft:#b0b0b2;--line:#3a3b3e;--page:#16181b;--paper:#1f2124;--go:#6fb2ff;--go-ink:#0c1a2b;"
    "--bad:#ff9aa9;--bad-paper:#3a1a20;--good:#6fd09f"
)
_TEXT = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
header{border-bottom:1px solid var(--line);background:var(--paper)}
.brand{max-width:62rem;margin:0 auto;padding:.75rem 1.25rem;font-weight:700}
.page{max-width:62rem;margin:0 auto;padding:1.5rem 1.25rem 3rem;display:flex;gap:2rem;align-items:flex-start}
main{flex:1;min-width:0;max-width:44rem;background:var(--paper);border:1px solid var(--line);border-radius:10px}
main{padding:1.5rem 1.75rem}
nav{flex:none;width:16.5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}
.where{margin:0;color:var(--soft);font-size:.875rem}
h2{font-size:1rem;margin:.25rem 0 .5rem}
p,ol,dl,pre,table{margin:0 0 1rem}
li{margin:.25rem 0}
a{color:var(--go)}
code,pre{font:.875rem/1.5 ui-monospace,monospace;background:var(--page)}
code,pre{border:1px solid var(--line);border-radius:4px}
code{padding:.05rem .3rem;overflow-wrap:anywhere}
pre{padding:.75rem;max-height:20rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.label,label{font-weight:600}
.label{margin-bottom:.25rem}
.hint,.optional,.state{color:var(--soft);font-size:.875rem;font-weight:400}
.hint{display:block}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:400}
.fault{background:var(--bad-paper);color:var(--bad);border-left:4px solid var(--bad)}
.fault{padding:.7rem .9rem;font-weight:600}
details{border:1px solid var(--line);border-radius:6px}
details{padding:.7rem .9rem;margin:0 0 1rem}
summary{cursor:pointer;font-weight:600}
details[open] summary{margin-bottom:1rem}
"""
_FORMS = """
form{margin:0 0 1rem}
label{display:block;margin:0 0 1rem}
label.check{display:flex;gap:.6rem;align-items:flex-start}
label.check input{margin:.3rem 0 0;flex:none}
input[type=text],input[type=password],select{display:block;width:100%;margin-top:.3rem;padding:.55rem .65rem}
input[type=text],input[type=password],select{font:inherit;font-weight:400;color:var(--ink);background:var(--paper)}
input[type=text],input[type=password],select{border:1px solid var(--soft);border-radius:6px}
input[aria-invalid=true],select[aria-invalid=true]{border:2px solid var(--bad)}
button,a.go{display:inline-block;font:inherit;font-weight:600;padding:.6rem 1.1rem;cursor:pointer}
button,a.go{border:1px solid var(--go);border-radius:6px;text-decoration:none}
button{background:var(--go);color:var(--go-ink)}
button.quiet{background:none;color:var(--go);border-color:transparent}
button.quiet{padding:.1rem .4rem;font-weight:400;font-size:.875rem}
:focus-visible{outline:3px solid var(--go);outline-offset:2px}
.steps{list-style:none;padding:0;margin:0;border-top:1px solid var(--line)}
.steps li{display:flex;gap:.75rem;align-items:baseline;margin:0;padding:.5rem 0}
.steps li{border-bottom:1px solid var(--line)}
.steps form{margin:0 0 0 auto;flex:none}
.state{flex:none;width:3rem}
.name{flex:1;min-width:0;overflow-wrap:anywhere}
.done .state{color:var(--good)}
.now .state,.now .name{font-weight:700;color:var(--ink)}
"""
_PHONE = (
    "table,tbody,tr,td{display:block}thead{display:none}tr{border-bottom:1px solid var(--line);padding:.5rem 0}"
    "td{border:0;padding:.1rem 0}td:first-child{font-weight:600}dl{display:block}dd{margin-bottom:.5rem}"
    ".page{flex-direction:column;align-items:stretch;gap:1.5rem;padding:1rem}main{padding:1.25rem}"
    "nav{width:auto;padding:0 .25rem}main button,a.go{width:100%;text-align:center}"
)
STYLE = (
    f":root{{color-scheme:light dark;{_LIGHT}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    f"{(_TEXT + _FORMS).replace(chr(10), '')}"
    f"@media (max-width:48rem){{{_PHONE}}}"
)
"""In one piece without line breaks, since the content security policy names it by its hash."""
