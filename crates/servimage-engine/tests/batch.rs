//! Several images of a deliverable in one pass, and a deliverable prepared before its first image.

use servimage_bench::message::Beside;
use servimage_bench::starter::starter_tasks;
use servimage_bench::task::Task;
use servimage_bench::verdict::Verdict;
use servimage_engine::{
    Compute, Engine, EngineError, OpenDevice, ReadyImage, ScoreRequest, open_device, vectors_of,
};
use servimage_pack::Pack;
use servimage_pack::dir::DirSource;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Bound on the difference of two probabilities: rows of a batch are summed in other tiles than those of one image.
const TOLERANCE: f64 = 1e-5;

/// Bound on the difference of two cells of a map, which are rounded to five digits: one step.
const CELL_TOLERANCE: f64 = 1.000_001e-5;

/// Bound on the difference of two probabilities from two devices, which every device is promised to keep.
const DEVICE_TOLERANCE: f64 = 1e-3;

const TASK: &str = "starter-product-001";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A device; the tests, each on a thread of its own, share one GPU, which can be opened once.
fn device(compute: Compute) -> OpenDevice {
    static GPU: OnceLock<OpenDevice> = OnceLock::new();
    let open = || pollster::block_on(open_device(compute, "test")).expect("a device");
    match compute {
        Compute::Gpu => GPU.get_or_init(open).clone(),
        Compute::Cpu => open(),
    }
}

fn engine(compute: Compute) -> Engine<DirSource> {
    pollster::block_on(async {
        let device = device(compute);
        let pack = DirSource::new(root().join("public/models/nano"));
        let engine = Engine::load(pack, device, &mut |_, _, _| ()).await;
        engine.expect("nano loads")
    })
}

fn picture(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Pictures of different sizes and formats; the second is none.
fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    let mut pictures: Vec<_> = [
        "tests/fixtures/scene-1.jpg",
        "tests/fixtures/still-life.jpg",
        "tests/fixtures/scene-2.png",
        "public/samples/portrait.jpg",
        "public/samples/bottle.jpg",
    ]
    .map(|path| (path, picture(path)))
    .into();
    pictures.insert(1, ("broken.jpg", b"no picture at all".to_vec()));
    pictures
}

fn task(id: &str) -> Task {
    let mut tasks = starter_tasks().into_iter();
    tasks.find(|task| task.task_id == id).expect("the task")
}

fn request<'a>(task: &'a Task, name: &'a str, image: &'a [u8]) -> ScoreRequest<'a> {
    ScoreRequest::new(task, 1, name, image)
}

/// The two verdicts say the same.
fn assert_same(one: &Verdict, other: &Verdict) {
    assert_eq!(
        (&one.image, &one.task_id, one.deliverable, &one.rules),
        (
            &other.image,
            &other.task_id,
            other.deliverable,
            &other.rules
        )
    );
    let close = |a: f64, b: f64| assert!((a - b).abs() <= TOLERANCE, "{}: {a}, {b}", one.image);
    close(one.p_pay, other.p_pay);
    let maps = [&one.attention, &other.attention].map(|map| map.as_ref().expect("a payment head"));
    assert_eq!(maps[0].columns, maps[1].columns);
    assert_eq!(maps[0].weights.len(), maps[1].weights.len());
    let cells = maps.map(|map| map.weights.iter().chain([&map.share]));
    let [one_cells, other_cells] = cells;
    for (a, b) in one_cells.zip(other_cells) {
        assert!((a - b).abs() <= CELL_TOLERANCE, "{}: {a}, {b}", one.image);
    }
    assert_eq!(one.concepts.len(), other.concepts.len());
    for (name, concept) in &one.concepts {
        let other = &other.concepts[name];
        assert_eq!(concept.why_not, other.why_not, "{name}");
        let both = concept.distribution.iter().flatten();
        for (a, b) in both.zip(other.distribution.iter().flatten()) {
            close(*a, *b);
        }
    }
}

