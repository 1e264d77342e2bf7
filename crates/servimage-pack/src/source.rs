//! Where a pack's files come from.

use crate::error::SourceError;
use std::collections::BTreeMap;
use std::ops::Range;

/// A folder-like place that holds a pack's files under plain names.
///
/// Not dyn and not `Send`: a browser's futures are neither.
#[expect(
    async_fn_in_trait,
    reason = "the futures of a browser source are not Send, and nobody here needs them to be"
)]
pub trait PackSource {
    /// Bytes of file `path`: all of them, or those of `range` that exist (a range past the end gives fewer bytes).
    ///
    /// # Errors
    /// [`SourceError::Missing`] where there is no such file; another variant for anything else.
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError>;
}

impl<S: PackSource> PackSource for &S {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        (**self).read(path, range).await
    }
}

/// A pack in memory: for tests and for small packs that a visitor dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySource {
    /// Contents by plain file name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// A source over these files.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }
}

impl PackSource for MemorySource {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        let bytes = self.files.get(path).ok_or_else(|| SourceError::Missing {
            path: path.to_owned(),
        })?;
        let len = bytes.len() as u64;
        let Range { start, end } = range.unwrap_or(0..len);
        let end = end.min(len);
        let start = start.min(end);
        // Both lie within `bytes.len()`, so they fit usize.
        Ok(bytes[start as usize..end as usize].to_vec())
    }
}
