//! What is written into a pack is what is read from it.

#![expect(clippy::unwrap_used, reason = "test code")]

mod tiny_pack;

use servimage_pack::dir::DirSource;
use servimage_pack::layout::encode_rows;
use servimage_pack::{Layout, MemorySource, Pack, PackSink, PackWriter, SelfTestVectors};

#[test]
fn every_tensor_comes_back_though_it_spans_shards() {
    for (layout, tolerance) in [
        (Layout::F32, 0.0),
        (Layout::F16, 5e-4),
        // One step of the largest value; the block's mean error is held in `quantization.rs`.
        (Layout::Q8, 1.0 / 127.0),
        (Layout::Q4, 1.0 / 7.0),
    ] {
        let pack = pollster::block_on(Pack::open(tiny_pack::pack(layout, 48))).unwrap();
        let spanning = pack
            .manifest()
            .tensors
            .iter()
            .filter(|entry| entry.parts.len() > 1)
            .count();
        assert!(
            spanning > 10,
            "shards of 48 bytes must cut tensors, {spanning} were cut"
        );
        for tensor in tiny_pack::tensors(pack.manifest()) {
            let read = pollster::block_on(pack.read_tensor(&tensor.name)).unwrap();
            assert_eq!(read.shape, tensor.shape, "{}", tensor.name);
            assert_eq!(read.layout, tensor.layout(layout), "{}", tensor.name);
            for (found, expected) in read
                .to_f32()
                .unwrap()
                .iter()
                .zip(tiny_pack::values(&tensor))
            {
                let bound = if tensor.quantized { tolerance } else { 0.0 };
                assert!(
                    (found - expected).abs() <= bound,
                    "{}: {found} for {expected}",
                    tensor.name
                );
            }
        }
        assert_eq!(pollster::block_on(pack.verify()).len(), 0);
    }
}

#[test]
fn patch_filters_and_positions_stay_f32_while_linear_weights_and_the_embedding_are_quantized() {
    for layout in [Layout::F16, Layout::Q8, Layout::Q4] {
        let pack = pollster::block_on(Pack::open(tiny_pack::pack(layout, 1 << 20))).unwrap();
        for (name, expected) in [
            ("model.visual.patch_embed.proj.weight", Layout::F32),
            ("model.visual.pos_embed.weight", Layout::F32),
            ("model.visual.blocks.0.attn.qkv.weight", layout),
            ("model.language_model.embed_tokens.weight", layout),
        ] {
            assert_eq!(pack.entry(name).unwrap().layout, expected, "{name}");
        }
    }
}

#[test]
fn integers_come_back_and_are_no_floats() {
    let pack = pollster::block_on(Pack::open(tiny_pack::pack(Layout::F16, 1 << 20))).unwrap();
    let ids = pollster::block_on(pack.read_tensor("self_test.input_ids")).unwrap();
    assert_eq!(ids.to_u32().unwrap(), [1, 2, 70_000]);
    assert_eq!(ids.to_f32().unwrap_err().code(), "pack.wrong_layout");
}

#[test]
fn a_folder_reads_like_memory() {
    let folder = tempfile::tempdir().unwrap();
    let memory = tiny_pack::pack(Layout::Q8, 256);
    let mut sink = DirSource::new(folder.path().join("pack"));
    for (path, bytes) in &memory.files {
        sink.write(path, bytes).unwrap();
    }
    let (from_memory, from_folder) = pollster::block_on(async {
        (
            Pack::open(memory).await.unwrap(),
            Pack::open(sink).await.unwrap(),
        )
    });
    assert_eq!(from_memory.manifest(), from_folder.manifest());
    assert_eq!(from_memory.sha256(), from_folder.sha256());
    assert_eq!(pollster::block_on(from_folder.verify()).len(), 0);
    assert_eq!(
        pollster::block_on(from_folder.tokenizer_json()).unwrap(),
        b"{}"
    );
}

