//! A published checkpoint becomes a pack with the same numbers, or is refused with the name of what is wrong.
//!
//! Expected numbers were computed by PyTorch 2 from golden `a` (merging in double precision, rounded to f32).

mod refused;

use crate::checkpoint::{Copy, golden};
use half::bf16;
use safetensors::tensor::Dtype;
use serde_json::json;
use servimage_cli::convert::{ConvertError, ConvertOptions, ConvertReport, convert};
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_testkit::{MadeUpSize, write_made_up};
use std::collections::BTreeMap;
use std::path::Path;

type OpenPack = Pack<MemorySource>;

fn options(folder: &Path) -> ConvertOptions {
    let mut options = ConvertOptions::new(folder.join("base"));
    options.stage1 = Some(folder.join("stage1"));
    options.stage2 = Some(folder.join("stage2"));
    options
}

fn try_convert(options: &ConvertOptions) -> Result<(OpenPack, ConvertReport), ConvertError> {
    let mut files = MemorySource::default();
    let report = convert(options, &mut files, |_| ())?;
    Ok((pollster::block_on(Pack::open(files)).unwrap(), report))
}

fn pack_of(options: &ConvertOptions) -> OpenPack {
    try_convert(options).unwrap().0
}

fn read(pack: &OpenPack, name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensor = pollster::block_on(pack.read_tensor(name)).unwrap();
    (tensor.shape.clone(), tensor.to_f32().unwrap())
}

fn refusal(options: &ConvertOptions) -> String {
    try_convert(options).err().unwrap().to_string()
}

#[test]
fn stage_1_is_merged_into_the_base() {
    let (pack, report) = try_convert(&options(&golden())).unwrap();
    assert_eq!((report.n_merged, report.n_adapted), (31, 31));
    assert_eq!(report.warnings, Vec::<String>::new());
    assert_eq!(report.pack_sha256, pack.sha256());
    // W + 2 B A of a text layer, of the Conv3d as a matrix, and of the merger, which lies in two adapters.
    for (name, shape, at, expected) in [
        (
            "model.language_model.layers.2.mlp.down_proj.weight",
            vec![64, 128],
            [0, 777, 8191],
            [0.121_040_344, 0.008_824_24, 0.059_643_34],
        ),
        (
            "model.visual.patch_embed.proj.weight",
            vec![48, 1536],
            [0, 777, 73_727],
            [-0.039_600_715, -0.077_885_34, 0.088_353_87],
        ),
        (
            "model.visual.merger.linear_fc2.weight",
            vec![64, 192],
            [0, 777, 12_287],
            [0.117_420_055, -0.065_385_04, 0.088_681],
        ),
    ] {
        let (found_shape, values) = read(&pack, name);
        assert_eq!(found_shape, shape, "{name}");
        for (at, expected) in at.into_iter().zip(expected) {
            assert!(
                (values[at] - expected).abs() < 1e-8,
                "{name}[{at}]: {} for {expected}",
                values[at]
            );
        }
    }
}

#[test]
fn stage_2_stays_beside_the_base_with_its_scale_in_b() {
    let pack = pack_of(&options(&golden()));
    let target = "model.language_model.layers.0.self_attn.q_proj";
    assert!(
        pack.manifest()
            .payment_adapter
            .as_ref()
            .unwrap()
            .targets
            .iter()
            .any(|name| name == target)
    );
    let (shape, a) = read(&pack, &format!("{target}.lora_a"));
    assert_eq!(
        (shape, a[0], a[100]),
        (vec![8, 64], -0.026_076_203, -0.003_539_592_7)
    );
    let (shape, b) = read(&pack, &format!("{target}.lora_b"));
    assert_eq!(
        (shape, b[0], b[100]),
        (vec![64, 8], -0.135_065_62, -0.088_692_72)
    );
    assert_eq!(
        read(&pack, "model.visual.patch_embed.proj.lora_a").0,
        [8, 1536]
    );
    assert_eq!(
        read(&pack, "model.visual.patch_embed.proj.lora_b").0,
        [48, 8]
    );
    // A reader that goes through the shards once finds each pair right after its weight.
    let names: Vec<&str> = pack
        .manifest()
        .tensors
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    let at = names
        .iter()
        .position(|name| *name == format!("{target}.weight"))
        .unwrap();
    assert_eq!(
        names[at + 1..at + 3],
        [format!("{target}.lora_a"), format!("{target}.lora_b")]
    );
}

