//! `verify` and `read_tensor` find damage and say where it lies and what it affects.

#![expect(clippy::unwrap_used, reason = "test code")]

mod tiny_pack;

use proptest::prelude::*;
use servimage_pack::{Finding, Layout, MANIFEST_FILE, MemorySource, Pack, PackWriter};
use std::sync::LazyLock;

fn verify(source: MemorySource) -> Vec<Finding> {
    let pack = pollster::block_on(Pack::open(source)).unwrap();
    pollster::block_on(pack.verify())
}

/// Names of the tensors with bytes in shard `index`.
fn tensors_in(source: &MemorySource, index: usize) -> Vec<String> {
    let pack = pollster::block_on(Pack::open(source.clone())).unwrap();
    let touches =
        |entry: &&servimage_pack::TensorEntry| entry.parts.iter().any(|part| part.shard == index);
    pack.manifest()
        .tensors
        .iter()
        .filter(touches)
        .map(|entry| entry.name.clone())
        .collect()
}

#[test]
fn a_missing_shard_is_named_with_the_tensors_it_takes_along() {
    let mut source = tiny_pack::pack(Layout::F16, 256);
    let affected = tensors_in(&source, 2);
    source.files.remove("shard-0002.bin");
    let [finding] = verify(source.clone()).try_into().unwrap();
    assert_eq!(finding.error.code(), "pack.missing_file");
    assert_eq!(finding.file.as_deref(), Some("shard-0002.bin"));
    assert_eq!(finding.tensors, affected);
    assert!(!affected.is_empty());
    // What does not lie there can still be read.
    let pack = pollster::block_on(Pack::open(source)).unwrap();
    assert!(pollster::block_on(pack.read_tensor("model.visual.patch_embed.proj.weight")).is_ok());
    assert_eq!(
        pollster::block_on(pack.read_tensor(&affected[0]))
            .unwrap_err()
            .code(),
        "pack.missing_file"
    );
}

#[test]
fn a_truncated_shard_tells_its_size() {
    let mut source = tiny_pack::pack(Layout::F32, 256);
    source
        .files
        .get_mut("shard-0001.bin")
        .unwrap()
        .truncate(200);
    let [finding] = verify(source).try_into().unwrap();
    assert_eq!(finding.error.code(), "pack.size");
    assert_eq!(
        finding.error.to_string(),
        "file `shard-0001.bin` has a wrong size: expected 256 bytes, found 200"
    );
}

#[test]
fn a_damaged_model_card_is_found_and_a_whole_one_is_read() {
    let mut source = MemorySource::default();
    let whole = tiny_pack::pack(Layout::F32, 1 << 20);
    let manifest = pollster::block_on(Pack::open(whole.clone())).unwrap();
    source.files.clone_from(&whole.files);
    let mut writer = PackWriter::extend(&mut source, manifest.manifest());
    writer.card("# Tiny \u{2014} a card\n".as_bytes()).unwrap();
    writer.finish(manifest.manifest().clone()).unwrap();
    let pack = pollster::block_on(Pack::open(source.clone())).unwrap();
    let card = pollster::block_on(pack.card()).unwrap();
    assert_eq!(card.as_deref(), Some("# Tiny \u{2014} a card\n"));
    assert_eq!(verify(source.clone()).len(), 0);
    source.files.insert("README.md".into(), b"# Other".to_vec());
    let [finding] = verify(source).try_into().unwrap();
    assert_eq!(finding.file.as_deref(), Some("README.md"));
    assert_eq!(finding.error.code(), "pack.size");
}

#[test]
fn a_damaged_tokenizer_is_found() {
    let mut source = tiny_pack::pack(Layout::F32, 1 << 20);
    source.files.insert("tokenizer.json".into(), b"[]".to_vec());
    let [finding] = verify(source).try_into().unwrap();
    assert_eq!(
        (finding.error.code(), finding.file.as_deref()),
        ("pack.hash", Some("tokenizer.json"))
    );
}

