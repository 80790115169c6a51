//! Makes the assets ready to serve: one script, one stylesheet, each named by its content, compressed once, as a table in
//! Rust. Also the icons as constants, and the build's id.
//!
//! What it writes stands in `OUT_DIR`: `assets.rs` (read by `src/assets.rs`) and `icons.rs` (by `src/views/icon.rs`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// In one file and in this order: a socket extension that loads later than htmx starts means no connection and no error.
const SCRIPTS: [(&str, &str); 6] = [
    ("vendor/htmx.min.js", "htmx 4.0.1, 0BSD, https://htmx.org"),
    ("js/no-scripts.js", ""),
    ("vendor/hx-upsert.min.js", "hx-upsert, htmx 4.0.1, 0BSD"),
    ("js/live.js", ""),
    ("js/page.js", ""),
    ("vendor/hx-ws.min.js", "hx-ws, htmx 4.0.1, 0BSD"),
];

/// The first one names the layers; their order decides, not the order of the files.
const STYLES: [&str; 5] = [
    "css/tokens.css",
    "css/layout.css",
    "css/components.css",
    "css/pages.css",
    "css/calendar.css",
];

/// Served as they are, under `/assets/` with their own name and a hash.
const PLAIN: [(&str, &str); 3] = [
    ("fonts/figtree.woff2", "font/woff2"),
    ("fonts/newsreader.woff2", "font/woff2"),
    ("mark.svg", "image/svg+xml"),
];

fn main() -> io::Result<()> {
    for watched in ["assets", "src", "migrations", "Cargo.lock", "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut shelf = Shelf {
        out: out.clone(),
        rows: Vec::new(),
    };

    let mut renamed = BTreeMap::new();
    for (path, content_type) in PLAIN {
        let name = shelf.put(
            path,
            content_type,
            &fs::read(Path::new("assets").join(path))?,
        )?;
        renamed.insert(path, name);
    }
    shelf.put(
        "live.js",
        "text/javascript; charset=utf-8",
        script()?.as_bytes(),
    )?;
    shelf.put(
        "portico.css",
        "text/css; charset=utf-8",
        stylesheet(&renamed)?.as_bytes(),
    )?;

    write_if_new(&out.join("assets.rs"), shelf.table(&build_id()?).as_bytes())?;
    write_if_new(&out.join("icons.rs"), icons()?.as_bytes())
}

/// What is ready to serve, in the order in which it was put there.
struct Shelf {
    out: PathBuf,
    rows: Vec<Row>,
}

struct Row {
    constant: String,
    name: String,
    content_type: &'static str,
    hash: String,
    compressed: bool,
}

impl Shelf {
    /// Writes the file and its compressed forms, and returns its name with the hash.
    fn put(&mut self, path: &str, content_type: &'static str, bytes: &[u8]) -> io::Result<String> {
        let file = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = file.rsplit_once('.').expect("an asset has an extension");
        let hash = hex(&Sha256::digest(bytes))[..12].to_owned();
        let name = format!("{stem}-{hash}.{extension}");
        let compressed = !content_type.starts_with("font/"); // woff2 is brotli inside already
        write_if_new(&self.out.join(&name), bytes)?;
        if compressed {
            // Named by content, so what is there is right: brotli's best takes seconds in an unoptimised build script,
            // and this runs at every change under src.
            let br = self.out.join(format!("{name}.br"));
            if !br.exists() {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: 11,
                    lgwin: 22,
                    ..Default::default()
                };
                let mut packed = Vec::new();
                brotli::BrotliCompress(&mut &*bytes, &mut packed, &params)?;
                write_whole(&br, &packed)?;
            }
            let gz = self.out.join(format!("{name}.gz"));
            if !gz.exists() {
                let mut packer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                packer.write_all(bytes)?;
                write_whole(&gz, &packer.finish()?)?;
            }
        }
        self.rows.push(Row {
            constant: format!("{}_{}", stem.replace('-', "_"), extension).to_uppercase(),
            name: name.clone(),
            content_type,
            hash,
            compressed,
        });
        Ok(name)
    }

    fn table(&self, build: &str) -> String {
        let mut text = String::from("// Made by build.rs.\n");
        for row in &self.rows {
            let (constant, name) = (&row.constant, &row.name);
            let _ = writeln!(
                text,
                "/// Where `{name}` is served.\npub const {constant}: &str = \"/assets/{name}\";"
            );
        }
        let _ = writeln!(
            text,
            "/// Another build has another id.\npub const BUILD: &str = \"{build}\";"
        );
        text.push_str("static ASSETS: &[Asset] = &[\n");
        for Row {
            name,
            content_type,
            hash,
            compressed,
            ..
        } in &self.rows
        {
            let include = |suffix: &str| {
                format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}{suffix}\"))")
            };
            let packed = |suffix: &str| {
                if *compressed {
                    format!("Some({})", include(suffix))
                } else {
                    "None".to_owned()
                }
            };
            let _ = writeln!(
                text,
                "    Asset {{ name: \"{name}\", content_type: \"{content_type}\", plain: {}, br: {}, gz: {}, \
                 etag: \"W/\\\"{hash}\\\"\" }},",
                include(""),
                packed(".br"),
                packed(".gz"),
            );
        }
        text.push_str("];\n");
        text
    }
}