#[test]
fn the_heads_come_out_of_the_pytorch_files_unchanged() {
    let pack = pack_of(&options(&golden()));
    for (name, shape, expected) in [
        (
            "stage1.shared_encoder.4.weight",
            vec![1024, 2048],
            [-0.016_239_794, -0.008_244_382, 0.018_538_1],
        ),
        (
            "stage1.attention_pooling.attention_query",
            vec![1, 1, 64],
            [-1.189_201_7, 0.045_862_865, 1.155_814_4],
        ),
        (
            "stage1.veq_text_head.bias",
            vec![6],
            [-0.031_056_39, 0.016_432_835, -0.037_418_906],
        ),
        (
            "stage2.fc5.weight",
            vec![2, 16],
            [0.008_326_787, -0.007_085_064, 0.002_989_825_6],
        ),
        (
            "stage2.fc3.bias",
            vec![64],
            [0.011_754_021, 0.047_901_63, -0.031_267_293],
        ),
    ] {
        let (found_shape, values) = read(&pack, name);
        assert_eq!(found_shape, shape, "{name}");
        assert_eq!(
            [
                values[0],
                values[values.len() / 2],
                values[values.len() - 1]
            ],
            expected,
            "{name}"
        );
    }
    assert_eq!(pack.manifest().heads.concepts.len(), 7);
    assert!(pack.manifest().heads.payment && pack.manifest().heads.zero_shot.is_none());
}

#[test]
fn a_plain_base_becomes_a_zero_shot_pack() {
    let pack = pack_of(&ConvertOptions::new(golden().join("base")));
    let manifest = pack.manifest();
    let zero_shot = manifest.heads.zero_shot.as_ref().unwrap();
    assert_eq!(
        (zero_shot.reject, zero_shot.accept, zero_shot.digits),
        (22, 23, [23, 24, 25, 26, 27])
    );
    assert!(
        manifest.heads.concepts.is_empty()
            && !manifest.heads.payment
            && manifest.payment_adapter.is_none()
    );
    assert!(manifest.labels.contains("Zero-shot"));
    assert_eq!(
        read(&pack, "model.visual.merger.linear_fc2.weight").1[777],
        -0.073_957_39
    );
    assert_eq!(manifest.text.rope_theta, 5_000_000.0);
    assert_eq!(manifest.text.mrope_section, [4, 2, 2]);
    assert_eq!(manifest.vision.deepstack_layers, [1, 2]);
    assert_eq!(
        pollster::block_on(pack.tokenizer_json()).unwrap(),
        std::fs::read(golden().join("base/tokenizer.json")).unwrap()
    );
}

#[test]
fn every_quantization_gives_a_sound_pack_with_f32_patch_filters_norms_and_heads() {
    for quant in [Layout::F16, Layout::Q8, Layout::Q4] {
        let mut options = options(&golden());
        options.quant = quant;
        let pack = pack_of(&options);
        assert_eq!(pollster::block_on(pack.verify()).len(), 0, "{quant}");
        let layout = |name: &str| pack.entry(name).unwrap().layout;
        for name in [
            "model.language_model.embed_tokens.weight",
            "model.visual.blocks.0.attn.qkv.weight",
            "model.language_model.layers.3.mlp.up_proj.weight",
        ] {
            assert_eq!(layout(name), quant, "{name}");
        }
        for name in [
            "model.visual.patch_embed.proj.weight",
            "model.visual.pos_embed.weight",
            "model.language_model.norm.weight",
            "model.visual.blocks.0.attn.qkv.bias",
            "stage1.brf_head.weight",
            "model.visual.patch_embed.proj.lora_a",
        ] {
            assert_eq!(layout(name), Layout::F32, "{name}");
        }
    }
}

#[test]
fn a_checkpoint_read_in_small_pieces_gives_the_same_pack() {
    for quant in [Layout::F32, Layout::Q8, Layout::Q4] {
        let mut whole = options(&golden());
        whole.quant = quant;
        let mut pieces = whole.clone();
        // Rows of 48 to 1536 values: one row at a time, or some and a rest.
        pieces.piece_values = 333;
        let hash = |options| try_convert(options).unwrap().1.pack_sha256;
        assert_eq!(hash(&pieces), hash(&whole), "{quant}");
    }
}

#[test]
fn a_made_up_checkpoint_of_shards_converts_with_progress_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let made_up = write_made_up(MadeUpSize::Nano, 3, folder.path()).unwrap();
    let mut options = ConvertOptions::new(folder.path());
    options.quant = Layout::Q4;
    let mut files = MemorySource::default();
    let mut seen = Vec::new();
    let report = convert(&options, &mut files, |progress| {
        seen.push((progress.done, progress.total));
    })
    .unwrap();
    assert_eq!(report.n_parameters, made_up.n_parameters);
    // The published area range is not the evaluator's; nothing else of a published checkpoint is left over.
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    assert!(report.warnings[0].contains("area range"));
    assert!(seen.is_sorted() && seen.len() == report.n_tensors);
    assert_eq!(
        seen.last(),
        Some(&(made_up.n_parameters, made_up.n_parameters))
    );
    let pack = pollster::block_on(Pack::open(files)).unwrap();
    // 4.5 bits a value but for the patch filters, and a few other f32 tensors above that.
    let vision = &pack.manifest().vision;
    let n_filters = (vision.d_model * vision.patch_dim()) as f64;
    let n_bits = 8.0 * report.size_bytes as f64 - 32.0 * n_filters;
    let bits = n_bits / (made_up.n_parameters as f64 - n_filters);
    assert!((4.5..5.5).contains(&bits), "{bits}");
    assert_eq!(pollster::block_on(pack.verify()).len(), 0);
}

