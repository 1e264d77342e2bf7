//! The session against a recording worker: what a visitor would miss if it broke.

mod flow;
pub(crate) mod recorded;
mod recovery;

use super::intake::Incoming;
use super::model::ModelState;
use super::notice::Notice;
use super::options::Options;
use super::port::{JobFiles, WorkerPort};
use super::queue::{CANCELLED, CardState};
use super::{DeliverableChoice, MAX_IN_FLIGHT, Session};
use servimage_bench::message::{
    JobPhase, Kept, LoadedPack, ReliabilityBin, Request, Response, SelfTestReport,
};
use servimage_bench::task::{Deliverable, Task};
use servimage_bench::verdict::{ConceptScore, ErrorInfo, Provenance, Verdict};
use std::collections::BTreeMap;

mod preparing;

/// One image more than the worker is given at once.
const NAMES: [&str; MAX_IN_FLIGHT + 1] = [
    "a.png", "b.png", "c.png", "d.png", "e.png", "f.png", "g.png", "h.png", "i.png",
];

/// Keeps what it is sent; files are names.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) requests: Vec<(Request, Option<JobFiles<&'static str>>)>,
    pub(super) starts: usize,
}

impl WorkerPort for Recorder {
    type File = &'static str;

    fn size_of(file: &Self::File) -> f64 {
        file.len() as f64
    }

    fn post(&mut self, request: &Request, files: Option<&JobFiles<Self::File>>) {
        self.requests.push((request.clone(), files.cloned()));
    }

    fn post_pack(&mut self, request: &Request, _pack: &[Incoming<Self::File>]) {
        self.requests.push((request.clone(), None));
    }

    fn restart(&mut self) {
        self.starts += 1;
    }
}

pub(crate) fn verdict(image: &str, p_pay: f64) -> Verdict {
    let brief = ConceptScore {
        applicable: true,
        why_not: None,
        score: Some(4.0),
        distribution: Some([0.0, 0.0, 0.25, 0.5, 0.25]),
    };
    Verdict {
        schema_version: 1,
        image: image.to_owned(),
        task_id: "starter-product-002".to_owned(),
        deliverable: 1,
        p_pay,
        pay: p_pay >= 0.5,
        threshold: 0.5,
        price_usd: Some(10.0),
        expected_usd: Some(10.0 * p_pay),
        servimage_score: Some(66.0),
        concepts: BTreeMap::from([("brf".to_owned(), brief)]),
        rules: Vec::new(),
        image_notes: Vec::new(),
        attention: None,
        provenance: Provenance::default(),
    }
}

pub(super) fn pack() -> LoadedPack {
    LoadedPack {
        name: "nano".into(),
        labels: "proxy labels".into(),
        pack_sha256: "00".into(),
        quant: "q4".into(),
        device: "cpu (flex)".into(),
        is_gpu: false,
        cpu_reason: None,
        card: None,
        threshold: 0.5,
        reliability: vec![ReliabilityBin {
            predicted: 0.7,
            observed: 0.75,
            n: 100,
        }],
        size_bytes: 8,
        kept: Kept::Small,
        n_parameters: 3,
        self_test: SelfTestReport {
            passed: true,
            tolerance: 1e-3,
            rows: Vec::new(),
        },
        load_millis: 1.0,
        heap_bytes: 1,
    }
}

pub(super) fn session() -> Session<Recorder> {
    Session::start(Recorder::default(), Options::from_params(None, None))
}

pub(super) fn ready_session() -> Session<Recorder> {
    let mut session = session();
    session.page_settled();
    session.on_response(Response::Started);
    session.on_response(Response::Ready { pack: pack() });
    session
}