/// The bundle. Other people's files keep their bytes, under a line that says whose they are; ours lose the comments.
fn script() -> io::Result<String> {
    let mut bundle = String::new();
    for (path, whose) in SCRIPTS {
        let source = fs::read_to_string(Path::new("assets").join(path))?;
        if whose.is_empty() {
            for line in source
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                bundle.push_str(line);
                bundle.push('\n');
            }
        } else {
            // A file that ends without a semicolon would call the next one's parentheses.
            let _ = write!(bundle, "/*! {whose} */\n{source}\n;\n");
        }
    }
    Ok(bundle)
}

/// The stylesheet, with the fonts' names as they are served and without comments, except those that begin `/*!`.
fn stylesheet(renamed: &BTreeMap<&str, String>) -> io::Result<String> {
    let mut sheet = String::new();
    for path in STYLES {
        sheet.push_str(&without_comments(&fs::read_to_string(
            Path::new("assets").join(path),
        )?));
    }
    for (path, name) in renamed {
        sheet = sheet.replace(&format!("url({path})"), &format!("url({name})"));
    }
    Ok(sheet)
}

fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        let end = rest[start..]
            .find("*/")
            .map_or(rest.len(), |length| start + length + 2);
        kept.push_str(&rest[..start]);
        if rest[start..].starts_with("/*!") {
            kept.push_str(&rest[start..end]);
        }
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .fold(String::new(), |text, line| text + line + "\n")
}

/// One constant an icon: what stands inside its `<svg>`.
fn icons() -> io::Result<String> {
    let mut constants = String::from("// Made by build.rs from assets/icons.\n");
    let mut arms = String::new();
    for path in files_under(Path::new("assets/icons"))? {
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".svg"))
        else {
            continue;
        };
        let svg = fs::read_to_string(&path)?;
        let open = svg
            .find("<svg")
            .and_then(|at| svg[at..].find('>').map(|length| at + length + 1));
        let (Some(open), Some(end)) = (open, svg.rfind("</svg>")) else {
            return Err(io::Error::other(format!("{} is no svg", path.display())));
        };
        let inner: String = svg[open..end].lines().map(str::trim).collect();
        let constant = name.replace('-', "_").to_uppercase();
        let _ = writeln!(
            constants,
            "/// Lucide's `{name}`.\npub const {constant}: &str = r#\"{inner}\"#;"
        );
        let _ = writeln!(arms, "        \"{name}\" => {constant},");
    }
    let _ = write!(
        constants,
        "/// What stands inside the `<svg>` of the icon of that name.\npub fn inner(name: &str) -> Option<&'static str> {{\n    \
         Some(match name {{\n{arms}        _ => return None,\n    }})\n}}\n"
    );
    Ok(constants)
}

/// Sixteen hex digits over everything that a rendering can depend on: part of each cursor's epoch, so that a page made by
/// another build gets its regions anew instead of a comparison with html that this build never rendered.
fn build_id() -> io::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(env::var("CARGO_PKG_VERSION").unwrap_or_default());
    for root in ["src", "assets", "migrations", "Cargo.lock", "build.rs"] {
        for path in files_under(Path::new(root))? {
            let bytes = fs::read(&path)?;
            // Lengths first: without them a byte could move from one file to the next unnoticed.
            hasher.update(format!("{}\0{}\0", path.display(), bytes.len()));
            hasher.update(bytes);
        }
    }
    Ok(hex(&hasher.finalize())[..16].to_owned())
}

/// All files, sorted: directories are read in any order, and the same tree must give the same id.
fn files_under(root: &Path) -> io::Result<Vec<PathBuf>> {
    if root.is_file() {
        return Ok(vec![root.to_path_buf()]);
    }
    let mut found = Vec::new();
    if root.is_dir() {
        for entry in fs::read_dir(root)? {
            found.extend(files_under(&entry?.path())?);
        }
    }
    found.sort();
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Leaves an unchanged file alone, so that what includes it is not compiled again.
fn write_if_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        Ok(())
    } else {
        write_whole(path, bytes)
    }
}

/// All or nothing: a build that is interrupted must not leave half a file that the next one believes.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)
}
