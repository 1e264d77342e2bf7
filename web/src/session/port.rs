//! The worker as the session sees it: something that takes requests. The browser's worker implements
//! it in `platform`, the tests with a recorder.

use super::intake::Incoming;
use servimage_bench::message::Request;

/// Files that travel beside a score request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFiles<F> {
    /// The image to judge.
    pub image: F,
    /// The client's input image, for editing tasks.
    pub input: Option<F>,
    /// The other images of a set.
    pub others: Vec<F>,
    /// Reference images that come with the task.
    pub references: Vec<F>,
}

/// Takes requests; answers come back as `Response`s through `Session::on_response`.
pub trait WorkerPort {
    /// Handle of a file; cheap to clone.
    type File: Clone;

    /// Bytes of a file.
    fn size_of(file: &Self::File) -> f64;

    /// Sends a request, with its files where it is a score request.
    fn post(&mut self, request: &Request, files: Option<&JobFiles<Self::File>>);

    /// Sends a request to load a pack of the visitor's disk: its files by their paths in its folder.
    fn post_pack(&mut self, request: &Request, pack: &[Incoming<Self::File>]);

    /// Ends the worker, if any, and starts a fresh one, which will answer `Started`.
    fn restart(&mut self);
}
