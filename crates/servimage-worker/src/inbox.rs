//! What comes from the page, and the wait for it.

use crate::packs;
use crate::platform::{Files, post};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use servimage_bench::backlog::{Backlog, Work};
use servimage_bench::message::{Request, Response, Shelf};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// Takes messages as they come; clones share what waits.
#[derive(Clone)]
pub(crate) struct Inbox {
    backlog: Rc<RefCell<Backlog<Files>>>,
    bell: UnboundedSender<()>,
}

fn tell(shelf: Shelf) {
    post(&Response::Packs { shelf });
}

/// Rings once a message.
pub(crate) struct Bell(UnboundedReceiver<()>);

impl Inbox {
    /// An empty inbox and its bell.
    pub fn new() -> (Self, Bell) {
        let (bell, rings) = unbounded();
        let backlog = Rc::default();
        (Self { backlog, bell }, Bell(rings))
    }

    /// Takes a message of the page.
    pub fn receive(&self, message: &JsValue) {
        let files = Files::of(message);
        match serde_wasm_bindgen::from_value::<Request>(message.clone()) {
            Ok(Request::ListPacks) => spawn_local(async { tell(packs::shelf().await) }),
            Ok(Request::DeletePacks { pack_url }) => {
                spawn_local(async move { tell(packs::delete(pack_url.as_deref()).await) });
            }
            Ok(request) => {
                self.backlog.borrow_mut().push(request, files);
                if self.bell.unbounded_send(()).is_err() {
                    log::error!("the worker no longer takes requests");
                }
            }
            Err(error) => log::error!("a message of the page could not be read: {error}"),
        }
    }

    /// What to do next, as soon as there is something; at most `max_batch` jobs.
    pub async fn next(&self, bell: &mut Bell, max_batch: usize) -> Option<Work<Files>> {
        loop {
            let work = self.backlog.borrow_mut().next(max_batch);
            if work.is_some() {
                return work;
            }
            bell.0.next().await?;
        }
    }

    /// Whether the page has taken back a job that is under way.
    pub fn is_cancelled(&self, job_id: u32) -> bool {
        self.backlog.borrow().is_cancelled(job_id)
    }

    /// A job has ended; whether the page had taken it back.
    pub fn end(&self, job_id: u32) -> bool {
        self.backlog.borrow_mut().end(job_id)
    }
}
