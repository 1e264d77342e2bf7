//! As much of a URL as the checker needs: origin, folder, and where a redirect leads.

use std::fmt;

/// An `http` or `https` URL, without its fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    scheme: String,
    authority: String,
    /// With its first slash, with the query.
    path: String,
}

impl Address {
    /// Reads an absolute URL; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let rest = rest.split('#').next()?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !["http", "https"].contains(&scheme.as_str()) || authority.is_empty() || !is_plain(rest)
        {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self {
            scheme,
            authority: authority.to_owned(),
            path: format!("{slash}{path}"),
        })
    }

    /// The pack's folder: without `manifest.json` and query, with a slash at the end.
    pub fn folder(&self) -> Self {
        let path = self.path.split('?').next().unwrap_or_default();
        let path = path.strip_suffix("manifest.json").unwrap_or(path);
        self.at(format!("{}/", path.trim_end_matches('/')))
    }

    /// A file in this folder.
    pub fn file(&self, name: &str) -> Self {
        self.at(format!("{}{name}", self.path))
    }

    /// Where a `Location` header of an answer from here leads.
    pub fn join(&self, location: &str) -> Option<Self> {
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme));
        }
        if location.contains("://") {
            return Self::parse(location);
        }
        let folder = self.path.split('?').next()?.rsplit_once('/')?.0;
        let path = match location.starts_with('/') {
            true => location.to_owned(),
            false => format!("{folder}/{location}"),
        };
        Self::parse(&format!("{}{path}", self.origin()))
    }

    /// `https://example.org`, as a policy lists it.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// Whether a page that came by HTTPS may load from here.
    pub fn is_secure(&self) -> bool {
        let host = self.authority.rsplit('@').next().unwrap_or_default();
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let is_local = |name: &&str| {
            host.strip_prefix(*name)
                .is_some_and(|port| port.is_empty() || port.starts_with(':'))
        };
        self.scheme == "https" || local.iter().any(is_local)
    }

    fn at(&self, path: String) -> Self {
        Self {
            path,
            ..self.clone()
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: Option<Address>) -> String {
        address.map_or_else(String::new, |address| address.to_string())
    }

    #[test]
    fn a_pack_is_named_by_its_folder_or_its_manifest() {
        for url in [
            "https://h.example/models/q4",
            "https://h.example/models/q4/",
            "https://h.example/models/q4/manifest.json?x=1#y",
        ] {
            let folder = Address::parse(url).map(|address| address.folder());
            assert_eq!(shown(folder), "https://h.example/models/q4/", "{url}");
        }
        let root = Address::parse("HTTP://h.example:8080").map(|address| address.folder());
        assert_eq!(shown(root), "http://h.example:8080/");
    }

    #[test]
    fn what_is_no_web_address_is_none() {
        for text in [
            "",
            "h.example/q4",
            "ftp://h.example/",
            "https://",
            "https:///q4",
            "https://h.example/a b",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let from = "https://h.example/a/b.bin?v=1";
        for (location, expected) in [
            ("https://cdn.example/x", "https://cdn.example/x"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("/x?y=2", "https://h.example/x?y=2"),
            ("x", "https://h.example/a/x"),
        ] {
            let found = Address::parse(from).and_then(|from| from.join(location));
            assert_eq!(shown(found), expected, "{location}");
        }
    }

    #[test]
    fn only_this_machine_is_trusted_without_https() {
        let is_secure = |url| Address::parse(url).is_some_and(|address| address.is_secure());
        assert!(is_secure("https://h.example/") && is_secure("http://localhost:8080/"));
        assert!(is_secure("http://127.0.0.1/") && is_secure("http://[::1]:80/"));
        assert!(!is_secure("http://h.example/") && !is_secure("http://localhost.example/"));
    }
}