pub(super) fn drop_images(session: &mut Session<Recorder>, names: &[&'static str]) -> Vec<u32> {
    session.add_images(
        names
            .iter()
            .map(|name| Incoming {
                path: (*name).to_owned(),
                file: *name,
            })
            .collect(),
    );
    session
        .queue
        .iter()
        .rev()
        .take(names.len())
        .map(|card| card.id)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

fn jobs(session: &Session<Recorder>) -> Vec<(u32, &'static str, u32)> {
    let scores =
        session
            .port
            .requests
            .iter()
            .filter_map(|(request, files)| match (request, files) {
                (Request::Score(job), Some(files)) => {
                    Some((job.job_id, files.image, job.deliverable))
                }
                _ => None,
            });
    scores.collect()
}

/// The worker's answer to a job.
pub(super) fn done(job_id: u32, p_pay: f64) -> Response {
    Response::JobDone {
        job_id,
        verdict: Box::new(verdict("x", p_pay)),
        work_millis: 1.0,
    }
}

fn failure(code: &str) -> ErrorInfo {
    ErrorInfo {
        code: code.into(),
        message: "it broke".into(),
    }
}

fn state(session: &Session<Recorder>, id: u32) -> CardState {
    session.queue.get(id).expect("the card").state.clone()
}

/// A session with one judged and one failed image.
pub(super) fn judged_session() -> Session<Recorder> {
    let mut session = ready_session();
    drop_images(&mut session, &["good.png", "bad.png"]);
    let sent = jobs(&session);
    let verdict = Box::new(verdict("good.png", 0.75));
    session.on_response(Response::JobDone {
        job_id: sent[0].0,
        verdict,
        work_millis: 5.0,
    });
    session.on_response(Response::JobFailed {
        job_id: sent[1].0,
        error: failure("image.truncated"),
    });
    session
}

#[test]
fn the_model_is_asked_for_once_the_page_needs_no_network_any_more() {
    let mut session = session();
    session.on_response(Response::Started);
    assert!(session.port.requests.is_empty());
    session.page_settled();
    assert!(
        matches!(&session.port.requests[..], [(Request::Load(load), None)] if load.pack_url == "./models/nano/")
    );
}

#[test]
fn images_dropped_before_the_model_is_ready_are_judged_once_it_is() {
    let mut session = session();
    let ids = drop_images(&mut session, &NAMES);
    assert!(jobs(&session).is_empty());
    assert_eq!(
        session.notice(),
        Some(&Notice::Queued {
            count: NAMES.len(),
            model_ready: false
        })
    );
    session.on_response(Response::Ready { pack: pack() });
    assert_eq!(jobs(&session).len(), MAX_IN_FLIGHT);
    session.on_response(Response::JobPhase {
        job_id: 1,
        phase: JobPhase::Scoring,
    });
    assert_eq!(state(&session, ids[0]), CardState::Scoring);
    let verdict = Box::new(verdict("a.png", 0.7));
    session.on_response(Response::JobDone {
        job_id: 1,
        verdict,
        work_millis: 5.0,
    });
    let sent = jobs(&session);
    assert_eq!(sent.iter().map(|job| job.1).collect::<Vec<_>>(), NAMES);
}

#[test]
fn a_bad_image_fails_alone_and_can_be_tried_again() {
    let mut session = judged_session();
    let counts = session.queue.counts(session.threshold());
    assert_eq!((counts.done, counts.pay, counts.failed), (1, 1, 1));
    let bad = session.queue.iter().last().expect("a card").id;
    session.retry(bad);
    assert_eq!(jobs(&session).last().map(|job| job.1), Some("bad.png"));
    assert_eq!(state(&session, bad), CardState::Waiting);
}

#[test]
fn a_cancelled_job_tells_the_worker_and_ignores_its_late_answer() {
    let mut session = ready_session();
    let ids = drop_images(&mut session, &NAMES);
    assert_eq!(jobs(&session).len(), MAX_IN_FLIGHT);
    session.cancel(ids[0]);
    assert!(
        session
            .port
            .requests
            .iter()
            .any(|(request, _)| *request == Request::Cancel { job_id: 1 })
    );
    let verdict = Box::new(verdict("a.png", 0.7));
    session.on_response(Response::JobDone {
        job_id: 1,
        verdict,
        work_millis: 5.0,
    });
    assert!(matches!(state(&session, ids[0]), CardState::Failed(error) if error.code == CANCELLED));
    assert_eq!(
        jobs(&session).last().map(|job| job.1),
        NAMES.last().copied(),
        "the next one takes its place"
    );
}

#[test]
fn a_removed_card_is_gone_and_its_place_is_used() {
    let mut session = ready_session();
    let ids = drop_images(&mut session, &NAMES);
    session.remove(ids[1]);
    assert!(session.queue.get(ids[1]).is_none());
    assert_eq!(jobs(&session).len(), NAMES.len());
}

#[test]
fn a_failed_load_is_shown_with_its_reason() {
    let mut session = session();
    session.on_response(Response::LoadFailed {
        error: failure("pack.hash"),
    });
    assert_eq!(*session.model(), ModelState::Failed(failure("pack.hash")));
}

pub(super) fn set_task_json() -> String {
    let deliverable = |index: u32| Deliverable {
        index,
        name: format!("subtask_{index}"),
        ..Deliverable::default()
    };
    let task = Task {
        task_id: "product-007".into(),
        category: "C-Product".into(),
        name: "A set of two".into(),
        output_quantity: 2,
        deliverables: vec![deliverable(1), deliverable(2)],
        ..Task::default()
    };
    format!("[{}]", task.to_json())
}

#[test]
fn images_of_one_drop_meet_the_deliverables_in_order_and_know_each_other() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    assert_eq!(
        session.task().map(|task| task.task_id.clone()).as_deref(),
        Some("product-007")
    );
    session.pick_deliverable(DeliverableChoice::InOrder);
    drop_images(&mut session, &["1.png", "2.png"]);
    assert_eq!(jobs(&session), [(1, "1.png", 1), (2, "2.png", 2)]);
    let files = session
        .port
        .requests
        .last()
        .and_then(|(_, files)| files.clone())
        .expect("files");
    assert_eq!(files.others, ["1.png"]);
}

#[test]
fn pictures_of_the_benchmark_go_with_their_task() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    let key = super::intake::AssetKey {
        category: "product".into(),
        number: 7,
    };
    session.add_assets(vec![(key.clone(), "input.jpg")], vec![(key, "ref.jpg")]);
    drop_images(&mut session, &["1.png"]);
    let files = session
        .port
        .requests
        .last()
        .and_then(|(_, files)| files.clone())
        .expect("files");
    assert_eq!(
        (files.input, files.references),
        (Some("input.jpg"), vec!["ref.jpg"])
    );
}

#[test]
fn forgetting_the_benchmark_leaves_a_task_to_pick_and_the_cards_as_they_are() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    let ids = drop_images(&mut session, &["1.png"]);
    session.forget_bench();
    assert!(
        session
            .task()
            .is_some_and(|task| task.task_id != "product-007")
    );
    assert_eq!(
        session
            .queue
            .get(ids[0])
            .map(|card| card.task.task_id.clone())
            .as_deref(),
        Some("product-007")
    );
}

#[test]
fn a_json_file_without_tasks_is_named() {
    let mut session = session();
    session.add_bench_json("package.json", "{ nonsense");
    assert!(
        matches!(session.notice(), Some(Notice::NotABenchFile { name, .. }) if name == "package.json")
    );
}

#[test]
fn a_judged_image_can_be_judged_for_another_task() {
    let mut session = judged_session();
    session.add_bench_json("Product.json", &set_task_json());
    let id = session.queue.iter().next().expect("a card").id;
    session.pick_deliverable(DeliverableChoice::One(2));
    session.rejudge(id);
    assert_eq!(jobs(&session).last(), Some(&(3, "good.png", 2)));
}
