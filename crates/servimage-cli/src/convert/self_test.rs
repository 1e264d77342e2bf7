//! Self-test vectors of a pack: what every device must reproduce before it may score.

use super::checkpoint::Checkpoint;
use super::error::ConvertError;
use servimage_pack::manifest::SelfTest;
use servimage_pack::{Layout, PackSink, PackWriter};
use std::path::Path;

/// Embeds a golden's inputs and the outputs of the reference implementation as self-test tensors.
///
/// A pack without stages is held to the golden's `base.*`, any other one to its stages.
pub(super) fn embed_golden<K: PackSink>(
    writer: &mut PackWriter<K>,
    folder: &Path,
    stages: [bool; 2],
    tolerance: f64,
) -> Result<SelfTest, ConvertError> {
    let golden = Checkpoint::open_safetensors(folder, "golden")?;
    for name in ["input_ids", "image_grid_thw"] {
        let shape = unbatched(name, golden.shape(name).unwrap_or_default());
        let values = golden.read_integers(name)?;
        let unsigned =
            |value: i64| u32::try_from(value).map_err(|_| not_unsigned(&golden, name, value));
        let values = values
            .into_iter()
            .map(unsigned)
            .collect::<Result<Vec<_>, _>>()?;
        writer.push_u32(&format!("self_test.{name}"), &shape, &values)?;
    }
    push_floats(writer, &golden, "pixel_values")?;
    let wanted = |name: &&str| match stages {
        [false, false] => name.starts_with("base."),
        [first, second] => {
            (first && name.starts_with("stage1.")) || (second && name.starts_with("stage2."))
        }
    };
    let mut expected = Vec::new();
    for name in golden.names().filter(wanted) {
        push_floats(writer, &golden, name)?;
        expected.push(name.to_owned());
    }
    Ok(SelfTest {
        tolerance,
        expected,
    })
}

fn push_floats<K: PackSink>(
    writer: &mut PackWriter<K>,
    golden: &Checkpoint,
    name: &str,
) -> Result<(), ConvertError> {
    let shape = golden.shape(name).unwrap_or_default().to_vec();
    let values = golden.read(name, &shape)?;
    Ok(writer.push(
        &format!("self_test.{name}"),
        &unbatched(name, &shape),
        Layout::F32,
        &values,
    )?)
}

/// The shape without its batch dimension of 1; images have none.
fn unbatched(name: &str, shape: &[usize]) -> Vec<usize> {
    match shape {
        [1, rest @ ..]
            if !rest.is_empty()
                && !["image_grid_thw", "pixel_values", "base.vision_embeds"].contains(&name) =>
        {
            rest.to_vec()
        }
        _ => shape.to_vec(),
    }
}

fn not_unsigned(golden: &Checkpoint, name: &str, value: i64) -> ConvertError {
    let (expected, found) = ("a number from 0 up".to_owned(), value.to_string());
    ConvertError::Config {
        path: golden.path.clone(),
        field: name.to_owned(),
        expected,
        found,
    }
}
