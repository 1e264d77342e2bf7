//! What made a verdict, on demand: enough to make it again.

use crate::page::Page;
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;
use servimage_bench::verdict::Provenance;

/// Provenance of one verdict.
#[component]
pub fn ProvenanceView(
    /// From the verdict.
    provenance: Provenance,
    /// Milliseconds of work on this image.
    work_millis: f64,
) -> impl IntoView {
    let page = Page::here();
    let rows = [
        (
            Key::FromPack,
            format!("{} ({})", provenance.pack_name, provenance.quant),
        ),
        (Key::FromHash, provenance.pack_sha256),
        (Key::FromCalibration, provenance.calibration),
        (Key::FromDevice, provenance.device),
        (Key::FromSelfTest, provenance.self_test),
        (Key::FromDecoder, provenance.decoder),
        (Key::FromTask, provenance.task_version),
        (Key::FromBuild, provenance.build),
        (Key::FromTime, format::duration(work_millis)),
    ];
    view! {
        <details class="provenance" data-testid="provenance" data-work-millis=work_millis.to_string()>
            <summary>{page.t(Key::ProvenanceTitle)}</summary>
            <dl>
                {rows.map(|(title, value)| view! { <div><dt>{page.t(title)}</dt><dd><code>{value}</code></dd></div> }).collect_view()}
            </dl>
        </details>
    }
}
