//! The queue as it flows: order, sets, pauses, time left.

use super::*;

#[test]
fn the_newest_drop_stands_first_with_its_images_in_order() {
    let mut session = session();
    let old = drop_images(&mut session, &["a.png", "b.png"]);
    let new = drop_images(&mut session, &["c.png", "d.png"]);
    assert_eq!(
        session.queue.ids_for_show(),
        [new[0], new[1], old[0], old[1]]
    );
}

#[test]
fn the_set_is_the_latest_good_image_of_each_other_deliverable() {
    let mut session = ready_session();
    session.add_bench_json("Product.json", &set_task_json());
    drop_images(&mut session, &["old.png", "new.png"]);
    drop_images(&mut session, &["bad.png"]);
    session.on_response(done(1, 0.7));
    session.on_response(done(2, 0.7));
    session.on_response(Response::JobFailed {
        job_id: 3,
        error: failure("image.truncated"),
    });
    session.pick_deliverable(DeliverableChoice::One(2));
    drop_images(&mut session, &["second.png"]);
    let (_, files) = session.port.requests.last().cloned().expect("a job");
    assert_eq!(files.expect("files").others, ["new.png"]);
}

#[test]
fn a_paused_queue_sends_nothing_new_and_goes_on_where_it_stopped() {
    let mut session = ready_session();
    session.set_paused(true);
    drop_images(&mut session, &["a.png", "b.png"]);
    assert!(jobs(&session).is_empty());
    session.set_paused(false);
    assert_eq!(jobs(&session).len(), 2);
}

#[test]
fn all_failed_images_are_tried_again_at_once() {
    let mut session = judged_session();
    let ids = drop_images(&mut session, &["c.png"]);
    session.cancel(ids[0]);
    session.retry_failed();
    assert_eq!(
        jobs(&session)[2..]
            .iter()
            .map(|job| job.1)
            .collect::<Vec<_>>(),
        ["c.png", "bad.png", "c.png"]
    );
}

#[test]
fn a_long_queue_is_announced_once_it_is_done() {
    let mut session = ready_session();
    drop_images(&mut session, &["x.png"; 13]);
    let is_judged =
        |session: &Session<Recorder>| matches!(session.notice(), Some(Notice::Judged { .. }));
    for job_id in 1..=13 {
        assert!(!is_judged(&session));
        session.on_response(done(job_id, 0.7));
    }
    assert_eq!(
        session.notice(),
        Some(&Notice::AllJudged {
            done: 13,
            failed: 0
        })
    );
}

#[test]
fn what_went_wrong_with_a_drop_stays_while_its_images_are_judged() {
    let mut session = ready_session();
    drop_images(&mut session, &["a.png"]);
    let lost = Notice::NotUnpacked {
        name: "b.png".into(),
        why: "it is encrypted".into(),
        n_more: 0,
    };
    session.notify(lost.clone());
    session.on_response(done(1, 0.7));
    assert!(matches!(session.notice(), Some(Notice::Judged { .. })));
    assert_eq!(session.lasting_notices(), [lost]);
    session.dismiss_notice();
    assert!(session.lasting_notices().is_empty());
}
