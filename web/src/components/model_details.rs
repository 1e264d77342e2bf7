//! The loaded model: device, what its labels are worth, and the self-test on demand.

use crate::page::{DialogKind, Page};
use crate::session::format;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::message::{Kept, LoadedPack, SelfTestReport};

/// The model that is ready.
#[component]
pub fn ModelDetails(
    /// What the worker loaded.
    pack: LoadedPack,
) -> impl IntoView {
    let page = Page::here();
    let kind = if pack.is_gpu {
        Key::DeviceGpu
    } else {
        Key::DeviceCpu
    };
    let slow =
        (!pack.is_gpu).then(|| view! { <span class="badge">{page.t(Key::DeviceSlow)}</span> });
    let reason = pack.cpu_reason.clone().map(|reason| {
        view! { <p class="dim detail">{page.t(Key::CpuReason)} " " <span lang="en">{reason}</span></p> }
    });
    let (name, size, took) = (
        pack.name.clone(),
        format::bytes(pack.size_bytes),
        format::duration(pack.load_millis),
    );
    let summary = move || {
        fill(
            page.t(Key::ModelSummary)(),
            &[("name", &name), ("size", &size), ("took", &took)],
        )
    };
    let kept = match pack.kept.clone() {
        Kept::Small => None,
        kept => Some(view! { <KeptHere kept=kept /> }),
    };
    let has_card = page.model_card.with_untracked(|card| !card.is_empty());
    view! {
        <p class="model-line">
            <span class="glyph pass" aria-hidden="true">"✓"</span>
            <strong>{page.t(Key::ModelReady)}</strong>
            <span class="device" data-testid="device-label" data-gpu=pack.is_gpu.to_string()>
                {page.t(kind)}
                <span class="dim" lang="en">" " {pack.device.clone()}</span>
            </span>
            {slow}
        </p>
        {reason}
        <p class="dim detail">{summary} " " {has_card.then(|| view! {
            <button class="link" type="button" data-testid="open-model-card"
                on:click=move |_| page.dialog.set(Some(DialogKind::ModelCard))>{page.t(Key::ModelCardTitle)}</button>
        })}</p>
        {kept}
        <SelfTest report=pack.self_test parameters=pack.n_parameters quant=pack.quant heap_bytes=pack.heap_bytes />
    }
}

/// Whether a large pack is kept for the next visit.
#[component]
fn KeptHere(
    /// As the worker says.
    kept: Kept,
) -> impl IntoView {
    let page = Page::here();
    let on_device = kept == Kept::OnDevice;
    let words = move || match &kept {
        Kept::InMemory {
            needed_bytes,
            free_bytes,
            reason,
        } => {
            let [needed, free] = [*needed_bytes, free_bytes.unwrap_or_default()].map(format::bytes);
            let values = [
                ("reason", reason.as_str()),
                ("needed", &needed),
                ("free", &free),
            ];
            let words = match free_bytes {
                Some(_) => Key::KeptInMemory,
                None => Key::KeptInMemoryOnly,
            };
            fill(page.t(words)(), &values)
        }
        Kept::InFolder => page.t(Key::KeptInFolder)().to_owned(),
        Kept::OnDevice | Kept::Small => page.t(Key::KeptOnDevice)().to_owned(),
    };
    view! {
        <p class="dim detail" data-testid="pack-kept" data-kept=on_device.to_string()>{words}</p>
    }
}

/// The self-test, row by row, on demand.
#[component]
fn SelfTest(
    /// The report.
    report: SelfTestReport,
    /// Number of parameters of the network.
    parameters: u64,
    /// Layout of the weights.
    quant: String,
    /// Most bytes that loading took in the worker's memory.
    heap_bytes: u64,
) -> impl IntoView {
    let page = Page::here();
    let json = serde_json::to_string(&report).unwrap_or_default();
    let title = if report.passed {
        Key::SelfTestPassed
    } else {
        Key::SelfTestFailed
    };
    let worst = report
        .rows
        .iter()
        .map(|row| row.max_relative_error)
        .fold(0.0, f64::max);
    let (worst, tolerance) = (format!("{worst:.1e}"), format!("{:.0e}", report.tolerance));
    let bound = move || {
        fill(
            page.t(Key::SelfTestBound)(),
            &[("worst", &worst), ("tolerance", &tolerance)],
        )
    };
    let heap = format::bytes(heap_bytes);
    let shape = move || {
        fill(
            page.t(Key::ModelShape)(),
            &[
                ("parameters", &format::count(page.lang.get(), parameters)),
                ("quant", &quant),
                ("heap", &heap),
            ],
        )
    };
    let rows = report.rows.into_iter().map(|row| {
        view! {
            <tr>
                <th scope="row" lang="en"><code>{row.tensor}</code></th>
                <td class="num">{format!("{:.1e}", row.max_relative_error)}</td>
            </tr>
        }
    });
    view! {
        <details class="self-test" data-testid="self-test" data-report=json>
            <summary>{page.t(title)} <span class="dim num">" " {bound}</span></summary>
            <p class="dim" data-testid="model-shape" data-heap-bytes=heap_bytes.to_string()>{shape}</p>
            <div class="scroll" tabindex="0">
            <table>
                <thead>
                    <tr><th scope="col">{page.t(Key::SelfTestTensor)}</th><th scope="col">{page.t(Key::SelfTestError)}</th></tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            </div>
        </details>
    }
}