/// The tiny pack, with a change of what is pushed for one tensor: shape, layout; `None` leaves it out.
fn pack_with(
    change: impl Fn(&str, Vec<usize>, Layout) -> Option<(Vec<usize>, Layout)>,
) -> MemorySource {
    let manifest = tiny_pack::manifest(Layout::Q8);
    let mut files = MemorySource::default();
    let mut writer = PackWriter::new(&mut files);
    writer.tokenizer(b"{}").unwrap();
    for tensor in tiny_pack::tensors(&manifest) {
        let layout = tensor.layout(Layout::Q8);
        if let Some((shape, layout)) = change(&tensor.name, tensor.shape, layout) {
            let values = vec![0.5; shape.iter().product()];
            writer.push(&tensor.name, &shape, layout, &values).unwrap();
        }
    }
    writer.finish(manifest).unwrap();
    files
}

#[test]
fn a_wrong_shape_is_found_by_the_dimensions_of_the_manifest() {
    for (name, wrong) in [
        (
            "model.language_model.layers.0.mlp.down_proj.weight",
            vec![40, 8],
        ),
        ("model.visual.deepstack_merger_list.0.norm.weight", vec![4]),
        (
            "model.language_model.layers.0.self_attn.q_proj.lora_a",
            vec![2, 9],
        ),
        ("stage1.cns_set_head.weight", vec![5, 6]),
        ("stage2.fc5.bias", vec![3]),
    ] {
        let source = pack_with(|tensor, shape, layout| {
            Some((if tensor == name { wrong.clone() } else { shape }, layout))
        });
        let [finding] = verify(source)
            .try_into()
            .unwrap_or_else(|found| panic!("{name}: {found:?}"));
        assert_eq!(
            (finding.error.code(), finding.tensors.as_slice()),
            ("pack.shape", [name.to_owned()].as_slice())
        );
        assert!(
            finding.error.to_string().contains(&format!("{wrong:?}")),
            "{}",
            finding.error
        );
    }
}

#[test]
fn a_pack_of_an_earlier_build_with_quantized_patch_filters_is_sound() {
    let source = pack_with(|name, shape, layout| {
        let quantized = name == "model.visual.patch_embed.proj.weight";
        Some((shape, if quantized { Layout::Q8 } else { layout }))
    });
    assert_eq!(verify(source).len(), 0);
}

#[test]
fn a_missing_tensor_and_a_quantized_norm_are_found() {
    let source = pack_with(|name, shape, layout| {
        (name != "model.visual.blocks.1.attn.qkv.bias").then_some((shape, layout))
    });
    let [finding] = verify(source).try_into().unwrap();
    assert_eq!(
        finding.error.to_string(),
        "the pack has no tensor `model.visual.blocks.1.attn.qkv.bias`, expected shape [12]"
    );
    let source = pack_with(|name, shape, layout| {
        Some((
            shape,
            if name.ends_with("model.norm.weight") {
                Layout::F16
            } else {
                layout
            },
        ))
    });
    let [finding] = verify(source).try_into().unwrap();
    assert_eq!(
        (finding.error.code(), finding.tensors[0].as_str()),
        ("pack.wrong_layout", "model.language_model.norm.weight")
    );
}

