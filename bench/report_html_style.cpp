#include "bench/report_html_style.hpp"

namespace muxlab {

std::string_view report_style() {
  return R"css(
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1b1b; --soft: #505050;
  --line: #d0d0d0; --shade: #f4f4f4; --link: #00528a; --warn: #7a3b00; --warn-paper: #fff4e5; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --ink: #ececec; --soft: #b4b4b4; --line: #43474f; --shade: #1e2127;
    --link: #7cc4ff; --warn: #ffc98a; --warn-paper: #33240f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 88rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .wide:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
.lead { color: var(--soft); max-width: 50rem; }
p, li { max-width: 50rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0; list-style: none; }
.caution { border-left: 4px solid var(--warn); background: var(--warn-paper); color: var(--warn);
  padding: 0.5rem 0.75rem; }
.wide { overflow-x: auto; max-width: 100%; margin: 0.75rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 0.75rem 0.3rem 0;
  text-align: left; vertical-align: top; }
thead th { border-bottom-width: 2px; }
tbody th { min-width: 9rem; }
tbody tr:hover { background: var(--shade); }
summary { cursor: pointer; padding: 0.25rem 0; }
.gallery { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 64rem) {
  .gallery { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
figure { margin: 0; border: 1px solid var(--line); padding: 0.5rem; min-width: 0; }
figure img { display: block; width: 100%; min-width: 36rem; height: auto; }
figcaption, .downloads { color: var(--soft); font-size: 0.9rem; margin: 0.5rem 0; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { .wide { overflow: visible; } .skip, nav { display: none; } }
)css";
}

}  // namespace muxlab
