//! `servimage serve`.

use super::Outcome;
use anyhow::Context;
use clap::Args;
use servimage_host::server::{Server, Sharing, Site};
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

/// Arguments of `serve`.
#[derive(Args)]
pub struct ServeArguments {
    /// Folders of packs; each appears at /models/NAME/, NAME being the folder's name
    #[arg(required = true, value_name = "PACK")]
    packs: Vec<PathBuf>,
    /// Built page to serve beside them (`dist` after `cargo xtask serve`); it may then load them without further ado
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Address to listen at; 0.0.0.0 lets the whole network read the packs
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Origin whose pages may read the packs, such as https://example.org (may be repeated); any where absent
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Print a line for each request: method, length of its body, path
    #[arg(long)]
    log: bool,
}

/// Runs `serve` until the process is ended.
pub(super) fn run(arguments: &ServeArguments) -> anyhow::Result<Outcome> {
    let sharing = match arguments.origins.as_slice() {
        [] => Sharing::AnyOrigin,
        origins => Sharing::Origins(origins.to_vec()),
    };
    let mut site = Site::new();
    for pack in &arguments.packs {
        site.add_pack(pack, sharing.clone())?;
    }
    if let Some(page) = &arguments.page {
        site.add_page(page)?;
    }
    let paths: Vec<String> = site
        .mounts()
        .iter()
        .map(|mount| mount.path.clone())
        .collect();
    let server = Server::bind((arguments.bind, arguments.port), site)
        .with_context(|| format!("port {} cannot be opened", arguments.port))?;
    let origin = format!("http://{}", server.address()?);
    for path in paths {
        println!("{origin}{path}");
    }
    eprintln!(
        "Ctrl+C ends it. A page on another host needs `connect-src {origin}` in its Content-Security-Policy."
    );
    std::io::stdout().flush()?;
    server.run(arguments.log)?;
    Ok(Outcome::Done)
}
