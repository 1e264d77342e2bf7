//! Packs: those that are kept on the visitor's device, and the change from one to another.

use super::Session;
use super::intake::Incoming;
use super::model::ModelState;
use super::port::WorkerPort;
use servimage_bench::message::{Kept, Request, Shelf};

impl<P: WorkerPort> Session<P> {
    /// What is kept on this device, once the worker has said so.
    pub fn shelf(&self) -> Option<&Shelf> {
        self.shelf.as_ref()
    }

    /// Asks what is kept on this device.
    pub fn list_packs(&mut self) {
        self.wants_shelf = true;
        // One that has not started yet hears nothing.
        if self.worker_started {
            self.port.post(&Request::ListPacks, None);
        }
    }

    /// Deletes a kept pack, or all of them; the loaded one works on.
    pub fn delete_packs(&mut self, pack_url: Option<String>) {
        self.port.post(&Request::DeletePacks { pack_url }, None);
    }

    pub(super) fn on_packs(&mut self, shelf: Shelf) {
        let url = &self.options.pack_url;
        let is_here = shelf.packs.iter().any(|pack| pack.pack_url == *url);
        if let ModelState::Ready(pack) = &mut self.model
            && pack.kept == Kept::OnDevice
            && !is_here
        {
            pack.kept = Kept::InMemory {
                needed_bytes: pack.size_bytes,
                free_bytes: None,
                reason: "deleted".to_owned(),
            };
        }
        self.shelf = Some(shelf);
    }

    /// Loads another pack, given by the absolute URL of its folder, or by a name and the files of a folder on the visitor's disk.
    ///
    /// A download under way ends; what came of it is there for the next time.
    pub fn change_pack(&mut self, pack_url: String, files: Vec<Incoming<P::File>>) {
        (self.options.pack_url, self.pack_files) = (pack_url, files);
        (self.insists, self.preflight) = (false, None);
        match self.model {
            ModelState::Ready(_) | ModelState::Asking(_) => {
                (self.asked_to_prepare, self.prepared) = (None, None);
                self.take_jobs_back();
                self.model = ModelState::Starting;
                self.load_when_possible();
            }
            ModelState::Starting | ModelState::Loading(_) | ModelState::Failed(_) => {
                self.retry_load();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Recorder, pack, session};
    use super::*;
    use servimage_bench::message::{KeptPack, LoadPhase, Response};

    const BIG: &str = "http://host/models/big/";

    fn here(pack_url: &str) -> Shelf {
        let pack = KeptPack {
            pack_url: pack_url.to_owned(),
            name: "big".to_owned(),
            quant: "q4".to_owned(),
            size_bytes: 2,
            here_bytes: 1,
        };
        Shelf {
            packs: vec![pack],
            ..Shelf::default()
        }
    }

    #[test]
    fn the_loaded_pack_is_told_to_be_gone_when_it_is_and_not_when_another_one_is() {
        let mut session = session();
        let mut pack = pack();
        pack.kept = Kept::OnDevice;
        session.options.pack_url = BIG.to_owned();
        session.on_response(Response::Ready { pack });
        let kept = |session: &Session<Recorder>| match session.model() {
            ModelState::Ready(pack) => pack.kept.clone(),
            state => panic!("{state:?}"),
        };
        session.on_response(Response::Packs { shelf: here(BIG) });
        assert_eq!(kept(&session), Kept::OnDevice);
        session.on_response(Response::Packs {
            shelf: here("http://host/models/other/"),
        });
        assert!(matches!(kept(&session), Kept::InMemory { .. }));
    }

    #[test]
    fn a_change_of_packs_ends_a_download_and_keeps_a_worker_that_is_ready() {
        let mut session = session();
        session.on_response(Response::Started);
        session.page_settled();
        let restarts = |session: &Session<Recorder>| session.port.starts;
        let before = restarts(&session);
        session.on_response(Response::LoadProgress {
            phase: LoadPhase::Download,
            done_bytes: 1,
            total_bytes: 2,
        });
        session.change_pack(BIG.to_owned(), Vec::new());
        assert_eq!(restarts(&session), before + 1);
        session.on_response(Response::Started);
        session.on_response(Response::Ready { pack: pack() });
        session.change_pack("http://host/models/nano/".to_owned(), Vec::new());
        assert_eq!(restarts(&session), before + 1);
        let urls = session
            .port
            .requests
            .iter()
            .filter_map(|(request, _)| match request {
                Request::Load(load) => Some(&load.pack_url[..]),
                _ => None,
            });
        let urls: Vec<&str> = urls.skip(1).collect();
        assert_eq!(urls, [BIG, "http://host/models/nano/"]);
    }
}
