//! The network against the reference implementation: the golden checkpoint's base weights, straight from its safetensors.
//!
//! Stages, heads and conversion are covered by `servimage parity`; here only the network stands between input and golden.

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::SafeTensors;
use servimage_model::error::LoadError;
use servimage_model::network::SequenceLayout;
use servimage_model::source::ParamKind;
use servimage_model::{Network, ParamSource, Pass};
use servimage_pack::manifest::{TextDims, VisionDims};
use std::path::PathBuf;

/// Bound on `max |found - golden| / max |golden|` on the CPU: ten times what is reached, a third of what the smallest
/// change of a rule costs (an exact GELU in place of the tanh form: 6.5e-5).
const CPU_TOLERANCE: f64 = 2e-5;

/// The same on a native GPU, which may round and reorder more.
const GPU_TOLERANCE: f64 = 1e-4;

fn golden_dir() -> PathBuf {
    let shared = std::env::var_os("SERVIMAGE_SHARED").map(PathBuf::from);
    shared
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"))
        .join("golden/a")
}

/// Parameters of a Hugging Face checkpoint in one file, all f32.
struct Checkpoint<'a> {
    tensors: SafeTensors<'a>,
    device: Device,
}

/// Values of a tensor whose elements take four bytes each.
fn values<T>(tensors: &SafeTensors<'_>, name: &str, read: impl Fn([u8; 4]) -> T) -> Vec<T> {
    let view = tensors
        .tensor(name)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let (words, _) = view.data().as_chunks::<4>();
    words.iter().map(|bytes| read(*bytes)).collect()
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    values(tensors, name, f32::from_le_bytes)
}

fn ints(tensors: &SafeTensors<'_>, name: &str) -> Vec<u32> {
    values(tensors, name, u32::from_le_bytes)
}

impl ParamSource for Checkpoint<'_> {
    async fn param<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        _kind: ParamKind,
    ) -> Result<Param<Tensor<D>>, LoadError> {
        Ok(Param::from_data(
            TensorData::new(floats(&self.tensors, name), shape),
            &self.device,
        ))
    }

    fn set_device(&mut self, device: Device) -> Device {
        std::mem::replace(&mut self.device, device)
    }
}

fn dims() -> (TextDims, VisionDims) {
    let config: serde_json::Value = serde_json::from_slice(
        &std::fs::read(golden_dir().join("base/config.json")).expect("golden a"),
    )
    .expect("JSON");
    let (text, vision) = (&config["text_config"], &config["vision_config"]);
    let number = |value: &serde_json::Value, key: &str| {
        value[key].as_u64().unwrap_or_else(|| panic!("{key}")) as usize
    };
    let list = |value: &serde_json::Value| -> Vec<usize> {
        serde_json::from_value(value.clone()).expect("numbers")
    };
    let sections = list(&text["rope_parameters"]["mrope_section"]);
    let text_dims = TextDims {
        vocab_size: number(text, "vocab_size"),
        d_model: number(text, "hidden_size"),
        n_layers: number(text, "num_hidden_layers"),
        n_heads: number(text, "num_attention_heads"),
        n_kv_heads: number(text, "num_key_value_heads"),
        head_dim: number(text, "head_dim"),
        d_hidden: number(text, "intermediate_size"),
        rms_norm_eps: text["rms_norm_eps"].as_f64().expect("rms_norm_eps"),
        rope_theta: text["rope_parameters"]["rope_theta"]
            .as_f64()
            .expect("rope_theta"),
        mrope_section: [sections[0], sections[1], sections[2]],
        tie_word_embeddings: true,
    };
    let vision_dims = VisionDims {
        d_model: number(vision, "hidden_size"),
        n_layers: number(vision, "depth"),
        n_heads: number(vision, "num_heads"),
        d_hidden: number(vision, "intermediate_size"),
        in_channels: number(vision, "in_channels"),
        patch_size: number(vision, "patch_size"),
        temporal_patch_size: number(vision, "temporal_patch_size"),
        spatial_merge_size: number(vision, "spatial_merge_size"),
        d_out: number(vision, "out_hidden_size"),
        n_position_embeddings: number(vision, "num_position_embeddings"),
        deepstack_layers: list(&vision["deepstack_visual_indexes"]),
        rope_theta: vision["rope_parameters"]["rope_theta"]
            .as_f64()
            .expect("rope_theta"),
    };
    (text_dims, vision_dims)
}

