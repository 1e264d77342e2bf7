//! A large pack before its download: what it asks of this device, and the visitor's answer where that is much.

use super::Session;
use super::model::ModelState;
use super::port::WorkerPort;
use servimage_bench::preflight::Preflight;

impl<P: WorkerPort> Session<P> {
    /// What the pack that is being loaded asks of this device, where it had to be downloaded.
    pub fn preflight(&self) -> Option<&Preflight> {
        self.preflight.as_ref()
    }

    pub(super) fn on_preflight(&mut self, report: Preflight) {
        if !report.doubts.is_empty() && !self.insists {
            self.model = ModelState::Asking(Box::new(report));
        } else {
            self.preflight = Some(report);
        }
    }

    /// Downloads the pack whatever was found.
    pub fn load_anyway(&mut self) {
        self.insists = true;
        self.model = ModelState::Starting;
        self.load_when_possible();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pack, session};
    use super::*;
    use servimage_bench::message::{LoadPhase, Request, Response};
    use servimage_bench::preflight::Doubt;

    fn report(doubts: Vec<Doubt>) -> Response {
        let report = Preflight {
            name: "qwen3-vl-2b".to_owned(),
            device: "cpu (flex)".to_owned(),
            missing_bytes: 1_000_000_000,
            free_bytes: None,
            flops: 2e10,
            seconds_an_image: 95.0,
            doubts,
        };
        Response::Preflight { report }
    }

    #[test]
    fn a_pack_that_fits_is_told_of_and_loading_goes_on() {
        let mut session = session();
        session.on_response(report(Vec::new()));
        session.on_response(Response::LoadProgress {
            phase: LoadPhase::Download,
            done_bytes: 1,
            total_bytes: 2,
        });
        assert_eq!(session.model().word(), "loading");
        assert_eq!(
            session.preflight().map(|told| told.seconds_an_image),
            Some(95.0)
        );
    }

    #[test]
    fn a_pack_with_doubts_waits_for_an_answer_and_a_yes_is_kept() {
        let mut session = session();
        session.on_response(Response::Started);
        session.page_settled();
        session.on_response(report(vec![Doubt::Slow]));
        assert_eq!(session.model().word(), "asking");
        session.load_anyway();
        // The worker says it all again, and a fresh worker after a crash must not ask either.
        session.on_response(report(vec![Doubt::Slow]));
        assert_eq!(session.model().word(), "loading");
        session.retry_load();
        session.on_response(Response::Started);
        let insists = session
            .port
            .requests
            .iter()
            .filter_map(|(request, _)| match request {
                Request::Load(load) => Some(load.insists),
                _ => None,
            });
        assert_eq!(insists.collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn another_pack_is_asked_about_anew() {
        let mut session = session();
        session.on_response(Response::Started);
        session.page_settled();
        session.load_anyway();
        session.on_response(Response::Ready { pack: pack() });
        session.change_pack("http://host/models/nano/".to_owned(), Vec::new());
        let Some((Request::Load(load), None)) = session.port.requests.last() else {
            panic!("nothing was asked for");
        };
        assert_eq!(
            (&load.pack_url[..], load.insists),
            ("http://host/models/nano/", false)
        );
    }
}