#[test]
fn one_row_of_an_embedding_is_that_row() {
    let name = "model.language_model.embed_tokens.weight";
    for layout in [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4] {
        let pack = pollster::block_on(Pack::open(tiny_pack::pack(layout, 1 << 20))).unwrap();
        let table = pollster::block_on(pack.read_tensor(name)).unwrap();
        let all = table.to_f32().unwrap();
        assert_eq!(table.rows_to_f32(7..9).unwrap(), all[7 * 8..9 * 8]);
        assert_eq!(table.rows_to_f32(7..12).unwrap_err().code(), "pack.shape");
    }
}

#[test]
fn a_tensor_larger_than_a_shard_and_a_piece_comes_back_and_tells_where_it_is_bad() {
    let mut values: Vec<f32> = (0..600_000).map(|i| i as f32).collect();
    let mut files = MemorySource::default();
    let mut writer = PackWriter::with_shard_bytes(&mut files, 1 << 20);
    writer.tokenizer(b"{}").unwrap();
    writer
        .push("long", &[3, 200_000], Layout::F32, &values)
        .unwrap();
    values[599_999] = f32::INFINITY;
    let error = writer
        .push("bad", &[600_000], Layout::F32, &values)
        .unwrap_err();
    assert!(error.to_string().contains("`bad`, value 599999"), "{error}");
    writer.finish(tiny_pack::manifest(Layout::F32)).unwrap();
    values[599_999] = 599_999.0;
    let pack = pollster::block_on(Pack::open(files)).unwrap();
    assert_eq!(pack.entry("long").unwrap().parts.len(), 3);
    assert_eq!(
        pollster::block_on(pack.read_tensor("long"))
            .unwrap()
            .to_f32()
            .unwrap(),
        values
    );
}

#[test]
fn a_finished_pack_takes_more_tensors_without_touching_its_shards() {
    let before = tiny_pack::pack(Layout::F16, 1 << 20);
    let manifest = pollster::block_on(Pack::open(&before))
        .unwrap()
        .manifest()
        .clone();
    let mut after = before.clone();
    let mut writer = PackWriter::extend(&mut after, &manifest);
    assert_eq!(
        writer
            .push("self_test.input_ids", &[1], Layout::F32, &[0.0])
            .unwrap_err()
            .code(),
        "pack.duplicate"
    );
    writer
        .push("self_test.late", &[2], Layout::F32, &[1.0, 2.0])
        .unwrap();
    writer.finish(manifest).unwrap();
    assert_eq!(
        after.files["shard-0000.bin"],
        before.files["shard-0000.bin"]
    );
    let pack = pollster::block_on(Pack::open(after)).unwrap();
    assert_eq!(
        pollster::block_on(pack.read_tensor("self_test.late"))
            .unwrap()
            .to_f32()
            .unwrap(),
        [1.0, 2.0]
    );
    assert_eq!(pollster::block_on(pack.verify()).len(), 0);
}

#[test]
fn rows_encoded_apart_are_the_bytes_of_the_whole() {
    // Three blocks a row, and an odd number of them: the scales end within a word.
    let (n_rows, d_in) = (5, 70);
    let values: Vec<f32> = (0..n_rows * d_in)
        .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
        .collect();
    for layout in [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4] {
        let mut files = MemorySource::default();
        let mut writer = PackWriter::with_shard_bytes(&mut files, 64);
        writer.tokenizer(b"{}").unwrap();
        writer
            .push("whole", &[n_rows, d_in], layout, &values)
            .unwrap();
        let mut tensor = writer.tensor("parts", &[n_rows, d_in], layout).unwrap();
        for rows in [0..2, 2..3, 3..5] {
            let part = &values[rows.start * d_in..rows.end * d_in];
            let rows = encode_rows("parts", layout, part, d_in, rows.start).unwrap();
            tensor.append(&rows).unwrap();
        }
        tensor.end().unwrap();
        writer.finish(tiny_pack::manifest(layout)).unwrap();
        let pack = pollster::block_on(Pack::open(files)).unwrap();
        let read = |name| pollster::block_on(pack.read_tensor(name)).unwrap().bytes;
        assert_eq!(read("whole"), read("parts"), "{layout}");
    }
}

