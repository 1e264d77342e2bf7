//! `servimage score`: verdicts of real images on stdout, one bad image fails alone.

use crate::checkpoint::golden;
use crate::command_line::{convert, servimage, text};
use serde_json::Value;

#[test]
fn images_are_judged_and_a_broken_one_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    assert_eq!(convert(&pack).status.code(), Some(0));
    let pack = pack.display().to_string();
    let bytes = std::fs::read(golden().join("images/0.png")).unwrap();
    let cut = folder.path().join("cut.png");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (good, cut) = (
        golden().join("images/0.png").display().to_string(),
        cut.display().to_string(),
    );
    let task = servimage_bench::starter::starter_tasks()[0].task_id.clone();
    let score = |more: &[&str]| {
        servimage(
            &[
                &["score", "--pack", &pack, "--task", &task, "--subtask", "1"],
                more,
            ]
            .concat(),
        )
    };

    let output = score(&["--format", "jsonl", &good, &cut, &good]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let rows: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (&rows[1]["image"], &rows[1]["error"]["code"]),
        (&"cut.png".into(), &"image.truncated".into())
    );
    let p_pay = rows[0]["p_pay"].as_f64().unwrap();
    assert!(
        (0.0..=1.0).contains(&p_pay) && rows[0]["p_pay"] == rows[2]["p_pay"],
        "{rows:?}"
    );
    assert_eq!(
        (&rows[0]["task_id"], &rows[0]["provenance"]["quant"]),
        (&task.as_str().into(), &"q8".into())
    );

    let output = score(&["--format", "csv", &good]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let csv = text(&output.stdout);
    let (header, row) = csv.split_once('\n').unwrap();
    assert!(header.starts_with("image,task_id,deliverable,p_pay,"));
    assert_eq!(
        row.trim_end().split(',').count(),
        header.split(',').count(),
        "{csv}"
    );
    assert!(row.contains(&format!("{p_pay}")), "{csv}");

    let output = score(&[&good]);
    assert!(
        text(&output.stdout).contains("0.png")
            && text(&output.stdout).contains(&format!("{p_pay:.4}"))
    );

    let output = servimage(&["score", "--pack", &pack, "--task", "portrait-999", &good]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("no task `portrait-999`"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_folder_of_outputs_is_judged_once_though_the_run_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    assert_eq!(convert(&pack).status.code(), Some(0));
    let tasks = servimage_bench::starter::starter_tasks();
    let set = tasks
        .iter()
        .find(|task| task.deliverables.len() > 1)
        .unwrap();
    let outputs = folder.path().join("outputs");
    let of_task = outputs.join(&set.task_id);
    std::fs::create_dir_all(&of_task).unwrap();
    for (name, image) in [
        ("subtask_2.png", "1.png"),
        ("subtask_1.png", "0.png"),
        ("subtask_9.png", "2.png"),
    ] {
        std::fs::write(
            of_task.join(name),
            std::fs::read(golden().join("images").join(image)).unwrap(),
        )
        .unwrap();
    }
    let results = folder.path().join("results.jsonl");
    let paths = [&pack, &outputs, &results].map(|path| path.display().to_string());
    let run = || {
        servimage(&[
            "score",
            "--pack",
            &paths[0],
            "--outputs",
            &paths[1],
            "--results",
            &paths[2],
        ])
    };
    let output = run();
    assert_eq!(
        output.status.code(),
        Some(1),
        "no deliverable 9: {}",
        text(&output.stderr)
    );
    let first = std::fs::read_to_string(&results).unwrap();
    let rows: Vec<Value> = first
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (&rows[0]["deliverable"], &rows[1]["deliverable"]),
        (&1.into(), &2.into())
    );
    assert_eq!(rows[2]["error"]["code"], "task.no_deliverable");

    // Cut off within the second row: it is judged again, the first is not.
    let end_of_first = first.find('\n').unwrap();
    std::fs::write(&results, &first[..end_of_first + 40]).unwrap();
    let output = run();
    assert!(
        text(&output.stderr).contains("3 images, 1 of them judged before"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(std::fs::read_to_string(&results).unwrap(), first);
}

#[test]
fn a_plain_checkpoint_answers_each_concept_by_a_question_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack").display().to_string();
    let base = golden().join("base").display().to_string();
    let output = servimage(&["convert", "--base", &base, "--quant", "f32", "--out", &pack]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let image = golden().join("images/0.png").display().to_string();
    let task = "starter-product-001";
    let output = servimage(&[
        "score", "--pack", &pack, "--task", task, "--format", "jsonl", &image,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    let concepts = &verdict["concepts"];
    let score = |name: &str| concepts[name]["score"].as_f64();
    let asked = ["brf", "veq_clarity", "veq_realism", "veq_aesthetic"].map(score);
    assert!(
        asked
            .iter()
            .all(|score| (1.0..=5.0).contains(&score.unwrap())),
        "{concepts:#}"
    );
    let same = asked.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(same, 0, "one answer for all: {concepts:#}");
    for name in ["cns_edit", "cns_set"] {
        assert_eq!(concepts[name]["applicable"], false, "{concepts:#}");
    }
}