#[test]
fn nan_and_infinity_are_refused_with_the_tensors_name() {
    // Two rows of two blocks, the last scale of four is bad.
    let last_scale = |n_words: usize, bad: f32| {
        let scales = [
            half::f16::ONE,
            half::f16::NEG_ONE,
            half::f16::ONE,
            half::f16::from_f32(bad),
        ];
        let scales = scales.iter().flat_map(|scale| scale.to_le_bytes());
        vec![0; n_words]
            .into_iter()
            .chain(scales)
            .collect::<Vec<u8>>()
    };
    for (shape, layout, bytes) in [
        ([1, 2], Layout::F32, f32::NAN.to_le_bytes().repeat(2)),
        ([1, 2], Layout::F16, [0x00, 0x7c, 0, 0].to_vec()),
        (
            [1, 2],
            Layout::Q8,
            [&[0; 32], [0x00, 0xfc, 0, 0].as_slice()].concat(),
        ),
        (
            [1, 2],
            Layout::Q4,
            [&[0; 16], [0x01, 0x7e, 0, 0].as_slice()].concat(),
        ),
        ([2, 33], Layout::Q8, last_scale(4 * 32, f32::NEG_INFINITY)),
        ([2, 33], Layout::Q4, last_scale(4 * 16, f32::NAN)),
    ] {
        let manifest = tiny_pack::manifest(layout);
        let mut files = MemorySource::default();
        let mut writer = PackWriter::new(&mut files);
        writer.tokenizer(b"{}").unwrap();
        // Written as bytes: `push` would refuse it.
        writer
            .push_bytes("poisoned", &shape, layout, &bytes)
            .unwrap();
        writer.finish(manifest).unwrap();
        let pack = pollster::block_on(Pack::open(files)).unwrap();
        let error = pollster::block_on(pack.read_tensor("poisoned")).unwrap_err();
        assert_eq!(error.code(), "pack.not_finite", "{layout}");
        assert!(error.to_string().contains("`poisoned`"), "{error}");
        let findings = pollster::block_on(pack.verify());
        assert!(
            findings
                .iter()
                .any(|finding| finding.error.code() == "pack.not_finite"
                    && finding.tensors == ["poisoned"])
        );
    }
}

#[test]
fn the_writer_refuses_what_the_reader_would() {
    let mut files = MemorySource::default();
    let mut writer = PackWriter::new(&mut files);
    for (layout, value) in [
        (Layout::F32, f32::NAN),
        (Layout::F16, 70_000.0),
        (Layout::Q4, f32::INFINITY),
        (Layout::Q8, 3e38),
    ] {
        let error = writer
            .push("a", &[1, 2], layout, &[0.0, value])
            .unwrap_err();
        assert_eq!(error.code(), "pack.not_finite", "{layout}");
    }
    assert_eq!(
        writer
            .push("a", &[3], Layout::F32, &[0.0; 2])
            .unwrap_err()
            .code(),
        "pack.shape"
    );
    writer.push("a", &[1], Layout::F32, &[0.0]).unwrap();
    assert_eq!(
        writer
            .push("a", &[1], Layout::F32, &[0.0])
            .unwrap_err()
            .code(),
        "pack.duplicate"
    );
    assert_eq!(
        writer
            .finish(tiny_pack::manifest(Layout::F32))
            .unwrap_err()
            .code(),
        "pack.field"
    );
    assert!(
        !files.files.contains_key(MANIFEST_FILE),
        "a failed write leaves no manifest"
    );
}

/// Made once: without optimisation the scale search takes its time.
static SOUND: LazyLock<MemorySource> = LazyLock::new(|| tiny_pack::pack(Layout::Q4, 512));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn one_flipped_bit_anywhere_in_a_shard_is_found_there(shard in 0..4_usize, at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut source = SOUND.clone();
        let affected = tensors_in(&source, shard);
        let path = format!("shard-000{shard}.bin");
        let bytes = source.files.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let pack = pollster::block_on(Pack::open(source.clone())).unwrap();
        for name in &affected {
            prop_assert_eq!(pollster::block_on(pack.read_tensor(name)).unwrap_err().code(), "pack.hash");
        }
        let findings = verify(source);
        prop_assert_eq!(findings.len(), 1);
        prop_assert_eq!(findings[0].error.code(), "pack.hash");
        prop_assert_eq!(findings[0].file.as_deref(), Some(path.as_str()));
        prop_assert_eq!(&findings[0].tensors, &affected);
    }
}
