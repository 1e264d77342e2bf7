//! Where the clean pictures come from, and which of them training never sees.
//!
//! A picture's part is decided by the SHA-1 of its file (or of its scene's name): first byte mod 5 = 1 is held
//! out for figures, first byte mod 10 = 2 fits the calibration, the rest trains.

use crate::error::TrainError;
use crate::packed::{is_packed, unpack, unpack_briefs};
use crate::picture::Picture;
use crate::scene::Scene;
use image::ImageReader;
use serde::{Deserialize, Serialize};
use servimage_bench::task::Task;
use sha1::{Digest, Sha1};
use std::path::{Path, PathBuf};

/// Pixels kept of each picture: enough for crops at the network's 224 x 224.
const KEPT_AREA: usize = 400 * 400;

/// Shorter sides than this are no use.
const LEAST_SIDE: usize = 64;

/// Part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Fits the weights.
    Train,
    /// Fits the calibration.
    Calibrate,
    /// Used only for figures.
    HeldOut,
}

impl Part {
    /// The part of a picture, by the SHA-1 of its bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match Sha1::digest(bytes)[0] {
            byte if byte % 5 == 1 => Self::HeldOut,
            byte if byte % 10 == 2 => Self::Calibrate,
            _ => Self::Train,
        }
    }
}

/// A clean picture.
#[derive(Clone, Debug)]
pub struct CleanPicture {
    /// File below the benchmark's folder, or `scene/<number>`.
    pub name: String,
    /// The picture, at most about 400 x 400.
    pub picture: Picture,
}

impl CleanPicture {
    /// The number of the scene that it shows, where this project rendered it.
    #[must_use]
    pub fn scene_number(&self) -> Option<u64> {
        self.name.strip_prefix("scene/")?.parse().ok()
    }
}

/// Folder with the benchmark: `SERVIMAGE_SHARED`, by default `../shared` beside the repository.
#[must_use]
pub fn bench_dir() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("SERVIMAGE_SHARED")
        .map_or_else(default, PathBuf::from)
        .join("bench")
}

/// All pictures of one part below `bench` (or of a folder made by [`crate::packed::pack_pictures`]) and `n_scenes` scenes (of which the part's share is taken), in a fixed order.
///
/// # Errors
/// [`TrainError::File`] where the folder cannot be read, [`TrainError::NoPictures`] where it holds none.
/// A file that does not decode is skipped with a warning.
pub fn load_part(bench: &Path, part: Part, n_scenes: u64) -> Result<Vec<CleanPicture>, TrainError> {
    let mut pictures = if is_packed(bench) {
        unpack(bench, part)?
    } else {
        files_of(bench, part)?
    };
    if pictures.is_empty() {
        return Err(TrainError::NoPictures {
            path: bench.to_path_buf(),
        });
    }
    pictures.extend(scenes(part, n_scenes));
    Ok(pictures)
}

/// The pictures of one part below the benchmark's folder.
fn files_of(bench: &Path, part: Part) -> Result<Vec<CleanPicture>, TrainError> {
    let mut pictures = Vec::new();
    for path in picture_files(bench)? {
        let bytes = std::fs::read(&path).map_err(|source| TrainError::File {
            path: path.clone(),
            source,
        })?;
        if Part::of(&bytes) != part {
            continue;
        }
        match decode(&bytes) {
            Ok(picture) if picture.width.min(picture.height) >= LEAST_SIDE => {
                let name = path
                    .strip_prefix(bench)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .into_owned();
                pictures.push(CleanPicture {
                    name,
                    picture: picture.shrunk_to_area(KEPT_AREA),
                });
            }
            Ok(picture) => log::warn!(
                "{}: {} x {} is too small",
                path.display(),
                picture.width,
                picture.height
            ),
            Err(source) => log::warn!("{}: {source}", path.display()),
        }
    }
    Ok(pictures)
}

