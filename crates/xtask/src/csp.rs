//! The page's Content-Security-Policy, as a meta tag, so that it holds on any static host.
//!
//! Everything is forbidden but the page's own files; inline scripts and styles (Trunk's start
//! script) are allowed by the SHA-256 of their text. The worker must start from a `blob:` URL: a worker
//! loaded from a network URL does not take over the policy of its page, one from a blob does.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What `web/index.html` holds where the policy goes: before the first script. No comment: Trunk takes those out.
pub const MARKER: &str = "<meta name=policy>";

/// Replace [`MARKER`] by the policy for this very page.
pub fn insert(html: &str) -> Result<String> {
    let found = html.matches(MARKER).count();
    ensure!(
        found == 1,
        "index.html must hold `{MARKER}` once, found {found} times"
    );
    let (head, _) = html.split_once(MARKER).unwrap_or_default();
    ensure!(
        !head.contains("<script"),
        "a script stands before `{MARKER}`, where no policy holds yet"
    );
    let tag = format!(
        r#"<meta http-equiv="Content-Security-Policy" content="{}">"#,
        policy(html)
    );
    Ok(html.replacen(MARKER, &tag, 1))
}

/// The policy, with a hash for each inline script and style of the page.
fn policy(html: &str) -> String {
    let scripts = hashes(&inline_texts(html, "script"));
    let styles = hashes(&inline_texts(html, "style"));
    [
        "default-src 'none'".to_owned(),
        format!("script-src 'self' 'wasm-unsafe-eval'{scripts}"),
        format!("style-src 'self'{styles}"),
        "img-src 'self' blob: data:".to_owned(),
        "connect-src 'self'".to_owned(),
        "worker-src 'self' blob:".to_owned(),
        "manifest-src 'self'".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
    ]
    .join("; ")
}

/// ` 'sha256-...'` for each text.
fn hashes(texts: &[&str]) -> String {
    let hash = |text: &&str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    texts.iter().map(hash).collect()
}

/// The texts between `<element ...>` and `</element>`, without those that have a `src`.
fn inline_texts<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let open = format!("<{element}");
    let close = format!("</{element}>");
    let mut texts = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find(&open) {
        let after_name = &rest[start + open.len()..];
        let Some((attributes, body)) = after_name.split_once('>') else {
            break;
        };
        let Some((text, after)) = body.split_once(&close) else {
            break;
        };
        if !attributes.contains(" src=") {
            texts.push(text);
        }
        rest = after;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    // The hash of `alert('Hello, world.');` is the example in the CSP specification.
    const KNOWN: &str = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";

    #[test]
    fn inline_scripts_run_by_their_hash_and_no_other() -> Result<(), Box<dyn Error>> {
        let html = "<head><meta name=policy><script type=\"module\">alert('Hello, world.');</script>\
                    <script src=\"a.js\"></script></head>";
        let page = insert(html)?;
        let expected = format!("script-src 'self' 'wasm-unsafe-eval' {KNOWN};");
        assert!(page.contains(&expected), "{page}");
        assert!(page.starts_with("<head><meta http-equiv=\"Content-Security-Policy\""));
        Ok(())
    }

    #[test]
    fn nothing_may_be_sent_elsewhere() -> Result<(), Box<dyn Error>> {
        let page = insert(MARKER)?;
        for rule in [
            "default-src 'none'",
            "connect-src 'self';",
            "form-action 'none'",
            "base-uri 'none'",
        ] {
            assert!(page.contains(rule), "{rule} is missing in {page}");
        }
        assert!(
            !page.contains("unsafe-inline")
                && !page.contains("'unsafe-eval'")
                && !page.contains("http:")
        );
        Ok(())
    }

    #[test]
    fn a_page_without_a_place_for_the_policy_is_refused() {
        assert!(insert("<head></head>").is_err());
        assert!(insert("<script>early()</script><meta name=policy>").is_err());
    }
}
