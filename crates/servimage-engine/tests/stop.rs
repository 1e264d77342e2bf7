//! An evaluation that nobody wants any more ends behind the layer that is under way, and leaves nothing behind.

use servimage_bench::starter::starter_tasks;
use servimage_engine::{Between, Compute, Engine, ReadyImage, ScoreRequest, open_device};
use servimage_pack::dir::DirSource;
use std::cell::Cell;
use std::path::Path;

/// Ends the evaluation behind layer `last`, counted over both towers.
struct UpTo {
    last: usize,
    heard: Cell<usize>,
}

impl Between for UpTo {
    fn waits(&self) -> bool {
        true
    }

    async fn goes_on(&self) -> bool {
        self.heard.set(self.heard.get() + 1);
        self.heard.get() < self.last
    }
}

fn up_to(last: usize) -> UpTo {
    UpTo {
        last,
        heard: Cell::new(0),
    }
}

#[test]
fn an_evaluation_ends_behind_any_layer_and_the_next_one_is_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = DirSource::new(root.join("public/models/nano"));
    let device = pollster::block_on(open_device(Compute::Cpu, "test")).expect("a CPU");
    let engine = pollster::block_on(Engine::load(pack, device, &mut |_, _, _| ()));
    let engine = engine.expect("nano loads");
    let task = starter_tasks().swap_remove(0);
    let picture = std::fs::read(root.join("tests/fixtures/scene-1.jpg")).expect("a picture");
    let read = || engine.read(&ScoreRequest::new(&task, 1, "scene-1.jpg", &picture));
    let ready: Vec<ReadyImage> = [read(), read()]
        .map(|image| image.expect("an image"))
        .into();
    let manifest = engine.manifest();
    let n_layers = manifest.vision.n_layers + manifest.text.n_layers;
    let whole = up_to(usize::MAX);
    let before = pollster::block_on(engine.judge_between(&ready, &whole));
    assert_eq!(whole.heard.get(), n_layers, "one pass for both images");
    for last in 1..=n_layers {
        let between = up_to(last);
        let verdicts = pollster::block_on(engine.judge_between(&ready, &between));
        for verdict in verdicts {
            let error = verdict.expect_err("it was stopped");
            assert_eq!(error.code(), "stopped");
        }
        // The pass of both, and the first layer of each by itself.
        assert_eq!(between.heard.get(), last + 2);
    }
    let after = pollster::block_on(engine.judge(&ready));
    for (before, after) in before.into_iter().zip(after) {
        let [before, after] = [before, after].map(|verdict| verdict.expect("a verdict").p_pay);
        assert_eq!(before.to_bits(), after.to_bits());
    }
}
