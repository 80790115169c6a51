//! Lucide's icons, inlined; the only file that may put a string into a page unescaped. The strings are constants.

#![expect(
    clippy::disallowed_types,
    reason = "icons are constants of the build, and nobody's input"
)]

use maud::{Markup, PreEscaped, html};

/// The drawings by name.
pub mod name {
    include!(concat!(env!("OUT_DIR"), "/icons.rs"));
}

/// A drawing beside words that say the same: hidden from readers.
pub fn icon(drawing: &'static str) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"
            stroke-linejoin="round" aria-hidden="true" { (PreEscaped(drawing)) }
    }
}
