//! Every committed input and some thousand mutations of them: no reader panics, and none takes memory by a number it read.

#![expect(clippy::unwrap_used, reason = "test code")]

use peak_alloc::PeakAlloc;
use servimage_fuzz::{Mutator, Target};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Counts what the readers take.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The allocator counts for all threads, so one reader runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Mutations a target.
const N_MUTATIONS: u64 = 2000;

fn corpus(target: Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name());
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("{} is missing", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Bytes that `read` takes at its worst beyond what is taken now.
fn peak(read: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    read();
    MEMORY.peak_usage().saturating_sub(before)
}

fn check_memory(target: Target, bytes: &[u8], what: &str) {
    let found = peak(|| target.parse(bytes));
    let bound = target.memory_bound(bytes.len());
    assert!(
        found <= bound,
        "{} took {found} bytes for {} of input, at most {bound} are allowed: {what}",
        target.name(),
        bytes.len()
    );
}

#[test]
fn committed_inputs_pass_their_targets() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    for target in Target::ALL {
        let files = corpus(target);
        assert!(files.len() > 1, "{} has seeds", target.name());
        for (path, bytes) in files {
            let shown = path.display().to_string();
            eprintln!("{shown}");
            target.run(&bytes);
            check_memory(target, &bytes, &shown);
        }
    }
}

/// `cargo xtask fuzz` knows the targets by these folders.
#[test]
fn the_corpus_has_a_folder_for_each_target_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut names = Target::ALL.map(Target::name);
    names.sort_unstable();
    assert_eq!(found, names);
}

#[test]
fn mutations_are_read_or_refused() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    for target in Target::ALL {
        let seeds: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, bytes)| bytes).collect();
        for number in 0..N_MUTATIONS {
            let bytes = Mutator::new(number).input(&seeds);
            let run = std::panic::catch_unwind(|| target.run(&bytes));
            if run.is_err() {
                let found = std::env::temp_dir().join(format!("{}-{number}", target.name()));
                std::fs::write(&found, &bytes).unwrap();
                panic!(
                    "mutation {number} of {}: see {}",
                    target.name(),
                    found.display()
                );
            }
            check_memory(target, &bytes, &format!("mutation {number}"));
        }
    }
}

/// Files that claim much and hold little, within the limits that the page and the command line have.
#[test]
fn bombs_are_refused_before_they_take_memory() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let files = corpus(Target::Image);
    let file = |name: &str| -> Vec<u8> {
        let found = files.iter().find(|(path, _)| path.ends_with(name));
        found.unwrap().1.clone()
    };
    // 14,000 x 14,000: below the limit on pixels, 600 MB of them.
    let large = |name: &str, frame: u8| {
        let mut bytes = file(name);
        let at = bytes
            .windows(2)
            .position(|pair| pair == [0xff, frame])
            .unwrap();
        bytes[at + 5..at + 9].copy_from_slice(&[0x36, 0xb0, 0x36, 0xb0]);
        bytes
    };
    for (what, bytes, code, most) in [
        (
            "60,000 x 60,000 PNG",
            file("60000-square.png"),
            "image.too_large",
            1 << 20,
        ),
        ("64 MB profile", file("profile-bomb.png"), "", 32 << 20),
        (
            "baseline JPEG",
            large("gray.jpg", 0xc0),
            "image.truncated",
            1 << 20,
        ),
        (
            "progressive JPEG",
            large("progressive.jpg", 0xc2),
            "image.truncated",
            1 << 20,
        ),
    ] {
        let mut outcome = None;
        let found = peak(|| {
            outcome = Some(servimage_image::decode(
                &bytes,
                &servimage_image::Limits::default(),
            ))
        });
        let found_code = outcome
            .and_then(|outcome| outcome.err())
            .map(|error| error.code());
        // A profile that cannot be used is left out, and the picture is read.
        assert_eq!(found_code.unwrap_or_default(), code, "{what}");
        assert!(found < most, "{what} took {found} bytes");
    }
}

/// The densest inputs that each format allows, a megabyte each.
#[test]
fn dense_inputs_cost_a_bounded_multiple_of_their_size() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let repeat = |before: &str, piece: &str, after: &str| {
        let n = (1 << 20) / piece.len();
        format!("{before}{}{after}", piece.repeat(n))
    };
    let manifest = String::from_utf8(
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/manifest/tiny-q8.json"))
            .unwrap(),
    )
    .unwrap();
    let shards = manifest.replace(
        "\"deepstack_layers\": [",
        &repeat("\"deepstack_layers\": [", "0,", ""),
    );
    let concepts = manifest.replace("\"concepts\": [", &repeat("\"concepts\": [", "\"\",", ""));
    assert!(shards.len() > 1 << 20 && concepts.len() > 1 << 20);
    let header = |body: String| [&(body.len() as u64).to_le_bytes(), body.as_bytes()].concat();
    for (target, bytes) in [
        (Target::Manifest, shards.into_bytes()),
        (Target::Manifest, concepts.into_bytes()),
        (Target::Manifest, vec![b'['; 1 << 20]),
        (
            Target::Safetensors,
            header(repeat(
                "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[0",
                ",0",
                "]}}",
            )),
        ),
        (
            Target::Safetensors,
            header(repeat("{\"__metadata__\":", "[", "")),
        ),
        (
            Target::Tokenizer,
            repeat(
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[",
                "\"a b\",",
                "\"a b\"]}}",
            )
            .into_bytes(),
        ),
        (
            Target::Results,
            repeat(
                "{",
                "\"\":0,",
                "\"task_id\":\"t\",\"subtask_name\":\"subtask_1\",\"label\":1}",
            )
            .into_bytes(),
        ),
        (Target::Results, repeat("", "0\n", "").into_bytes()),
        (Target::Tasks, repeat("[", "{},", "{}]").into_bytes()),
        (
            Target::Tasks,
            format!("[{}{{}}]", "{},".repeat(19_999)).into_bytes(),
        ),
        (Target::Tasks, repeat("{\"x\":[", "[],", "0]}").into_bytes()),
        (Target::Tasks, repeat("[", "0,", "0]").into_bytes()),
    ] {
        let start = bytes[..bytes.len().min(100)].escape_ascii().to_string();
        check_memory(target, &bytes, &start);
    }
}
