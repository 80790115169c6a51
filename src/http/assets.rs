//! Serves what is inside the binary. Names carry a hash of the content, so the answer may be kept for ever.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::extract::Named;
use crate::assets::{self, Asset};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /assets/{name}`; an unknown name is a bare 404, because no person ever reads it.
///
/// Takes the name from the path itself: an asset's name needs no decoding, and one that does is not an asset's.
pub(super) async fn show(uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    respond(name, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The answer for the asset of that name, if there is one.
fn respond(name: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = assets::find(name)?;
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, FOR_EVER);
    answer.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    // A proxy that kept the brotli form would give it to those who cannot read it.
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_known(headers, asset.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    let (bytes, encoding) = choose(asset, headers);
    answer.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(bytes);
    Some(response)
}

/// Weak comparison, as `If-None-Match` asks for: a proxy may have weakened the tag or not.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    values(headers, &header::IF_NONE_MATCH)
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// The smallest form that the browser reads.
fn choose(asset: &Asset, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
    match (asset.br, asset.gz) {
        (Some(br), _) if accepts(headers, "br") => (br, Some("br")),
        (_, Some(gz)) if accepts(headers, "gzip") => (gz, Some("gzip")),
        _ => (asset.plain, None),
    }
}

/// Whether the coding is named, or covered by `*`, with a weight above nothing.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let mut any = false;
    for item in values(headers, &header::ACCEPT_ENCODING) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
            // Nonsense counts as a no: the plain form is always right.
            .map_or(1.0, |(_, value)| value.trim().parse::<f32>().unwrap_or(0.0));
        if name.eq_ignore_ascii_case(coding) {
            return weight > 0.0;
        }
        any |= name == "*" && weight > 0.0;
    }
    any
}

/// The items of a list header, over all its lines.
fn values<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
}

/// `GET /accent/{hue}`: the business's colour.
pub(super) async fn accent(Named(hue): Named<u16>) -> impl IntoResponse {
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/css; charset=utf-8"),
    );
    (
        [kind, (header::CACHE_CONTROL, FOR_EVER)],
        assets::accent_css(hue),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::{FIGTREE_WOFF2, LIVE_JS};

    fn ask(path: &str, name: header::HeaderName, value: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        respond(path.strip_prefix("/assets/").unwrap(), &headers).unwrap()
    }

    fn coding(accept: &'static str) -> Option<String> {
        let answer = ask(LIVE_JS, header::ACCEPT_ENCODING, accept);
        Some(
            answer
                .headers()
                .get(header::CONTENT_ENCODING)?
                .to_str()
                .unwrap()
                .to_owned(),
        )
    }

    #[test]
    fn brotli_comes_before_gzip_and_a_refused_one_is_never_sent() {
        assert_eq!(coding("gzip, deflate, br, zstd").as_deref(), Some("br"));
        assert_eq!(coding("gzip").as_deref(), Some("gzip"));
        assert_eq!(coding("br;q=0, gzip").as_deref(), Some("gzip"));
        assert_eq!(coding("br; q=0.0, gzip;Q=0").as_deref(), None);
        assert_eq!(coding("BR;q=0.1").as_deref(), Some("br"));
        assert_eq!(coding("*").as_deref(), Some("br"));
        assert_eq!(coding("br;q=0, *").as_deref(), Some("gzip"));
        assert_eq!(coding("*;q=0").as_deref(), None);
        assert_eq!(coding("br;q=much").as_deref(), None);
        assert_eq!(coding("brotli").as_deref(), None);
        assert_eq!(coding("").as_deref(), None);
    }

    #[test]
    fn a_font_is_never_compressed_again() {
        let answer = ask(FIGTREE_WOFF2, header::ACCEPT_ENCODING, "br, gzip");
        assert!(answer.headers().get(header::CONTENT_ENCODING).is_none());
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "font/woff2");
    }

    #[test]
    fn who_has_it_already_gets_no_body() {
        let first = ask(LIVE_JS, header::ACCEPT, "*/*");
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::VARY], "accept-encoding");
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let strong = tag.trim_start_matches("W/").to_owned();
        for known in [tag.clone(), strong, format!("\"x\", {tag}"), "*".to_owned()] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let name = LIVE_JS.strip_prefix("/assets/").unwrap();
            let answer = respond(name, &headers).unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(answer.headers().get(header::CACHE_CONTROL).is_some());
        }
        let other = ask(LIVE_JS, header::IF_NONE_MATCH, "\"x\"");
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn an_unknown_name_is_no_asset() {
        assert!(respond("live.js", &HeaderMap::new()).is_none());
    }
}
