//! The patches of the golden's pictures are those of the reference image processor.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where a fixture is not as expected"
)]

use servimage_image::{ProcessorConfig, Rgb8Image, patchify};
use std::path::{Path, PathBuf};

/// The resize is the reference's integer arithmetic, so 8-bit values are equal; what is left is one rounding of the normalisation.
const TOLERANCE: f32 = 1e-6;

fn golden_dir() -> PathBuf {
    let shared = std::env::var_os("SERVIMAGE_SHARED").map(PathBuf::from);
    let shared =
        shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    std::env::var_os("SERVIMAGE_GOLDEN").map_or_else(|| shared.join("golden/a"), PathBuf::from)
}

fn read_png(path: &Path) -> Rgb8Image {
    let image = image::open(path).unwrap().to_rgb8();
    Rgb8Image::new(image.width(), image.height(), image.into_raw()).unwrap()
}

#[test]
fn patches_equal_the_reference_processor() {
    let dir = golden_dir();
    let file = std::fs::read(dir.join("golden.safetensors")).unwrap();
    let golden = safetensors::SafeTensors::deserialize(&file).unwrap();
    let expected: Vec<f32> = values(&golden, "pixel_values", f32::from_le_bytes);
    let expected_grids: Vec<u32> = values(&golden, "image_grid_thw", u32::from_le_bytes);
    let mut rows = Vec::new();
    let mut grids = Vec::new();
    for index in 0..expected_grids.len() / 3 {
        let patches = patchify(
            &read_png(&dir.join(format!("images/{index}.png"))),
            &ProcessorConfig::default(),
        );
        rows.extend(patches.rows);
        grids.extend(patches.grid);
    }
    assert_eq!(grids, expected_grids);
    assert_eq!(rows.len(), expected.len());
    let errors = rows
        .iter()
        .zip(&expected)
        .map(|(found, expected)| (found - expected).abs());
    let max = errors.clone().fold(0.0, f32::max);
    let mean = errors.sum::<f32>() / rows.len() as f32;
    println!(
        "pixel_values: max abs error {max:e}, mean {mean:e}, {} values",
        rows.len()
    );
    assert!(max <= TOLERANCE, "max abs error {max}, mean {mean}");
}

fn values<T>(golden: &safetensors::SafeTensors, name: &str, read: fn([u8; 4]) -> T) -> Vec<T> {
    let (words, rest) = golden.tensor(name).unwrap().data().as_chunks::<4>();
    assert!(rest.is_empty());
    words.iter().map(|word| read(*word)).collect()
}
