//! Made-up workspaces with one wrong edge each: every rule must be seen to fail.

use super::*;

/// Metadata of a workspace: `(from, to, kind)`, kind being `normal`, `build` or `dev`.
/// Names that are ours become workspace members.
fn workspace(edges: &[(&str, &str, &str)]) -> Result<Metadata> {
    let names: BTreeSet<&str> = edges
        .iter()
        .flat_map(|(from, to, _)| [*from, *to])
        .collect();
    let is_ours = |name: &&&str| name.starts_with("servimage-") || **name == "xtask";
    let members: Vec<&str> = names.iter().filter(is_ours).copied().collect();
    let packages: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({"id": name, "name": name}))
        .collect();
    let node = |name: &&str| {
        let dependency = |(_, to, kind): &(&str, &str, &str)| {
            let kind = Some(*kind).filter(|kind| *kind != "normal");
            serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind, "target": null}]})
        };
        let deps: Vec<_> = edges
            .iter()
            .filter(|(from, ..)| from == name)
            .map(dependency)
            .collect();
        serde_json::json!({"id": name, "deps": deps})
    };
    let nodes: Vec<_> = names.iter().map(node).collect();
    let metadata = serde_json::json!({
        "packages": packages, "workspace_members": members, "resolve": {"nodes": nodes},
    });
    Ok(serde_json::from_value(metadata)?)
}

fn findings(edges: &[(&str, &str, &str)]) -> Result<Vec<String>> {
    Ok(workspace(edges)?.findings())
}

#[test]
fn edges_to_lower_rows_pass() -> Result<()> {
    let found = findings(&[
        ("servimage-cli", "servimage-engine", "normal"),
        ("servimage-engine", "servimage-model", "normal"),
        ("servimage-model", "servimage-pack", "normal"),
        ("servimage-model", "burn", "normal"),
        ("servimage-web", "servimage-bench", "normal"),
        ("servimage-web", "web-sys", "normal"),
        ("servimage-model", "servimage-testkit", "dev"),
        ("burn", "js-sys", "normal"),
    ])?;
    assert_eq!(found, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_edge_upwards_or_sideways_is_caught() -> Result<()> {
    for (from, to) in [
        ("servimage-model", "servimage-engine"),
        ("servimage-bench", "servimage-image"),
        ("servimage-engine", "servimage-train"),
        ("servimage-worker", "servimage-web"),
        ("servimage-testkit", "servimage-pack"),
        ("xtask", "servimage-bench"),
    ] {
        for kind in ["normal", "build", "dev"] {
            let found = findings(&[(from, to, kind)])?;
            assert_eq!(
                found,
                [format!("{from} -> {to}: not a lower row")],
                "{kind}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_testkit_is_for_tests_only() -> Result<()> {
    assert!(findings(&[("servimage-pack", "servimage-testkit", "dev")])?.is_empty());
    let found = findings(&[("servimage-cli", "servimage-testkit", "normal")])?;
    assert_eq!(
        found,
        ["servimage-cli -> servimage-testkit: allowed as a dev-dependency only"]
    );
    Ok(())
}

#[test]
fn burn_is_found_behind_other_packages_and_the_path_is_named() -> Result<()> {
    let found = findings(&[
        ("servimage-web", "charts", "normal"),
        ("charts", "burn-tensor", "normal"),
        ("servimage-bench", "charts", "dev"),
    ])?;
    assert_eq!(
        found,
        ["servimage-web must not pull in burn: servimage-web -> charts -> burn-tensor"]
    );
    Ok(())
}

#[test]
fn javascript_stays_in_the_browser_crates() -> Result<()> {
    let found = findings(&[("servimage-engine", "web-sys", "normal")])?;
    assert_eq!(
        found,
        [
            "servimage-engine -> web-sys: only servimage-worker, servimage-web, servimage-kernel-cases talk to JavaScript"
        ]
    );
    Ok(())
}

#[test]
fn a_crate_without_a_row_is_caught() -> Result<()> {
    let found = findings(&[("servimage-new", "serde", "normal")])?;
    assert_eq!(
        found,
        ["servimage-new has no row: give it one in xtask's `layers`"]
    );
    Ok(())
}
