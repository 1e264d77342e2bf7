//! What browsers and strangers ask of the static server.

use super::*;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type TestResult = Result<(), Box<dyn Error>>;

/// A page, a pack, and a file beside them that nobody may read.
fn site(folder: &Path) -> Result<Site, Box<dyn Error>> {
    let (dist, pack) = (folder.join("dist"), folder.join("golden-a"));
    fs::create_dir_all(&dist)?;
    fs::create_dir_all(&pack)?;
    fs::write(folder.join("secret.txt"), "secret")?;
    fs::write(dist.join("index.html"), "<p>page</p>")?;
    fs::write(dist.join("a b.bin"), "0123456789")?;
    fs::write(pack.join("manifest.json"), "{}")?;
    serving(&dist, &[&pack])
}

fn serving(dist: &Path, packs: &[&Path]) -> Result<Site, Box<dyn Error>> {
    let mut site = Site::new();
    for pack in packs {
        site.add_pack(pack, Sharing::AnyOrigin)?;
    }
    site.add_page(dist)?;
    Ok(site)
}

/// The file behind a URL.
fn file_at(site: &Site, url: &str) -> Option<PathBuf> {
    site.find(url)?.1
}

/// Ask over a real connection; the whole answer as text.
fn ask(site: Site, request: &str) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stream = TcpStream::connect(listener.local_addr()?)?;
    let (server_side, _) = listener.accept()?;
    let server = thread::spawn(move || answer(&server_side, &site, false));
    write!(stream, "{request}Host: localhost\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    server.join().map_err(|_| "the server panicked")??;
    Ok(text)
}

#[test]
fn nothing_outside_the_folders_is_served() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    for url in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/models/golden-a/../../secret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/%00",
        "/%zz",
        "secret.txt",
    ] {
        assert_eq!(file_at(&site, url), None, "{url}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_outside_either() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    std::os::unix::fs::symlink(
        folder.path().join("secret.txt"),
        folder.path().join("dist/link.txt"),
    )?;
    assert_eq!(file_at(&site, "/link.txt"), None);
    Ok(())
}

#[test]
fn the_page_and_a_mounted_pack_are_found() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    let ends_with =
        |url: &str, end: &str| file_at(&site, url).is_some_and(|path| path.ends_with(end));
    assert!(ends_with(
        "/?pack=/models/golden-a/&device=cpu",
        "dist/index.html"
    ));
    assert!(ends_with("/a%20b.bin", "dist/a b.bin"));
    assert!(ends_with(
        "/models/golden-a/manifest.json",
        "golden-a/manifest.json"
    ));
    Ok(())
}

#[test]
fn a_folder_without_a_page_or_a_pack_is_refused_with_its_name() -> TestResult {
    let folder = tempfile::tempdir()?;
    site(folder.path())?;
    let dist = folder.path().join("dist");
    assert!(serving(&folder.path().join("golden-a"), &[]).is_err());
    let error = serving(&dist, &[&dist])
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|text| text.contains("holds no pack")));
    Ok(())
}

#[test]
fn a_whole_file_comes_with_its_length_and_type() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    fs::write(folder.path().join("dist/big.wasm"), vec![b'w'; 100_000])?;
    let answer = ask(site, "GET /big.wasm HTTP/1.1\r\n")?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..40]);
    assert!(
        answer.contains("Content-Length: 100000\r\n"),
        "progress needs the length"
    );
    assert!(answer.contains("Content-Type: application/wasm\r\n"));
    Ok(())
}

#[test]
fn a_range_is_answered_with_exactly_its_bytes() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    let answer = ask(site, "GET /a%20b.bin HTTP/1.1\r\nRange: bytes=2-5\r\n")?;
    assert!(answer.starts_with("HTTP/1.1 206"), "{answer}");
    assert!(
        answer.contains("Content-Range: bytes 2-5/10\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n2345"), "{answer}");
    Ok(())
}

#[test]
fn a_range_of_an_older_build_is_answered_with_the_whole_new_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    let answer = ask(
        site,
        "GET /a%20b.bin HTTP/1.1\r\nRange: bytes=2-5\r\nIf-Range: \"old\"\r\n",
    )?;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("0123456789"),
        "{answer}"
    );
    Ok(())
}

