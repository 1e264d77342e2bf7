//! A worker that breaks loses no image, and a bad image ends no queue.

use super::*;

/// The fresh worker starts and loads.
fn comes_back(session: &mut Session<Recorder>) {
    session.on_response(Response::Started);
    session.on_response(Response::Ready { pack: pack() });
}

/// The worker begins with a job and breaks.
fn breaks_on(session: &mut Session<Recorder>, job_id: u32) {
    session.on_response(Response::JobPhase {
        job_id,
        phase: JobPhase::Scoring,
    });
    session.on_worker_broken("unreachable".into());
}

/// The id of the last job that was sent for this file.
fn last_job(session: &Session<Recorder>, image: &str) -> u32 {
    let jobs = jobs(session);
    let found = jobs.iter().rev().find(|(_, name, _)| *name == image);
    found.expect("the image was sent").0
}

#[test]
fn a_broken_worker_is_replaced_and_the_queue_goes_on() {
    let mut session = ready_session();
    let ids = drop_images(&mut session, &["a.png", "b.png"]);
    let first = last_job(&session, "a.png");
    breaks_on(&mut session, first);
    assert_eq!(session.port.starts, 2, "a fresh worker");
    assert_eq!(
        session.notice(),
        Some(&Notice::Recovered),
        "the page says so"
    );
    assert_eq!(state(&session, ids[0]), CardState::Waiting);
    comes_back(&mut session);
    for name in ["a.png", "b.png"] {
        let job_id = last_job(&session, name);
        assert!(job_id > first + 1, "{name} is sent again");
        session.on_response(done(job_id, 0.9));
    }
    assert!(ids.iter().all(|&id| state(&session, id).word() == "done"));
}

#[test]
fn an_image_that_breaks_two_workers_has_failed_and_the_next_is_judged() {
    let mut session = ready_session();
    let ids = drop_images(&mut session, &["bad.png", "good.png"]);
    for _ in 0..2 {
        let job_id = last_job(&session, "bad.png");
        breaks_on(&mut session, job_id);
        comes_back(&mut session);
    }
    assert!(
        matches!(state(&session, ids[0]), CardState::Failed(error) if error.code == "worker.broken")
    );
    let job_id = last_job(&session, "good.png");
    session.on_response(done(job_id, 0.9));
    assert_eq!(state(&session, ids[1]).word(), "done");
}

#[test]
fn a_suspect_goes_alone_and_those_behind_it_together_again() {
    let mut session = ready_session();
    drop_images(&mut session, &["suspect.png", "b.png", "c.png"]);
    let job_id = last_job(&session, "suspect.png");
    breaks_on(&mut session, job_id);
    let n_before = jobs(&session).len();
    comes_back(&mut session);
    let sent = |session: &Session<Recorder>| {
        let jobs = jobs(session).into_iter().skip(n_before);
        jobs.map(|(_, name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sent(&session), ["suspect.png"]);
    let job_id = last_job(&session, "suspect.png");
    session.on_response(done(job_id, 0.9));
    assert_eq!(sent(&session), ["suspect.png", "b.png", "c.png"]);
}

#[test]
fn a_lost_device_is_opened_again_by_a_fresh_worker() {
    let mut session = ready_session();
    let ids = drop_images(&mut session, &["a.png"]);
    let job_id = last_job(&session, "a.png");
    session.on_response(Response::JobPhase {
        job_id,
        phase: JobPhase::Scoring,
    });
    let error = ErrorInfo {
        code: "device.failed".into(),
        message: "the device was lost".into(),
    };
    session.on_response(Response::JobFailed { job_id, error });
    assert_eq!(session.port.starts, 2);
    assert_eq!(state(&session, ids[0]), CardState::Waiting);
    comes_back(&mut session);
    let job_id = last_job(&session, "a.png");
    session.on_response(done(job_id, 0.9));
    assert_eq!(state(&session, ids[0]).word(), "done");
}

#[test]
fn a_worker_that_never_worked_is_not_started_over_and_over() {
    let mut session = session();
    session.on_worker_broken("its code did not load".into());
    assert_eq!((session.model().word(), session.port.starts), ("failed", 1));
    session.on_worker_broken("unreachable".into());
    let ModelState::Failed(error) = session.model() else {
        panic!("a second report woke it up: {:?}", session.model());
    };
    assert_eq!(error.message, "its code did not load");
    let mut session = ready_session();
    for _ in 0..9 {
        session.on_worker_broken("it breaks while idle".into());
        comes_back(&mut session);
        if session.model().word() == "failed" {
            break;
        }
    }
    assert!(session.port.starts <= 5, "{} workers", session.port.starts);
}