/// Every good image of a batch gets the verdict that it gets alone.
fn batch_equals_single(compute: Compute) {
    let engine = engine(compute);
    let task = task(TASK);
    let pictures = pictures();
    let read: Vec<_> = pictures
        .iter()
        .map(|(name, bytes)| engine.read(&request(&task, name, bytes)))
        .collect();
    let bad: Vec<usize> = (0..read.len()).filter(|&i| read[i].is_err()).collect();
    assert_eq!(bad, [1], "the broken one fails alone");
    let ready: Vec<ReadyImage> = read.into_iter().flatten().collect();
    let together = pollster::block_on(engine.judge(&ready));
    let good = pictures.iter().filter(|(name, _)| *name != "broken.jpg");
    let mut scores = Vec::new();
    for ((name, bytes), verdict) in good.zip(together) {
        let verdict = verdict.unwrap_or_else(|error| panic!("{name}: {error}"));
        let alone = pollster::block_on(engine.score(&request(&task, name, bytes)));
        assert_same(&alone.expect("the same image alone"), &verdict);
        scores.push(verdict.p_pay);
    }
    assert_eq!(scores.len(), 5);
    let differ = scores.iter().any(|p| (p - scores[0]).abs() > 1e-3);
    assert!(
        differ,
        "the pictures differ, so a mix-up would show: {scores:?}"
    );
}

#[test]
fn a_batch_on_the_cpu_gives_the_verdicts_of_its_images() {
    batch_equals_single(Compute::Cpu);
}

#[test]
fn a_batch_on_the_gpu_gives_the_verdicts_of_its_images() {
    batch_equals_single(Compute::Gpu);
}

/// Softmax of `query . row / sqrt(d)` over all rows, in f64.
fn pooling(hidden: &[f32], query: &[f32]) -> Vec<f64> {
    let scale = (query.len() as f64).sqrt();
    let score = |row: &[f32]| {
        let products = row
            .iter()
            .zip(query)
            .map(|(h, q)| f64::from(*h) * f64::from(*q));
        products.sum::<f64>() / scale
    };
    let scores: Vec<f64> = hidden.chunks_exact(query.len()).map(score).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
    scores
        .iter()
        .map(|score| (score - top).exp() / total)
        .collect()
}

#[test]
fn the_pooling_weights_are_those_of_the_payment_query_over_the_hidden_states() {
    let engine = engine(Compute::Cpu);
    pollster::block_on(async {
        let nano = DirSource::new(root().join("public/models/nano"));
        let nano = Pack::open(nano).await.expect("nano");
        let input = vectors_of(&nano).await.expect("vectors").expect("some");
        let trace = engine.model().trace(&input.input).await.expect("a pass");
        let (_, hidden) = trace
            .iter()
            .find(|(name, _)| name == "stage2.hidden_states")
            .expect("a payment head");
        let query = nano.read_tensor("stage2.attention_pooling.attention_query");
        let query = query.await.expect("the query").to_f32().expect("floats");
        let output = engine.model().evaluate(&input.input).await.expect("a pass");
        let expected = pooling(hidden, &query);
        assert_eq!(output.pooling_weights.len(), expected.len());
        for (found, expected) in output.pooling_weights.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6);
        }
        // Nano pools almost evenly; a plain mean would still show.
        let even = 1.0 / expected.len() as f64;
        let furthest = expected.iter().map(|weight| (weight - even).abs());
        let furthest = furthest.fold(0.0, f64::max);
        assert!(furthest > 1e-4, "{furthest}");
    });
}

