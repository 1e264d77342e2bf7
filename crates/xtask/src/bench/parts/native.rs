//! The same networks natively: ours on the CPU and on a GPU through wgpu, PyTorch on the CPU.

use crate::bench::evaluator::Evaluator;
use crate::bench::figures::{figure, megabytes, numbers, rows, spread_or, word};
use crate::bench::rounds::{difference, in_turn};
use crate::bench::spread::Spread;
use crate::bench::tools::empty_folder;
use crate::bench::watched::watch;
use crate::bench::{Context, parts, peers, table::Table};
use crate::command::command;
use crate::workspace;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const OURS: &str = "ours, CPU";
const OURS_ONE: &str = "ours, CPU, one thread";
const OURS_GPU: &str = "ours, wgpu";
const TORCH: &str = "PyTorch, plain network";
const TORCH_ONE: &str = "PyTorch, plain network, one thread";
const TRANSFORMERS: &str = "PyTorch, transformers";
const CONTENDERS: [&str; 6] = [OURS, TORCH, TRANSFORMERS, OURS_ONE, TORCH_ONE, OURS_GPU];

/// A network with an input.
struct Case {
    name: &'static str,
    pack: PathBuf,
    input: PathBuf,
    /// How PyTorch finds the same network.
    peer: [String; 2],
}

/// Every case with every contender.
pub fn measure(context: &Context) -> Result<Value> {
    let mut rows = Vec::new();
    for case in cases(context)? {
        rows.push(match case {
            Ok(case) => json!({"case": case.name, "found": compare(context, &case)?}),
            Err((name, error)) => json!({"case": name, "error": error}),
        });
    }
    Ok(json!({"rows": rows, "adapter": context.adapter()}))
}

/// All contenders in turn; for one that cannot be opened, the reason.
fn compare(context: &Context, case: &Case) -> Result<Value> {
    let request = json!({"input": case.input, "prefix": false});
    let (mut open, mut missing) = (Vec::new(), Vec::new());
    for (name, command) in contenders(context, case)? {
        match command.and_then(|mut command| Evaluator::open(name, &mut command)) {
            Ok(evaluator) => open.push((evaluator, request.clone())),
            Err(error) => missing.push((name, format!("{error:#}"))),
        }
    }
    let mut found = in_turn(&mut open, context.effort(30, 12));
    for (name, error) in missing {
        eprintln!("xtask: {name} is left out: {error}");
        found[name] = json!({"error": error});
    }
    Ok(found)
}

type CaseOrReason = Result<Case, (&'static str, String)>;

fn cases(context: &Context) -> Result<Vec<CaseOrReason>> {
    let tools = context.tools()?;
    let files = parts::browser::inputs(context)?;
    let nano = |name, pack: PathBuf, input| Case {
        name,
        peer: ["--pack".to_owned(), pack.display().to_string()],
        pack,
        input,
    };
    let mut cases = vec![
        Ok(nano(
            "nano, the page's prompt",
            workspace::nano(),
            files.page,
        )),
        Ok(nano("nano, a long brief", files.long_pack, files.long)),
    ];
    let name = "golden a, both stages";
    let golden = workspace::root().join("../shared/golden/a");
    cases.push(match golden_pack(context, &golden) {
        Ok(pack) => Ok(Case {
            name,
            input: tools.input(&pack, "golden-a", &["self-test"])?,
            pack,
            peer: ["--golden".to_owned(), golden.display().to_string()],
        }),
        Err(error) => Err((name, format!("{error:#}"))),
    });
    Ok(cases)
}

/// The golden checkpoint as a pack, in f32 as PyTorch has it.
fn golden_pack(context: &Context, golden: &Path) -> Result<PathBuf> {
    ensure!(
        golden.is_dir(),
        "the reference data beside the repository is missing"
    );
    let out = empty_folder("packs/golden-a")?;
    let mut convert = command(&context.tools()?.servimage);
    convert
        .args(["convert", "--quant", "f32", "--out"])
        .arg(&out);
    convert.arg("--golden").arg(golden);
    for part in ["base", "stage1", "stage2"] {
        convert.arg(format!("--{part}")).arg(golden.join(part));
    }
    watch(&mut convert, Duration::from_secs(120))?;
    Ok(out)
}

/// How each is started; a peer that is not there has its reason.
fn contenders(context: &Context, case: &Case) -> Result<Vec<(&'static str, Result<Command>)>> {
    let tools = context.tools()?;
    let pack = case.pack.display().to_string();
    let ours = |device| tools.forward(&["serve", &pack, device]);
    let mut one_thread = ours("cpu");
    one_thread.env("RAYON_NUM_THREADS", "1");
    let torch = |implementation: &str, threads: usize| {
        let mut torch = peers::script(&context.python()?, "torch_cpu.py");
        torch
            .args(&case.peer)
            .args(["--implementation", implementation]);
        torch.args(["--threads", &threads.to_string()]);
        Ok(torch)
    };
    let n_cores = context.n_cores();
    Ok(vec![
        (OURS, Ok(ours("cpu"))),
        (TORCH, torch("plain", n_cores)),
        (TRANSFORMERS, torch("transformers", n_cores)),
        (OURS_ONE, Ok(one_thread)),
        (TORCH_ONE, torch("plain", 1)),
        (OURS_GPU, Ok(ours("gpu"))),
    ])
}

/// A row a case and contender.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&[
        "network and input",
        "contender",
        "first, ms",
        "warm, ms",
        "x our time",
        "difference",
        "peak memory",
    ]);
    for row in rows(data) {
        let case = word(&row["case"]);
        if let Some(error) = row["error"].as_str() {
            table.row(&[case, format!("not measured: {error}")]);
            continue;
        }
        for name in CONTENDERS {
            table.row(&cells(&case, name, &row["found"]));
        }
    }
    let adapter = data["adapter"]["name"].as_str().unwrap_or("none");
    let versions = &data["rows"][0]["found"][TORCH]["about"]["versions"];
    let version = |name: &str| versions[name].as_str().unwrap_or("not there").to_owned();
    format!(
        "PyTorch {}, transformers {}; `ours, wgpu` runs on {adapter}. Whole prompts, no prefix kept. The rows of one thread are compared with each \
         other. Difference: largest of all logits against PyTorch's plain network.\n\n{table}",
        version("torch"),
        version("transformers")
    )
}

fn cells(case: &str, name: &str, found: &Value) -> Vec<String> {
    let entry = &found[name];
    let mut cells = vec![case.to_owned(), name.to_owned()];
    let own = numbers(&entry["millis"]);
    if own.is_empty() {
        cells.push(format!("not measured: {}", word(&entry["error"])));
        return cells;
    }
    let against = match name.contains("one thread") {
        true => OURS_ONE,
        false => OURS,
    };
    let ratio = Spread::of_ratio(&own, &numbers(&found[against]["millis"]));
    let error = difference(&entry["last"], &found[TORCH]["last"]).filter(|_| name != TORCH);
    cells.extend([
        figure(&entry["first"], 1.0),
        spread_or(Spread::of(&own), ""),
        spread_or(ratio.filter(|_| name != against), ""),
        error.map_or_else(String::new, |error| format!("{error:.0e}")),
        megabytes(&entry["last"]["peak_bytes"]),
    ]);
    cells
}