/// The scenes of one part among the first `n_scenes`.
pub fn scenes(part: Part, n_scenes: u64) -> impl Iterator<Item = CleanPicture> {
    const SHAPES: [(usize, usize); 4] = [(400, 400), (450, 340), (340, 450), (480, 320)];
    let names = (0..n_scenes).map(|seed| (seed, format!("scene/{seed}")));
    names
        .filter(move |(_, name)| Part::of(name.as_bytes()) == part)
        .map(|(seed, name)| {
            let (width, height) = SHAPES[seed as usize % SHAPES.len()];
            CleanPicture {
                picture: Scene::random(seed).render(width, height),
                name,
            }
        })
}

/// Requirements of the benchmark's tasks whose number is not held out (1 mod 5): their first 400 letters, more than nano reads.
///
/// # Errors
/// [`TrainError::File`] where a task file cannot be read, [`TrainError::Bench`] where it is no task file.
pub fn real_briefs(bench: &Path) -> Result<Vec<String>, TrainError> {
    if is_packed(bench) {
        return unpack_briefs(bench);
    }
    let tasks = tasks(bench)?.into_iter();
    let free = tasks.filter(|task| task.number().is_none_or(|n| n % 5 != 1));
    Ok(free
        .map(|task| task.requirement.chars().take(400).collect())
        .collect())
}

/// All tasks of the benchmark.
///
/// # Errors
/// As [`real_briefs`].
pub fn tasks(bench: &Path) -> Result<Vec<Task>, TrainError> {
    let mut tasks = Vec::new();
    for file in [
        "C-Portrait/Portrait.json",
        "C-Product/Product.json",
        "C-Digital/Digital.json",
    ] {
        let path = bench.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| TrainError::File {
            path: path.clone(),
            source,
        })?;
        tasks.extend(servimage_bench::task::load_tasks(&text)?.tasks);
    }
    Ok(tasks)
}

/// Decodes bytes; transparent parts become white.
///
/// # Errors
/// The codec's.
pub fn decode(bytes: &[u8]) -> Result<Picture, image::ImageError> {
    let reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?;
    let rgba = reader.decode()?.to_rgba8();
    let pixels = rgba.pixels().map(|pixel| {
        let [r, g, b, a] = pixel.0.map(|v| f32::from(v) / 255.0);
        [r, g, b].map(|v| v * a + 1.0 - a)
    });
    Ok(Picture {
        width: rgba.width() as usize,
        height: rgba.height() as usize,
        pixels: pixels.collect(),
    })
}

/// Picture files below a folder, sorted.
fn picture_files(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let wrap = |source| TrainError::File {
        path: folder.to_path_buf(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrap)? {
        let path = entry.map_err(wrap)?.path();
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        if path.is_dir() {
            files.extend(picture_files(&path)?);
        } else if matches!(ending.as_str(), "jpg" | "jpeg" | "png" | "webp") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fifth_picture_is_held_out_and_the_parts_do_not_overlap() {
        let parts: Vec<Part> = (0..2000_u32).map(|i| Part::of(&i.to_le_bytes())).collect();
        let count = |part| parts.iter().filter(|p| **p == part).count();
        assert!(
            (320..=480).contains(&count(Part::HeldOut)),
            "{}",
            count(Part::HeldOut)
        );
        assert!(
            (130..=270).contains(&count(Part::Calibrate)),
            "{}",
            count(Part::Calibrate)
        );
        // SHA-1 of "abc" begins with 0xa9 = 169, and 169 mod 5 = 4.
        assert_eq!(Part::of(b"abc"), Part::Train);
        // SHA-1 of the empty string begins with 0xda = 218, 218 mod 10 = 8.
        assert_eq!(Part::of(b""), Part::Train);
    }

    #[test]
    fn scenes_are_the_same_each_time_and_stay_in_their_part() {
        let held: Vec<_> = scenes(Part::HeldOut, 12).collect();
        assert!(
            !held.is_empty()
                && held
                    .iter()
                    .all(|scene| Part::of(scene.name.as_bytes()) == Part::HeldOut)
        );
        let again: Vec<_> = scenes(Part::HeldOut, 12).collect();
        assert!(held.iter().zip(&again).all(|(a, b)| a.picture == b.picture));
    }
}
