//! Serves the built page on 127.0.0.1 with the server of [`servimage_host`].

use crate::workspace;
use anyhow::{Context, Result};
use servimage_host::server::{Server, Sharing, Site};
use std::io::{self, Write};
use std::path::PathBuf;

/// Serve the built page, and `packs` at `/models/NAME/`, until the process is ended. `log` prints the
/// requests to standard output, for tests that watch what a page sends.
pub fn serve(port: u16, packs: &[PathBuf], log: bool) -> Result<()> {
    let mut site = Site::new();
    for pack in packs {
        site.add_pack(pack, Sharing::SameOrigin)?;
    }
    site.add_page(&workspace::dist())
        .context("build the page first")?;
    for mount in site.mounts() {
        eprintln!("xtask: {} is {}", mount.path, mount.folder.display());
    }
    let server = Server::bind(("127.0.0.1", port), site)
        .with_context(|| format!("port {port} cannot be opened"))?;
    println!(
        "ServImage is at http://{}/  (Ctrl+C ends it)",
        server.address()?
    );
    io::stdout().flush()?;
    Ok(server.run(log)?)
}
