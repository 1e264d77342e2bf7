//! The service worker: which files of `dist/` the page needs to open with the network off.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// Its file beside the page.
const FILE: &str = "sw.js";

/// Where packs lie; only the one that ships with the page belongs to it.
const PACKS: &str = "models/";
const SHIPPED_PACK: &str = "models/nano/";

/// What nobody needs with the network off.
const LEFT_OUT: [&str; 2] = ["screenshot.png", FILE];

/// Writes `dist/sw.js`; call it when all other files have their last form.
pub fn write() -> Result<()> {
    let source = workspace::root().join("web").join(FILE);
    let template = fs::read_to_string(&source).with_context(|| format!("{}", source.display()))?;
    let dist = workspace::dist();
    let files = files()?;
    let mut hash = Sha256::new();
    for file in &files {
        hash.update(file);
        hash.update(fs::read(dist.join(file))?);
    }
    let version = hex(&hash.finalize()[..8]);
    fs::write(dist.join(FILE), filled(&template, &files, &version)?)?;
    Ok(())
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Files of `dist/` that are part of the page, by their paths below it.
pub fn files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(&workspace::dist(), "", &mut files)?;
    files.retain(|file| belongs(file));
    files.sort_unstable();
    Ok(files)
}

/// Whether a file of `dist/` is part of the page.
fn belongs(file: &str) -> bool {
    !LEFT_OUT.contains(&file) && (!file.starts_with(PACKS) || file.starts_with(SHIPPED_PACK))
}

/// Paths of all files below `folder`, with `/` and after `prefix`.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn filled(template: &str, files: &[String], version: &str) -> Result<String> {
    let list = serde_json::to_string(files)?;
    let mut text = template.to_owned();
    for (mark, value) in [("\"FILES\"", list.as_str()), ("VERSION", version)] {
        ensure!(
            text.matches(mark).count() == 1,
            "web/{FILE} must hold `{mark}` once"
        );
        text = text.replacen(mark, value, 1);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_its_own_pack_are_kept_and_no_other_weights() {
        for kept in ["index.html", "texts/en.json", "models/nano/shard-0000.bin"] {
            assert!(belongs(kept), "{kept}");
        }
        for other in ["sw.js", "screenshot.png", "models/qwen/shard-0000.bin"] {
            assert!(!belongs(other), "{other}");
        }
    }

    #[test]
    fn the_worker_gets_its_files_and_its_version() {
        let template = fs::read_to_string(workspace::root().join("web").join(FILE)).expect("there");
        let text =
            filled(&template, &["a.js".to_owned(), "b.css".to_owned()], "12ab").expect("filled");
        assert!(
            text.contains(r#"const FILES = ["a.js","b.css"];"#),
            "{text}"
        );
        assert!(text.contains(r#"const CACHE = "shell-12ab";"#), "{text}");
        assert!(filled("nothing", &[], "1").is_err());
    }
}
