//! What `fit` promises: decisions of people change what a pack says of payment, and nothing else.

use burn::tensor::Device;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use servimage_bench::results::{Decision, ResultRow};
use servimage_bench::task::{Deliverable, Task};
use servimage_pack::dir::DirSource;
use servimage_pack::{MemorySource, Pack};
use servimage_train::error::TrainError;
use servimage_train::fit::{fit, see_rows};
use servimage_train::picture::Picture;
use servimage_train::scorer::Scorer;
use std::path::Path;

/// A client who pays for bright pictures and not for dark ones, whatever nano thinks of them.
#[test]
fn a_head_fitted_to_decisions_follows_them_on_tasks_that_it_never_saw()
-> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public/models/nano");
    let pack = pollster::block_on(Pack::open(DirSource::new(folder)))?;
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let images = tempfile::tempdir()?;
    let mut rng = SmallRng::seed_from_u64(6);
    let (mut rows, mut tasks) = (Vec::new(), Vec::new());
    for number in 0..90 {
        let id = format!("product-{number:03}");
        let bright = number % 2 == 0;
        let level = if bright {
            rng.random_range(0.7..0.95)
        } else {
            rng.random_range(0.05..0.3)
        };
        let mut picture = Picture::filled(96, 96, [level; 3]);
        for pixel in &mut picture.pixels {
            *pixel = pixel.map(|v| v + rng.random_range(-0.04..0.04));
        }
        let file = images
            .path()
            .join("some-model")
            .join(&id)
            .join("subtask_1.png");
        std::fs::create_dir_all(file.parent().ok_or("a file has a folder")?)?;
        picture.save(&file)?;
        rows.push(ResultRow::new(&Decision {
            model: "some-model",
            task_id: &id,
            category: "C-Product",
            deliverable: 1,
            n_deliverables: 1,
            accepted: bright,
            ..Decision::default()
        }));
        tasks.push(Task {
            task_id: id,
            requirement: "A plain background".to_owned(),
            deliverables: vec![Deliverable {
                index: 1,
                name: "subtask_1".to_owned(),
                ..Deliverable::default()
            }],
            ..Task::default()
        });
    }
    let without = ResultRow::new(&Decision {
        task_id: "product-999",
        deliverable: 1,
        n_deliverables: 1,
        ..Decision::default()
    });
    rows.push(without);
    let (seen, missing) = see_rows(&pack, &scorer, &rows, &tasks, images.path())?;
    assert_eq!(
        (seen.len(), missing),
        (90, vec!["product-999/subtask_1".to_owned()])
    );

    let mut memory = MemorySource::default();
    let (figures, manifest) = fit(&pack, &seen, &mut memory)?;
    assert!(
        figures.n_kept >= 8 && figures.n_fitted + figures.n_kept == 90,
        "{figures:?}"
    );
    assert!(
        figures.auroc[1] > 0.95 && figures.brier[1] < 0.1,
        "{figures:?}"
    );
    assert!(
        manifest.labels.contains("human decisions"),
        "{}",
        manifest.labels
    );

    let fitted = pollster::block_on(Pack::open(memory))?;
    assert!(pollster::block_on(fitted.verify()).is_empty());
    let after = Scorer::load(&fitted, &Device::flex())?;
    let picture = Picture::filled(96, 96, [0.85; 3]);
    let say = |scorer: &Scorer| -> Result<_, TrainError> {
        let trace = scorer.trace(&scorer.input_of(&tasks[0], 1, &picture)?)?;
        Ok(trace
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>())
    };
    let (old, new) = (say(&scorer)?, say(&after)?);
    assert_eq!(old["stage1.veq_clarity"], new["stage1.veq_clarity"]);
    assert_ne!(old["stage2.pay_logits"], new["stage2.pay_logits"]);
    assert!(new["stage2.pay_logits"][1] > new["stage2.pay_logits"][0]);
    Ok(())
}

#[test]
fn hardly_any_decisions_are_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public/models/nano");
    let pack = pollster::block_on(Pack::open(DirSource::new(folder)))?;
    let refused = fit(&pack, &[], MemorySource::default())
        .err()
        .map(|error| error.to_string());
    assert!(refused.is_some_and(|message| message.contains("at least 8, found 0")));
    Ok(())
}
