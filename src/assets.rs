//! The files that every page needs, inside the binary: each under a name that tells its content, so that a browser may
//! keep it for ever and a new build is never mixed with an old script. `build.rs` makes the table.

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file as it is served, with its compressed forms where they are worth having.
#[derive(Debug)]
pub struct Asset {
    pub name: &'static str,
    pub content_type: &'static str,
    pub plain: &'static [u8],
    pub br: Option<&'static [u8]>,
    pub gz: Option<&'static [u8]>,
    /// Weak: the compressed forms share it, and they are other bytes.
    pub etag: &'static str,
}

/// The asset of that name, the hash included.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The stylesheet of one line that gives a business its colour: the CSP allows no style in the page. All else in the
/// stylesheets follows from this hue.
pub fn accent_css(hue: u16) -> String {
    format!(":root{{--accent-h:{}}}", hue.min(360))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::fmt::Write as _;

    fn text(path: &str) -> &'static str {
        let name = path.strip_prefix("/assets/").unwrap();
        std::str::from_utf8(find(name).unwrap().plain).unwrap()
    }

    #[test]
    fn the_vendored_scripts_are_the_ones_the_live_contract_was_tried_with() {
        let sum = |bytes: &[u8]| {
            Sha256::digest(bytes)
                .iter()
                .fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").unwrap();
                    text
                })
        };
        for (bytes, expected) in [
            (
                include_bytes!("../assets/vendor/htmx.min.js").as_slice(),
                "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
            ),
            (
                include_bytes!("../assets/vendor/hx-ws.min.js").as_slice(),
                "a7c11e4eca05417d6299bb40aaacca01572e44605389fc4d5ef12be408a4d03b",
            ),
            (
                include_bytes!("../assets/vendor/hx-upsert.min.js").as_slice(),
                "9e516c6608f765b568559a4caed3c3121eff2702fb7ce012f21775639d2699c3",
            ),
        ] {
            assert_eq!(sum(bytes), expected);
            assert!(include_str!("../assets/vendor/SHA256SUMS").contains(expected));
        }
    }

    #[test]
    fn the_bundle_holds_every_script_in_the_order_that_connects() {
        let bundle = text(LIVE_JS);
        let places = [
            "var htmx=",
            "registerExtension('no-scripts'",
            "registerExtension(\"upsert\"",
            "sessionStorage.getItem('portico-reload')",
            "MutationObserver(",
            "registerExtension(\"ws\"",
        ]
        .map(|mark| {
            bundle
                .find(mark)
                .unwrap_or_else(|| panic!("{mark} is missing"))
        });
        assert!(places.is_sorted(), "{places:?}");
        assert!(bundle.contains("/*! htmx 4.0.1, 0BSD"));
    }

    #[test]
    fn the_vendored_scripts_keep_their_bytes_in_the_bundle() {
        let bundle = text(LIVE_JS);
        assert!(bundle.contains(include_str!("../assets/vendor/htmx.min.js")));
        assert!(bundle.contains(include_str!("../assets/vendor/hx-ws.min.js")));
        assert!(bundle.contains(include_str!("../assets/vendor/hx-upsert.min.js")));
    }

    #[test]
    fn every_file_the_stylesheet_asks_for_is_served() {
        let css = text(PORTICO_CSS);
        let mut asked = 0;
        for part in css.split("url(").skip(1) {
            let name = part.split(')').next().unwrap();
            assert!(find(name).is_some(), "{name} is not an asset");
            asked += 1;
        }
        assert_eq!(asked, 2, "two fonts");
    }

    #[test]
    fn the_stylesheet_keeps_its_braces_after_the_comments_went() {
        let css = text(PORTICO_CSS);
        assert_eq!(css.matches('{').count(), css.matches('}').count());
        assert!(!css.contains("*/"));
        assert!(
            css.starts_with("@layer "),
            "the order of the layers comes first"
        );
    }

    #[test]
    fn text_is_compressed_and_fonts_are_not() {
        for asset in ASSETS {
            let font = asset.content_type == "font/woff2";
            assert_eq!(asset.br.is_none(), font, "{}", asset.name);
            assert_eq!(asset.gz.is_none(), font, "{}", asset.name);
            assert!(
                asset.br.is_none_or(|br| br.len() < asset.plain.len()),
                "{}",
                asset.name
            );
            assert!(asset.etag.starts_with("W/\"") && asset.etag.ends_with('"'));
        }
    }

    #[test]
    fn a_name_without_the_right_hash_is_unknown() {
        assert!(find("live.js").is_none());
        assert!(find("../Cargo.toml").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn a_hue_beyond_the_circle_is_its_end() {
        assert_eq!(accent_css(172), ":root{--accent-h:172}");
        assert_eq!(accent_css(9999), ":root{--accent-h:360}");
    }
}
