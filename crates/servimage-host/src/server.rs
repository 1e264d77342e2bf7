//! A small static file server: content types, byte ranges, validators, sharing with other origins, nothing outside its
//! folders.
//!
//! It sends no policy headers, so that the page is tried as any static host would serve it. One
//! thread and one request a connection: browsers open connections ahead of need, and a server with a
//! fixed number of threads then leaves requests lying.

mod mime;
mod request;
mod site;

pub use request::Head;
pub use site::{Answer, Mount, Sharing, Site, SiteError};

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A connection that was opened ahead and never used.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a request's body that are read in order to be thrown away.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// An open port and what is served there.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Opens the port; 0 takes a free one. Nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// What the system says of the address.
    pub fn bind(address: impl ToSocketAddrs, site: Site) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        Ok(Self {
            listener,
            site: Arc::new(site),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests until the process ends. `log` prints them to standard output, for tests that watch what a page sends.
    ///
    /// # Errors
    /// Where the port is lost; a visitor's broken connection is none.
    pub fn run(self, log: bool) -> io::Result<()> {
        for stream in self.listener.incoming() {
            let (stream, site) = (stream?, Arc::clone(&self.site));
            // A visitor who leaves in the middle of a download is no fault of ours.
            thread::spawn(move || answer(&stream, &site, log).ok());
        }
        Ok(())
    }
}

/// Read one request from a connection, answer it, and close the connection.
fn answer(stream: &TcpStream, site: &Site, log: bool) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let Some(head) = Head::read(&mut reader)? else {
        return Ok(());
    };
    let body_bytes = head.body_bytes();
    if log {
        println!("request {} {body_bytes} {}", head.method, head.target);
    }
    // An unread body would make the system reset the connection before the answer arrives.
    io::copy(
        &mut reader.take(body_bytes.min(BODY_BYTES_MAX)),
        &mut io::sink(),
    )?;
    let answer = site
        .answer(&head)
        .unwrap_or_else(|error| Answer::text(500, &format!("{error}\n")));
    write_answer(stream, answer, head.method == "HEAD")
}

fn write_answer(mut stream: &TcpStream, answer: Answer, is_head: bool) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    let length = ("Content-Length", answer.body_bytes.to_string());
    let close = ("Connection", "close".to_owned());
    for (name, value) in answer.headers.into_iter().chain([length, close]) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if !is_head {
        io::copy(&mut answer.body.take(answer.body_bytes), &mut stream)?;
    }
    stream.flush()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests;