#[test]
fn golden_vectors_become_the_self_test() {
    let mut with_golden = options(&golden());
    with_golden.golden = Some(golden());
    let pack = pack_of(&with_golden);
    let self_test = pack.manifest().self_test.clone().unwrap();
    assert_eq!(
        self_test.expected.len(),
        10,
        "7 concepts, 2 hidden states, payment: {:?}",
        self_test.expected
    );
    assert_eq!(read(&pack, "self_test.stage2.pay_logits").0, [2]);
    assert_eq!(read(&pack, "self_test.stage1.hidden_states").0, [191, 64]);
    let ids = pollster::block_on(pack.read_tensor("self_test.input_ids")).unwrap();
    assert_eq!(
        (ids.shape.clone(), ids.to_u32().unwrap()[0]),
        (vec![191], 1)
    );
    let mut plain = ConvertOptions::new(golden().join("base"));
    plain.golden = Some(golden());
    let expected = pack_of(&plain)
        .manifest()
        .self_test
        .clone()
        .unwrap()
        .expected;
    assert_eq!(
        expected,
        [
            "base.hidden_states",
            "base.logits_last",
            "base.vision_embeds"
        ]
    );
}

#[test]
fn bf16_shards_with_an_index_and_the_older_rope_fields_are_read_alike() {
    let copy = Copy::new();
    let tensors = copy.read_tensors("base/model.safetensors");
    let mut shards = [BTreeMap::new(), BTreeMap::new()];
    let mut weight_map = serde_json::Map::new();
    for (index, (name, (_, shape, bytes))) in tensors.iter().enumerate() {
        let halves = bytes
            .as_chunks()
            .0
            .iter()
            .flat_map(|value| bf16::from_f32(f32::from_le_bytes(*value)).to_le_bytes());
        shards[index % 2].insert(name.clone(), (Dtype::BF16, shape.clone(), halves.collect()));
        weight_map.insert(
            name.clone(),
            json!(format!("part-{}.safetensors", index % 2)),
        );
    }
    for (index, shard) in shards.iter().enumerate() {
        copy.write_tensors(&format!("base/part-{index}.safetensors"), shard);
    }
    std::fs::remove_file(copy.path("base/model.safetensors")).unwrap();
    std::fs::write(
        copy.path("base/model.safetensors.index.json"),
        json!({ "weight_map": weight_map }).to_string(),
    )
    .unwrap();
    copy.edit_json("base/config.json", |config| {
        let text = config["text_config"].as_object_mut().unwrap();
        text.remove("rope_parameters");
        text.insert("rope_theta".into(), json!(5e6));
        text.insert(
            "rope_scaling".into(),
            json!({"rope_type": "default", "mrope_interleaved": true, "mrope_section": [4, 2, 2]}),
        );
        config["vision_config"]
            .as_object_mut()
            .unwrap()
            .remove("rope_parameters");
    });
    let older = pack_of(&ConvertOptions::new(copy.path("base")));
    let newer = pack_of(&ConvertOptions::new(golden().join("base")));
    assert_eq!(
        (&older.manifest().text, &older.manifest().vision),
        (&newer.manifest().text, &newer.manifest().vision)
    );
    for entry in &newer.manifest().tensors {
        let rounded: Vec<f32> = read(&newer, &entry.name)
            .1
            .iter()
            .map(|value| bf16::from_f32(*value).to_f32())
            .collect();
        assert_eq!(read(&older, &entry.name).1, rounded, "{}", entry.name);
    }
}

#[test]
fn ranks_and_scales_follow_the_adapters_configuration() {
    let plain = pack_of(&options(&golden()));
    let name = "model.language_model.layers.1.self_attn.v_proj.weight";
    let other = "model.language_model.layers.1.mlp.up_proj.weight";
    let base = pack_of(&ConvertOptions::new(golden().join("base")));
    let change = |pack: &OpenPack, name: &str| read(pack, name).1[5] - read(&base, name).1[5];
    let copy = Copy::new();
    copy.edit_json("stage1/llm_lora/adapter_config.json", |config| {
        config["alpha_pattern"] = json!({"v_proj": 48});
        config["use_rslora"] = json!(true);
    });
    let patterned = pack_of(&options(copy.folder.path()));
    // alpha 16 -> 48 is three times as much, and / sqrt(8) instead of / 8 another sqrt(8).
    for (name, factor) in [(name, 3.0 * 8_f32.sqrt()), (other, 8_f32.sqrt())] {
        let (found, expected) = (change(&patterned, name), factor * change(&plain, name));
        assert!(
            (found - expected).abs() < 1e-5 * expected.abs().max(0.1),
            "{name}: {found} for {expected}"
        );
    }
}