#[test]
fn rows_that_are_not_those_of_the_shape_are_refused_by_name() {
    let mut files = MemorySource::default();
    let mut writer = PackWriter::new(&mut files);
    let rows = encode_rows("short", Layout::Q4, &[0.5; 64], 32, 0).unwrap();
    let mut tensor = writer.tensor("short", &[3, 32], Layout::Q4).unwrap();
    tensor.append(&rows).unwrap();
    let error = tensor.end().unwrap_err();
    assert_eq!(error.code(), "pack.length");
    assert!(error.to_string().contains("`short`"), "{error}");
    // What was not ended is not in the pack, so its name is free.
    writer
        .push("short", &[2, 32], Layout::Q4, &[0.5; 64])
        .unwrap();

    let error = encode_rows("odd", Layout::Q4, &[0.5; 33], 32, 0).unwrap_err();
    assert!(error.code() == "pack.shape" && error.to_string().contains("`odd`"));
    let error = encode_rows("bad", Layout::Q8, &[1.0, f32::NAN], 2, 10).unwrap_err();
    assert!(error.to_string().contains("`bad`, value 21"), "{error}");
    let error = encode_rows("big", Layout::Q8, &[0.0, 3e38], 1, 10).unwrap_err();
    assert!(
        error.to_string().contains("`big`, scale of block 11"),
        "{error}"
    );
}

#[test]
fn self_test_vectors_come_back_under_the_names_that_the_manifest_lists() {
    let before = tiny_pack::pack(Layout::F16, 1 << 20);
    let mut manifest = tiny_pack::manifest(Layout::F16);
    let mut files = MemorySource::default();
    let mut writer = PackWriter::new(&mut files);
    writer.tokenizer(&before.files["tokenizer.json"]).unwrap();
    let expected = [("stage2.pay_logits".to_owned(), vec![0.25, -0.5])];
    let pixels: Vec<f32> = (0..6 * 24).map(|i| i as f32).collect();
    let mut vectors = SelfTestVectors {
        input_ids: &[3, 5, 4, 70_000],
        image_grids: &[[1, 2, 2], [1, 1, 2]],
        pixel_values: &pixels,
        expected: &expected,
    };
    let self_test = writer.self_test(&vectors, 1e-3).unwrap();
    assert_eq!(
        (self_test.tolerance, self_test.expected.as_slice()),
        (1e-3, ["stage2.pay_logits".to_owned()].as_slice())
    );
    vectors.pixel_values = &pixels[1..];
    let error = PackWriter::new(MemorySource::default())
        .self_test(&vectors, 1e-3)
        .unwrap_err();
    assert!(
        error.to_string().contains("`self_test.pixel_values`")
            && error.to_string().contains("6 patches"),
        "{error}"
    );
    manifest.self_test = Some(self_test);
    writer.finish(manifest).unwrap();

    let pack = pollster::block_on(Pack::open(files)).unwrap();
    let read = |name: &str| pollster::block_on(pack.read_tensor(name)).unwrap();
    let ids = read("self_test.input_ids");
    assert_eq!(
        (ids.to_u32().unwrap(), ids.shape),
        (vec![3, 5, 4, 70_000], vec![4])
    );
    let grids = read("self_test.image_grid_thw");
    assert_eq!(grids.to_u32().unwrap(), [1, 2, 2, 1, 1, 2]);
    let found = read("self_test.pixel_values");
    assert_eq!(
        (found.to_f32().unwrap(), found.shape),
        (pixels.clone(), vec![6, 24])
    );
    let logits = read("self_test.stage2.pay_logits");
    assert_eq!(logits.to_f32().unwrap(), [0.25, -0.5]);
}
