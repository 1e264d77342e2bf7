//! What kind of file the bytes are, by their first bytes; names and extensions are not asked.

use crate::error::DecodeError;

/// A format that is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animated one the default image.
    Png,
    /// WebP, lossy or lossless; of an animation the first frame.
    WebP,
    /// GIF; the first frame.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF; the first page.
    Tiff,
}

impl Format {
    /// Upper-case name, as the hard rules of the tasks write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WEBP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

const MAGICS: [(&[u8], Format); 8] = [
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    (b"II+\0", Format::Tiff),
    (b"MM\0+", Format::Tiff),
];

const UNSUPPORTED_MAGICS: [(&[u8], &str); 9] = [
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\0\0\x01\0", "icon (ICO)"),
    (b"v/1\x01", "OpenEXR"),
];

const OTHER_MAGICS: [(&[u8], &str); 6] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x1aE\xdf\xa3", "a Matroska video"),
    (b"\x7fELF", "a program"),
];

/// The format of the bytes.
///
/// # Errors
/// [`DecodeError`] with the name of what it is instead.
pub(crate) fn sniff(bytes: &[u8]) -> Result<Format, DecodeError> {
    if let Some((_, format)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Ok(*format);
    }
    match bytes {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => return Ok(Format::WebP),
        // A BMP has two magic letters only; the header's size that follows tells it from text.
        [b'B', b'M', rest @ ..] if rest.len() >= 14 && rest[13..].starts_with(&[0]) => {
            return Ok(Format::Bmp);
        }
        _ => {}
    }
    let cut = |(magic, _): &&(&[u8], Format)| bytes.len() >= 2 && magic.starts_with(bytes);
    if let Some((_, format)) = MAGICS.iter().find(cut) {
        return Err(DecodeError::Truncated {
            format: *format,
            found_bytes: bytes.len() as u64,
        });
    }
    match unsupported(bytes) {
        Some(found) => Err(DecodeError::UnsupportedFormat { found }),
        None => Err(DecodeError::NotAnImage {
            found: other(bytes),
        }),
    }
}

/// Name of a format that is not decoded here and that some browsers can draw: AVIF, HEIC, JPEG XL and SVG.
pub fn browser_format(bytes: &[u8]) -> Option<&'static str> {
    unsupported(bytes).filter(|name| ["AVIF", "HEIC", "JPEG XL", "SVG"].contains(name))
}

/// Name of an image format that is not decoded.
fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..12)? {
            b"avif" | b"avis" => Some("AVIF"),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
                Some("HEIC")
            }
            b"crx " => Some("raw camera (CR3)"),
            _ => None,
        };
    }
    if let Some((_, name)) = UNSUPPORTED_MAGICS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
    {
        return Some(name);
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let is_svg = start.starts_with("<svg")
        || ((start.starts_with("<?xml") || start.starts_with("<!")) && start.contains("<svg"));
    is_svg.then_some("SVG")
}

/// What bytes that are no image look like.
fn other(bytes: &[u8]) -> &'static str {
    if let Some((_, name)) = OTHER_MAGICS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
    {
        return name;
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return "a video";
    }
    let start = &bytes[..bytes.len().min(1024)];
    // A cut after 1,024 bytes can split a character, which is not the text's fault.
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    let has_control = start
        .iter()
        .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    match is_text && !has_control {
        true if start.trim_ascii_start().starts_with(b"<") => "a web page or XML",
        true => "plain text",
        false => "unknown data",
    }
}
