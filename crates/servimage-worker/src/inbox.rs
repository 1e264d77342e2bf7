//! What waits for the worker: requests in order, and the jobs that the page has taken back.

use crate::platform::Files;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use servimage_bench::message::Request;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// A request with its files.
pub(crate) struct Posted {
    /// What the page asks for.
    pub request: Request,
    /// Files beside it.
    pub files: Files,
}

/// Sorts messages as they come: cancellations act at once, the rest waits in order.
#[derive(Clone)]
pub(crate) struct Inbox {
    queue: UnboundedSender<Posted>,
    cancelled: Cancelled,
}

/// Jobs that the page has taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancelled(Rc<RefCell<HashSet<u32>>>);

impl Cancelled {
    /// Whether the job was taken back; asking forgets it.
    pub fn take(&self, job_id: u32) -> bool {
        self.0.borrow_mut().remove(&job_id)
    }
}

impl Inbox {
    /// An empty inbox, and the end that is worked off.
    pub fn new() -> (Self, UnboundedReceiver<Posted>) {
        let (queue, requests) = unbounded();
        (
            Self {
                queue,
                cancelled: Cancelled::default(),
            },
            requests,
        )
    }

    /// The jobs that were taken back.
    pub fn cancelled(&self) -> Cancelled {
        self.cancelled.clone()
    }

    /// Takes a message of the page.
    pub fn receive(&self, message: &JsValue) {
        let files = Files::of(message);
        match serde_wasm_bindgen::from_value::<Request>(message.clone()) {
            Ok(Request::Cancel { job_id }) => {
                self.cancelled.0.borrow_mut().insert(job_id);
            }
            Ok(request) => {
                if self
                    .queue
                    .unbounded_send(Posted { request, files })
                    .is_err()
                {
                    log::error!("the worker no longer takes requests");
                }
            }
            Err(error) => log::error!("a message of the page could not be read: {error}"),
        }
    }
}
