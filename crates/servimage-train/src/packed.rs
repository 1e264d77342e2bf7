//! The data of training in a small folder, for a machine without the benchmark: `index.json`, shrunk pictures, `briefs.json`.
//!
//! A picture's part is still that of its original file.

use crate::about::read_json;
use crate::error::TrainError;
use crate::source::{CleanPicture, Part, decode, load_part, real_briefs};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// File that lists the pictures.
const INDEX: &str = "index.json";
/// File with the real briefs.
const BRIEFS: &str = "briefs.json";

/// One picture of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// File below the benchmark's folder.
    name: String,
    /// File in this folder.
    file: String,
    part: Part,
}

/// Whether a folder was made by [`pack_pictures`].
#[must_use]
pub fn is_packed(folder: &Path) -> bool {
    folder.join(INDEX).is_file()
}

/// Shrinks the benchmark's pictures of some parts into `out`; returns how many.
///
/// # Errors
/// [`TrainError`] where something cannot be read or written.
pub fn pack_pictures(bench: &Path, parts: &[Part], out: &Path) -> Result<usize, TrainError> {
    std::fs::create_dir_all(out).map_err(|source| TrainError::File {
        path: out.to_path_buf(),
        source,
    })?;
    let mut index = Vec::new();
    for part in parts {
        for clean in load_part(bench, *part, 0)? {
            let file = format!("{:04}.jpg", index.len());
            clean.picture.save(&out.join(&file))?;
            index.push(Entry {
                name: clean.name,
                file,
                part: *part,
            });
        }
    }
    write_json(&out.join(BRIEFS), &real_briefs(bench)?)?;
    write_json(&out.join(INDEX), &index)?;
    Ok(index.len())
}

/// The pictures of one part of a packed folder.
///
/// # Errors
/// [`TrainError`] where a file cannot be read or decoded.
pub(crate) fn unpack(folder: &Path, part: Part) -> Result<Vec<CleanPicture>, TrainError> {
    let index: Vec<Entry> = read_json(&folder.join(INDEX))?;
    let wanted = index.into_iter().filter(|entry| entry.part == part);
    wanted
        .map(|entry| {
            let path = folder.join(&entry.file);
            let bytes = std::fs::read(&path).map_err(|source| TrainError::File {
                path: path.clone(),
                source,
            })?;
            let picture = decode(&bytes).map_err(|source| TrainError::Picture { path, source })?;
            Ok(CleanPicture {
                name: entry.name,
                picture,
            })
        })
        .collect()
}

/// The real briefs of a packed folder.
///
/// # Errors
/// [`TrainError`] where the file cannot be read.
pub(crate) fn unpack_briefs(folder: &Path) -> Result<Vec<String>, TrainError> {
    read_json(&folder.join(BRIEFS))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let text = serde_json::to_vec(value).map_err(|source| TrainError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    std::fs::write(path, text).map_err(|source| TrainError::File {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Picture;

    #[test]
    fn a_packed_folder_gives_each_part_the_pictures_of_the_original_files()
    -> Result<(), Box<dyn std::error::Error>> {
        let (bench, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let folder = bench.path().join("C-Portrait");
        std::fs::create_dir_all(&folder)?;
        for i in 0..12 {
            Picture::filled(100, 80, [0.07 * i as f32, 0.5, 0.2])
                .save(&folder.join(format!("{i:02}.png")))?;
        }
        for file in [
            "C-Portrait/Portrait.json",
            "C-Product/Product.json",
            "C-Digital/Digital.json",
        ] {
            let path = bench.path().join(file);
            std::fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
            std::fs::write(path, "[]")?;
        }
        let n = pack_pictures(bench.path(), &[Part::Train], out.path())?;
        let (original, packed) = (
            load_part(bench.path(), Part::Train, 0)?,
            load_part(out.path(), Part::Train, 0)?,
        );
        let names =
            |pictures: &[CleanPicture]| pictures.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        assert_eq!((n, names(&original)), (packed.len(), names(&packed)));
        assert!((0..3).all(|c| {
            (original[0].picture.pixels[0][c] - packed[0].picture.pixels[0][c]).abs() < 0.03
        }));
        assert!(load_part(out.path(), Part::HeldOut, 0).is_err());
        Ok(())
    }
}