#[test]
fn only_the_head_is_sent_where_only_the_head_is_asked_for() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    let answer = ask(site, "HEAD /a%20b.bin HTTP/1.1\r\n")?;
    assert!(
        answer.contains("Content-Length: 10\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    Ok(())
}

#[test]
fn other_methods_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let site = site(folder.path())?;
    let answer = ask(site, "POST / HTTP/1.1\r\nContent-Length: 0\r\n")?;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    Ok(())
}

#[test]
fn a_pack_may_be_read_by_pages_of_other_origins_and_the_page_may_not() -> TestResult {
    let folder = tempfile::tempdir()?;
    let pack = "GET /models/golden-a/manifest.json HTTP/1.1\r\nOrigin: https://a.example\r\n";
    let answer = ask(site(folder.path())?, pack)?;
    assert!(
        answer.contains("Access-Control-Allow-Origin: *\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains(
            "Access-Control-Expose-Headers: Accept-Ranges, Content-Length, Content-Range, ETag\r\n"
        ),
        "a script must see what it resumes by: {answer}"
    );
    let page = "GET / HTTP/1.1\r\nOrigin: https://a.example\r\n";
    let answer = ask(site(folder.path())?, page)?;
    assert!(!answer.contains("Access-Control"), "{answer}");
    Ok(())
}

#[test]
fn a_browser_that_asks_before_it_resumes_is_told_yes() -> TestResult {
    let folder = tempfile::tempdir()?;
    let request = "OPTIONS /models/golden-a/shard-0000.bin HTTP/1.1\r\nOrigin: https://a.example\r\n\
                   Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: if-range,range\r\n";
    let answer = ask(site(folder.path())?, request)?;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(
        answer.contains("Access-Control-Allow-Headers: Range, If-Range"),
        "{answer}"
    );
    Ok(())
}

#[test]
fn where_origins_are_listed_no_other_reads_a_pack() -> TestResult {
    let folder = tempfile::tempdir()?;
    site(folder.path())?;
    let origins = |origin: &str| -> Result<String, Box<dyn Error>> {
        let mut site = Site::new();
        let sharing = Sharing::Origins(vec!["https://a.example".to_owned()]);
        site.add_pack(&folder.path().join("golden-a"), sharing)?;
        let request = "GET /models/golden-a/manifest.json HTTP/1.1\r\nOrigin: ";
        ask(site, &format!("{request}{origin}\r\n"))
    };
    let allowed = origins("https://a.example")?;
    assert!(
        allowed.contains("Access-Control-Allow-Origin: https://a.example\r\n")
            && allowed.contains("Vary: Origin\r\n"),
        "{allowed}"
    );
    let refused = origins("https://b.example")?;
    assert!(!refused.contains("Access-Control"), "{refused}");
    assert!(refused.contains("Vary: Origin\r\n"), "{refused}");
    Ok(())
}

#[test]
fn a_file_that_the_visitor_has_is_not_sent_again() -> TestResult {
    let folder = tempfile::tempdir()?;
    let answer = ask(site(folder.path())?, "GET /a%20b.bin HTTP/1.1\r\n")?;
    let tag = answer
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .ok_or("no ETag")?
        .to_owned();
    // Opened on the files that lie there, which keep their time.
    let again = serving(&folder.path().join("dist"), &[])?;
    let answer = ask(
        again,
        &format!("GET /a%20b.bin HTTP/1.1\r\nIf-None-Match: {tag}\r\n"),
    )?;
    assert!(
        answer.starts_with("HTTP/1.1 304") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    Ok(())
}

#[test]
fn two_packs_of_one_name_or_with_an_unfit_name_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let pack = |name: &str| -> Result<PathBuf, Box<dyn Error>> {
        let path = folder.path().join(name);
        fs::create_dir_all(&path)?;
        fs::write(path.join("manifest.json"), "{}")?;
        Ok(path)
    };
    let mut site = Site::new();
    site.add_pack(&pack("one/q4")?, Sharing::AnyOrigin)?;
    let error = site.add_pack(&pack("two/q4")?, Sharing::AnyOrigin).err();
    assert!(error.is_some_and(|error| error.to_string().contains("two packs are called `q4`")));
    let error = site.add_pack(&pack("my pack")?, Sharing::AnyOrigin).err();
    assert!(error.is_some_and(|error| error.to_string().contains("rename the folder")));
    Ok(())
}