#[test]
fn the_map_of_a_wide_picture_is_wide_and_sums_to_one() {
    let engine = engine(Compute::Cpu);
    let (task, image) = (task(TASK), picture("tests/fixtures/scene-1.jpg"));
    let verdict = pollster::block_on(engine.score(&request(&task, "scene-1.jpg", &image)));
    let map = verdict.expect("a good image").attention.expect("a map");
    let (columns, n_cells) = (map.columns as usize, map.weights.len());
    let facts = servimage_image::decode(&image, &servimage_image::Limits::default());
    let facts = facts.expect("a picture").facts;
    assert_eq!(
        facts.width > facts.height,
        columns * columns > n_cells,
        "{columns} of {n_cells}"
    );
    assert!(n_cells.is_multiple_of(columns) && n_cells > 20 && n_cells <= 49);
    assert!((map.weights.iter().sum::<f64>() - 1.0).abs() < 1e-3);
    assert!(map.share > 0.0 && map.share < 1.0, "{}", map.share);
}

#[test]
fn the_gpu_says_what_the_cpu_says() {
    let task = task(TASK);
    let say = |compute: Compute| -> Vec<f64> {
        let engine = engine(compute);
        let pictures = [
            "tests/fixtures/scene-1.jpg",
            "public/samples/street-damaged.jpg",
        ];
        let verdicts = pictures.map(|path| {
            let bytes = picture(path);
            let verdict = pollster::block_on(engine.score(&request(&task, path, &bytes)));
            verdict
                .unwrap_or_else(|error| panic!("{path}: {error}"))
                .p_pay
        });
        verdicts.to_vec()
    };
    let (cpu, gpu) = (say(Compute::Cpu), say(Compute::Gpu));
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert!(
            (cpu - gpu).abs() <= DEVICE_TOLERANCE,
            "{cpu} on the CPU, {gpu} on the GPU"
        );
    }
    assert!(
        (cpu[0] - cpu[1]).abs() > 0.02,
        "the pictures differ: {cpu:?}"
    );
}

#[test]
fn images_of_different_tasks_may_be_judged_in_one_call() {
    let engine = engine(Compute::Cpu);
    let tasks = [task(TASK), task("starter-portrait-001")];
    let image = picture("tests/fixtures/scene-1.jpg");
    let read = |task| engine.read(&request(task, "scene-1.jpg", &image));
    let ready: Vec<_> = tasks.iter().flat_map(read).collect();
    let verdicts = pollster::block_on(engine.judge(&ready));
    assert_eq!(verdicts.len(), 2);
    for (task, verdict) in tasks.iter().zip(verdicts) {
        let alone = pollster::block_on(engine.score(&request(task, "scene-1.jpg", &image)));
        assert_same(&alone.expect("alone"), &verdict.expect("in the call"));
    }
}

#[test]
fn after_preparing_the_first_image_finds_its_brief_read() {
    let engine = engine(Compute::Cpu);
    let (task, image) = (task(TASK), picture("tests/fixtures/scene-1.jpg"));
    let before = engine.model().n_prefixes();
    pollster::block_on(engine.prepare(&task, 1, Beside::default())).expect("the task is there");
    assert_eq!(engine.model().n_prefixes(), before + 1);
    let verdict = pollster::block_on(engine.score(&request(&task, "scene-1.jpg", &image)));
    verdict.expect("a good image");
    assert_eq!(
        engine.model().n_prefixes(),
        before + 1,
        "the image's own prompt begins with what was prepared"
    );
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let engine = engine(Compute::Cpu);
    let (task, image) = (task(TASK), picture("tests/fixtures/scene-1.jpg"));
    let score = || pollster::block_on(engine.score(&request(&task, "scene-1.jpg", &image)));
    let before = score().expect("a good image");
    pollster::block_on(engine.rehearse()).expect("its picture and its brief are good");
    assert_eq!(engine.model().n_prefixes(), 0);
    assert_same(&before, &score().expect("the same image"));
}

#[test]
fn a_deliverable_that_the_task_lacks_cannot_be_prepared() {
    let engine = engine(Compute::Cpu);
    let error = pollster::block_on(engine.prepare(&task(TASK), 9, Beside::default()));
    let error = error.expect_err("there is no ninth");
    assert!(matches!(error, EngineError::Prompt(_)), "{error}");
    assert!(error.to_string().contains('9'), "{error}");
}