fn relative_error(found: &[f32], golden: &[f32]) -> f64 {
    assert_eq!(found.len(), golden.len());
    let largest = golden.iter().fold(0.0_f64, |largest, value| {
        largest.max(f64::from(value.abs()))
    });
    let worst = found.iter().zip(golden).fold(0.0_f64, |worst, (a, b)| {
        let error = (f64::from(*a) - f64::from(*b)).abs();
        if error.is_nan() {
            f64::INFINITY
        } else {
            worst.max(error)
        }
    });
    worst / largest
}

/// Runs the golden's prompt on `device` and checks visual tokens and hidden states.
fn base_weights_give_the_golden(device: &Device, tolerance: f64) {
    let dir = golden_dir();
    let golden_bytes = std::fs::read(dir.join("golden.safetensors")).expect("golden a");
    let golden = SafeTensors::deserialize(&golden_bytes).expect("safetensors");
    let weights = std::fs::read(dir.join("base/model.safetensors")).expect("golden a");
    let tensors = SafeTensors::deserialize(&weights).expect("safetensors");
    let embedding = floats(&tensors, "model.language_model.embed_tokens.weight");
    let (text, vision) = dims();
    let mut source = Checkpoint {
        tensors,
        device: device.clone(),
    };
    let network =
        pollster::block_on(Network::load(&mut source, &text, &vision)).expect("the golden fits");

    let ids = ints(&golden, "input_ids");
    let grids = ints(&golden, "image_grid_thw").as_chunks::<3>().0.to_vec();
    let special = servimage_pack::manifest::SpecialTokens {
        image: 5,
        video: 6,
        vision_start: 3,
        vision_end: 4,
    };
    let positions =
        servimage_prompt::mrope_positions(&ids, &grids, &special, 2).expect("grids fit the pads");
    let pixels = floats(&golden, "pixel_values");
    let patches = Tensor::<2>::from_data(
        TensorData::new(pixels.clone(), [pixels.len() / 1536, 1536]),
        device,
    );
    let visual = network.see(patches, &grids, Pass::Concepts);
    let seen = visual
        .tokens
        .clone()
        .into_data()
        .try_to_vec::<f32>()
        .expect("f32");
    let vision_error = relative_error(&seen, &floats(&golden, "base.vision_embeds"));

    let text_ids: Vec<i32> = ids
        .iter()
        .filter(|&&id| id != special.image)
        .map(|&id| id as i32)
        .collect();
    let table = Tensor::<2>::from_data(
        TensorData::new(embedding, [text.vocab_size, text.d_model]),
        device,
    );
    let n_text = text_ids.len();
    let rows = table.select(
        0,
        Tensor::<1, Int>::from_data(TensorData::new(text_ids, [n_text]), device),
    );
    let mut layout = SequenceLayout::default();
    layout.push(&ids, &positions, special.image);
    let hidden = network
        .read(&rows, Some(&visual), &layout, &[], Pass::Concepts)
        .into_data()
        .try_to_vec::<f32>()
        .expect("f32");
    let hidden_error = relative_error(&hidden, &floats(&golden, "base.hidden_states"));
    println!(
        "relative max error: visual tokens {vision_error:.2e}, hidden states {hidden_error:.2e}"
    );
    assert!(
        vision_error <= tolerance,
        "visual tokens: {vision_error:.2e}"
    );
    assert!(
        hidden_error <= tolerance,
        "hidden states: {hidden_error:.2e}"
    );
}

#[test]
fn on_the_cpu_the_base_weights_give_the_golden() {
    base_weights_give_the_golden(&Device::flex(), CPU_TOLERANCE);
}

#[test]
fn where_gradients_are_recorded_the_base_weights_give_the_golden() {
    base_weights_give_the_golden(&Device::flex().autodiff(), CPU_TOLERANCE);
}

#[test]
fn on_a_native_gpu_the_base_weights_give_the_golden() {
    let device = Device::wgpu_options()
        .init()
        .expect("a Vulkan device: mesa-vulkan-drivers gives a software one");
    base_weights_give_the_golden(&device, GPU_TOLERANCE);
}
