//! The worker reads a brief before its first image comes, and only once.

use super::*;

/// Deliverables and neighbours of what the worker was asked to prepare, in order.
fn asked(session: &Session<Recorder>) -> Vec<(u32, usize)> {
    let requests = session.port.requests.iter();
    let preparations = requests.filter_map(|(request, _)| match request {
        Request::Prepare(wanted) => Some((wanted.deliverable, wanted.beside.n_others)),
        _ => None,
    });
    preparations.collect()
}

#[test]
fn the_picked_deliverable_is_prepared_as_soon_as_the_model_is_ready_and_when_another_is_picked() {
    let mut session = session();
    session.add_bench_json("Product.json", &set_task_json());
    assert!(asked(&session).is_empty(), "there is no model yet");
    session.on_response(Response::Ready { pack: pack() });
    assert_eq!(asked(&session), [(1, 0)]);
    session.pick_deliverable(DeliverableChoice::One(1));
    assert_eq!(asked(&session), [(1, 0)], "nothing has changed");
    session.pick_deliverable(DeliverableChoice::One(2));
    assert_eq!(asked(&session), [(1, 0), (2, 0)]);
}

#[test]
fn the_rest_of_the_set_is_expected_beside_the_next_image() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    drop_images(&mut session, &["1.png"]);
    session.pick_deliverable(DeliverableChoice::One(2));
    assert_eq!(asked(&session).last(), Some(&(2, 1)));
}

#[test]
fn the_page_knows_when_the_picked_deliverable_is_prepared() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    let prepared = |deliverable| Response::Prepared {
        task_id: "product-007".to_owned(),
        deliverable,
    };
    assert!(!session.is_prepared());
    session.on_response(prepared(1));
    assert!(session.is_prepared());
    session.pick_deliverable(DeliverableChoice::One(2));
    assert!(!session.is_prepared());
    session.on_response(prepared(2));
    assert!(session.is_prepared());
}

#[test]
fn a_fresh_worker_is_asked_again() {
    let mut session = ready_session();
    let before = asked(&session).len();
    session.retry_load();
    assert!(!session.is_prepared());
    session.on_response(Response::Started);
    session.on_response(Response::Ready { pack: pack() });
    assert_eq!(asked(&session).len(), before + 1);
}
