//! Packs that are kept on the visitor's device.

use super::Session;
use super::model::ModelState;
use super::port::WorkerPort;
use servimage_bench::message::{Kept, Request};

impl<P: WorkerPort> Session<P> {
    /// Deletes every pack that is kept; the loaded one works on.
    pub fn delete_packs(&mut self) {
        self.port.post(&Request::DeletePacks, None);
    }

    /// Nothing is kept any more, or `error` says why not.
    pub(super) fn on_packs_deleted(&mut self, error: Option<String>) {
        if let ModelState::Ready(pack) = &mut self.model
            && pack.kept == Kept::OnDevice
        {
            pack.kept = Kept::InMemory {
                needed_bytes: pack.size_bytes,
                free_bytes: None,
                reason: error.unwrap_or_else(|| "deleted".to_owned()),
            };
        }
    }
}
